//! The address on which the numbers are asked for: plain HTTP/1.1, one path, few connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::text_of;
use crate::server::listener::ServeError;

/// Scrapes at once; more wait.
const AT_ONCE: usize = 8;
/// A scrape is over in milliseconds; whatever lasts longer is none.
const LONGEST: Duration = Duration::from_secs(30);
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Listens on the address; answers it with its port resolved.
///
/// # Errors
/// [`ServeError::Metrics`].
pub(in crate::server) async fn bind(listen: &str) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Metrics {
        listen: listen.to_owned(),
        source,
    };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "metrics on an address that others can reach: they tell generation ids, counts and names of certificates");
    }
    Ok((listener, address))
}

/// Answers scrapes for ever.
pub(in crate::server) async fn answer(listener: TcpListener, registry: Registry) {
    let registry = Arc::new(registry);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a scrape could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let registry = Arc::clone(&registry);
        tokio::spawn(async move {
            let _place = place;
            let scraped = service_fn(move |request: Request<Incoming>| {
                let response = respond(&request, &registry);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), scraped);
            // A scraper that leaves early harms nobody.
            let _ = tokio::time::timeout(LONGEST, connection).await;
        });
    }
}

fn respond(request: &Request<Incoming>, registry: &Registry) -> Response<Full<Bytes>> {
    let plain = |status, text: &'static str| {
        let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
        *response.status_mut() = status;
        response
    };
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "the numbers are at /metrics\n");
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "read them by GET\n");
        let headers = response.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let Ok(text) = text_of(registry) else {
        return plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the numbers could not be written\n",
        );
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, OPEN_METRICS);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
