//! Little-endian integers at a given place, or nothing when the bytes do not reach so far.

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|found| u32::from_le_bytes(*found))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|found| u64::from_le_bytes(*found))
}
