//! `PATCH Task/[id]`: a change of one anomaly, as FHIRPath Patch or as JSON Patch.

use hyper::body::Incoming;
use rorqual_access::Ask;
use rorqual_anomaly::Finding;
use rorqual_anomaly::patch::{Patch, parse_fhirpath_patch, parse_json_patch};
use rorqual_anomaly::requests::PatchLanguage;

use super::answer::answer;
use super::precondition::if_match;
use super::submission::{submit, told};
use super::{FORMATS, JSON, Writing};
use crate::anomaly::refusal::{WriteRefusal, issue_of};
use crate::anomaly::store::Change;
use crate::index::overlay::WRITTEN;
use crate::server::payload::media_type;
use crate::server::prefer::returning;
use crate::server::refusal::{Refusal, shown};
use crate::server::reply::Reply;
use crate::server::service::Service;

impl Service {
    /// Changes the Task `id` as the body says.
    pub(in crate::server) async fn patch(
        &self,
        call: Writing<'_>,
        id: String,
        body: &mut Incoming,
    ) -> Result<Reply, Refusal> {
        call.caller.may(Ask::Patch(WRITTEN))?;
        self.refuse_others(call.headers, call.query, &FORMATS, "a change")?;
        let language = language(media_type(call.headers)?)?;
        let returning = returning(call.headers)?;
        let if_match = if_match(call.headers)?;
        if if_match.is_none() && self.config.anomalies.require_if_match {
            return Err(Refusal::IfMatchMissing);
        }
        let store = self.writer()?;
        let deadline = self.deadline();
        let body = self.body(call.headers, body).await?;
        let base_url = self.base.as_str().to_owned();
        let caller = call.caller.clone();
        let checked = self.checks.run(move || {
            let patch = read_patch(language, &body)?;
            let change = Change::Patch {
                id,
                patch,
                if_match,
            };
            Ok(submit(&store, vec![change], base_url, &caller))
        });
        let waiting = checked
            .await
            .map_err(|fault| self.unchecked(call.id, fault))?
            .map_err(|refusal| told(call.id, refusal))?;
        let done = self
            .confirmed(call.id, waiting, deadline)
            .await
            .map_err(|denied| denied.refusal)?;
        answer(call.id, done, returning, self.base.as_str())
    }
}

/// The language of a patch, by the media type of its body.
fn language(kind: Option<String>) -> Result<PatchLanguage, Refusal> {
    match kind.as_deref() {
        Some("application/json-patch+json") => Ok(PatchLanguage::Json),
        Some(kind) if JSON.contains(&kind) => Ok(PatchLanguage::FhirPath),
        other => Err(Refusal::JsonExpected {
            what: "a change",
            wanted: "application/fhir+json (FHIRPath Patch) or application/json-patch+json",
            written: other.map(shown),
        }),
    }
}

/// Reads a patch, with every fault that its text alone shows.
pub(super) fn read_patch(language: PatchLanguage, body: &[u8]) -> Result<Patch, WriteRefusal> {
    let read = match language {
        PatchLanguage::FhirPath => parse_fhirpath_patch(body),
        PatchLanguage::Json => parse_json_patch(body),
    };
    read.map_err(|faults| {
        let issues = faults.iter().map(|fault| issue_of(fault as &dyn Finding));
        WriteRefusal::faulty(issues.collect())
    })
}
