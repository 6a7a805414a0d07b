//! A pack: one file of named, 64-byte aligned sections, opened by reading its catalog only.
//!
//! ```text
//! 0        magic "RORQPACK", format version (u32 LE), zeros up to 64
//! 64..     sections, each starting on a multiple of 64
//! ...      catalog: JSON object, section name -> [offset, length]
//! end-32   catalog offset (u64 LE), catalog length (u64 LE), xxh3-64 of the catalog (u64 LE), magic
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use bytemuck::{AnyBitPattern, NoUninit};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::manifest::FileRecord;
use super::map::{Column, Region};
use super::{FORMAT_VERSION, FormatError};

const MAGIC: [u8; 8] = *b"RORQPACK";
const ALIGNMENT: u64 = 64;
const FOOTER: usize = 32;

/// Writes a pack, section after section.
pub struct PackWriter {
    path: PathBuf,
    sink: Sink,
    position: u64,
    hash: Xxh3,
    catalog: BTreeMap<String, (u64, u64)>,
    /// Whether the file is to outlast a failure of the machine.
    lasting: bool,
}

/// Where a pack goes.
enum Sink {
    File(BufWriter<File>),
    Memory(Vec<u8>),
}

/// What a finished file weighs and how it can be checked.
pub struct FileSeal {
    /// Length in bytes.
    pub length: u64,
    /// xxh3-64 of the whole file.
    pub checksum: u64,
}

impl FileSeal {
    /// The seal as a manifest records it.
    pub fn record(&self) -> FileRecord {
        FileRecord::new(self.length, self.checksum)
    }
}

impl PackWriter {
    /// Creates the file, replacing one of the same name.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn create(path: &Path) -> Result<PackWriter, FormatError> {
        let file = File::create(path).map_err(|source| FormatError::io(path, source))?;
        let file = BufWriter::with_capacity(1 << 20, file);
        PackWriter::begin(path.to_owned(), Sink::File(file))
    }

    /// Creates a file that is read while a build runs and goes with it: it is not synced.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn passing(path: &Path) -> Result<PackWriter, FormatError> {
        let mut writer = PackWriter::create(path)?;
        writer.lasting = false;
        Ok(writer)
    }

    /// A pack that is never a file: what was written since a generation was built is searched in memory.
    ///
    /// # Errors
    /// None in practice: memory takes every byte.
    pub fn in_memory() -> Result<PackWriter, FormatError> {
        PackWriter::begin(PathBuf::from("memory"), Sink::Memory(Vec::new()))
    }

    fn begin(path: PathBuf, sink: Sink) -> Result<PackWriter, FormatError> {
        let mut writer = PackWriter {
            path,
            sink,
            position: 0,
            hash: Xxh3::new(),
            catalog: BTreeMap::new(),
            lasting: true,
        };
        let mut header = [0u8; ALIGNMENT as usize];
        header[..8].copy_from_slice(&MAGIC);
        header[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        writer.put(&header)?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.hash.update(bytes);
        self.position += bytes.len() as u64;
        match &mut self.sink {
            Sink::File(file) => file
                .write_all(bytes)
                .map_err(|source| FormatError::io(&self.path, source)),
            Sink::Memory(memory) => {
                memory.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Writes one section from its bytes.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn section(&mut self, name: &str, bytes: &[u8]) -> Result<(), FormatError> {
        self.pieces(name, |sink| sink(bytes))
    }

    /// Writes one section of fixed-size values.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn column<T: NoUninit>(&mut self, name: &str, values: &[T]) -> Result<(), FormatError> {
        self.section(name, bytemuck::cast_slice(values))
    }

    /// Writes one section piece by piece: `fill` calls its argument with each piece in order.
    ///
    /// # Errors
    /// [`FormatError::Io`], or what `fill` returns.
    pub fn pieces<F>(&mut self, name: &str, fill: F) -> Result<(), FormatError>
    where
        F: FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), FormatError>) -> Result<(), FormatError>,
    {
        let padding = (ALIGNMENT - self.position % ALIGNMENT) % ALIGNMENT;
        self.put(&[0u8; ALIGNMENT as usize][..padding as usize])?;
        let start = self.position;
        fill(&mut |bytes| self.put(bytes))?;
        self.catalog
            .insert(name.to_owned(), (start, self.position - start));
        Ok(())
    }

    /// Writes the catalog and syncs the file, unless it is a passing one.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn finish(mut self) -> Result<FileSeal, FormatError> {
        self.close()?;
        let PackWriter {
            path,
            sink,
            position,
            hash,
            lasting,
            ..
        } = self;
        if let Sink::File(file) = sink {
            let io = |source| FormatError::io(&path, source);
            let file = file.into_inner().map_err(|error| io(error.into_error()))?;
            if lasting {
                file.sync_all().map_err(io)?;
            }
        }
        Ok(FileSeal {
            length: position,
            checksum: hash.digest(),
        })
    }

    /// Ends a pack in memory and opens it.
    ///
    /// # Errors
    /// [`FormatError`] when there is no memory for it, or it was begun as a file.
    pub fn into_pack(mut self) -> Result<Pack, FormatError> {
        self.close()?;
        match &self.sink {
            Sink::Memory(bytes) => Pack::read(self.path.clone(), Region::in_memory(bytes)?),
            Sink::File(_) => Err(FormatError::Layout {
                section: "catalog".into(),
                detail: "a pack begun as a file is opened from the file".into(),
            }),
        }
    }

    /// Writes the catalog and the footer.
    fn close(&mut self) -> Result<(), FormatError> {
        let catalog = serde_json::to_vec(&self.catalog).map_err(|error| FormatError::Layout {
            section: "catalog".into(),
            detail: error.to_string(),
        })?;
        let start = self.position;
        self.put(&catalog)?;
        self.put(&start.to_le_bytes())?;
        self.put(&(catalog.len() as u64).to_le_bytes())?;
        self.put(&xxh3_64(&catalog).to_le_bytes())?;
        self.put(&MAGIC)
    }
}

