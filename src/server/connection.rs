//! One connection: HTTP/1.1 or HTTP/2 by its first bytes, until it ends or is ended.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::activity::{Activity, Running, Verdict, Watched};
use super::config::Limits;
use super::service::Service;

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
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX));
    builder
}

/// Serves `stream` until the client leaves, is too slow, or `stop` turns true and its requests are done.
pub(super) async fn drive<S>(
    stream: S,
    protocols: Builder<TokioExecutor>,
    service: Arc<Service>,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Activity::new(service.limits());
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let begun = Arc::clone(&activity);
    let answering = service_fn(move |request| {
        let running = Running::start(&begun);
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.respond(request, running).await) }
    });
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
                tracing::debug!("connection cut: too slow");
                return;
            }
        };
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error = %error, "connection ended early");
                }
                return;
            }
            _ = stop.wait_for(|stop| *stop), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(pause) => {}
        }
    }
}
