//! The writer's thread: decides requests in order, makes them durable together, then visible, then answers.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use rorqual_anomaly::log::{Log, LogError, Storage};
use rorqual_anomaly::patch::Patch;
use rorqual_anomaly::profile;
use rorqual_anomaly::task_text::{Assigned, TaskText};
use rorqual_schema::Node;

use super::draft::{Draft, check, check_focus};
use super::identifier::IdentifierFormat;
use super::record::{RecordHead, encode};
use super::refusal::{WriteRefusal, issue_of};
use super::store::{
    Change, Command, Done, Failed, Made, Outcome, StoreStatus, Write, locked, now_ms,
};
use crate::bundle::assemble::Coding;
use crate::engine::Engine;
use crate::index::manifest::AnomalyMark;
use crate::index::overlay::{Version, WRITTEN};
use crate::outcome::{Issue, Severity};
use crate::query::parse::Handling;
use crate::stored::StoredResource;
use crate::view::{SearchRequest, View};

/// Requests that share one sync at most.
const BATCH: usize = 512;

pub(super) struct Writer<S: Storage> {
    pub(super) engine: Arc<Engine>,
    pub(super) log: Log<S>,
    pub(super) identifier: IdentifierFormat,
    /// What was given out last.
    pub(super) mark: AnomalyMark,
    pub(super) status: Arc<Mutex<StoreStatus>>,
    pub(super) joins: SyncSender<()>,
}

type Reply = Box<dyn FnOnce(Outcome) + Send>;

/// What waits for the next sync.
#[derive(Default)]
struct Staged {
    versions: Vec<Version>,
    /// The last version staged of each id.
    present: HashMap<String, StoredResource>,
    replies: Vec<(Reply, Vec<Done>, Option<Arc<View>>)>,
}

/// Who asks for a write.
struct Client {
    base_url: String,
    view: Option<Arc<View>>,
}

impl Client {
    fn sees<'a>(&'a self, engine: &'a Engine) -> &'a View {
        self.view.as_deref().unwrap_or(engine.full())
    }
}

/// A version made of a change.
struct NewVersion {
    id: String,
    resource: StoredResource,
    made: Made,
    notes: Vec<Issue>,
}

impl NewVersion {
    /// Whether it is to be written. What was there already is told as its client sees it, which may be less than the whole.
    fn is_new(&self) -> bool {
        self.made != Made::Existing
    }
}

impl<S: Storage> Writer<S> {
    pub(super) fn run(&mut self, received: &Receiver<Command>) {
        let mut held = None;
        while let Some(command) = held.take().or_else(|| super::store::next(received)) {
            match command {
                Command::Write(write, reply) => held = self.batch(write, reply, received),
                Command::Rotate => {
                    if let Err(error) = self.log.rotate() {
                        tracing::error!(%error, "the log of anomalies has no new segment");
                    }
                    self.report_status();
                }
                Command::Release(through) => {
                    match self.log.release(through) {
                        Ok(0) => {}
                        Ok(segments) => {
                            tracing::debug!(segments, through, "folded segments removed")
                        }
                        Err(error) => {
                            tracing::error!(%error, "folded segments of the log stay on disk");
                        }
                    }
                    self.report_status();
                }
                Command::Stop => break,
            }
        }
    }

    /// Decides a write and all that wait behind it, then commits. Answers a command that is no write.
    fn batch(
        &mut self,
        write: Write,
        reply: Reply,
        received: &Receiver<Command>,
    ) -> Option<Command> {
        let mut staged = Staged::default();
        let mut next = Some(Command::Write(write, reply));
        let mut taken = 0;
        let held = loop {
            match next.take() {
                Some(Command::Write(write, reply)) => self.stage(&mut staged, write, reply),
                other => break other,
            }
            taken += 1;
            if taken == BATCH {
                break None;
            }
            next = received.try_recv().ok();
        };
        self.commit(staged);
        held
    }

