//! A disk in memory that forgets what was not synchronised: for tests, here and in whatever is built on the log.
//!
//! Every file has two images: what the running program reads, and what would be found after a power cut. Between them lie
//! the writes that wait for a sync; names wait for a sync of the folder in the same way. [`SimulatedDisk::after_power_cut`]
//! decides, from a seed, what of all that was waiting has reached the disk: nothing, all, a part in order, or sectors in
//! any order, with zeros or rubbish where a file has grown. A sector of 512 bytes is written whole or not at all.
//!
//! A failed sync is as treacherous as a real one: what waited is forgotten although it still can be read, and later syncs
//! succeed without it.

mod cut;
mod file;
mod plan;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use file::{SimulatedFile, SimulatedLock};
pub use plan::{Call, Failure, Plan};

use super::storage::{LockError, Storage};

/// Sectors are written whole or not at all; this long, in bytes.
pub const SECTOR: u64 = 512;

/// A disk with one folder. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    live: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
    /// Changes of names that wait for a sync of the folder.
    renamings: Vec<Renaming>,
    locked: bool,
    salts: u64,
    plan: Option<Plan>,
    calls: u64,
    failed: u64,
    largest_read: usize,
    keep_sync_points: bool,
    sync_points: Vec<State>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Changes that wait for a sync.
    waiting: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate { length: u64 },
}

#[derive(Clone, Debug)]
enum Renaming {
    Create { name: String, inode: u64 },
    Rename { from: String, to: String },
    Remove { name: String },
}

impl SimulatedDisk {
    /// An empty disk. Salts are drawn from `seed`, so that the same calls leave the same bytes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::from(State {
            salts: seed,
            ..State::default()
        })
    }

    /// The bytes that a program reads from a file now, if there is such a file.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let inode = state.live.get(name)?;
        Some(state.inodes.get(inode)?.live.clone())
    }

    /// The names of all files, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.state().live.keys().cloned().collect()
    }

    /// Puts a file there, durably, in place of any other of that name: how a test damages a file.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.state();
        let inode = state.add(Inode {
            durable: bytes.clone(),
            live: bytes,
            waiting: Vec::new(),
        });
        state.live.insert(name.to_owned(), inode);
        state.durable.insert(name.to_owned(), inode);
    }

    /// Takes a file away, durably.
    pub fn take(&self, name: &str) {
        let mut state = self.state();
        state.live.remove(name);
        state.durable.remove(name);
    }

    /// Another disk with the same content and the same that waits; nobody holds its lock and nothing fails on it.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::from(self.state().copy())
    }

    /// The disk as it is found when power comes back: what waited has reached it or not, as `seed` decides.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64) -> Self {
        let mut state = self.state().copy();
        cut::power(&mut state, &mut fastrand::Rng::with_seed(seed));
        Self::from(state)
    }

    /// From now on calls that change something fail as planned; `None`: no more of them.
    pub fn plan(&self, plan: Option<Plan>) {
        let mut state = self.state();
        state.plan = plan;
        state.calls = 0;
        state.failed = 0;
    }

    /// How many calls that change something there were since the last [`SimulatedDisk::plan`].
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How many calls failed as planned since the last [`SimulatedDisk::plan`].
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.state().failed
    }

    /// The most bytes that were asked for in one read.
    #[must_use]
    pub fn largest_read(&self) -> usize {
        self.state().largest_read
    }

    /// From now on keeps a copy of the disk as it is before each sync.
    pub fn keep_sync_points(&self) {
        self.state().keep_sync_points = true;
    }

    /// The copies kept since the last call.
    #[must_use]
    pub fn take_sync_points(&self) -> Vec<Self> {
        let kept = std::mem::take(&mut self.state().sync_points);
        kept.into_iter().map(Self::from).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<State> for SimulatedDisk {
    fn from(state: State) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }
}

