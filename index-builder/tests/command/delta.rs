//! Deltas: the live index and what has changed make the index that a rebuild makes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rorqual_schema::ResourceType;
use serde_json::Value;

use crate::delta_history::{History, Random};
use crate::extract::{lines, ndjson};
use crate::index::{Live, answers, assert_no_debris, assert_sound, current, structures};
use crate::process::{Finished, PROGRAM, build, command, finish};

/// The command for a delta; either part may be left out.
fn delta_command(changed: Option<&Path>, withdrawn: Option<&Path>, index: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    for (option, path) in [("--delta", changed), ("--withdrawn", withdrawn)] {
        if let Some(path) = path {
            command.arg(option).arg(path);
        }
    }
    command.arg("--index").arg(index).arg("--json");
    command.stdin(Stdio::null());
    command
}

pub fn delta(changed: Option<&Path>, withdrawn: Option<&Path>, index: &Path) -> Finished {
    finish(&mut delta_command(changed, withdrawn, index))
}

/// The manifest of the live generation.
fn manifest(index: &Path) -> Value {
    let live = index.join("generations").join(current(index));
    let text = fs::read(live.join("manifest.json")).expect("a manifest");
    serde_json::from_slice(&text).expect("a manifest is JSON")
}

/// The bytes of the full text of every type, by the kind of file: tantivy's names are random.
fn texts(index: &Path) -> BTreeMap<String, Vec<u8>> {
    let live = index.join("generations").join(current(index));
    let mut out = BTreeMap::new();
    for kind in ResourceType::ALL {
        let folder = live.join(kind.name()).join("text");
        for entry in fs::read_dir(folder).expect("a full-text folder") {
            let path = entry.expect("a readable entry").path();
            let ending = path.extension().map(|ending| ending.to_string_lossy());
            if let Some(ending @ ("idx" | "pos" | "term" | "fieldnorm")) = ending.as_deref() {
                let bytes = fs::read(&path).expect("a file of the generation");
                out.insert(format!("{}.{ending}", kind.name()), bytes);
            }
        }
    }
    assert_eq!(out.len(), 4 * ResourceType::COUNT);
    out
}

/// What deltas start from, by type: the bytes.
fn gathered(index: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    let live = index.join("generations").join(current(index));
    let kinds = ResourceType::ALL
        .into_iter()
        .filter(|kind| kind.name() != "Task");
    kinds
        .map(|kind| {
            let path = live.join(kind.name()).join("gathered.pack");
            (kind.name(), fs::read(path).expect("what deltas start from"))
        })
        .collect()
}

/// Asserts that two indexes are the same to the byte, but for what names a build.
pub fn assert_same(made: &Path, rebuilt: &Path, what: &str) {
    assert_sound(made);
    assert!(
        structures(made) == structures(rebuilt),
        "{what}: structures"
    );
    assert!(texts(made) == texts(rebuilt), "{what}: full text");
    assert!(
        gathered(made) == gathered(rebuilt),
        "{what}: what deltas start from"
    );
    let (made, rebuilt) = (manifest(made), manifest(rebuilt));
    for same in ["counts", "dangling", "schemaDigest", "formatVersion"] {
        assert_eq!(made[same], rebuilt[same], "{what}: {same}");
    }
}

/// Applies a history to an index night by night, and compares its end with a rebuild.
fn replay(end: &[String], nights: usize, seed: u64) {
    let what = format!("seed {seed}");
    let history = History::invent(end, nights, &mut Random(seed));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (made, rebuilt) = (folder.path().join("made"), folder.path().join("rebuilt"));
    let base = folder.path().join("base.ndjson");
    fs::write(&base, ndjson(&history.base)).expect("a writable folder");
    build(&[&base], &made).exits(0);
    for (number, night) in history.nights.iter().enumerate() {
        let changed = folder.path().join(format!("{number}.ndjson"));
        fs::write(&changed, ndjson(&night.changed)).expect("a writable folder");
        let withdrawn = folder.path().join(format!("{number}.txt"));
        fs::write(&withdrawn, night.withdrawn.join("\n")).expect("a writable folder");
        let before = current(&made);
        let report = delta(Some(&changed), Some(&withdrawn), &made)
            .exits(0)
            .report();
        assert_eq!(report["delta"]["from"], before, "{what}");
        assert_eq!(
            report["delta"]["withdrawn"],
            night.withdrawn.len(),
            "{what}"
        );
        assert_eq!(manifest(&made)["deltaFrom"], before, "{what}");
    }
    let whole = folder.path().join("whole.ndjson");
    fs::write(&whole, ndjson(end)).expect("a writable folder");
    build(&[&whole], &rebuilt).exits(0);
    assert_same(&made, &rebuilt, &what);
    assert_eq!(answers(&made), answers(&rebuilt), "{what}");
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.as_nanos() as u64)
}

