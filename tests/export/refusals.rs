//! What a kick-off is refused for: every culprit named, nothing left out in silence.

use rorqual::Handling;
use rorqual::export::{ExportError, ExportRequest, Jobs};
use rorqual::view::Permits;
use rorqual::{Engine, ResourceType};
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

fn refused(engine: &Engine, request: &ExportRequest<'_>) -> ExportError {
    let jobs = Jobs::default();
    let begun = jobs
        .begin(engine.full(), "", request)
        .map(|begun| begun.job.id());
    let checked = jobs.check(engine.full(), request).map(|_| ());
    let error = begun.expect_err(request.query);
    assert_eq!(checked.expect_err("refused alike"), error);
    error
}

#[test]
fn each_fault_is_told_with_its_culprit() {
    let engine = engine();
    for (query, code, culprit, told) in [
        ("patient=1", "not-supported", "patient", "_typeFilter"),
        (
            "_elements=id",
            "not-supported",
            "_elements",
            "handling=lenient",
        ),
        (
            "_outputFormat=application/fhir%2Bxml",
            "not-supported",
            "_outputFormat",
            "application/fhir+ndjson",
        ),
        (
            "_outputFormat=json",
            "not-supported",
            "_outputFormat",
            "application/json",
        ),
        (
            "_outputFormat=ndjson&_outputFormat=ndjson",
            "invalid",
            "_outputFormat",
            "once",
        ),
        ("_outputFormat=", "value", "_outputFormat", "no value"),
        ("_type=Patient", "not-supported", "_type", "Patient"),
        (
            "_type=healthcareservice",
            "not-supported",
            "_type",
            "case-sensitive",
        ),
        (
            "_type=HealthcareService,",
            "not-supported",
            "_type",
            "type of this directory",
        ),
        ("_type=Task", "not-supported", "_type", "GET [base]/Task"),
        ("_since=yesterday", "invalid", "_since", "yesterday"),
        ("_since=2024-13-01", "invalid", "_since", "month 13"),
        (
            "_since=2024-01-01&_since=2024-01-02",
            "invalid",
            "_since",
            "once",
        ),
        (
            "includeAssociatedData=LatestProvenanceResources",
            "not-supported",
            "includeAssociatedData",
            "_myCompleteExtract",
        ),
        (
            "_typeFilter=HealthcareService",
            "invalid",
            "_typeFilter",
            "percent-encoded",
        ),
        (
            "_typeFilter=Patient%3Fname%3Da",
            "not-supported",
            "_typeFilter",
            "Patient",
        ),
        (
            "_typeFilter=Task%3Fstatus%3Dactive",
            "not-supported",
            "_typeFilter",
            "Task",
        ),
        (
            "_typeFilter=HealthcareService%3Fspecialite%3D1",
            "not-supported",
            "_typeFilter",
            "nearest: specialty",
        ),
        (
            "_typeFilter=HealthcareService%3F_lastUpdated%3Dge2022-13-01",
            "invalid",
            "_typeFilter",
            "month 13",
        ),
        (
            "_typeFilter=HealthcareService%3F_filter%3Dname%20eq",
            "invalid",
            "_typeFilter",
            "_filter, at character",
        ),
        (
            "_typeFilter=HealthcareService%3Fname%3D%25zz",
            "invalid",
            "_typeFilter",
            "percent sign",
        ),
        (
            "_typeFilter=HealthcareService%3F_count%3D5",
            "not-supported",
            "_typeFilter",
            "_count",
        ),
        (
            "_typeFilter=HealthcareService%3F_include%3DHealthcareService%3Alocation",
            "not-supported",
            "_typeFilter",
            "_include",
        ),
        (
            "_typeFilter=HealthcareService%3F_sort%3Dname",
            "not-supported",
            "_typeFilter",
            "_sort",
        ),
        (
            "_typeFilter=HealthcareService%3F_elements%3Did",
            "not-supported",
            "_typeFilter",
            "_elements",
        ),
        (
            "_type=Location&_typeFilter=Organization%3Fname%3Da",
            "not-supported",
            "_typeFilter",
            "add it to _type",
        ),
    ] {
        let error = refused(&engine, &ExportRequest::new(query));
        let issues = error.issues();
        assert_eq!(
            (error.status(), issues.len()),
            (400, 1),
            "{query}: {issues:?}"
        );
        let issue = &issues[0];
        assert_eq!(issue.code, code, "{query}: {issue:?}");
        assert_eq!(issue.expression, [format!("http.{culprit}")], "{query}");
        assert!(
            issue.diagnostics.contains(told),
            "{query}: {}",
            issue.diagnostics
        );
    }
    let bad = refused(&engine, &ExportRequest::new("_type=%zz&_since=a&b=c"));
    assert_eq!(bad.issues().len(), 3, "all faults at once: {bad:?}");
}