impl State {
    fn copy(&self) -> Self {
        Self {
            locked: false,
            plan: None,
            keep_sync_points: false,
            sync_points: Vec::new(),
            largest_read: 0,
            inodes: self.inodes.clone(),
            live: self.live.clone(),
            durable: self.durable.clone(),
            renamings: self.renamings.clone(),
            ..*self
        }
    }

    fn add(&mut self, inode: Inode) -> u64 {
        let number = self.next_inode;
        self.next_inode += 1;
        self.inodes.insert(number, inode);
        number
    }

    /// Counts a call and says how it must fail, if it must.
    fn call(&mut self, call: Call) -> Option<Failure> {
        let index = self.calls;
        self.calls += 1;
        let failure = self.plan.and_then(|plan| plan.failure(index, call));
        self.failed += u64::from(failure.is_some());
        failure
    }

    fn try_call(&mut self, call: Call) -> io::Result<()> {
        self.call(call)
            .map_or(Ok(()), |failure| Err(failure.error()))
    }

    fn sync_point(&mut self) {
        if self.keep_sync_points {
            let copy = self.copy();
            self.sync_points.push(copy);
        }
    }
}

impl Inode {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.waiting.push(change);
    }
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let from = *offset as usize;
                let to = from + bytes.len();
                if image.len() < to {
                    image.resize(to, 0);
                }
                image[from..to].copy_from_slice(bytes);
            }
            Self::Truncate { length } => image.resize(*length as usize, 0),
        }
    }
}

impl Renaming {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Create { name, inode } => {
                names.insert(name.clone(), *inode);
            }
            Self::Rename { from, to } => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Remove { name } => {
                names.remove(name);
            }
        }
    }
}

impl Storage for SimulatedDisk {
    type File = SimulatedFile;
    type Lock = SimulatedLock;

    fn place(&self) -> String {
        "a simulated disk".to_owned()
    }

    fn lock(&self) -> Result<SimulatedLock, LockError> {
        let mut state = self.state();
        if state.locked {
            return Err(LockError::Held {
                holder: "another writer of the same disk".to_owned(),
            });
        }
        state.locked = true;
        Ok(SimulatedLock::new(self.clone()))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names())
    }

    fn create_new(&self, name: &str) -> io::Result<SimulatedFile> {
        let mut state = self.state();
        state.try_call(Call::Create)?;
        if state.live.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = state.add(Inode::default());
        state.live.insert(name.to_owned(), inode);
        state.renamings.push(Renaming::Create {
            name: name.to_owned(),
            inode,
        });
        drop(state);
        Ok(SimulatedFile::new(self.clone(), inode, true))
    }

    fn open(&self, name: &str) -> io::Result<SimulatedFile> {
        let inode = self.find(name)?;
        Ok(SimulatedFile::new(self.clone(), inode, false))
    }

    fn open_writable(&self, name: &str) -> io::Result<SimulatedFile> {
        let inode = self.find(name)?;
        Ok(SimulatedFile::new(self.clone(), inode, true))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.try_call(Call::Rename)?;
        let inode = state.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.live.insert(to.to_owned(), inode);
        state.renamings.push(Renaming::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.try_call(Call::Remove)?;
        state.live.remove(name).ok_or(io::ErrorKind::NotFound)?;
        state.renamings.push(Renaming::Remove {
            name: name.to_owned(),
        });
        Ok(())
    }

    /// A failure leaves the changes waiting: file systems keep them in a journal, and stop when that fails.
    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.state();
        state.sync_point();
        state.try_call(Call::SyncDirectory)?;
        let State {
            renamings, durable, ..
        } = &mut *state;
        for renaming in renamings.drain(..) {
            renaming.apply(durable);
        }
        Ok(())
    }

    fn salt(&self) -> io::Result<u64> {
        let mut state = self.state();
        let mut draw = fastrand::Rng::with_seed(state.salts);
        state.salts = draw.u64(..);
        Ok(draw.u64(..))
    }
}

impl SimulatedDisk {
    fn find(&self, name: &str) -> io::Result<u64> {
        let found = self.state().live.get(name).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