#[test]
fn nights_of_deltas_end_where_a_rebuild_ends() {
    let first = seed();
    println!("seeds from {first}");
    for round in 0..6 {
        replay(
            &lines(10 + 20 * round, "nuit"),
            1 + round % 4,
            first + round as u64,
        );
    }
}

#[test]
fn nights_of_deltas_end_where_a_rebuild_ends_on_real_shapes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/extract");
    let mut end = Vec::new();
    for entry in fs::read_dir(folder).expect("the extract of the fixtures") {
        let path = entry.expect("a readable entry").path();
        let file = fs::File::open(path).expect("a file of the extract");
        let text = zstd::decode_all(file).expect("a zstd file");
        let text = String::from_utf8(text).expect("an extract is UTF-8");
        end.extend(text.lines().map(str::to_owned));
    }
    let seed = seed();
    println!("seed {seed}");
    replay(&end, 2, seed);
}

#[test]
fn the_report_tells_what_changed() {
    let live = Live::new();
    let mut changed = lines(31, "après");
    changed.retain(|line| line.contains("\"offer-3\"") || line.contains("\"offer-30\""));
    let changed = live.file("delta.ndjson", &ndjson(&changed));
    let withdrawn = live.file("gone.txt", b"Location/place-3\nLocation/none\n\n");
    let report = delta(Some(&changed), Some(&withdrawn), &live.index)
        .exits(0)
        .report();
    let told = &report["delta"];
    for (name, count) in [
        ("changed", 1),
        ("new", 1),
        ("outdated", 0),
        ("withdrawn", 1),
        ("unknown", 1),
    ] {
        assert_eq!(told[name], count, "{name}: {told}");
    }
    assert_eq!(told["unknown_ids"][0], "Location/none");
    assert_eq!(report["types"]["Location"]["indexed"], 29);
    assert_eq!(report["types"]["HealthcareService"]["indexed"], 31);
    // One leads to the withdrawn place; the new offer came without its place and its organisation.
    assert_eq!(
        report["types"]["HealthcareService"]["dangling_references"],
        3
    );
    assert_sound(&live.index);
    assert_no_debris(&live.index);

    // Ids alone are a delta too.
    let withdrawn = live.file("gone.txt", b"HealthcareService/offer-3\n");
    let report = delta(None, Some(&withdrawn), &live.index).exits(0).report();
    assert_eq!(report["types"]["HealthcareService"]["indexed"], 30);
    assert_sound(&live.index);
}

#[test]
fn what_a_delta_cannot_start_from_is_told_with_advice() {
    let changed = |live: &Live| live.file("delta.ndjson", &ndjson(&lines(2, "après")));
    let live = Live::new();
    let delta_file = changed(&live);
    let nowhere = live.folder.path().join("nowhere");
    delta(Some(&delta_file), None, &nowhere)
        .fails_saying(&["holds no index to apply a delta to", "--extract"]);
    assert!(!nowhere.exists(), "a refused delta makes nothing");
    finish(
        delta_command(Some(&delta_file), None, &live.index).args(["--time-zone", "Indian/Reunion"]),
    )
    .fails_saying(&["time zone", "rebuild it with --extract"]);
    let list = live.file("list.txt", b"Location/a\nb\n");
    delta(None, Some(&list), &live.index).fails_saying(&["line 2", "Type/id"]);
    let list = live.file("list.txt", b"Task/a\n");
    delta(None, Some(&list), &live.index).fails_saying(&["never withdrawn"]);
    let absent = live.folder.path().join("absent.txt");
    delta(None, Some(&absent), &live.index).fails_saying(&["absent.txt", "--withdrawn"]);
    live.is_untouched();

    let written = live.index.join("generations").join(current(&live.index));
    let written = written.join("manifest.json");
    let text = fs::read_to_string(&written).expect("a manifest");
    let version = format!("\"formatVersion\": {}", rorqual::index::FORMAT_VERSION);
    assert!(text.contains(&version), "{text}");
    let other = text.replace(&version, "\"formatVersion\": 9999");
    fs::write(&written, other).expect("a writable index");
    delta(Some(&delta_file), None, &live.index)
        .fails_saying(&["another release wrote it", "rebuild it with --extract"]);
    fs::write(&written, text).expect("a writable index");

    let source = live.file("whole.ndjson", &ndjson(&lines(5, "sans")));
    finish(command(&[source], &live.index).arg("--no-delta-support")).exits(0);
    delta(Some(&delta_file), None, &live.index).fails_saying(&[
        "built without what deltas start from",
        "rebuild it with --extract",
    ]);
}

