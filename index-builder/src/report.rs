//! What the build did, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use indicatif::{BinaryBytes, HumanCount};
use serde::Serialize;

use crate::delta_summary::DeltaSummary;
use crate::input::{Ignored, InputSummary, SourceSummary};

/// Counts of one resource type. Serialised keys are stable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TypeCounts {
    /// Usable resources read, replaced ones included.
    pub read: u64,
    /// Resources in the generation.
    pub indexed: u64,
    /// Resources set aside because the same id came again with a later version.
    pub replaced: u64,
    /// Records of this type refused.
    pub rejected: u64,
    /// References from resources of this type to resources that are absent.
    pub dangling_references: u64,
}

impl TypeCounts {
    fn add(&mut self, other: &TypeCounts) {
        self.read += other.read;
        self.indexed += other.indexed;
        self.replaced += other.replaced;
        self.rejected += other.rejected;
        self.dangling_references += other.dangling_references;
    }
}

/// What became of the anomalies that were there before the build. Serialised keys are stable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AnomalyCounts {
    /// Anomalies of the live index and of the log that are in the generation; those that the extract has in the same or a
    /// later version not counted.
    pub carried: u64,
    /// Records of the log that were folded in.
    pub log_records: u64,
    /// Anomalies of the generation whose focus is not in the directory: of all origins.
    pub without_focus: u64,
    /// The ids of the first of them.
    pub without_focus_ids: Vec<String>,
}

/// The account of one build. Serialised keys are stable; sizes are in bytes, durations in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Id of the generation built.
    pub generation: String,
    /// What a delta changed; absent for a whole build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<DeltaSummary>,
    /// When the build began.
    pub started: DateTime<Utc>,
    /// When the generation was live.
    pub finished: DateTime<Utc>,
    /// From `started` to `finished`.
    pub duration_seconds: f64,
    /// Bytes of the extract as stored.
    pub bytes_read: u64,
    /// Bytes of the extract after decompression.
    pub bytes_decompressed: u64,
    /// Decompressed bytes per second over the whole build, in units of 1,000,000.
    pub megabytes_per_second: f64,
    /// Largest resident memory of the process; `None` where the system does not tell.
    pub peak_resident_bytes: Option<u64>,
    /// Bytes of the generation on disk.
    pub index_bytes: u64,
    /// `index_bytes` over `bytes_decompressed`; 0 for an empty extract.
    pub index_share: f64,
    /// Counts by resource type name.
    pub types: BTreeMap<String, TypeCounts>,
    /// The names of the redacted views.
    pub views: Vec<String>,
    /// The anomalies that were kept from before.
    pub anomalies: AnomalyCounts,
    /// Refused records whose type is not known.
    pub rejected_without_type: u64,
    /// All refused records.
    pub rejected: u64,
    /// The file that tells them one by one, when there are any.
    pub reject_file: Option<PathBuf>,
    /// What was read.
    pub sources: Vec<SourceSummary>,
    /// What was found beside it and not read.
    pub ignored: Vec<Ignored>,
    /// Oddities worth a look, one sentence each.
    pub warnings: Vec<String>,
}