#[test]
fn a_lenient_client_goes_without_what_is_not_known() {
    let engine = engine();
    let jobs = Jobs::default();
    let lenient = |query| ExportRequest {
        handling: Handling::Lenient,
        ..ExportRequest::new(query)
    };
    for (query, culprit) in [
        ("patient=1", "http.patient"),
        ("includeAssociatedData=all", "http.includeAssociatedData"),
        (
            "_typeFilter=HealthcareService%3Fspecialite%3D1",
            "http.specialite",
        ),
    ] {
        let begun = jobs
            .begin(engine.full(), "", &lenient(query))
            .unwrap_or_else(|error| panic!("{error}"));
        let told: Vec<String> = begun
            .warnings
            .iter()
            .flat_map(|one| one.expression.clone())
            .collect();
        assert_eq!(told, [culprit], "{query}");
    }
    // Values of what is known are never dropped.
    for query in [
        "_type=Patient",
        "_outputFormat=xml",
        "_since=a",
        "_typeFilter=HealthcareService%3F_lastUpdated%3Dx",
    ] {
        assert_eq!(refused(&engine, &lenient(query)).status(), 400, "{query}");
    }
}

#[test]
fn published_slips_are_warned_of_and_strict_clients_refused() {
    let engine = engine();
    let query = "_typeFilter=HealthcareService%3Fspeciality%3D1";
    let begun = Jobs::default()
        .begin(engine.full(), "", &ExportRequest::new(query))
        .expect("understood");
    assert_eq!(begun.warnings.len(), 1);
    let strict = ExportRequest {
        handling: Handling::Strict,
        ..ExportRequest::new(query)
    };
    assert_eq!(refused(&engine, &strict).status(), 400);
}

#[test]
fn other_preferences_than_respond_async_are_not_met() {
    let engine = engine();
    let with = |preferences| ExportRequest {
        preferences,
        ..ExportRequest::new("")
    };
    for met in [
        &["respond-async"][..],
        &["Respond-Async", "wait=10"],
        &[""],
        &[],
    ] {
        assert!(
            Jobs::default().begin(engine.full(), "", &with(met)).is_ok(),
            "{met:?}"
        );
    }
    for unmet in [&["respond-sync"][..], &["respond-async", "return=minimal"]] {
        let error = refused(&engine, &with(unmet));
        assert_eq!(
            (error.status(), error.issues()[0].expression.concat()),
            (400, "http.Prefer".to_owned())
        );
    }
}

#[derive(Debug)]
struct NoPlaces;

impl Permits for NoPlaces {
    fn check(&self, kind: ResourceType, parameter: Option<&str>) -> Result<(), String> {
        match (kind, parameter) {
            (ResourceType::Location, _) => Err("places are not shown to you".to_owned()),
            (_, Some("specialty")) => Err("specialties are not shown to you".to_owned()),
            _ => Ok(()),
        }
    }
}

#[test]
fn what_the_caller_may_not_ask_about_is_refused_or_left_out() {
    let at = instant(0);
    let offer = json!({"location": [{"reference": "Location/l"}]});
    let place = resource("Location", "l", &at, json!({"status": "active"}));
    let engine = Made::of(&[resource("HealthcareService", "un", &at, offer), place]).engine();
    let with = |query| ExportRequest {
        permits: Some(&NoPlaces),
        ..ExportRequest::new(query)
    };
    for query in [
        "_type=Location",
        "_typeFilter=HealthcareService%3Flocation.status%3Dactive",
        "_typeFilter=HealthcareService%3Fspecialty%3D1",
    ] {
        let error = refused(&engine, &with(query));
        assert_eq!(
            (error.status(), error.issues()[0].code),
            (403, "forbidden"),
            "{query}"
        );
    }
    let job = Jobs::default()
        .begin(engine.full(), "", &with(""))
        .expect("begun")
        .job;
    job.prepare();
    let export = job.outcome().expect("done").expect("made");
    let kinds: Vec<_> = export
        .selected()
        .iter()
        .map(|(kind, _)| kind.name())
        .collect();
    assert_eq!(
        kinds,
        [
            "HealthcareService",
            "Organization",
            "PractitionerRole",
            "Practitioner"
        ]
    );
}
