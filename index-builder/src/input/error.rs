//! Why the extract could not be read as a whole.

use std::io;

use super::compression::Compression;

/// Trouble that leaves an unknown part of the extract unread, so that the build must fail.
///
/// `input` is the path as given, or `standard input`. Offsets count bytes from 0: in the stored file for
/// compression and I/O, in the decompressed text for Bundles.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// No path was given at all.
    #[error("nothing to read: give --extract at least one file, folder, or - for standard input")]
    NoInput,
    /// A path does not exist or may not be opened.
    #[error("cannot open {input}: {error}; check the path and that this user may read it")]
    Unreadable {
        /// The path as given.
        input: String,
        /// What the system answered.
        #[source]
        error: io::Error,
    },
    /// A file was named whose name says nothing about its content.
    #[error(
        "cannot tell what {input} holds: name it .ndjson, .jsonl or .json (also with .gz or .zst), \
         or feed it on standard input with -"
    )]
    UnknownKind {
        /// The path as given.
        input: String,
    },
    /// A folder holds no file of a known kind.
    #[error(
        "{input} holds no .ndjson, .jsonl or .json file (nor .gz or .zst of one); \
         subfolders are not entered, name them one by one"
    )]
    NothingToRead {
        /// The folder as given.
        input: String,
    },
    /// `-` was given more than once.
    #[error("standard input (-) is given more than once, but can be read only once; keep one -")]
    RepeatedStandardInput,
    /// The system failed to deliver bytes.
    #[error(
        "reading {input} failed at byte {offset}: {error}; check the disk or the transfer, then build again"
    )]
    Io {
        /// The path as given, or `standard input`.
        input: String,
        /// Bytes read before the failure.
        offset: u64,
        /// What the system answered.
        #[source]
        error: io::Error,
    },
    /// A compressed stream ends before its end mark.
    #[error(
        "{input} is cut short: its {compression} data stops at byte {offset} without an end mark; \
         transfer the file again"
    )]
    TruncatedCompression {
        /// The path as given, or `standard input`.
        input: String,
        /// The compression recognised.
        compression: Compression,
        /// Size of what is there.
        offset: u64,
    },
    /// A compressed stream does not decode.
    #[error(
        "{input} is damaged: its {compression} data cannot be decoded near byte {offset} ({detail}); \
         transfer the file again and compare checksums"
    )]
    CorruptCompression {
        /// The path as given, or `standard input`.
        input: String,
        /// The compression recognised.
        compression: Compression,
        /// Bytes of the file taken in when decoding failed; the fault is at or before it.
        offset: u64,
        /// What the decoder says.
        detail: String,
    },
    /// The name promises a compression that the content does not have.
    #[error(
        "{input} is named like a {expected} file but does not begin like one; \
         transfer it again, or rename it if it is plain text"
    )]
    NotCompressed {
        /// The path as given.
        input: String,
        /// The compression its name promises.
        expected: Compression,
    },
    /// The content is an archive of a kind that is not read.
    #[error("{input} is a {found} archive, which is not read; unpack it, or use gzip or zstd")]
    UnsupportedCompression {
        /// The path as given, or `standard input`.
        input: String,
        /// Name of the kind recognised.
        found: &'static str,
    },
    /// The text is in UTF-16.
    #[error(
        "{input} is UTF-16 text but JSON travels as UTF-8; convert it, for example with iconv -f UTF-16 -t UTF-8"
    )]
    Utf16 {
        /// The path as given, or `standard input`.
        input: String,
    },
    /// The text is one JSON array.
    #[error(
        "{input} holds a JSON array; expected NDJSON, a Bundle or one resource: \
         turn it into NDJSON, for example with jq -c '.[]'"
    )]
    ArrayDocument {
        /// The path as given, or `standard input`.
        input: String,
    },
    /// A Bundle stops before its closing brace.
    #[error(
        "{input} is cut short: the text ends at line {line} (byte {offset}) inside a Bundle{}; \
         transfer or export it again", after_entry(*.entry)
    )]
    TruncatedBundle {
        /// The path as given, or `standard input`.
        input: String,
        /// Size of the text that is there.
        offset: u64,
        /// Line where it ends, from 1.
        line: u64,
        /// The entry being read, when one was.
        entry: Option<u64>,
    },
    /// A Bundle whose structure cannot be followed.
    #[error(
        "{input} is not valid JSON at line {line} (byte {offset}){}: expected {expected}, found {}; \
         what follows in this Bundle cannot be told apart, export it again",
        after_entry(*.entry), shown(*.found)
    )]
    MalformedBundle {
        /// The path as given, or `standard input`.
        input: String,
        /// Where the unexpected byte is.
        offset: u64,
        /// Its line, from 1.
        line: u64,
        /// The entry being read, when one was.
        entry: Option<u64>,
        /// What JSON allows there.
        expected: &'static str,
        /// The byte that is there.
        found: u8,
    },
    /// A document with entries that says it is something other than a Bundle.
    #[error(
        "{input} has entries like a Bundle but its resourceType, at line {line}, is {found}; \
         only Bundles are taken apart, remove this file or export it as a Bundle"
    )]
    NotABundle {
        /// The path as given, or `standard input`.
        input: String,
        /// Line of the resourceType, from 1.
        line: u64,
        /// The JSON text of the resourceType.
        found: String,
    },
}

fn after_entry(entry: Option<u64>) -> String {
    entry.map_or_else(String::new, |entry| format!(", in entry[{entry}]"))
}

fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() {
        format!("'{}'", char::from(byte))
    } else {
        format!("byte 0x{byte:02x}")
    }
}
