//! Shows how far the build is: bars on a terminal, sparse lines in a log, nothing when asked.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// Longest silence in a log while something is under way.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often a bar moves even when nothing is counted.
const TICK: Duration = Duration::from_millis(120);

type Output = Arc<Mutex<dyn Write + Send>>;

/// Where and how progress is shown. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    mode: Mode,
}

#[derive(Clone)]
enum Mode {
    Bars,
    Lines(Output),
    Silent,
}

impl Progress {
    /// Bars when standard error is a terminal, lines there when it is not, nothing when `quiet`.
    pub fn detect(quiet: bool) -> Self {
        let mode = if quiet {
            Mode::Silent
        } else if io::stderr().is_terminal() {
            Mode::Bars
        } else {
            Mode::Lines(Arc::new(Mutex::new(io::stderr())))
        };
        Progress { mode }
    }

    /// Shows nothing.
    pub fn silent() -> Self {
        Progress { mode: Mode::Silent }
    }

    /// Writes plain lines to `output`.
    pub fn lines(output: impl Write + Send + 'static) -> Self {
        Progress {
            mode: Mode::Lines(Arc::new(Mutex::new(output))),
        }
    }

    /// Begins a phase counted in bytes; `total` is `None` when the end is not known beforehand.
    pub fn bytes(&self, name: &str, total: Option<u64>) -> Phase {
        self.begin(name, total, Unit::Bytes)
    }

    /// Begins a phase counted in things, such as resources.
    pub fn items(&self, name: &str, total: Option<u64>) -> Phase {
        self.begin(name, total, Unit::Items)
    }

    /// Begins a phase of which nothing is counted, such as syncing.
    pub fn step(&self, name: &str) -> Phase {
        self.begin(name, None, Unit::Nothing)
    }