#[test]
fn damage_is_not_built_upon() {
    let live = Live::new();
    let changed = live.file("delta.ndjson", &ndjson(&lines(2, "après")));
    let generation = live.index.join("generations").join(current(&live.index));
    let path = generation.join("Location/gathered.pack");
    let mut bytes = fs::read(&path).expect("what deltas start from");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("a writable index");
    let before = current(&live.index);
    delta(Some(&changed), None, &live.index)
        .fails_saying(&["gathered.pack", "does not match its checksum"]);
    assert_eq!(current(&live.index), before);
}

#[test]
fn too_many_bad_records_leave_the_live_index() {
    let live = Live::new();
    let mut records = lines(3, "après");
    records.push("{\"resourceType\":\"Location\"}".to_owned());
    let changed = live.file("delta.ndjson", &ndjson(&records));
    delta(Some(&changed), None, &live.index).fails_saying(&[
        "1 of",
        "records were rejected",
        "live index is untouched",
    ]);
    live.is_untouched();
    finish(delta_command(Some(&changed), None, &live.index).args(["--reject-percent", "50"]))
        .exits(3);
    assert_sound(&live.index);
}

#[test]
fn views_are_those_of_a_rebuild() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, lines: &[String]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, ndjson(lines)).expect("a writable folder");
        path
    };
    let (before, after) = (lines(30, "avant"), lines(30, "après"));
    let changed: Vec<String> = after.iter().step_by(7).cloned().collect();
    let end: Vec<String> = before
        .iter()
        .zip(&after)
        .enumerate()
        .map(|(at, (before, after))| if at % 7 == 0 { after } else { before }.clone())
        .collect();
    let (made, rebuilt) = (folder.path().join("made"), folder.path().join("rebuilt"));
    let with_views = |mut command: Command| finish(command.args(["--access", "national"])).exits(0);
    with_views(command(&[file("before.ndjson", &before)], &made));
    // The policy stays without being named.
    delta(Some(&file("changed.ndjson", &changed)), None, &made).exits(0);
    with_views(command(&[file("end.ndjson", &end)], &rebuilt));
    assert_same(&made, &rebuilt, "the full directory");
    let of = |index: &Path| index.join("generations").join(current(index)).join("views");
    let views = fs::read_dir(of(&made)).expect("views").count();
    assert!(views > 0, "the national policy has views");
    for view in fs::read_dir(of(&made)).expect("views") {
        let name = view.expect("a view").file_name();
        for kind in ResourceType::ALL {
            for part in ["bodies.dat", "index.pack"] {
                let read = |index: &Path| {
                    let path = of(index).join(&name).join(kind.name()).join(part);
                    fs::read(path).expect("a file of a view")
                };
                assert!(read(&made) == read(&rebuilt), "{name:?} {kind} {part}");
            }
        }
    }
}

#[test]
fn killed_at_any_instant_a_delta_leaves_one_whole_index_live() {
    /// Deltas to kill, at instants spread over the length of one.
    const KILLS: u32 = 10;
    let live = Live::new();
    let source = live.file("large.ndjson", &ndjson(&lines(400, "avant")));
    build(&[&source], &live.index).exits(0);
    let changed = live.file("delta.ndjson", &ndjson(&lines(40, "après")));
    let before = answers(&live.index);
    let scratch = live.folder.path().join("scratch");
    build(&[&source], &scratch).exits(0);
    let began = Instant::now();
    delta(Some(&changed), None, &scratch).exits(0);
    let length = began.elapsed();
    let after = answers(&scratch);
    assert!(before != after, "the delta must be told apart");
    for kill in 0..KILLS {
        let started = current(&live.index);
        let mut child = delta_command(Some(&changed), None, &live.index)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        std::thread::sleep(
            length.mul_f64(f64::from(kill) / f64::from(KILLS)) + Duration::from_millis(1),
        );
        // SIGKILL: nothing of the process runs after it.
        child.kill().expect("a child of this test");
        child.wait().expect("a child of this test");
        assert_sound(&live.index);
        match current(&live.index) == started {
            true => assert!(answers(&live.index) == before, "kill {kill}"),
            false => {
                assert!(answers(&live.index) == after, "kill {kill}");
                build(&[&source], &live.index).exits(0);
            }
        }
    }
    delta(Some(&changed), None, &live.index).exits(0);
    assert_no_debris(&live.index);
    assert!(answers(&live.index) == after);
}