    fn stage(&mut self, staged: &mut Staged, write: Write, reply: Reply) {
        let conditional = write.changes.iter().any(|change| {
            matches!(
                change,
                Change::Create {
                    unless: Some(_),
                    ..
                }
            )
        });
        if conditional && !staged.versions.is_empty() {
            // The condition must see what was decided before it.
            self.commit(std::mem::take(staged));
        }
        let client = Client {
            base_url: write.base_url,
            view: write.view,
        };
        let mut mark = self.mark;
        mark.instant = now_ms().max(mark.instant);
        let made = match self.decide(staged, &write.changes, &client, &mut mark) {
            Ok(made) => made,
            Err(failed) => return reply(Err(failed)),
        };
        let new: Vec<(String, Vec<u8>)> = made
            .iter()
            .filter(|version| version.is_new())
            .map(|version| (version.id.clone(), version.resource.body.to_vec()))
            .collect();
        if !new.is_empty() {
            match self.append(&new, mark) {
                Ok(sequence) => mark.sequence = sequence,
                Err(refusal) => return reply(Err(Failed { change: 0, refusal })),
            }
            for version in made.iter().filter(|version| version.is_new()) {
                let (id, resource) = (version.id.clone(), version.resource.clone());
                staged.present.insert(id, resource);
            }
            for (id, body) in new {
                staged.versions.push(Version {
                    sequence: mark.sequence,
                    instant: mark.instant,
                    id,
                    body,
                });
            }
            self.mark = mark;
        }
        let done = made.into_iter().map(|version| Done {
            made: version.made,
            id: version.id,
            resource: version.resource,
            notes: version.notes,
        });
        staged.replies.push((reply, done.collect(), client.view));
    }

    fn append(
        &mut self,
        versions: &[(String, Vec<u8>)],
        mark: AnomalyMark,
    ) -> Result<u64, WriteRefusal> {
        let head = RecordHead {
            instant: mark.instant,
            identifier: mark.identifier,
        };
        let payload = encode(head, versions).map_err(|error| WriteRefusal::Defect {
            detail: error.to_string(),
        })?;
        self.log.append(&payload).map_err(|error| match error {
            LogError::TooLarge { .. } => WriteRefusal::TooLarge {
                detail: error.to_string(),
            },
            other => WriteRefusal::Unavailable {
                detail: other.to_string(),
                begun: false,
            },
        })
    }

