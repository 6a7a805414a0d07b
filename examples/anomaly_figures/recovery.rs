//! Opening and folding a log of many anomalies, and the memory that they take until then.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use rorqual::anomaly::journal::folder_of;
use rorqual::anomaly::record::{RecordHead, encode};
use rorqual_anomaly::log::{Folder, Log, LogOptions};

use crate::directory::{body, open};
use crate::memory::held;
use crate::searches::each;

/// Writes the log, then measures.
pub fn measure(index: &Path, tasks: u64, offers: u64) -> Result<(), Box<dyn Error>> {
    let bytes = write_log(index, tasks, offers)?;
    println!(
        "a log of {tasks} anomalies, one in each record, {:.1} MB:",
        bytes as f64 / 1e6
    );
    let before = held()?;
    let begun = Instant::now();
    let (engine, store) = open(index)?;
    let took = begun.elapsed();
    println!("    opened in {took:.2?}");
    while engine.join_segments()? {}
    let shown = engine.snapshot().overlay().len();
    println!(
        "    {} bytes of memory for each, in {} segments",
        held()?.saturating_sub(before) / u64::from(shown).max(1),
        engine.snapshot().overlay().segments().len()
    );
    println!("    searches before the fold:");
    each(&engine, Duration::from_secs(3))?;
    let begun = Instant::now();
    let report = store.fold()?;
    println!(
        "    folded in {:.2?}, of which {:.2?} for the generation and the rest to go over to it",
        begun.elapsed(),
        Duration::from_millis(report.milliseconds)
    );
    println!("    searches after the fold:");
    each(&engine, Duration::from_secs(3))?;
    println!("    {:.1} MB of memory held then", held()? as f64 / 1e6);
    drop((engine, store));
    let begun = Instant::now();
    let (engine, store) = open(index)?;
    println!("    opened after the fold in {:.2?}", begun.elapsed());
    drop((engine, store));
    Ok(())
}

/// Writes the log as the store would, many records to a commit; how long it is.
fn write_log(index: &Path, tasks: u64, offers: u64) -> Result<u64, Box<dyn Error>> {
    let folder = Folder::create(folder_of(index))?;
    let (mut log, _) = Log::open(folder, LogOptions::default(), 0)?;
    let now = 1_780_000_000_000i64;
    for number in 1..=tasks {
        let instant = now + number as i64;
        let written = chrono::DateTime::from_timestamp_millis(instant).ok_or("an instant")?;
        let id = format!("{number:08x}-0000-4000-8000-{number:012x}");
        let assigned = format!(
            r#""id":"{id}","meta":{{"versionId":"1","lastUpdated":"{}","profile":["https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-task"]}},"identifier":[{{"system":"urn:rorqual:anomaly","value":"ANO-{number:08}"}}],"#,
            written.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
        );
        let head = RecordHead {
            instant,
            identifier: number,
        };
        let body = body(number % offers.max(1), &assigned);
        log.append(&encode(head, &[(id, body.into_bytes())])?)?;
        if number % 1_000 == 0 {
            log.commit()?;
        }
    }
    log.commit()?;
    Ok(log.status().bytes)
}
