//! The record of requests: one line of JSON each, written beside the requests.
//!
//! Requests hand their entry to a bounded queue and go on; one thread writes. When it cannot keep up, or the disk refuses,
//! entries are lost and counted: a record is never a reason not to answer. A file that has grown long enough is renamed
//! with the instant of its end, and the oldest such files are removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::config::{AccessConfig, RorHeaders};
use super::ror_headers::NAMES;

/// Entries that may wait for the writer.
const QUEUE: usize = 16_384;

/// What is recorded of a request. Never a body, neither of the request nor of the answer.
pub(in crate::server) struct Entry<'a> {
    /// The reference of the request, as the answer has it.
    pub(in crate::server) id: &'a str,
    /// Who asked: subject of the certificate, or address.
    pub(in crate::server) client: Option<String>,
    /// Their access profile.
    pub(in crate::server) profile: Option<&'a str>,
    /// Method.
    pub(in crate::server) method: &'a str,
    /// Path and query as received.
    pub(in crate::server) target: &'a str,
    /// Headers of the request.
    pub(in crate::server) headers: &'a HeaderMap,
    /// Status of the answer.
    pub(in crate::server) status: u16,
    /// Matches of a search.
    pub(in crate::server) total: Option<u64>,
    /// Length of the answer, in bytes.
    pub(in crate::server) bytes: u64,
    /// Time until the answer was ready.
    pub(in crate::server) duration: Duration,
    /// The generation that was live.
    pub(in crate::server) generation: String,
}

/// The record; dropping it writes what waits and ends its thread.
pub(in crate::server) struct Audit {
    lines: Option<SyncSender<String>>,
    ror_headers: RorHeaders,
    lost: Arc<AtomicU64>,
    writer: Option<JoinHandle<()>>,
}

impl Audit {
    /// Opens the record; `None` when none is kept.
    ///
    /// # Errors
    /// When its file cannot be opened at all.
    pub(in crate::server) fn open(config: &AccessConfig) -> io::Result<Option<Audit>> {
        let Some(path) = &config.audit_log else {
            return Ok(None);
        };
        let lost = Arc::new(AtomicU64::new(0));
        let mut file = Rotating {
            open: Rotating::append_to(path)?,
            path: path.clone(),
            most_bytes: config.audit_log_bytes,
            former: usize::try_from(config.audit_log_files).unwrap_or(usize::MAX),
            lost: lost.clone(),
        };
        let (lines, waiting) = sync_channel(QUEUE);
        let writer = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || file.write_all(&waiting))?;
        Ok(Some(Audit {
            lines: Some(lines),
            ror_headers: config.ror_headers,
            lost,
            writer: Some(writer),
        }))
    }

    /// Records a request, unless too many wait.
    pub(in crate::server) fn record(&self, entry: &Entry<'_>) {
        let line = self.line(entry);
        let sent = self.lines.as_ref().map(|lines| lines.try_send(line));
        if !matches!(sent, Some(Ok(()))) {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    /// Entries that were lost since the record was opened.
    pub(in crate::server) fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    fn line(&self, entry: &Entry<'_>) -> String {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut line = json!({
            "instant": now,
            "request": entry.id,
            "client": entry.client,
            "profile": entry.profile,
            "method": entry.method,
            "target": entry.target,
            "status": entry.status,
            "bytes": entry.bytes,
            "milliseconds": (entry.duration.as_secs_f64() * 1e6).round() / 1e3,
            "generation": entry.generation,
        });
        if let Some(total) = entry.total {
            line["total"] = total.into();
        }
        if self.ror_headers != RorHeaders::Ignored {
            let given = NAMES.iter().filter_map(|(name, key)| {
                let value = entry.headers.get(*name)?;
                Some((
                    (*key).to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into(),
                ))
            });
            let ror: Map<String, Value> = given.collect();
            if !ror.is_empty() {
                line["ror"] = ror.into();
            }
        }
        line.to_string()
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing more to write.
            let _ = writer.join();
        }
    }
}

/// A file that goes on in another one once it is long enough.
struct Rotating {
    open: (BufWriter<File>, u64),
    path: PathBuf,
    most_bytes: u64,
    former: usize,
    lost: Arc<AtomicU64>,
}

impl Rotating {
    fn append_to(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        Ok((BufWriter::new(file), length))
    }