    fn begin(&self, name: &str, total: Option<u64>, unit: Unit) -> Phase {
        let bar = match &self.mode {
            Mode::Bars => {
                let bar = match total {
                    Some(total) => ProgressBar::new(total),
                    None => ProgressBar::new_spinner(),
                };
                bar.set_style(style(unit, total.is_some()));
                bar.set_message(name.to_owned());
                bar.enable_steady_tick(TICK);
                bar
            }
            _ => ProgressBar::hidden(),
        };
        let log = match &self.mode {
            Mode::Lines(output) => Some(Log {
                output: Arc::clone(output),
                last: Mutex::new(Last {
                    shown: Instant::now(),
                    tenth: 0,
                }),
            }),
            _ => None,
        };
        if let Some(log) = &log {
            log.print(&format!("{name} …"));
        }
        Phase {
            name: name.to_owned(),
            total,
            unit,
            started: Instant::now(),
            bar,
            log,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Bytes,
    Items,
    Nothing,
}

impl Unit {
    fn show(self, count: u64) -> String {
        match self {
            Unit::Bytes => BinaryBytes(count).to_string(),
            Unit::Items => HumanCount(count).to_string(),
            Unit::Nothing => String::new(),
        }
    }
}

/// One thing being done. May be updated from any thread.
pub struct Phase {
    name: String,
    total: Option<u64>,
    unit: Unit,
    started: Instant,
    bar: ProgressBar,
    log: Option<Log>,
}

struct Log {
    output: Output,
    last: Mutex<Last>,
}

struct Last {
    shown: Instant,
    tenth: u64,
}

impl Phase {
    /// `done` bytes or things are done in all.
    pub fn set(&self, done: u64) {
        self.bar.set_position(done);
        let Some(log) = &self.log else { return };
        let tenth = tenth(done, self.total);
        {
            let mut last = log.last.lock().unwrap_or_else(PoisonError::into_inner);
            if !due(last.shown.elapsed(), last.tenth, tenth) {
                return;
            }
            last.shown = Instant::now();
            last.tenth = tenth;
        }
        log.print(&self.state(done));
    }

    /// Ends the phase with one line: its name, `outcome`, and how long it took.
    pub fn finish(self, outcome: &str) {
        let took = self.started.elapsed().as_secs_f64();
        let separator = if outcome.is_empty() { "" } else { ": " };
        let line = format!("{}{separator}{outcome} ({took:.1} s)", self.name);
        match &self.log {
            Some(log) => log.print(&line),
            None if self.bar.is_hidden() => {}
            None => {
                self.bar.finish_and_clear();
                eprintln!("{line}");
            }
        }
    }

    fn state(&self, done: u64) -> String {
        let (name, count) = (&self.name, self.unit.show(done));
        let elapsed = self.started.elapsed();
        match self.total.filter(|total| *total > 0) {
            Some(total) => {
                let share = done as f64 / total as f64;
                let mut line = format!(
                    "{name}: {count} of {} ({:.0} %)",
                    self.unit.show(total),
                    100.0 * share
                );
                if share > 0.0 && share < 1.0 {
                    let left = elapsed.mul_f64((1.0 - share) / share);
                    line.push_str(&format!(", about {} left", HumanDuration(left)));
                }
                line
            }
            None => format!("{name}: {count} so far"),
        }
    }
}

impl Drop for Phase {
    /// A phase given up on leaves no half-drawn bar behind the error message.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Log {
    fn print(&self, line: &str) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written must not stop the build.
        let _ = writeln!(output, "{line}").and_then(|()| output.flush());
    }
}

fn tenth(done: u64, total: Option<u64>) -> u64 {
    match total {
        Some(total) if total > 0 => (u128::from(done) * 10 / u128::from(total)) as u64,
        _ => 0,
    }
}

/// A line is due after a long silence, and whenever another tenth is done.
fn due(silence: Duration, shown_tenth: u64, tenth: u64) -> bool {
    tenth > shown_tenth || silence >= LINE_EVERY
}

fn style(unit: Unit, bounded: bool) -> ProgressStyle {
    ProgressStyle::with_template(template(unit, bounded))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn template(unit: Unit, bounded: bool) -> &'static str {
    match (unit, bounded) {
        (Unit::Bytes, true) => {
            "{msg} {wide_bar} {binary_bytes} / {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left"
        }
        (Unit::Bytes, false) => "{spinner} {msg} {binary_bytes}, {binary_bytes_per_sec}, {elapsed}",
        (Unit::Items, true) => "{msg} {wide_bar} {human_pos} / {human_len}, {eta} left",
        (Unit::Items, false) => "{spinner} {msg} {human_pos}, {elapsed}",
        (Unit::Nothing, _) => "{spinner} {msg} {elapsed}",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn a_log_has_a_line_per_tenth_at_most() {
        let page = Page::default();
        let phase = Progress::lines(page.clone()).bytes("reading", Some(1 << 20));
        for done in 0..=1024_u64 {
            phase.set(done * 1024);
        }
        phase.finish("3 resources");
        let text = page.text();
        for share in ["(10 %)", "(50 %)", "(100 %)"] {
            assert_eq!(text.matches(share).count(), 1, "{share} in {text}");
        }
        assert!(text.starts_with("reading …\n"), "{text}");
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("reading: 3 resources ("), "{text}");
    }

    #[test]
    fn a_line_is_due_by_share_or_by_silence() {
        assert!(!due(Duration::from_secs(9), 3, 3));
        assert!(due(Duration::from_secs(10), 3, 3));
        assert!(due(Duration::ZERO, 3, 4));
    }

    #[test]
    fn an_unknown_or_empty_total_is_no_trouble() {
        assert_eq!(tenth(5, None), 0);
        assert_eq!(tenth(0, Some(0)), 0);
        assert_eq!(tenth(u64::MAX, Some(u64::MAX)), 10);
        let page = Page::default();
        let phase = Progress::lines(page.clone()).items("writing", None);
        assert_eq!(phase.state(1234), "writing: 1,234 so far");
    }

    #[test]
    fn every_template_is_one_that_indicatif_reads() {
        // `style` falls back to a plain bar on a bad template; this is what notices.
        for unit in [Unit::Bytes, Unit::Items, Unit::Nothing] {
            for bounded in [true, false] {
                ProgressStyle::with_template(template(unit, bounded)).unwrap();
            }
        }
    }

    #[test]
    fn silence_is_silent_and_steps_end_with_their_time() {
        Progress::silent().step("syncing").finish("done");
        let page = Page::default();
        Progress::lines(page.clone()).step("syncing").finish("");
        let text = page.text();
        assert!(
            text.lines().nth(1).unwrap().starts_with("syncing ("),
            "{text}"
        );
    }
}
