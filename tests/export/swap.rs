//! Generations change under exports.

use rorqual::export::Jobs;

use crate::directory::Directory;
use crate::made::{Made, WHOLE, contents, done, texts};

#[test]
fn a_job_reads_the_state_it_began_with_to_its_end() {
    let mut directory = Directory::new(30, 5);
    let made = Made::of(&directory.extract());
    let engine = made.engine();
    let jobs = Jobs::default();
    let began = directory.resources.clone();
    let first = done(&jobs, engine.full(), WHOLE);
    let waiting = jobs
        .begin(
            engine.full(),
            "",
            &rorqual::export::ExportRequest::new(WHOLE),
        )
        .expect("begun")
        .job;
    let whole = texts(&first);
    let files = first
        .outcome()
        .expect("done")
        .expect("made")
        .files()
        .to_vec();
    let mut reader = files[0].read();
    let mut read = Vec::new();
    let mut swaps = 0;
    // A swap between any two batches; the files of the generation before are removed at once.
    while let Some(pieces) = reader.next(2_000).expect("its generation is held") {
        pieces
            .iter()
            .for_each(|piece| read.extend_from_slice(piece));
        directory.change();
        made.rebuild(&directory.extract());
        assert!(engine.refresh().expect("the new generation opens"));
        swaps += 1;
    }
    assert!(swaps > 1, "{swaps} swaps");
    assert_eq!(String::from_utf8(read).expect("UTF-8"), whole[0]);
    assert_eq!(texts(&first), whole, "read again after the swaps");
    assert_eq!(contents(&first), began);
    // Prepared after the swaps, of the state at its kick-off.
    waiting.prepare();
    assert_eq!(contents(&waiting), began);
    assert_eq!(
        contents(&done(&jobs, engine.full(), WHOLE)),
        directory.resources
    );
}
