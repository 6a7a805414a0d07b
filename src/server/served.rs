//! What a server serves: an engine, and the store that writes anomalies into it.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use super::config::ServerConfig;
use crate::anomaly::store::{Store, StoreError};
use crate::{Engine, FormatError};

/// An engine to be served, with or without the one writer of its anomalies.
pub struct Served {
    pub(super) engine: Arc<Engine>,
    pub(super) store: Option<Arc<Store>>,
}

/// Why an index directory cannot be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The live generation cannot be opened.
    #[error(transparent)]
    Index(#[from] FormatError),
    /// The log of anomalies cannot be opened, among others because another process writes it.
    #[error("{0}; or serve without writes, with writable = false under [anomalies]")]
    Store(#[from] StoreError),
}

impl Served {
    /// Opens an index directory as a configuration asks for it, and tells in the log what opening has found. A damaged
    /// log of anomalies does not prevent searches: it is told as an error, and writes are answered 503.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(index: &Path, config: &ServerConfig) -> Result<Served, OpenError> {
        let engine = Arc::new(Engine::open_with(index, config.engine_options())?);
        if !config.anomalies.writable {
            return Ok(Served::from(engine));
        }
        let options = config.anomalies.store_options();
        let store = Store::open(Arc::clone(&engine), options)?;
        tell(&store);
        Ok(Served {
            engine,
            store: Some(Arc::new(store)),
        })
    }

    /// An engine with a store that was opened on it.
    pub fn writing(engine: Arc<Engine>, store: Arc<Store>) -> Served {
        Served {
            engine,
            store: Some(store),
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Who writes anomalies, if anyone does.
    pub fn store(&self) -> Option<&Arc<Store>> {
        self.store.as_ref()
    }
}

/// An engine alone: anomalies are searched, and not written.
impl From<Arc<Engine>> for Served {
    fn from(engine: Arc<Engine>) -> Self {
        Served {
            engine,
            store: None,
        }
    }
}

/// Tells the operator what opening the log has found.
fn tell(store: &Store) {
    let recovery = store.recovery();
    tracing::info!(
        records = recovery.records,
        segments = recovery.segments,
        "log of anomalies open"
    );
    if let Some(torn) = &recovery.torn_tail {
        tracing::warn!(
            file = torn.file,
            offset = torn.offset,
            bytes = torn.bytes,
            kept = torn.kept,
            "the log of anomalies ended in the middle of a write that was never acknowledged; its bytes are kept aside"
        );
    }
    for damage in &recovery.damage {
        tracing::error!(
            %damage,
            "the log of anomalies is damaged: it takes no writes until the file is restored and the server started again"
        );
    }
    if let Some(failure) = &recovery.failure {
        tracing::error!(
            failure,
            "the log of anomalies could not be brought in order: it takes no writes"
        );
    }
}
