//! What a client is told of a write of its own that is done.

use http::StatusCode;

use crate::anomaly::store::{Done, Made};
use crate::index::overlay::WRITTEN;
use crate::outcome::named_outcome;
use crate::server::prefer::Returning;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, etag};
use crate::server::service::defect;

/// The answer to a write of one change.
pub(super) fn answer(
    id: &str,
    done: Vec<Done>,
    returning: Returning,
    base_url: &str,
) -> Result<Reply, Refusal> {
    let mut done = done.into_iter();
    let (Some(done), None) = (done.next(), done.next()) else {
        return Err(defect(id, "a write of one change has not one result"));
    };
    let location = location(&done, base_url);
    let body = match returning {
        Returning::Minimal => None,
        Returning::Representation => Some(vec![done.resource.body.clone()]),
        Returning::Outcome => Some(vec![named_outcome(&done.notes, id).into()]),
    };
    let reply = Reply::written(status(done.made), body).tagged(
        etag(&done.resource.version).as_deref(),
        done.resource.last_updated_ms,
    );
    Ok(match done.made {
        Made::Created | Made::Existing => reply.located(location),
        Made::Changed => reply,
    })
}

/// The status of what was made.
pub(super) fn status(made: Made) -> StatusCode {
    match made {
        Made::Created => StatusCode::CREATED,
        Made::Changed | Made::Existing => StatusCode::OK,
    }
}

/// The address of the version that a write has led to.
pub(super) fn location(done: &Done, base_url: &str) -> String {
    let version = &done.resource.version;
    format!("{base_url}/{WRITTEN}/{}/_history/{version}", done.id)
}
