//! `POST Task`: a new anomaly.

use hyper::body::Incoming;
use rorqual_access::Ask;

use super::answer::answer;
use super::precondition::if_none_exist;
use super::submission::{submit, told};
use super::{FORMATS, Writing, fhir_json};
use crate::anomaly::draft::Draft;
use crate::anomaly::store::Change;
use crate::index::overlay::WRITTEN;
use crate::server::payload::media_type;
use crate::server::prefer::returning;
use crate::server::refusal::Refusal;
use crate::server::reply::Reply;
use crate::server::service::Service;

impl Service {
    /// Stores the Task in the body, unless what `If-None-Exist` describes is there already.
    pub(in crate::server) async fn create(
        &self,
        call: Writing<'_>,
        body: &mut Incoming,
    ) -> Result<Reply, Refusal> {
        call.caller.may(Ask::Create(WRITTEN))?;
        self.refuse_others(call.headers, call.query, &FORMATS, "a creation")?;
        fhir_json(media_type(call.headers)?, "an anomaly")?;
        let returning = returning(call.headers)?;
        let unless = if_none_exist(call.headers)?;
        let store = self.writer()?;
        let deadline = self.deadline();
        let body = self.body(call.headers, body).await?;
        let base_url = self.base.as_str().to_owned();
        let caller = call.caller.clone();
        let checked = self.checks.run(move || {
            let draft = Draft::read(&body, &base_url)?;
            let change = Change::Create {
                draft,
                full_url: None,
                unless,
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