impl Report {
    /// An empty account of a build that begins at `started`.
    pub fn new(generation: impl Into<String>, started: DateTime<Utc>) -> Self {
        Report {
            generation: generation.into(),
            delta: None,
            started,
            finished: started,
            duration_seconds: 0.0,
            bytes_read: 0,
            bytes_decompressed: 0,
            megabytes_per_second: 0.0,
            peak_resident_bytes: None,
            index_bytes: 0,
            index_share: 0.0,
            types: BTreeMap::new(),
            views: Vec::new(),
            anomalies: AnomalyCounts::default(),
            rejected_without_type: 0,
            rejected: 0,
            reject_file: None,
            sources: Vec::new(),
            ignored: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Takes over what reading tells.
    pub fn take_input(&mut self, input: InputSummary) {
        self.bytes_read = input.raw_bytes;
        self.bytes_decompressed = input.decompressed_bytes;
        self.sources = input.sources;
        self.ignored = input.ignored;
        self.warnings.extend(input.warnings);
    }

    /// The counts of a type, created at zero.
    pub fn counts(&mut self, type_name: &str) -> &mut TypeCounts {
        self.types.entry(type_name.to_owned()).or_default()
    }

    /// Closes the account: fills in everything that follows from the counts, the times and the process.
    pub fn complete(&mut self, finished: DateTime<Utc>) {
        self.finished = finished;
        // A clock set back during the build must not give a negative rate.
        let elapsed = (finished - self.started).to_std().unwrap_or_default();
        self.duration_seconds = elapsed.as_secs_f64();
        self.megabytes_per_second =
            ratio(self.bytes_decompressed as f64 / 1e6, self.duration_seconds);
        self.index_share = ratio(self.index_bytes as f64, self.bytes_decompressed as f64);
        self.rejected = self.rejected_without_type + self.total().rejected;
        self.peak_resident_bytes = peak_resident_bytes();
    }

    /// The counts of all types together.
    pub fn total(&self) -> TypeCounts {
        let mut total = TypeCounts::default();
        for counts in self.types.values() {
            total.add(counts);
        }
        total
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The largest resident memory this process has had, in bytes, where the system tells (Linux).
pub fn peak_resident_bytes() -> Option<u64> {
    high_water_mark(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn high_water_mark(status: &str) -> Option<u64> {
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

const COLUMNS: [&str; 5] = ["read", "indexed", "replaced", "rejected", "dangling"];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Generation {} built in {:.1} s",
            self.generation, self.duration_seconds
        )?;
        self.write_delta(f)?;
        let read = match self.delta {
            Some(_) => "delta  ",
            None => "extract",
        };
        write!(f, "  {read}      {}", BinaryBytes(self.bytes_read))?;
        if self.bytes_read != self.bytes_decompressed {
            write!(f, ", {} unpacked", BinaryBytes(self.bytes_decompressed))?;
        }
        writeln!(f, ", {:.1} MB/s", self.megabytes_per_second)?;
        write!(f, "  index        {}", BinaryBytes(self.index_bytes))?;
        match self.delta {
            Some(_) => writeln!(f)?,
            None => writeln!(f, ", {:.0} % of the extract", 100.0 * self.index_share)?,
        }
        if let Some(peak) = self.peak_resident_bytes {
            writeln!(f, "  peak memory  {}", BinaryBytes(peak))?;
        }
        writeln!(f)?;
        self.write_table(f)?;
        self.write_anomalies(f)?;
        if self.rejected_without_type > 0 {
            writeln!(
                f,
                "Rejected without a known type: {}",
                HumanCount(self.rejected_without_type)
            )?;
        }
        if let Some(path) = &self.reject_file {
            writeln!(
                f,
                "Rejected in all: {}, each with its reason in {}",
                HumanCount(self.rejected),
                path.display()
            )?;
        }
        writeln!(f)?;
        for source in &self.sources {
            writeln!(
                f,
                "Read {}: {} records, {} ({}, {})",
                source.name,
                HumanCount(source.records),
                BinaryBytes(source.raw_bytes),
                source.shape,
                source.compression
            )?;
        }
        for ignored in &self.ignored {
            writeln!(f, "Not read {}: {}", ignored.path, ignored.why)?;
        }
        for warning in &self.warnings {
            writeln!(f, "Warning: {warning}")?;
        }
        Ok(())
    }
}

impl Report {
    fn write_delta(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(delta) = &self.delta else {
            return Ok(());
        };
        writeln!(
            f,
            "  from         {}: {} changed, {} new, {} withdrawn",
            delta.from,
            HumanCount(delta.changed),
            HumanCount(delta.new),
            HumanCount(delta.withdrawn)
        )?;
        if delta.outdated > 0 {
            writeln!(f, "  outdated     {}", HumanCount(delta.outdated))?;
        }
        if delta.unknown > 0 {
            let more = delta.unknown > delta.unknown_ids.len() as u64;
            writeln!(
                f,
                "  not there    {} to be withdrawn ({}{})",
                HumanCount(delta.unknown),
                delta.unknown_ids.join(", "),
                if more { ", …" } else { "" }
            )?;
        }
        Ok(())
    }

    fn write_anomalies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anomalies = &self.anomalies;
        if anomalies.carried > 0 || anomalies.log_records > 0 {
            writeln!(
                f,
                "Anomalies kept from before: {}; {} records of the log folded in",
                HumanCount(anomalies.carried),
                HumanCount(anomalies.log_records)
            )?;
        }
        if anomalies.without_focus > 0 {
            let more = anomalies.without_focus > anomalies.without_focus_ids.len() as u64;
            writeln!(
                f,
                "Anomalies whose focus is not in the directory: {} (Task/{}{})",
                HumanCount(anomalies.without_focus),
                anomalies.without_focus_ids.join(", Task/"),
                if more { ", …" } else { "" }
            )?;
        }
        Ok(())
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        let mut rows: Vec<(&str, [String; 5])> = self
            .types
            .iter()
            .map(|(name, counts)| (name.as_str(), cells(counts)))
            .collect();
        rows.push(("total", cells(&total)));
        let name_width = rows
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or_default();
        // Totals are the longest numbers, so they and the headings set the widths.
        let widths: Vec<usize> = COLUMNS
            .iter()
            .zip(cells(&total))
            .map(|(heading, cell)| heading.len().max(cell.len()))
            .collect();
        write!(f, "{:name_width$}", "")?;
        for (heading, width) in COLUMNS.iter().zip(&widths) {
            write!(f, "  {heading:>width$}")?;
        }
        writeln!(f)?;
        for (name, cells) in rows {
            write!(f, "{name:name_width$}")?;
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn cells(counts: &TypeCounts) -> [String; 5] {
    [
        counts.read,
        counts.indexed,
        counts.replaced,
        counts.rejected,
        counts.dangling_references,
    ]
    .map(|count| HumanCount(count).to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::input::{Compression, Shape};

    fn sample() -> Report {
        let started = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut report = Report::new("g1", started);
        report.take_input(InputSummary {
            raw_bytes: 1_000_000,
            decompressed_bytes: 100_000_000,
            sources: vec![SourceSummary {
                name: "a.ndjson.gz".to_owned(),
                shape: Shape::Ndjson,
                compression: Compression::Gzip,
                raw_bytes: 1_000_000,
                decompressed_bytes: 100_000_000,
                records: 1_234_567,
                rejects: 0,
            }],
            ..InputSummary::default()
        });
        *report.counts("HealthcareService") = TypeCounts {
            read: 1_234_560,
            indexed: 1_234_000,
            replaced: 560,
            rejected: 4,
            dangling_references: 12,
        };
        report.counts("Task").read = 3;
        report.rejected_without_type = 3;
        report.reject_file = Some("rejects.ndjson".into());
        report.index_bytes = 50_000_000;
        report.warnings.push("something odd".to_owned());
        report.complete(started + chrono::TimeDelta::milliseconds(2_500));
        report
    }

    #[test]
    fn what_follows_from_the_counts_is_filled_in() {
        let report = sample();
        assert_eq!(report.duration_seconds, 2.5);
        assert_eq!(report.megabytes_per_second, 40.0);
        assert_eq!(report.index_share, 0.5);
        assert_eq!(report.rejected, 7);
        assert_eq!(report.total().read, 1_234_563);
    }

    #[test]
    fn the_table_lines_up() {
        let text = sample().to_string();
        let rows: Vec<&str> = text
            .lines()
            .skip_while(|line| !line.contains("indexed"))
            .take(4)
            .collect();
        assert_eq!(rows.len(), 4, "{text}");
        for row in &rows {
            assert_eq!(row.len(), rows[0].len(), "{text}");
        }
        assert!(rows[1].contains("1,234,560"), "{text}");
        assert!(rows[3].starts_with("total"), "{text}");
        assert!(text.contains("Warning: something odd"), "{text}");
        assert!(text.contains("rejects.ndjson"), "{text}");
    }

    #[test]
    fn the_keys_for_machines_are_stable() {
        let json = serde_json::to_value(sample()).unwrap();
        let keys: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            keys,
            [
                "generation",
                "started",
                "finished",
                "duration_seconds",
                "bytes_read",
                "bytes_decompressed",
                "megabytes_per_second",
                "peak_resident_bytes",
                "index_bytes",
                "index_share",
                "types",
                "views",
                "anomalies",
                "rejected_without_type",
                "rejected",
                "reject_file",
                "sources",
                "ignored",
                "warnings",
            ]
        );
        assert_eq!(json["started"], "2023-11-14T22:13:20Z");
        assert_eq!(json["types"]["HealthcareService"]["replaced"], 560);
        assert_eq!(json["sources"][0]["compression"], "gzip");
    }

    #[test]
    fn an_empty_build_divides_by_nothing() {
        let started = DateTime::from_timestamp(0, 0).unwrap();
        let mut report = Report::new("g", started);
        report.complete(started);
        assert_eq!(report.megabytes_per_second, 0.0);
        assert_eq!(report.index_share, 0.0);
    }

    #[test]
    fn the_high_water_mark_is_read_in_kibibytes() {
        let status = "Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(high_water_mark(status), Some(2048 * 1024));
        assert_eq!(high_water_mark("VmRSS:\t 1 kB\n"), None);
    }
}
