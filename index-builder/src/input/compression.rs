//! Recognises gzip and zstd by their first bytes and decodes them.

use std::fmt;
use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;
use serde::Serialize;

use super::error::InputError;

/// Read from the system at once when decompressing.
const COMPRESSED_BUFFER: usize = 256 << 10;
/// Enough first bytes to tell every kind apart.
const MAGIC_BYTES: usize = 6;

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one member or several (RFC 1952).
    Gzip,
    /// Zstandard, of one frame or several (RFC 8878).
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::None => "plain",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        })
    }
}

type Stored<R> = Chain<Cursor<Vec<u8>>, R>;

/// A reader of decompressed bytes.
pub(super) enum Decoded<R: Read> {
    Plain(Stored<R>),
    Gzip(Box<MultiGzDecoder<BufReader<Stored<R>>>>),
    Zstd(Box<zstd::Decoder<'static, BufReader<Stored<R>>>>),
}

impl<R: Read> Decoded<R> {
    /// Looks at the first bytes of `stored`; `named` is what the file name promises.
    pub(super) fn open(
        mut stored: R,
        named: Option<Compression>,
        input: &str,
    ) -> Result<Self, InputError> {
        let failed = |error| InputError::Io {
            input: input.to_owned(),
            offset: 0,
            error,
        };
        let mut magic = Vec::with_capacity(MAGIC_BYTES);
        (&mut stored)
            .take(MAGIC_BYTES as u64)
            .read_to_end(&mut magic)
            .map_err(failed)?;
        let found = recognise(&magic, input)?;
        if let (Compression::None, Some(expected)) = (found, named) {
            // Text that was unpacked without being renamed is readable; anything else is a lost file.
            if magic.trim_ascii_start().first() != Some(&b'{') {
                return Err(InputError::NotCompressed {
                    input: input.to_owned(),
                    expected,
                });
            }
        }
        let chain = Cursor::new(magic).chain(stored);
        Ok(match found {
            Compression::None => Decoded::Plain(chain),
            Compression::Gzip => Decoded::Gzip(Box::new(MultiGzDecoder::new(
                BufReader::with_capacity(COMPRESSED_BUFFER, chain),
            ))),
            Compression::Zstd => Decoded::Zstd(Box::new(
                zstd::Decoder::with_buffer(BufReader::with_capacity(COMPRESSED_BUFFER, chain))
                    .map_err(failed)?,
            )),
        })
    }

    pub(super) fn compression(&self) -> Compression {
        match self {
            Decoded::Plain(_) => Compression::None,
            Decoded::Gzip(_) => Compression::Gzip,
            Decoded::Zstd(_) => Compression::Zstd,
        }
    }

    /// Says what a failed read means; `offset` is how much of the stored bytes had been taken in.
    pub(super) fn explain(&self, error: io::Error, offset: u64, input: &str) -> InputError {
        let input = input.to_owned();
        let compression = self.compression();
        // Decoders invent their errors; only the system's carry its number.
        if compression == Compression::None || error.raw_os_error().is_some() {
            InputError::Io {
                input,
                offset,
                error,
            }
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            InputError::TruncatedCompression {
                input,
                compression,
                offset,
            }
        } else {
            InputError::CorruptCompression {
                input,
                compression,
                offset,
                detail: error.to_string(),
            }
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoded::Plain(reader) => reader.read(buffer),
            Decoded::Gzip(reader) => reader.read(buffer),
            Decoded::Zstd(reader) => reader.read(buffer),
        }
    }
}

fn recognise(magic: &[u8], input: &str) -> Result<Compression, InputError> {
    let found = match magic {
        [0x1f, 0x8b, ..] => return Ok(Compression::Gzip),
        // A zstd stream may begin with a skippable frame (pzstd writes one).
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            return Ok(Compression::Zstd);
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz",
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => "bzip2",
        [b'P', b'K', 3, 4, ..] => "zip",
        [b'7', b'z', 0xbc, 0xaf, ..] => "7z",
        [0x04, 0x22, 0x4d, 0x18, ..] => "lz4",
        _ => return Ok(Compression::None),
    };
    Err(InputError::UnsupportedCompression {
        input: input.to_owned(),
        found,
    })
}
