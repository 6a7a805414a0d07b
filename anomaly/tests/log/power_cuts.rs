//! Long random histories on the simulated disk, with a power cut at every sync point.

use std::time::{Duration, Instant};

use fastrand::Rng;
use rorqual_anomaly::log::simulated::{Failure, Plan, SimulatedDisk};
use rorqual_anomaly::log::{Log, LogError};

use crate::ledger::{Found, open, read, replay};

/// Cuts tried at each point of a history.
const CUTS: u64 = 3;

/// What must be found, and what may.
#[derive(Clone, Default)]
struct Ledger {
    /// Acknowledged, or found by an opening, and above the floor.
    certain: Vec<Found>,
    /// Appended since the last acknowledgement.
    possible: Vec<Found>,
    floor: u64,
}

impl Ledger {
    /// Checks what was found, and that nothing else could have been.
    fn check(&self, found: &[Found], context: &str) {
        assert!(
            found.starts_with(&self.certain),
            "{context}: an acknowledged record is lost or changed"
        );
        let beyond = &found[self.certain.len()..];
        assert!(
            self.possible.starts_with(beyond),
            "{context}: a record nobody wrote"
        );
    }

    fn last(&self) -> u64 {
        self.certain.last().map_or(self.floor, |(last, _)| *last)
    }

    fn fold(&mut self, through: u64) {
        self.floor = through;
        self.certain.retain(|(number, _)| *number > through);
    }
}

struct History {
    draw: Rng,
    disk: SimulatedDisk,
    log: Option<Log<SimulatedDisk>>,
    ledger: Ledger,
    written: u64,
    seed: u64,
    cuts: u64,
}

impl History {
    fn new(seed: u64) -> Self {
        let disk = SimulatedDisk::new(seed);
        disk.keep_sync_points();
        let (log, _) = open(disk.clone(), 0);
        Self {
            draw: Rng::with_seed(seed),
            disk,
            log: Some(log),
            ledger: Ledger::default(),
            written: 0,
            seed,
            cuts: 0,
        }
    }

    fn run(&mut self, steps: usize) {
        for step in 0..steps {
            let before = self.ledger.clone();
            match self.draw.u8(..20) {
                0..=12 => self.commit(),
                13 => self.fold(),
                14 => self.failing_commit(),
                15 | 16 => self.restart(),
                17 => self.power_cut(),
                _ => self.abandon(),
            }
            let context = format!("seed {}, step {step}", self.seed);
            self.read_beside(&context);
            // What was certain before this step was so at each sync point within it; a fold is durable before it removes.
            let meanwhile = Ledger {
                certain: before.certain,
                possible: [
                    before.possible,
                    self.ledger.certain.clone(),
                    self.ledger.possible.clone(),
                ]
                .concat(),
                floor: before.floor,
            };
            for point in self.disk.take_sync_points() {
                let mut ledger = meanwhile.clone();
                ledger.fold(self.ledger.floor);
                let last = ledger.last();
                ledger.possible.retain(|(number, _)| *number > last);
                ledger.possible.dedup_by_key(|(number, _)| *number);
                self.cut(&point, &ledger, &context);
            }
            let (now, ledger) = (self.disk.clone(), self.ledger.clone());
            self.cut(&now, &ledger, &context);
        }
    }

    /// Cuts the power in some ways, and once more right after the next opening.
    fn cut(&mut self, disk: &SimulatedDisk, ledger: &Ledger, context: &str) {
        for _ in 0..CUTS {
            self.cuts += 1;
            let draw = self.draw.u64(..);
            let context = format!("{context}, cut {draw}");
            let disk = disk.after_power_cut(draw);
            let (log, recovery) = open(disk.clone(), ledger.floor);
            let found = replay(&log, ledger.floor).unwrap();
            ledger.check(&found, &context);
            assert_eq!(recovery.records, found.len() as u64);
            drop(log);
            let (log, recovery) = open(disk.after_power_cut(draw ^ 1), ledger.floor);
            assert_eq!(recovery.torn_tail, None, "{context}");
            assert_eq!(
                replay(&log, ledger.floor).unwrap(),
                found,
                "{context}: found once, lost then"
            );
        }
    }

