//! Accepting connections, and letting them finish at the end.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::base_url::BaseUrl;
use super::changes::Look;
use super::config::{ConfigError, ServerConfig};
use super::entrance::Entrance;
use super::metrics::{self, Metrics};
use super::served::Served;
use super::service::Service;
use super::swap;
use super::tls::{self, TlsError, TlsStatus};
use super::{access, activation};

/// Where a server can be reached, once it listens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Bound {
    /// The address it listens on, its port resolved.
    pub address: SocketAddr,
    /// The base URL of its resources, no trailing slash.
    pub base_url: String,
    /// Where the metrics are served, its port resolved; `None` when they are not.
    pub metrics: Option<SocketAddr>,
    /// Expiries and counts of TLS, live; `None` when it is plain HTTP.
    pub tls: Option<Arc<TlsStatus>>,
}

/// Why a server could not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificates, keys or lists are not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The record of requests cannot be opened.
    #[error("the record of requests {path} of access.audit_log cannot be opened: {source}", path = path.display())]
    Audit {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address of the metrics cannot be listened on.
    #[error(
        "cannot listen on {listen} for metrics: {source}; choose another address with the key `metrics_listen`"
    )]
    Metrics {
        /// The address asked for.
        listen: String,
        /// What the system said.
        source: std::io::Error,
    },
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

/// Serves an engine, or an engine with its store ([`Served`]), until `shutdown` is done, then finishes what runs, within the
/// configured grace, and returns.
///
/// `on_bound` is called once, as soon as connections are accepted. Needs a tokio runtime with time and
/// input/output enabled; a multi-threaded one, so that a search does not hold up other connections.
///
/// # Errors
/// When the configuration is not usable or the address cannot be listened on; never for what a client does.
pub async fn serve(
    served: impl Into<Served>,
    config: ServerConfig,
    shutdown: impl Future<Output = ()>,
    on_bound: impl FnOnce(&Bound),
) -> Result<(), ServeError> {
    config.check()?;
    let failed = |source| ServeError::Listen {
        listen: config.listen.clone(),
        source,
    };
    let listener = activation::listener(&config.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let base = match &config.base_url {
        Some(url) => BaseUrl::parse(url).map_err(ConfigError::from)?,
        None => BaseUrl::of_address(address, config.tls.is_some()),
    };
    let bound = Bound {
        address,
        base_url: base.as_str().to_owned(),
        metrics: None,
        tls: None,
    };
    let grace = config.shutdown_grace();
    let (stop, stopping) = watch::channel(false);
    let (door, watching) = match &config.tls {
        Some(tls) => {
            let (door, watcher) = tls::watch(tls)?;
            (Some(door), Some(tokio::spawn(watcher.run())))
        }
        None => (None, None),
    };
    let scraped = match &config.metrics_listen {
        Some(listen) => Some(metrics::bind(listen).await?),
        None => None,
    };
    let bound = Bound {
        metrics: scraped.as_ref().map(|(_, address)| *address),
        tls: door.as_ref().map(|door| Arc::clone(door.status())),
        ..bound
    };
    let served = served.into();
    let engine = Arc::clone(&served.engine);
    let metrics = Metrics::new();
    let interval = config.refresh_interval();
    let swapping = swap::watch(Arc::clone(&engine), interval, Arc::clone(&metrics));
    let swapping = tokio::spawn(swapping);
    let policy = config.access.clone();
    // Looked at before reading: what changes in between is read again.
    let look = policy.policy_file().and_then(Look::at);
    let service = Arc::new(Service::new(served, config, base, Arc::clone(&metrics))?);
    let callers = Arc::clone(&service.callers);
    let profiling = tokio::spawn(access::watch(callers, engine, policy, interval, look));
    let scraping = scraped.map(|(listener, _)| {
        let registry = metrics.registry(service.standing(bound.tls.clone()));
        tokio::spawn(metrics::answer(listener, registry))
    });
    if bound.tls.is_none() && !address.ip().is_loopback() {
        tracing::warn!(%address, "plain HTTP on an address that others can reach: add a [tls] table, or put a proxy before it");
    }
    tracing::info!(address = %bound.address, base_url = %bound.base_url, tls = bound.tls.is_some(), "listening");
    on_bound(&bound);

    let mut connections = JoinSet::new();
    let entrance = Arc::new(Entrance::new(&service, door, stopping));
    accept(&listener, &entrance, &mut connections, shutdown).await;

    drop(listener);
    drop(entrance);
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
    profiling.abort();
    if let Some(scraping) = scraping {
        scraping.abort();
    }
    if let Some(watching) = watching {
        watching.abort();
    }
    tracing::info!("stopped");
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    entrance: &Arc<Entrance>,
    connections: &mut JoinSet<()>,
    shutdown: impl Future<Output = ()>,
) {
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, address) = tokio::select! {
            biased;
            () = &mut shutdown => return,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
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
        if let Some(place) = entrance.place() {
            connections.spawn(Arc::clone(entrance).receive(stream, address, place));
        }
    }
}
