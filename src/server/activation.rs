//! The socket to listen on: bound here, or passed by systemd so that no connection is lost while the service starts anew.

use std::io;

use tokio::net::TcpListener;

/// The value of `listen` that stands for the socket that systemd passes.
const PASSED: &str = "systemd";

/// A listening socket for the value of `listen`.
///
/// # Errors
/// When the address cannot be listened on, or systemd has passed no TCP socket.
pub(super) async fn listener(listen: &str) -> io::Result<TcpListener> {
    if listen != PASSED {
        return TcpListener::bind(listen).await;
    }
    let passed = listenfd::ListenFd::from_env().take_tcp_listener(0)?;
    let listener = passed.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "no socket was passed (LISTEN_FDS): start rorqual.socket instead of the service, or give an address",
        )
    })?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
