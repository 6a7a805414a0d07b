//! Fuzz target: `patching::patch` and `patching::requests`.
#![no_main]

#[path = "../patching.rs"]
mod patching;

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    patching::patch(body);
    patching::requests(body);
});
