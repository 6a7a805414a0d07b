//! Engines that are opened while a store writes and folds: each sees what was acknowledged before.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fastrand::Rng;
use rorqual::Engine;

use crate::directory::Directory;
use crate::place::{Place, small_segments};
use crate::task::{Focus, body, create, write};

/// Sets a flag when it goes: whatever ends the test, its threads end too.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn an_engine_opened_in_the_middle_of_folds_sees_what_was_acknowledged() {
    const FOLDS: usize = 40;
    let mut directory = Directory::draw(&mut Rng::with_seed(11));
    directory.tasks.clear();
    let place = Place::of(&directory.lines());
    let mut options = small_segments();
    options.keep = 0;
    let (_engine, store) = place.open(options);
    let (stop, acknowledged, opened) = (
        AtomicBool::new(false),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    std::thread::scope(|scope| {
        let _stop = StopOnDrop(&stop);
        let writing = scope.spawn(|| {
            let new = body("02", &Focus::literal("HealthcareService", "offer-0"));
            while !stop.load(Ordering::Relaxed) {
                let outcome = store.write(write(vec![create(&new)]));
                assert!(outcome.is_ok(), "a write beside readers");
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        });
        let reading = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let before = acknowledged.load(Ordering::SeqCst);
                let engine = Engine::open(&place.index).unwrap_or_else(|error| panic!("{error}"));
                let total = engine
                    .search("Task?_count=0")
                    .expect("a sound search")
                    .total;
                assert!(total >= before as u64, "{total} of {before} seen");
                // It goes over to what was folded since, with the log beyond it.
                let before = acknowledged.load(Ordering::SeqCst);
                if engine.refresh().unwrap_or_else(|error| panic!("{error}")) {
                    let total = engine
                        .search("Task?_count=0")
                        .expect("a sound search")
                        .total;
                    assert!(
                        total >= before as u64,
                        "{total} of {before} seen after a swap"
                    );
                }
                opened.fetch_add(1, Ordering::Relaxed);
            }
        });
        for _ in 0..FOLDS {
            store.fold().unwrap_or_else(|error| panic!("{error}"));
            assert!(
                !writing.is_finished() && !reading.is_finished(),
                "a thread failed"
            );
        }
        while opened.load(Ordering::Relaxed) == 0 && !reading.is_finished() {
            std::thread::yield_now();
        }
    });
    println!("{} engines opened", opened.load(Ordering::Relaxed));
    assert!(opened.load(Ordering::Relaxed) > 0, "nobody read");
}