    /// Makes what is staged durable, then visible, then answers.
    fn commit(&mut self, staged: Staged) {
        let begun = Instant::now();
        let mut refusal = None;
        if !staged.versions.is_empty() {
            match self.log.commit() {
                Ok(_) => {
                    if let Err(error) = self.engine.write(&staged.versions) {
                        // Durable all the same: the next start shows it. Nobody is told that it is seen.
                        tracing::error!(%error, "anomalies are in the log and cannot be shown");
                        refusal = Some(WriteRefusal::Defect {
                            detail: error.to_string(),
                        });
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the log of anomalies takes no more writes");
                    refusal = Some(WriteRefusal::Unavailable {
                        detail: error.to_string(),
                        begun: !matches!(
                            error,
                            LogError::Poisoned { .. } | LogError::ReadOnly { .. }
                        ),
                    });
                }
            }
            let micros = begun.elapsed().as_micros() as u64;
            let mut status = locked(&self.status);
            status.commits += 1;
            status.commit_micros += micros;
            if refusal.is_none() {
                status.records += staged.replies.len() as u64;
            }
            drop(status);
            self.report_status();
            // One notice waiting is enough.
            let _ = self.joins.try_send(());
        }
        for (reply, mut done, view) in staged.replies {
            if let Some(view) = &view {
                for done in &mut done {
                    match view.read_version(WRITTEN, &done.id, &done.resource.version) {
                        Some(shown) => done.resource = shown,
                        // What its client sent.
                        None if done.made == Made::Created => {}
                        // A generation without this version, or without this view, went live meanwhile.
                        None => done.resource.body = withheld(&done.id, &done.resource.version),
                    }
                }
            }
            reply(match &refusal {
                None => Ok(done),
                Some(refusal) => Err(Failed {
                    change: 0,
                    refusal: refusal.clone(),
                }),
            });
        }
    }

    pub(super) fn report_status(&mut self) {
        let log = self.log.status();
        let mut status = locked(&self.status);
        status.writable = log.writable();
        status.log_bytes = log.bytes;
        status.log_segments = log.segments;
        status.detail = log
            .poisoned
            .or_else(|| log.damaged.map(|damage| damage.to_string()));
    }

    /// What each change of a write makes, in order; nothing is changed by deciding.
    fn decide(
        &self,
        staged: &Staged,
        changes: &[Change],
        client: &Client,
        mark: &mut AnomalyMark,
    ) -> Result<Vec<NewVersion>, Failed> {
        let mut made: Vec<NewVersion> = Vec::new();
        // Ids are known before bodies are made: drafts of one write may refer to each other.
        let ids: Vec<String> = changes
            .iter()
            .map(|change| match change {
                Change::Create { .. } => uuid::Uuid::new_v4().to_string(),
                Change::Patch { id, .. } => id.clone(),
            })
            .collect();
        let addresses: HashMap<String, String> = changes
            .iter()
            .zip(&ids)
            .filter_map(|(change, id)| match change {
                Change::Create {
                    full_url: Some(url),
                    ..
                } => Some((url.clone(), format!("{WRITTEN}/{id}"))),
                _ => None,
            })
            .collect();
        for (number, (change, id)) in changes.iter().zip(ids).enumerate() {
            let failed = |refusal| Failed {
                change: number,
                refusal,
            };
            let version = match change {
                Change::Create { draft, unless, .. } => match unless {
                    Some(condition) => match self.existing(condition, client).map_err(failed)? {
                        Some(existing) => existing,
                        None => self
                            .create(id, draft, &addresses, client, mark)
                            .map_err(failed)?,
                    },
                    None => self
                        .create(id, draft, &addresses, client, mark)
                        .map_err(failed)?,
                },
                Change::Patch {
                    patch, if_match, ..
                } => {
                    let mut earlier = made.iter().rev();
                    let earlier = earlier.find(|earlier| earlier.is_new() && earlier.id == id);
                    let present = earlier
                        .map(|earlier| earlier.resource.clone())
                        .or_else(|| staged.present.get(&id).cloned());
                    self.patch(id, present, patch, if_match.as_deref(), client, mark)
                        .map_err(failed)?
                }
            };
            made.push(version);
        }
        Ok(made)
    }

    fn create(
        &self,
        id: String,
        draft: &Draft,
        addresses: &HashMap<String, String>,
        client: &Client,
        mark: &mut AnomalyMark,
    ) -> Result<NewVersion, WriteRefusal> {
        let mut text = draft.text.clone();
        text.replace_references(addresses);
        mark.identifier += 1;
        let value = self.identifier.value(mark.identifier);
        text.assign(&Assigned {
            id: &id,
            version_id: "1",
            last_updated: &instant_text(mark.instant),
            identifier: Some((&self.identifier.system, &value)),
            profile: Some(profile::url()),
        });
        let body = text.to_json();
        let node = readable(&body)?;
        let snapshot = client.sees(&self.engine).snapshot();
        let mut notes = draft.notes.clone();
        notes.extend(check_focus(&snapshot, &node, &client.base_url)?);
        Ok(NewVersion {
            id,
            resource: StoredResource {
                body: Bytes::from(body),
                version: "1".to_owned(),
                last_updated_ms: Some(mark.instant),
                deflated: None,
            },
            made: Made::Created,
            notes,
        })
    }

    fn patch(
        &self,
        id: String,
        staged: Option<StoredResource>,
        patch: &Patch,
        if_match: Option<&str>,
        client: &Client,
        mark: &AnomalyMark,
    ) -> Result<NewVersion, WriteRefusal> {
        // The whole Task is patched, also by a client that sees only part of it.
        let unseen = staged.is_none() || client.view.is_some();
        if unseen && client.sees(&self.engine).read(WRITTEN, &id).is_none() {
            return Err(WriteRefusal::NotFound { id });
        }
        let present = staged
            .or_else(|| self.engine.read(WRITTEN, &id))
            .ok_or_else(|| WriteRefusal::NotFound { id: id.clone() })?;
        if let Some(expected) = if_match.filter(|expected| *expected != present.version) {
            return Err(WriteRefusal::Stale {
                id,
                expected: expected.to_owned(),
                present: present.version,
            });
        }
        let mut text = readable_text(&present.body)?;
        let seen = match &client.view {
            Some(view) => self.patched_as_seen(view, &id, &present.body, patch)?,
            None => None,
        };
        let in_part = seen.is_some();
        match (&seen, patch.apply(&mut text)) {
            (_, Ok(())) => {}
            (None, Err(fault)) => return Err(WriteRefusal::faulty(vec![issue_of(&fault)])),
            // What the client sees takes the change: only what it does not see stands against it.
            (Some(_), Err(_)) => return Err(out_of_sight()),
        }
        if let (Some(view), Some(seen)) = (&client.view, seen) {
            let whole = self.seen(view, &id, text.to_json().as_ref())?;
            if whole.is_none_or(|whole| content(&whole) != content(&seen)) {
                return Err(out_of_sight());
            }
        }
        // A narrative may tell what the data no longer say.
        text.drop_text();
        let updated = following(present.last_updated_ms, mark.instant);
        let instant = instant_text(updated);
        if !patch.changes("lastModified") {
            text.refresh_last_modified(&instant);
        }
        // Versions from elsewhere may be words; ours count on from there.
        let version = present
            .version
            .parse::<u64>()
            .unwrap_or(0)
            .saturating_add(1)
            .to_string();
        text.assign(&Assigned {
            id: &id,
            version_id: &version,
            last_updated: &instant,
            identifier: None,
            profile: Some(profile::url()),
        });
        let body = text.to_json();
        let node = readable(&body)?;
        let notes = check(&node, &client.base_url).map_err(|refusal| match refusal {
            // What is wrong may be what the client does not see.
            WriteRefusal::Faulty { .. } if in_part => out_of_sight(),
            // The patch was sound; what it makes is not.
            WriteRefusal::Faulty { issues, .. } => WriteRefusal::Faulty {
                status: 422,
                issues,
            },
            other => other,
        })?;
        Ok(NewVersion {
            id,
            resource: StoredResource {
                body: Bytes::from(body),
                version,
                last_updated_ms: Some(updated),
                deflated: None,
            },
            made: Made::Changed,
            notes,
        })
    }

    /// A Task as a client sees it, patched: nothing when it sees all of it. The whole Task is what is stored, so a change must
    /// come to the same in both: a patch could otherwise ask what a hidden element holds, or change it instead of its neighbour.
    fn patched_as_seen(
        &self,
        view: &View,
        id: &str,
        body: &[u8],
        patch: &Patch,
    ) -> Result<Option<Vec<u8>>, WriteRefusal> {
        let shown = self
            .seen(view, id, body)?
            .ok_or_else(|| WriteRefusal::NotFound { id: id.to_owned() })?;
        if shown == body {
            return Ok(None);
        }
        let mut text = readable_text(&shown)?;
        patch
            .apply(&mut text)
            .map_err(|fault| WriteRefusal::faulty(vec![issue_of(&fault)]))?;
        Ok(Some(text.to_json()))
    }

    /// A body of a Task as a view would show it.
    fn seen(&self, view: &View, id: &str, body: &[u8]) -> Result<Option<Vec<u8>>, WriteRefusal> {
        let version = Version {
            sequence: 0,
            instant: 0,
            id: id.to_owned(),
            body: body.to_vec(),
        };
        let seen = self.engine.seen_in(view, &version);
        seen.map_err(|error| WriteRefusal::Defect {
            detail: error.to_string(),
        })
    }

    /// The Task that a conditional create meets: one, none, or a refusal.
    fn existing(
        &self,
        condition: &str,
        client: &Client,
    ) -> Result<Option<NewVersion>, WriteRefusal> {
        let refused = |detail: String| WriteRefusal::Condition {
            condition: condition.to_owned(),
            detail,
        };
        let by_identifier = |pair: &str| pair.split(['=', ':']).next() == Some("identifier");
        if condition.is_empty() || !condition.split('&').all(by_identifier) {
            return Err(refused(
                "only a condition on identifier is offered, such as identifier=system|value"
                    .to_owned(),
            ));
        }
        let found = client.sees(&self.engine).matching(&SearchRequest {
            kind: WRITTEN,
            query: condition,
            base_url: &client.base_url,
            handling: Handling::Strict,
            permits: None,
            coding: Coding::Identity,
            name: None,
        });
        let found = found.map_err(|error| refused(error.to_string()))?;
        match found.as_slice() {
            [] => Ok(None),
            [id] => {
                let stored = client.sees(&self.engine).read(WRITTEN, id);
                Ok(stored.map(|resource| NewVersion {
                    id: id.clone(),
                    resource,
                    made: Made::Existing,
                    notes: Vec::new(),
                }))
            }
            several => Err(WriteRefusal::Several {
                condition: condition.to_owned(),
                count: several.len() as u64,
            }),
        }
    }
}

fn readable_text(body: &[u8]) -> Result<TaskText, WriteRefusal> {
    TaskText::parse(body).map_err(|fault| WriteRefusal::faulty(vec![issue_of(&fault)]))
}

/// What a Task says, without what redaction adds to it or takes along.
fn content(body: &[u8]) -> Option<serde_json::Value> {
    let mut value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let members = value.as_object_mut()?;
    members.remove("meta");
    members.remove("text");
    Some(value)
}

/// A change that what the client does not see stands against. Which element that is, is not told.
fn out_of_sight() -> WriteRefusal {
    WriteRefusal::faulty(vec![(
        422,
        Issue {
            severity: Severity::Error,
            code: "business-rule",
            text: "The Task is seen in part".to_owned(),
            diagnostics: "this change reaches into what your access profile does not show of the Task; replace single elements that it shows, or have it changed by somebody who sees it whole".to_owned(),
            expression: Vec::new(),
        },
    )])
}

fn readable(body: &[u8]) -> Result<Node<'_>, WriteRefusal> {
    Node::parse(body).map_err(|error| WriteRefusal::Defect {
        detail: error.to_string(),
    })
}

/// What is told of a Task when it is not known how much of it its client may see: that this version was written.
fn withheld(id: &str, version: &str) -> Bytes {
    let told = serde_json::json!({"resourceType": WRITTEN.name(), "id": id, "meta": {"versionId": version}});
    Bytes::from(told.to_string())
}

/// When a version is said to be written that follows one of `before`, in milliseconds since 1970 UTC. A Task that an
/// extract brought may be from a clock ahead of ours: a version that seemed older than it would lose against it in the
/// next build, and would escape those who ask for what has changed since.
fn following(before: Option<i64>, now: i64) -> i64 {
    match before {
        Some(before) if before > now => before.saturating_add(1),
        _ => now,
    }
}

/// An instant as FHIR writes it.
fn instant_text(milliseconds: i64) -> String {
    chrono::DateTime::from_timestamp_millis(milliseconds)
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
