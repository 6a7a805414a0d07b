//! An open file of the simulated disk, and its lock.

use std::io;

use super::{Call, Change, Failure, Inode, SimulatedDisk, State};
use crate::log::storage::StorageFile;

/// An open file of a [`SimulatedDisk`].
#[derive(Debug)]
pub struct SimulatedFile {
    disk: SimulatedDisk,
    inode: u64,
    writable: bool,
}

impl SimulatedFile {
    pub(super) fn new(disk: SimulatedDisk, inode: u64, writable: bool) -> Self {
        Self {
            disk,
            inode,
            writable,
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inode) -> T) -> io::Result<T> {
        let mut state = self.disk.state();
        let inode = state.inodes.get_mut(&self.inode);
        inode.map(act).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn call(&self, call: Call) -> io::Result<Option<Failure>> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(self.disk.state().call(call))
    }
}

impl StorageFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        self.with(|inode| inode.live.len() as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        {
            let mut state = self.disk.state();
            state.largest_read = state.largest_read.max(into.len());
        }
        self.with(|inode| {
            let from = inode.live.len().min(offset as usize);
            let rest = &inode.live[from..];
            let count = rest.len().min(into.len());
            into[..count].copy_from_slice(&rest[..count]);
            count
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let failure = self.call(Call::Write)?;
        let written = match failure {
            None => bytes,
            Some(Failure::NoSpace) => &bytes[..bytes.len() / 2],
            Some(Failure::Broken) => &[],
        };
        self.with(|inode| {
            inode.change(Change::Write {
                offset,
                bytes: written.to_vec(),
            });
        })?;
        failure.map_or(Ok(()), |failure| Err(failure.error()))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        match self.call(Call::Truncate)? {
            Some(failure) => Err(failure.error()),
            None => self.with(|inode| inode.change(Change::Truncate { length })),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.state().sync_point();
        let failure = self.call(Call::Sync)?;
        self.with(|inode| {
            for change in inode.waiting.drain(..) {
                if failure.is_none() {
                    change.apply(&mut inode.durable);
                }
            }
        })?;
        failure.map_or(Ok(()), |failure| Err(failure.error()))
    }
}

/// The lock of a [`SimulatedDisk`].
#[derive(Debug)]
pub struct SimulatedLock {
    disk: SimulatedDisk,
}

impl SimulatedLock {
    pub(super) fn new(disk: SimulatedDisk) -> Self {
        Self { disk }
    }
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let State { locked, .. } = &mut *self.disk.state();
        *locked = false;
    }
}
