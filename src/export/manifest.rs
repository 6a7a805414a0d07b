//! What the status of an export tells: while it runs, and once it is done.

use serde_json::{Value, json};

use super::job::{Export, Job};

/// Where the status of a job is asked for, below the base URL.
pub const STATUS: &str = "$export-poll-status";
/// Below which address the files of jobs are.
pub const FILES: &str = "$export-get-file";
/// The parameter that names the job.
pub const JOB: &str = "_jobId";

/// The address at which the status of a job is asked for.
pub fn status_url(job: &Job) -> String {
    format!("{}/{STATUS}?{JOB}={}", job.base_url, job.id)
}

/// What is told of a job that runs. Clients that read any answer as a manifest find no output in it.
pub fn running(job: &Job) -> Value {
    json!({ "status": "running", "progress": job.progress(), "request": job.request })
}

/// The manifest of an export (<https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---output-manifest>). Its
/// `extension` names the generation that was read, and counts all that was asked for, changed since `_since` or not: a
/// client that holds more has missed a withdrawal.
pub fn manifest(job: &Job, export: &Export) -> Value {
    let output: Vec<Value> = export
        .files()
        .iter()
        .map(|file| {
            let url = format!("{}/{FILES}/{}/{}", job.base_url, job.id, file.name());
            json!({ "type": file.kind().name(), "url": url, "count": file.count() })
        })
        .collect();
    let selected: serde_json::Map<String, Value> = export
        .selected()
        .iter()
        .map(|(kind, count)| (kind.name().to_owned(), json!(count)))
        .collect();
    let generation = job.snapshot.generation();
    json!({
        "transactionTime": export.transaction_time(),
        "request": job.request,
        "requiresAccessToken": true,
        "output": output,
        "error": [],
        "extension": {
            "generation": generation.id(),
            "generationBuilt": generation.manifest().created,
            "selected": selected,
        },
    })
}
