//! One connection: HTTP/1.1 or HTTP/2 by its first bytes, until it ends or is ended.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::activity::{Activity, Answering, Running, Verdict};
use super::apart::Apart;
use super::limits::Limits;
use super::peer::Peer;
use super::service::Service;
use super::watched::Watched;

/// How connections are spoken to, the same for all.
pub(super) fn protocols(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The buffer must hold a whole head: the largest allowed one is then refused by us, with a body.
    let head = limits.url_bytes + 2 * limits.header_bytes + 4096;
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None::<Duration>) // the activity's clocks do it, for both protocols
        .max_buf_size(head.max(128 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams_per_connection)
        // What a client may send before anybody reads it; bodies are forms, so little is enough.
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024)
        .max_pending_accept_reset_streams(
            usize::try_from(limits.max_resets_per_second).unwrap_or(usize::MAX),
        )
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX));
    builder
}

/// Serves `stream` until the client leaves, is too slow, is no longer trusted, or `stop` turns true; what runs is then
/// finished.
pub(super) async fn drive<S>(
    stream: S,
    protocols: &Builder<TokioExecutor>,
    service: Arc<Service>,
    peer: Arc<Peer>,
    distrust: impl Future<Output = String>,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let address = peer.address;
    let activity = Activity::new(service.limits());
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let begun = Arc::clone(&activity);
    let answering = service_fn(move |mut request: Request<Incoming>| {
        let running = Running::start(&begun, request.version() == Version::HTTP_2);
        let answering = Answering::start(&begun);
        let service = Arc::clone(&service);
        request.extensions_mut().insert(Arc::clone(&peer));
        async move {
            let response = service.respond(request, running).await;
            answering.done();
            Ok::<_, Infallible>(response)
        }
    });
    let mut distrust = std::pin::pin!(distrust);
    let mut connection = std::pin::pin!(protocols.serve_connection(stream, answering));
    let mut closing = false;
    loop {
        let pause = match activity.verdict(closing) {
            Verdict::Wait(pause) => pause,
            Verdict::Close => {
                closing = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            Verdict::Cut => {
                tracing::debug!(client = %address, "connection cut: too slow, or it gives up too many requests");
                return;
            }
        };
        // Asked anew after each byte these would cost more than the byte.
        let mut aside = Apart::new(Box::pin(async {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop), if !closing => Aside::Stopped,
                reason = &mut distrust, if !closing => Aside::Distrusted(reason),
                () = activity.worth_a_look() => Aside::Look,
                () = tokio::time::sleep(pause) => Aside::Look,
            }
        }));
        let event = tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error = %error, "connection ended early");
                }
                return;
            }
            event = &mut aside => event,
        };
        drop(aside);
        match event {
            Aside::Look => continue,
            Aside::Stopped => {}
            Aside::Distrusted(reason) => {
                tracing::info!(client = %address, reason, "connection closed");
            }
        }
        closing = true;
        connection.as_mut().graceful_shutdown();
    }
}

/// What happens beside the requests of a connection.
enum Aside {
    /// The server stops.
    Stopped,
    /// The client is no longer trusted, for this reason.
    Distrusted(String),
    /// It is time to judge the connection.
    Look,
}