/// An opened pack.
pub struct Pack {
    path: PathBuf,
    region: Region,
    catalog: BTreeMap<String, (u64, u64)>,
}

impl Pack {
    /// Maps the file and reads its catalog; sections are not touched.
    ///
    /// # Errors
    /// [`FormatError`] when the file cannot be mapped, is not a pack, is of another version, or its catalog is damaged.
    pub fn open(path: &Path) -> Result<Pack, FormatError> {
        Pack::read(path.to_owned(), Region::map_file(path)?)
    }

    fn read(path: PathBuf, region: Region) -> Result<Pack, FormatError> {
        let bytes = region.as_slice();
        let damaged = |detail: &str| FormatError::Damaged {
            path: path.clone(),
            detail: detail.to_owned(),
        };
        if bytes.len() < ALIGNMENT as usize + FOOTER || bytes[..8] != MAGIC {
            return Err(damaged("it does not start like a pack"));
        }
        let found = read_u32(bytes, 8);
        if found != FORMAT_VERSION {
            return Err(FormatError::Version {
                path,
                expected: FORMAT_VERSION,
                found,
            });
        }
        let footer = bytes.len() - FOOTER;
        let (start, length, checksum) = (
            read_u64(bytes, footer),
            read_u64(bytes, footer + 8),
            read_u64(bytes, footer + 16),
        );
        if bytes[footer + 24..] != MAGIC || start.checked_add(length) != Some(footer as u64) {
            return Err(damaged("its end is missing"));
        }
        let catalog = &bytes[start as usize..footer];
        if xxh3_64(catalog) != checksum {
            return Err(damaged("its catalog does not match its checksum"));
        }
        let catalog =
            serde_json::from_slice(catalog).map_err(|_| damaged("its catalog cannot be read"))?;
        Ok(Pack {
            path,
            region,
            catalog,
        })
    }

    /// Whether the pack holds a section.
    pub fn has(&self, name: &str) -> bool {
        self.catalog.contains_key(name)
    }

    /// The bytes of a section.
    ///
    /// # Errors
    /// [`FormatError::Damaged`] when the section is absent or reaches outside the file.
    pub fn region(&self, name: &str) -> Result<Region, FormatError> {
        let damaged = || FormatError::Damaged {
            path: self.path.clone(),
            detail: format!("section {name} is missing or cut short"),
        };
        let &(start, length) = self.catalog.get(name).ok_or_else(damaged)?;
        let end = start.checked_add(length).ok_or_else(damaged)?;
        self.region
            .part(start as usize..end as usize)
            .ok_or_else(damaged)
    }

    /// A section as an array of fixed-size values.
    ///
    /// # Errors
    /// As [`Pack::region`], and [`FormatError::Layout`].
    pub fn column<T: AnyBitPattern>(&self, name: &str) -> Result<Column<T>, FormatError> {
        Column::new(self.region(name)?, name)
    }

    /// The sections' names and lengths in bytes, by name.
    pub fn sections(&self) -> impl Iterator<Item = (&str, u64)> {
        self.catalog
            .iter()
            .map(|(name, &(_, length))| (name.as_str(), length))
    }
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|part| part.try_into().ok())
        .map_or(u64::MAX, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_come_back_aligned_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pack");
        let mut writer = PackWriter::create(&path).unwrap();
        writer.section("heap", b"abc").unwrap();
        writer.column("numbers", &[1u64, 2, 3]).unwrap();
        writer.section("empty", b"").unwrap();
        let seal = writer.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(seal.length, bytes.len() as u64);
        assert_eq!(seal.checksum, xxh3_64(&bytes));
        let pack = Pack::open(&path).unwrap();
        assert_eq!(pack.region("heap").unwrap().as_slice(), b"abc");
        assert_eq!(&pack.column::<u64>("numbers").unwrap()[..], &[1, 2, 3]);
        assert!(pack.region("empty").unwrap().is_empty());
        assert!(pack.region("absent").is_err());
    }

    #[test]
    fn a_cut_or_foreign_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pack");
        let mut writer = PackWriter::create(&path).unwrap();
        writer.section("heap", &[7; 1000]).unwrap();
        writer.finish().unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(Pack::open(&path).is_err(), "cut at {length}");
        }
        let mut other = whole.clone();
        other[8] ^= 1;
        std::fs::write(&path, &other).unwrap();
        assert!(matches!(
            Pack::open(&path),
            Err(FormatError::Version { .. })
        ));
    }
}
