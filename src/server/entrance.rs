//! From an accepted socket to a connection that is served: places, handshake, and who is turned away.
//!
//! A connection takes one of the server's places and one of its client's. Before the handshake the client is its
//! address; afterwards it is its certificate, so that many clients behind one address share its places for the
//! time of a handshake only.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::activity::{Activity, Running};
use super::clients::{ClientKey, Clients};
use super::connection::{drive, protocols};
use super::peer::Peer;
use super::refusal::Refusal;
use super::service::Service;
use super::standalone;
use super::tls::{Door, Entered};

/// Connections turned away that are spoken to at once; beyond that they are dropped without a word.
const TURNED_AWAY_AT_ONCE: usize = 64;

/// Time that a connection turned away has to read why.
const FAREWELL: Duration = Duration::from_secs(1);

/// What every connection passes through.
pub(super) struct Entrance {
    service: Arc<Service>,
    door: Option<Door>,
    protocols: Builder<TokioExecutor>,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    clients: Arc<Clients>,
    stopping: watch::Receiver<bool>,
}

/// A place of the server, given back when it is dropped.
pub(super) enum Place {
    /// To be served.
    Served(OwnedSemaphorePermit),
    /// The server is full: to be told so.
    TurnedAway(OwnedSemaphorePermit),
}

impl Entrance {
    /// An entrance to `service`; through `door` if it is TLS.
    pub(super) fn new(
        service: &Arc<Service>,
        door: Option<Door>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let limits = service.limits();
        Self {
            service: Arc::clone(service),
            door,
            protocols: protocols(limits),
            places: Arc::new(Semaphore::new(limits.max_connections)),
            refusals: Arc::new(Semaphore::new(TURNED_AWAY_AT_ONCE)),
            clients: Clients::new(limits),
            stopping,
        }
    }

    /// A place for one more connection; `None` when there is none even to turn it away.
    pub(super) fn place(&self) -> Option<Place> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => Some(Place::Served(place)),
            Err(_) => self.turned_away_place().map(Place::TurnedAway),
        }
    }

    fn turned_away_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.refusals).try_acquire_owned().ok()
    }

    /// Serves or turns away one connection, to its end.
    pub(super) async fn receive(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        place: Place,
    ) {
        match place {
            Place::Served(place) => self.serve(stream, address, place).await,
            Place::TurnedAway(_place) => {
                // All of it within a short time: whoever takes longer is not worth the place.
                let _ = tokio::time::timeout(FAREWELL, async {
                    match &self.door {
                        None => {
                            self.service.metrics.refused(&Refusal::Full);
                            let _ = turn_away(&stream, &Refusal::Full).await;
                        }
                        Some(door) => {
                            if let Some(entered) = door.enter(stream, address).await {
                                self.answer_only(entered.stream, Refusal::Full).await;
                            }
                        }
                    }
                })
                .await;
            }
        }
    }

    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
    ) {
        let _open = self.service.metrics.opened();
        let seat = self.clients.seat(ClientKey::of_address(address.ip()));
        let mut stopping = self.stopping.clone();
        let Some(door) = &self.door else {
            match seat {
                Ok(seat) => {
                    let peer = Peer::new(address, None, seat);
                    let never = std::future::pending();
                    let service = Arc::clone(&self.service);
                    drive(stream, &self.protocols, service, peer, never, stopping).await;
                }
                Err(refusal) => {
                    drop(place);
                    if let Some(_place) = self.turned_away_place() {
                        self.service.metrics.refused(&refusal);
                        let farewell = turn_away(&stream, &refusal);
                        let _ = tokio::time::timeout(FAREWELL, farewell).await;
                    }
                }
            }
            return;
        };
        // A handshake costs more than a refusal is worth: an address with too many is cut off.
        let Ok(seat) = seat else { return };
        let entered = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => return,
            entered = door.enter(stream, address) => entered,
        };
        let Some(Entered {
            stream,
            identity,
            trust,
        }) = entered
        else {
            return;
        };
        let seat = match &identity {
            Some(identity) => {
                // The address has its place back: others behind it may shake hands.
                drop(seat);
                let key = ClientKey::Certificate(identity.fingerprint);
                self.clients.seat(key)
            }
            None => Ok(seat),
        };
        match seat {
            Ok(seat) => {
                let peer = Peer::new(address, identity, seat);
                let service = Arc::clone(&self.service);
                drive(
                    stream,
                    &self.protocols,
                    service,
                    peer,
                    trust.lost(),
                    stopping,
                )
                .await;
            }
            Err(refusal) => {
                drop(place);
                if let Some(_place) = self.turned_away_place() {
                    let farewell = self.answer_only(stream, refusal);
                    let _ = tokio::time::timeout(FAREWELL, farewell).await;
                }
            }
        }
    }

    /// Gives the first request of a connection, in its protocol, this refusal as its answer, and ends the connection.
    async fn answer_only<S>(&self, stream: S, refusal: Refusal)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answered = Notify::new();
        let activity = Activity::new(self.service.limits());
        let refusing = service_fn(|request: Request<Incoming>| {
            let (head, _) = request.into_parts();
            let multiplexed = head.version == Version::HTTP_2;
            let running = Running::start(&activity, multiplexed);
            let mut response = self.service.refuse(&head, &refusal, running);
            if !multiplexed {
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            answered.notify_one();
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let connection = self
            .protocols
            .serve_connection(TokioIo::new(stream), refusing);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = answered.notified() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

/// Tells a client, in HTTP/1.1, why there is no place for it, and waits until it has read that:
/// closing on unread bytes would reset the connection and take the answer with it.
async fn turn_away(stream: &TcpStream, refusal: &Refusal) -> std::io::Result<()> {
    let answer = standalone::answer(refusal);
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