    fn write_all(&mut self, waiting: &Receiver<String>) {
        let mut told = false;
        while let Ok(first) = waiting.recv() {
            let mut batch = vec![first];
            batch.extend(waiting.try_iter().take(1023));
            let written = batch
                .iter()
                .try_for_each(|line| self.write(line))
                .and_then(|()| self.open.0.flush());
            match written {
                Ok(()) => told = false,
                Err(error) => {
                    // Some of them may be there; all are counted, and told once.
                    self.lost.fetch_add(batch.len() as u64, Relaxed);
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(%error, path = %self.path.display(), "requests cannot be recorded; they are answered all the same");
                    }
                    // What the buffer holds would be tried again and again.
                    if let Ok(open) = Rotating::append_to(&self.path) {
                        let (unwritten, _) = std::mem::replace(&mut self.open, open);
                        drop(unwritten.into_parts());
                    }
                }
            }
        }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        if self.open.1 > 0 && self.open.1 + line.len() as u64 >= self.most_bytes {
            self.rotate()?;
        }
        self.open.0.write_all(line.as_bytes())?;
        self.open.0.write_all(b"\n")?;
        self.open.1 += line.len() as u64 + 1;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.open.0.flush()?;
        let ended = Utc::now().format("%Y%m%dT%H%M%S%6fZ");
        let mut former = self.path.clone().into_os_string();
        former.push(format!(".{ended}"));
        fs::rename(&self.path, &former)?;
        self.open = Rotating::append_to(&self.path)?;
        self.prune()
    }

    /// Removes the oldest former files beyond those that stay.
    fn prune(&self) -> io::Result<()> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(());
        };
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let beginning = format!("{}.", name.to_string_lossy());
        let mut former = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let own = entry.file_name().to_string_lossy().into_owned();
            let instant = own.strip_prefix(&beginning).unwrap_or("");
            // Other files of the folder are not ours, whatever they are called.
            if instant.len() == 22 && instant.ends_with('Z') && instant.starts_with('2') {
                former.push(entry.path());
            }
        }
        former.sort();
        for path in former.iter().rev().skip(self.former) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(target: &str) -> Entry<'_> {
        static HEADERS: std::sync::LazyLock<HeaderMap> = std::sync::LazyLock::new(|| {
            let mut headers = HeaderMap::new();
            headers.insert("ror-role-metier-code", "AUTOMATE".parse().unwrap());
            headers
        });
        Entry {
            id: "r1",
            client: Some("CN=a".into()),
            profile: Some("2"),
            method: "GET",
            target,
            headers: &HEADERS,
            status: 200,
            total: Some(3),
            bytes: 12,
            duration: Duration::from_micros(1500),
            generation: "g".into(),
        }
    }

    #[test]
    fn each_request_is_a_line_and_files_go_on_in_others() {
        let folder = tempfile::tempdir().unwrap();
        let config = AccessConfig {
            audit_log: Some(folder.path().join("audit.ndjson")),
            audit_log_bytes: 65_536,
            audit_log_files: 2,
            ..AccessConfig::default()
        };
        let audit = Audit::open(&config).unwrap().unwrap();
        for number in 0..2_000 {
            audit.record(&entry(&format!("/fhir/Location?_id={number}")));
        }
        assert_eq!(audit.lost(), 0);
        drop(audit);
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        assert_eq!(names.len(), 3, "{names:?}");
        let last = fs::read_to_string(&names[0]).unwrap();
        let line: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
        assert_eq!(line["target"], "/fhir/Location?_id=1999");
        assert_eq!(line["ror"]["roleMetierCode"], "AUTOMATE");
        assert_eq!(
            (&line["milliseconds"], &line["total"]),
            (&json!(1.5), &json!(3))
        );
        for name in &names {
            assert!(fs::metadata(name).unwrap().len() <= 65_536);
            for line in fs::read_to_string(name).unwrap().lines() {
                serde_json::from_str::<Value>(line).unwrap();
            }
        }
    }

    #[test]
    fn a_disk_that_refuses_costs_entries_and_nothing_else() {
        let config = AccessConfig {
            audit_log: Some("/dev/full".into()),
            ..AccessConfig::default()
        };
        let audit = Audit::open(&config).unwrap().unwrap();
        let lost = audit.lost.clone();
        audit.record(&entry("/fhir/Task"));
        drop(audit);
        assert_eq!(lost.load(Relaxed), 1);
    }
}