    /// A reader beside the writer gives all that is certain.
    fn read_beside(&mut self, context: &str) {
        let (found, outcome) = read(&self.disk, self.ledger.floor);
        outcome.unwrap();
        self.ledger.check(&found, context);
    }

    fn append(&mut self) {
        let log = self.log.as_mut().unwrap();
        for _ in 0..self.draw.usize(1..=12) {
            self.written += 1;
            let length = match self.draw.u8(..10) {
                0 => self.draw.usize(1000..4000),
                _ => self.draw.usize(..300),
            };
            let mut payload = format!("{}:", self.written).into_bytes();
            payload.extend(std::iter::repeat_with(|| self.draw.u8(1..)).take(length));
            let sequence = log.append(&payload).unwrap();
            self.ledger.possible.push((sequence, payload));
        }
    }

    fn commit(&mut self) {
        self.append();
        let committed = self.log.as_mut().unwrap().commit().unwrap();
        self.ledger.certain.append(&mut self.ledger.possible);
        assert_eq!(committed.last, self.ledger.last());
    }

    fn fold(&mut self) {
        let (first, last) = (self.ledger.floor, self.ledger.last());
        let through = self.draw.u64(first..=last);
        self.ledger.fold(through);
        let log = self.log.as_mut().unwrap();
        if self.draw.bool() {
            log.rotate().unwrap();
        }
        log.release(through).unwrap();
    }

    /// A call fails; the process ends, and starts again on what the system still remembers.
    fn failing_commit(&mut self) {
        self.append();
        let failure = if self.draw.bool() {
            Failure::Broken
        } else {
            Failure::NoSpace
        };
        let plan = Plan {
            from: self.draw.u64(..4),
            lasting: self.draw.bool(),
            failure,
        };
        self.disk.plan(Some(plan));
        let log = self.log.as_mut().unwrap();
        if log.commit().is_ok() {
            self.ledger.certain.append(&mut self.ledger.possible);
        } else {
            let error = log.append(b"refused").unwrap_err();
            assert!(matches!(error, LogError::Poisoned { .. }), "{error}");
        }
        self.disk.plan(None);
        self.restart();
    }

    fn restart(&mut self) {
        self.log = None;
        let (log, _) = open(self.disk.clone(), self.ledger.floor);
        self.found(&log);
        self.log = Some(log);
    }

    fn power_cut(&mut self) {
        self.log = None;
        self.disk = self.disk.after_power_cut(self.draw.u64(..));
        self.disk.keep_sync_points();
        self.restart();
    }

    /// The process ends between append and commit.
    fn abandon(&mut self) {
        self.append();
        self.restart();
        assert_eq!(self.ledger.possible, []);
    }

    /// What an opening finds is certain from then on.
    fn found(&mut self, log: &Log<SimulatedDisk>) {
        let found = replay(log, self.ledger.floor).unwrap();
        self.ledger.check(&found, &format!("seed {}", self.seed));
        self.ledger.certain = found;
        self.ledger.possible.clear();
    }
}

#[test]
fn a_power_cut_at_every_sync_point_of_long_histories() {
    let mut cuts = 0;
    for seed in 0..12 {
        let mut history = History::new(seed);
        history.run(150);
        cuts += history.cuts;
    }
    assert!(cuts > 10_000, "{cuts}");
}

/// More histories for as long as `RORQUAL_POWER_CUT_SECONDS` says (default: not at all), from seeds nobody has chosen.
#[test]
fn more_histories_when_asked_for() {
    let asked = std::env::var("RORQUAL_POWER_CUT_SECONDS").ok();
    let seconds = asked.and_then(|text| text.parse().ok()).unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        History::new(seed).run(100);
        if Instant::now() >= until {
            break;
        }
    }
}
