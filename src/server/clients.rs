//! What each client may hold and ask for: connections at once, and requests a second.
//!
//! A client is a certificate, or else an address: its certificate stays the same wherever it connects from, and many
//! clients behind one address do not pay for each other. An IPv6 client is its /64, the least that one is given.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::limits::Limits;
use super::refusal::Refusal;
use super::tls::Fingerprint;

/// Whom connections and requests are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ClientKey {
    /// A certificate.
    Certificate(Fingerprint),
    /// An address, or the network of 2^64 addresses it is in.
    Address(IpAddr),
}

impl ClientKey {
    /// The key of a client without a certificate.
    pub(super) fn of_address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(six) => {
                let network = u128::from(six) & (u128::MAX << 64);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            four => four,
        })
    }
}

/// The clients that are connected, or were a moment ago.
#[derive(Debug)]
pub(super) struct Clients {
    table: Mutex<Table>,
    max_connections: usize,
    quota: Option<Quota>,
    rate: u32,
    burst: u32,
    /// Time in which an empty allowance is full again: afterwards a client that has left may be forgotten.
    refill: Duration,
    begun: Instant,
}

#[derive(Debug, Default)]
struct Table {
    accounts: HashMap<ClientKey, Arc<Account>>,
    /// Number of accounts at which those of clients long gone are dropped.
    sweep_at: usize,
}

/// The least number of accounts that is worth a sweep.
const LEAST_SWEEP: usize = 1_024;

impl Clients {
    /// Nobody yet, within the limits.
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let rate = NonZeroU32::new(limits.requests_per_second_per_client);
        let quota = rate.map(|rate| {
            let burst = NonZeroU32::new(limits.request_burst_per_client).unwrap_or(rate);
            Quota::per_second(rate).allow_burst(burst)
        });
        let refill = rate.map_or(0, |rate| limits.request_burst_per_client / rate + 1);
        Arc::new(Self {
            table: Mutex::default(),
            max_connections: match limits.max_connections_per_client {
                0 => usize::MAX,
                set => set,
            },
            quota,
            rate: limits.requests_per_second_per_client,
            burst: limits.request_burst_per_client,
            refill: Duration::from_secs(refill.into()),
            begun: Instant::now(),
        })
    }

    /// A place for one more connection of a client, kept until it is dropped.
    pub(super) fn seat(self: &Arc<Self>, key: ClientKey) -> Result<Seat, Refusal> {
        let mut table = self.table();
        if table.accounts.len() >= table.sweep_at {
            let now = self.now();
            table
                .accounts
                .retain(|_, account| !account.is_gone(now, self.refill));
            table.sweep_at = (2 * table.accounts.len()).max(LEAST_SWEEP);
        }
        let account = table
            .accounts
            .entry(key)
            .or_insert_with(|| Arc::new(Account::new(self.quota)));
        if account.connections.load(Relaxed) >= self.max_connections {
            return Err(Refusal::TooManyConnections {
                limit: self.max_connections,
            });
        }
        account.connections.fetch_add(1, Relaxed);
        Ok(Seat {
            account: Arc::clone(account),
            clients: Arc::clone(self),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing that holds it can leave it half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the beginning.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// What one client holds and has asked for.
#[derive(Debug)]
struct Account {
    connections: AtomicUsize,
    /// When its last connection ended, in milliseconds since the beginning.
    left: AtomicU64,
    allowance: Option<DefaultDirectRateLimiter>,
}

impl Account {
    fn new(quota: Option<Quota>) -> Self {
        Self {
            connections: AtomicUsize::new(0),
            left: AtomicU64::new(0),
            allowance: quota.map(RateLimiter::direct),
        }
    }

    fn is_gone(&self, now: u64, refill: Duration) -> bool {
        let refill = u64::try_from(refill.as_millis()).unwrap_or(u64::MAX);
        self.connections.load(Relaxed) == 0 && now >= self.left.load(Relaxed).saturating_add(refill)
    }
}

/// A connection of a client; its place is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    account: Arc<Account>,
    clients: Arc<Clients>,
}

impl Seat {
    /// Counts one more request of the client; refused beyond its allowance, with the seconds until the next.
    pub(super) fn admit(&self) -> Result<(), Refusal> {
        let Some(allowance) = &self.account.allowance else {
            return Ok(());
        };
        allowance.check().map_err(|early| {
            let wait = early.wait_time_from(allowance.clock().now());
            // Rounded up, so that who comes back then is let in.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Refusal::TooManyRequests {
                rate: self.clients.rate,
                burst: self.clients.burst,
                seconds: u32::try_from(seconds).unwrap_or(u32::MAX).max(1),
            }
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.account.left.store(self.clients.now(), Relaxed);
        self.account.connections.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(connections: usize, rate: u32, burst: u32) -> Arc<Clients> {
        Clients::new(&Limits {
            max_connections_per_client: connections,
            requests_per_second_per_client: rate,
            request_burst_per_client: burst,
            ..Limits::default()
        })
    }

    fn address(text: &str) -> ClientKey {
        ClientKey::of_address(text.parse().unwrap())
    }

    #[test]
    fn each_client_has_its_own_places_and_gets_them_back() {
        let clients = clients(2, 0, 0);
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        let first = clients.seat(one).unwrap();
        let _second = clients.seat(one).unwrap();
        assert_eq!(clients.seat(one).unwrap_err().status(), 429);
        let _others = clients.seat(other).unwrap();
        drop(first);
        assert!(clients.seat(one).is_ok());
    }

    #[test]
    fn an_allowance_is_shared_by_the_connections_of_a_client_and_outlives_them() {
        let clients = clients(0, 1, 3);
        let key = ClientKey::Certificate(Fingerprint([7; 32]));
        let seat = clients.seat(key).unwrap();
        seat.admit().unwrap();
        seat.admit().unwrap();
        drop(seat);
        let seat = clients.seat(key).unwrap();
        seat.admit().unwrap();
        let refusal = seat.admit().unwrap_err();
        assert_eq!(
            (refusal.status().as_u16(), refusal.retry_after()),
            (429, Some(1))
        );
        assert_eq!(refusal.issues()[0].code, "throttled");
        assert!(clients.seat(address("192.0.2.1")).unwrap().admit().is_ok());
    }

    #[test]
    fn clients_long_gone_are_forgotten() {
        let clients = clients(0, 0, 0);
        for number in 0..10_000_u32 {
            drop(clients.seat(ClientKey::Address(IpAddr::from(number.to_be_bytes()))));
        }
        assert!(clients.table().accounts.len() <= LEAST_SWEEP);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        assert_eq!(address("2001:db8:1:2:3::4"), address("2001:db8:1:2::ffff"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    }
}
