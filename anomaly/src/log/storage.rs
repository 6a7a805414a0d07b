//! The only thing the log touches: a folder of files, behind a trait so that a simulated disk can stand in.

use std::io;

/// One flat folder of files. Names never hold a separator.
///
/// What the log needs of the disk below is what these calls promise, and nothing more: see `docs/durability.md`.
pub trait Storage: Send + Sync {
    /// An open file.
    type File: StorageFile;
    /// Proof that this is the only writer; dropping it lets the next one in.
    type Lock: Send + Sync;

    /// Where the folder is, for messages.
    fn place(&self) -> String;

    /// Takes the folder for one writer, without waiting.
    ///
    /// # Errors
    /// [`LockError::Held`] when another writer has it, whichever process that is in.
    fn lock(&self) -> Result<Self::Lock, LockError>;

    /// The names of all files, in any order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes an empty file that can be read and written. Its name is durable only after [`Storage::sync_directory`].
    ///
    /// # Errors
    /// When the name is taken ([`io::ErrorKind::AlreadyExists`]) or the file cannot be made.
    fn create_new(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file for reading only.
    ///
    /// # Errors
    /// When there is no such file ([`io::ErrorKind::NotFound`]) or it cannot be read.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// When there is no such file ([`io::ErrorKind::NotFound`]) or it cannot be written.
    fn open_writable(&self, name: &str) -> io::Result<Self::File>;

    /// Renames a file, replacing one that has the new name; durable only after [`Storage::sync_directory`].
    ///
    /// # Errors
    /// When there is no such file, or the folder cannot be written.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file; durable only after [`Storage::sync_directory`].
    ///
    /// # Errors
    /// When there is no such file, or the folder cannot be written.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes every earlier creation, renaming and removal durable.
    ///
    /// # Errors
    /// When the disk says no. What was pending may then never become durable, and asking again proves nothing.
    fn sync_directory(&self) -> io::Result<()>;

    /// A number that no earlier segment has as its salt, but for a chance of 2⁻⁶⁴.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    fn salt(&self) -> io::Result<u64> {
        getrandom::u64().map_err(|error| io::Error::other(error.to_string()))
    }
}

/// An open file of a [`Storage`].
pub trait StorageFile: Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// When the file cannot be examined.
    fn length(&self) -> io::Result<u64>;

    /// Reads what lies at `offset` until `into` is full or the file ends; returns how many bytes that is.
    ///
    /// # Errors
    /// When the disk cannot give them.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`, lengthening the file if need be; durable only after [`StorageFile::sync`].
    ///
    /// # Errors
    /// When not all could be written; part of it may have been.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to `length` bytes; durable only after [`StorageFile::sync`].
    ///
    /// # Errors
    /// When the file cannot be changed.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Makes every earlier write to this file durable, with its length (`fdatasync`).
    ///
    /// # Errors
    /// When the disk says no. What was pending may then never become durable, and asking again proves nothing.
    fn sync(&self) -> io::Result<()>;
}

/// Why a folder could not be taken for writing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another writer has it.
    #[error("held by {holder}")]
    Held {
        /// Who says to hold it, as far as is known.
        holder: String,
    },
    /// The lock itself could not be made.
    #[error(transparent)]
    Io(#[from] io::Error),
}
