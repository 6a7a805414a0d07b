//! The `[limits]` table of the configuration: bounds on what clients may send, hold and ask for.

use serde::{Deserialize, Serialize};

use super::config::{ConfigError, in_range};

/// Bounds on sizes, times and numbers, so that no client can hold the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Longest path and query of a URL, in bytes (256 to 65,000); longer is 414.
    pub url_bytes: usize,
    /// Largest sum of header names and values, in bytes (1,024 to 1,048,576); larger is 431.
    pub header_bytes: usize,
    /// Largest body of a `POST _search`, in bytes; larger is 413.
    pub body_bytes: usize,
    /// Time in which a request's head must have arrived, in seconds; the connection is then closed.
    pub header_read_timeout_seconds: u64,
    /// Time in which a request's body must have arrived, in seconds; then 408.
    pub body_read_timeout_seconds: u64,
    /// Time in which an answer must be ready, in seconds; then 503.
    pub request_timeout_seconds: u64,
    /// Resources on one page of a search, in bytes (1,048,576 to 2^30): includes beyond are left out with a warning,
    /// matches beyond are refused with advice to ask for fewer. So much memory one answer takes at most when it is
    /// not sent as stored (`_elements`, `_summary`, `_pretty`).
    pub answer_bytes: u64,
    /// Time without a byte sent or received after which a connection with a running request is cut,
    /// in seconds; more than the two time-outs above, since nothing moves while an answer is made.
    pub stall_timeout_seconds: u64,
    /// Time a connection may stay open between two requests, in seconds.
    pub keep_alive_seconds: u64,
    /// Time after which a connection takes no further request, in seconds; it then has four stall
    /// time-outs to finish.
    pub max_connection_seconds: u64,
    /// Requests after which a connection takes no further one; 0 means any number.
    pub max_requests_per_connection: u64,
    /// Connections open at once; one more is answered 503 and closed.
    pub max_connections: usize,
    /// Connections of one client open at once; one more is answered 429 and closed; 0 means any number.
    pub max_connections_per_client: usize,
    /// Requests a second of one client, in the long run; more are answered 429; 0 means any number.
    pub requests_per_second_per_client: u32,
    /// Requests of one client at once after a pause, at least those of a second; 0 with a rate of 0.
    pub request_burst_per_client: u32,
    /// Requests at once on one HTTP/2 connection.
    pub max_streams_per_connection: u32,
    /// Requests a second that one connection may begin and give up (HTTP/2 RST_STREAM); more, and it is cut.
    pub max_resets_per_second: u32,
    /// Searches computed at once that are not light, 0 meaning one for each core; and half as many heavy ones.
    pub max_concurrent_searches: usize,
    /// Searches waiting for their turn; one more is answered 503 at once.
    pub max_waiting_searches: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            url_bytes: 32_768,
            header_bytes: 32_768,
            body_bytes: 1_048_576,
            header_read_timeout_seconds: 10,
            body_read_timeout_seconds: 15,
            request_timeout_seconds: 10,
            answer_bytes: 64 << 20,
            stall_timeout_seconds: 30,
            keep_alive_seconds: 75,
            max_connection_seconds: 14_400,
            max_requests_per_connection: 0,
            max_connections: 10_000,
            // Behind a proxy all clients share one address: a bound for each is the operator's to set.
            max_connections_per_client: 0,
            requests_per_second_per_client: 0,
            request_burst_per_client: 0,
            max_streams_per_connection: 128,
            max_resets_per_second: 100,
            max_concurrent_searches: 0,
            max_waiting_searches: 1_024,
        }
    }
}

impl Limits {
    /// Checks every value against its range.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let size = |bytes: usize| bytes as u64;
        for (key, value, least, most) in [
            ("limits.url_bytes", size(self.url_bytes), 256, 65_000),
            (
                "limits.header_bytes",
                size(self.header_bytes),
                1_024,
                1 << 20,
            ),
            ("limits.body_bytes", size(self.body_bytes), 1_024, 1 << 30),
            (
                "limits.header_read_timeout_seconds",
                self.header_read_timeout_seconds,
                1,
                3_600,
            ),
            (
                "limits.body_read_timeout_seconds",
                self.body_read_timeout_seconds,
                1,
                3_600,
            ),
            (
                "limits.request_timeout_seconds",
                self.request_timeout_seconds,
                1,
                3_600,
            ),
            ("limits.answer_bytes", self.answer_bytes, 1 << 20, 1 << 30),
            (
                "limits.stall_timeout_seconds",
                self.stall_timeout_seconds,
                1,
                7_200,
            ),
            (
                "limits.keep_alive_seconds",
                self.keep_alive_seconds,
                1,
                86_400,
            ),
            (
                "limits.max_connection_seconds",
                self.max_connection_seconds,
                1,
                604_800,
            ),
            (
                "limits.max_connections",
                size(self.max_connections),
                1,
                1_000_000,
            ),
            (
                "limits.max_connections_per_client",
                size(self.max_connections_per_client),
                0,
                1_000_000,
            ),
            (
                "limits.requests_per_second_per_client",
                self.requests_per_second_per_client.into(),
                0,
                1_000_000,
            ),
            (
                "limits.max_streams_per_connection",
                self.max_streams_per_connection.into(),
                1,
                10_000,
            ),
            (
                "limits.max_resets_per_second",
                self.max_resets_per_second.into(),
                1,
                1_000_000,
            ),
            (
                "limits.max_concurrent_searches",
                size(self.max_concurrent_searches),
                0,
                1_024,
            ),
        ] {
            in_range(key, value, least, most)?;
        }
        self.check_together()
    }

    /// Checks the values that depend on each other.
    fn check_together(&self) -> Result<(), ConfigError> {
        if self.stall_timeout_seconds
            <= self
                .request_timeout_seconds
                .max(self.body_read_timeout_seconds)
        {
            return Err(ConfigError::StallTooShort {
                stall: self.stall_timeout_seconds,
                request: self.request_timeout_seconds,
                body: self.body_read_timeout_seconds,
            });
        }
        let (rate, burst) = (
            self.requests_per_second_per_client,
            self.request_burst_per_client,
        );
        // The longest refill bounds how long a client that has left is remembered.
        if burst < rate || burst > rate.saturating_mul(60) {
            return Err(ConfigError::Burst { burst, rate });
        }
        Ok(())
    }

    /// How many searches are computed at once, the zero of the file resolved.
    pub(super) fn concurrent_searches(&self) -> usize {
        match self.max_concurrent_searches {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            set => set,
        }
    }
}
