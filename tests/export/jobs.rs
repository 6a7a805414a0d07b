//! Jobs: whose they are, how many, how long.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rorqual::Engine;
use rorqual::export::manifest::{manifest, running, status_url};
use rorqual::export::{ExportError, ExportOptions, ExportRequest, Job, Jobs};
use serde_json::json;

use crate::made::{Made, instant, resource};

fn engine() -> Engine {
    Made::of(&[resource(
        "HealthcareService",
        "un",
        &instant(0),
        json!({"name": "Un"}),
    )])
    .engine()
}

fn begin(jobs: &Jobs, engine: &Engine, owner: &str) -> Result<Arc<Job>, ExportError> {
    let begun = jobs.begin(
        engine.full(),
        owner,
        &ExportRequest::new("_type=HealthcareService"),
    )?;
    Ok(begun.job)
}

#[test]
fn a_job_belongs_to_its_client() {
    let (engine, jobs) = (engine(), Jobs::default());
    let job = begin(&jobs, &engine, "anne").expect("begun");
    let id = job.id().to_string();
    assert_eq!(jobs.get(&id, "anne").expect("hers").id(), job.id());
    for (id, owner) in [
        (id.as_str(), "boris"),
        (id.as_str(), ""),
        ("990789c0-f170-400f-97dd-ed2ac6fd22dc", "anne"),
        ("1", "anne"),
        ("", "anne"),
    ] {
        assert_eq!(
            jobs.get(id, owner).expect_err("unknown"),
            ExportError::UnknownJob
        );
        assert_eq!(
            jobs.poll(id, owner).expect_err("unknown"),
            ExportError::UnknownJob
        );
        assert_eq!(
            jobs.cancel(id, owner).expect_err("unknown"),
            ExportError::UnknownJob
        );
    }
    assert_eq!(ExportError::UnknownJob.status(), 404);
    jobs.cancel(&id, "anne").expect("hers");
    assert_eq!(
        jobs.get(&id, "anne").expect_err("gone"),
        ExportError::UnknownJob
    );
    assert_eq!(
        jobs.cancel(&id, "anne").expect_err("gone"),
        ExportError::UnknownJob
    );
}

