//! Accepting connections, within a number, and letting them finish at the end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::base_url::BaseUrl;
use super::config::{ConfigError, ServerConfig};
use super::connection::{drive, protocols};
use super::refusal::Refusal;
use super::service::Service;
use super::{standalone, swap};
use crate::Engine;

/// Where a server can be reached, once it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bound {
    /// The address it listens on, its port resolved.
    pub address: SocketAddr,
    /// The base URL of its resources, no trailing slash.
    pub base_url: String,
}

/// Why a server could not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {listen}: {source}; choose another address with --listen or the key `listen`"
    )]
    Listen {
        /// The address asked for.
        listen: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Connections turned away that are spoken to at once; beyond that they are dropped without a word.
const TURNED_AWAY_AT_ONCE: usize = 64;

/// Serves until `shutdown` is done, then finishes what runs, within the configured grace, and returns.
///
/// `on_bound` is called once, as soon as connections are accepted. Needs a tokio runtime with time and
/// input/output enabled; a multi-threaded one, so that a search does not hold up other connections.
///
/// # Errors
/// When the configuration is not usable or the address cannot be listened on; never for what a client does.
pub async fn serve(
    engine: Arc<Engine>,
    config: ServerConfig,
    shutdown: impl Future<Output = ()>,
    on_bound: impl FnOnce(&Bound),
) -> Result<(), ServeError> {
    config.check()?;
    let failed = |source| ServeError::Listen {
        listen: config.listen.clone(),
        source,
    };
    let listener = TcpListener::bind(&config.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let base = match &config.base_url {
        Some(url) => BaseUrl::parse(url).map_err(ConfigError::from)?,
        None => BaseUrl::of_address(address),
    };
    let bound = Bound {
        address,
        base_url: base.as_str().to_owned(),
    };
    let grace = config.shutdown_grace();
    let (stop, stopping) = watch::channel(false);
    let swapping = tokio::spawn(swap::watch(Arc::clone(&engine), config.refresh_interval()));
    let service = Arc::new(Service::new(engine, config, base));
    tracing::info!(address = %bound.address, base_url = %bound.base_url, "listening");
    on_bound(&bound);

    let mut connections = JoinSet::new();
    accept(&listener, &service, &stopping, &mut connections, shutdown).await;

    drop(listener);
    service.drain();
    tracing::info!(
        connections = connections.len(),
        "stopping: no new connection, finishing what runs"
    );
    // Receivers live in the connections only; without any there is nobody to tell.
    let _ = stop.send(true);
    let drained = tokio::time::timeout(grace, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    if drained.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "grace over: cutting the connections that are left"
        );
        connections.shutdown().await;
    }
    swapping.abort();
    tracing::info!("stopped");
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    service: &Arc<Service>,
    stopping: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
    shutdown: impl Future<Output = ()>,
) {
    let protocols = protocols(service.limits());
    let places = Arc::new(Semaphore::new(service.limits().max_connections));
    let refusals = Arc::new(Semaphore::new(TURNED_AWAY_AT_ONCE));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            biased;
            () = &mut shutdown => return,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, mostly: the pause lets connections end instead of spinning.
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Answers are written whole; waiting to fill a packet would only delay their end.
        let _ = stream.set_nodelay(true);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let driving = drive(
                stream,
                protocols.clone(),
                Arc::clone(service),
                stopping.clone(),
            );
            connections.spawn(async move {
                driving.await;
                drop(place);
            });
        } else if let Ok(place) = Arc::clone(&refusals).try_acquire_owned() {
            connections.spawn(async move {
                let _ = tokio::time::timeout(Duration::from_secs(1), turn_away(&stream)).await;
                drop(place);
            });
        }
    }
}

/// Tells a client, in HTTP/1.1, that there is no place for it, and waits until it has read that:
/// closing on unread bytes would reset the connection and take the answer with it.
async fn turn_away(stream: &TcpStream) -> std::io::Result<()> {
    let answer = standalone::answer(&Refusal::Full);
    let mut left = answer.as_ref();
    while !left.is_empty() {
        stream.writable().await?;
        match stream.try_write(left) {
            Ok(count) => left = left.get(count..).unwrap_or(&[]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    let mut ignored = [0_u8; 4096];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut ignored) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
