//! Fuzz target: `recovering::segment`, `recovering::damaged` and `recovering::record`.
#![no_main]

#[path = "../recovering.rs"]
mod recovering;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    recovering::segment(bytes);
    recovering::damaged(bytes);
    recovering::record(bytes);
});