#[test]
fn a_job_runs_then_is_done() {
    struct Woken(std::sync::atomic::AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let (engine, jobs) = (engine(), Jobs::default());
    let job = begin(&jobs, &engine, "").expect("begun");
    assert!(job.outcome().is_none());
    assert_eq!(
        job.file("HealthcareService-1.ndjson").expect_err("not yet"),
        ExportError::NotReady
    );
    let told = running(&job);
    assert_eq!(
        (&told["status"], told.get("output")),
        (&json!("running"), None)
    );
    assert_eq!(told["progress"], job.progress());

    let woken = Arc::new(Woken(false.into()));
    let waker = Waker::from(woken.clone());
    let mut waiting = pin!(job.done());
    assert!(
        waiting
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    job.prepare();
    assert!(
        woken.0.load(std::sync::atomic::Ordering::SeqCst),
        "whoever waits is told"
    );
    assert_eq!(
        waiting.as_mut().poll(&mut Context::from_waker(&waker)),
        Poll::Ready(())
    );

    let export = job.outcome().expect("done").expect("made");
    let told = manifest(&job, export);
    let base = rorqual::engine::DEFAULT_BASE_URL;
    assert_eq!(
        told,
        json!({
            "transactionTime": "2024-01-01T00:00:00.000Z",
            "request": format!("{base}/$export?_type=HealthcareService"),
            "requiresAccessToken": true,
            "output": [{
                "type": "HealthcareService",
                "url": format!("{base}/$export-get-file/{}/HealthcareService-1.ndjson", job.id()),
                "count": 1,
            }],
            "error": [],
            "extension": {
                "generation": engine.generation_id(),
                "generationBuilt": engine.generation().manifest().created,
                "selected": {"HealthcareService": 1, "Organization": 0, "Location": 0, "PractitionerRole": 0, "Practitioner": 0},
            },
        })
    );
    assert_eq!(
        status_url(&job),
        format!("{base}/$export-poll-status?_jobId={}", job.id())
    );
    let unknown = job.file("Location-1.ndjson").expect_err("there is none");
    assert_eq!(
        (unknown.status(), unknown.issues()[0].code),
        (404, "not-found")
    );
}

#[test]
fn a_job_that_broke_off_says_so() {
    let (engine, jobs) = (engine(), Jobs::default());
    let job = begin(&jobs, &engine, "").expect("begun");
    job.fail("a secret of the inside".to_owned());
    let error = job.outcome().expect("ended").expect_err("failed");
    assert_eq!((error.status(), error.issues()[0].code), (500, "exception"));
    assert!(!error.issues()[0].diagnostics.contains("secret"));
    assert_eq!(
        job.file("HealthcareService-1.ndjson")
            .expect_err("none")
            .status(),
        500
    );
}

#[test]
fn a_job_that_was_ended_while_it_ran_comes_to_nothing() {
    let (engine, jobs) = (engine(), Jobs::default());
    let job = begin(&jobs, &engine, "").expect("begun");
    jobs.cancel(&job.id().to_string(), "").expect("ours");
    job.prepare();
    // Not an export without files, which would read as an empty directory.
    let outcome = job.outcome().expect("ended");
    assert_eq!(outcome.expect_err("no export"), ExportError::UnknownJob);
}

#[test]
fn jobs_are_bounded_for_each_client_and_in_all() {
    let engine = engine();
    let jobs = Jobs::new(ExportOptions {
        jobs_per_client: 2,
        jobs: 3,
        ..ExportOptions::default()
    });
    let first = begin(&jobs, &engine, "anne").expect("one");
    begin(&jobs, &engine, "anne").expect("two");
    let third = begin(&jobs, &engine, "anne").expect_err("three");
    assert_eq!((third.status(), third.issues()[0].code), (429, "throttled"));
    assert!(
        third
            .retry_after()
            .is_some_and(|seconds| (1..=4 * 3600 + 1).contains(&seconds))
    );
    begin(&jobs, &engine, "boris").expect("another client");
    let all = begin(&jobs, &engine, "chloe").expect_err("four in all");
    assert!(
        matches!(
            all,
            ExportError::TooManyJobs {
                limit: 3,
                own: false,
                ..
            }
        ),
        "{all:?}"
    );
    // A request that is at fault is told so, whatever the limits.
    let bad = jobs.begin(engine.full(), "anne", &ExportRequest::new("patient=1"));
    assert_eq!(bad.expect_err("refused").status(), 400);
    jobs.cancel(&first.id().to_string(), "anne").expect("hers");
    begin(&jobs, &engine, "anne").expect("there is a place again");
}

#[test]
fn an_expired_job_is_gone_and_gives_its_place_back() {
    let engine = engine();
    let jobs = Jobs::new(ExportOptions {
        retention: Duration::ZERO,
        jobs: 1,
        ..ExportOptions::default()
    });
    let job = begin(&jobs, &engine, "").expect("begun");
    job.prepare();
    assert!(
        job.outcome().is_some_and(|outcome| outcome.is_ok()),
        "it was made"
    );
    assert_eq!(
        jobs.get(&job.id().to_string(), "").expect_err("expired"),
        ExportError::UnknownJob
    );
    begin(&jobs, &engine, "").expect("the place is free");
    // Once forgotten, nothing but our own hands holds the generation.
    jobs.forget_expired();
    assert_eq!(Arc::strong_count(&job), 1);
}

#[test]
fn the_status_may_be_asked_for_so_often() {
    let engine = engine();
    let jobs = Jobs::new(ExportOptions {
        polls_at_once: 3,
        ..ExportOptions::default()
    });
    let id = begin(&jobs, &engine, "").expect("begun").id().to_string();
    let answers: Vec<_> = (0..50).map(|_| jobs.poll(&id, "").err()).collect();
    assert_eq!(&answers[..3], [None, None, None]);
    let refused = answers.iter().flatten().next().expect("refused at last");
    assert_eq!((refused.status(), refused.retry_after()), (429, Some(1)));
    // Its files are not concerned.
    assert!(jobs.get(&id, "").is_ok());
}
