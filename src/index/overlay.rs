//! The overlay: what was written since a generation was built, in segments kept in memory.
//!
//! Versions are numbered in the order of the log, behind the ordinals of the generation, and keep their numbers when
//! segments are joined; a version that was replaced is dead, and stays for those who page through an earlier state.
//! An overlay never changes: a write makes another one that shares its segments.

use std::collections::HashMap;
use std::sync::Arc;

use roaring::RoaringBitmap;
use rorqual_schema::ResourceType;

use super::FormatError;
use super::directory::Directory;
use super::generation::Generation;
use super::segment::SegmentBuilder;

/// The type that is written to: the directory itself never is.
pub const WRITTEN: ResourceType = ResourceType::Task;

/// How many segments of about one size are joined to one: few segments make searches quick, rare joins make writes so.
const JOINED: usize = 8;

/// One version written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The sequence of the log record that holds it.
    pub sequence: u64,
    /// When that record was written, in milliseconds since 1970 UTC.
    pub instant: i64,
    /// The resource's id.
    pub id: String,
    /// Its JSON.
    pub body: Vec<u8>,
}

/// Versions in a row, indexed.
pub struct Segment {
    /// The ordinal of the first.
    start: u32,
    directory: Directory,
    /// The log sequence and the instant of each.
    written: Vec<(u64, i64)>,
    /// What each replaced: (sequence of the newer version, ordinal of the older one).
    replaced: Vec<(u64, u32)>,
}

impl Segment {
    /// The ordinal of its first version.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// The ordinal after its last version.
    pub fn end(&self) -> u32 {
        self.start + self.directory.len()
    }

    /// Its versions, indexed; their ordinals here begin at 0.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

/// What was written since a generation was built.
#[derive(Clone)]
pub struct Overlay {
    /// How many ordinals the generation has.
    base: u32,
    segments: Vec<Arc<Segment>>,
    dead: Arc<RoaringBitmap>,
    /// The ordinal after the last one seen.
    end: u32,
    /// The last log sequence seen.
    sequence: u64,
    /// When the last record was written, in milliseconds since 1970 UTC.
    instant: i64,
}

impl Overlay {
    /// Nothing written since `generation` was built.
    pub fn empty(generation: &Generation) -> Overlay {
        let base = generation.directory(WRITTEN).len();
        Overlay {
            base,
            segments: Vec::new(),
            dead: Arc::default(),
            end: base,
            sequence: generation.manifest().anomalies.sequence,
            instant: i64::MIN,
        }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// How many versions were written.
    pub fn len(&self) -> u32 {
        self.end - self.base
    }

    /// The segments, by ordinal.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The ordinals whose version was replaced, those of the generation included.
    pub fn dead(&self) -> &RoaringBitmap {
        &self.dead
    }

    /// The ordinal after the last one seen.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The last log sequence seen.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When the last record seen was written, in milliseconds since 1970 UTC; `None` before any.
    pub fn instant(&self) -> Option<i64> {
        (self.instant != i64::MIN).then_some(self.instant)
    }

    /// When the oldest version here was written, in milliseconds since 1970 UTC; `None` without any.
    pub fn oldest(&self) -> Option<i64> {
        let first = self.segments.first()?.written.first()?;
        Some(first.1)
    }

    /// This overlay with more versions, in the order of the log. `builder` must be of the generation that this overlay
    /// lies over.
    ///
    /// # Errors
    /// As [`SegmentBuilder::build`]; nothing is changed then.
    pub fn with(
        &self,
        builder: &SegmentBuilder,
        versions: &[Version],
    ) -> Result<Overlay, FormatError> {
        let mut next = self.clone();
        let Some(last) = versions.last() else {
            return Ok(next);
        };
        next.sequence = last.sequence;
        next.instant = last.instant;
        let directory = builder.build(
            WRITTEN,
            versions
                .iter()
                .map(|version| (version.id.as_str(), version.body.as_slice())),
        )?;
        let mut replaced = Vec::new();
        let mut dead = RoaringBitmap::new();
        let mut present: HashMap<&str, u32> = HashMap::with_capacity(versions.len());
        for (ordinal, version) in (self.end..).zip(versions) {
            // The version before may stand in the same batch.
            let earlier = present
                .insert(&version.id, ordinal)
                .or_else(|| self.ordinal(builder.generation(), &version.id));
            if let Some(earlier) = earlier {
                replaced.push((version.sequence, earlier));
                dead.insert(earlier);
            }
        }
        if !dead.is_empty() {
            *Arc::make_mut(&mut next.dead) |= dead;
        }
        next.end += directory.len();
        next.segments.push(Arc::new(Segment {
            start: self.end,
            directory,
            written: versions
                .iter()
                .map(|version| (version.sequence, version.instant))
                .collect(),
            replaced,
        }));
        Ok(next)
    }

    /// The ordinal of the present version of an id.
    pub fn ordinal(&self, generation: &Generation, id: &str) -> Option<u32> {
        let written = self.segments.iter().rev().find_map(|segment| {
            let found = segment.directory.ids()?.all(id);
            found
                .map(|ordinal| segment.start + ordinal)
                .rfind(|&ordinal| self.sees(ordinal))
        });
        written.or_else(|| {
            let ordinal = generation.directory(WRITTEN).ordinal(id)?;
            self.sees(ordinal).then_some(ordinal)
        })
    }

    /// Whether the version of an ordinal is the present one.
    pub fn sees(&self, ordinal: u32) -> bool {
        ordinal < self.end && !self.dead.contains(ordinal)
    }

    /// The state after log sequence `sequence`: an earlier one, for those who page through it.
    pub fn as_of(&self, sequence: u64) -> Overlay {
        if sequence >= self.sequence {
            return self.clone();
        }
        let mut earlier = self.clone();
        earlier.sequence = sequence;
        earlier.instant = i64::MIN;
        let dead = Arc::make_mut(&mut earlier.dead);
        for segment in self.segments.iter().rev() {
            let seen = segment.written.partition_point(|own| own.0 <= sequence);
            let last = seen
                .checked_sub(1)
                .and_then(|last| segment.written.get(last));
            earlier.instant = last.map_or(i64::MIN, |last| last.1);
            if seen == segment.written.len() {
                break;
            }
            for &(_, ordinal) in segment.replaced.iter().filter(|(by, _)| *by > sequence) {
                dead.remove(ordinal);
            }
            earlier.end = segment.start + seen as u32;
        }
        let end = earlier.end;
        earlier.segments.retain(|segment| segment.start < end);
        earlier
    }

    /// Which neighbouring segments should be joined next: a run of about one size at the end, or `None`.
    pub fn joinable(&self) -> Option<std::ops::Range<usize>> {
        let tier = |segment: &Arc<Segment>| segment.directory.len().max(1).ilog(JOINED as u32);
        let mut end = self.segments.len();
        while end > 0 {
            let size = tier(self.segments.get(end - 1)?);
            let run = self.segments[..end]
                .iter()
                .rev()
                .take_while(|segment| tier(segment) == size)
                .count();
            if run >= JOINED {
                // The oldest of them, so that what is joined is whole tiers.
                return Some(end - run..end - run + JOINED);
            }
            end -= run;
        }
        None
    }

    /// One segment in place of several: made beside the writers, put in place by [`Overlay::replace`].
    ///
    /// # Errors
    /// As [`SegmentBuilder::build`].
    pub fn join(
        &self,
        builder: &SegmentBuilder,
        run: std::ops::Range<usize>,
    ) -> Result<Segment, FormatError> {
        let parts = self.segments.get(run).unwrap_or(&[]);
        let mut resources = Vec::new();
        for part in parts {
            let bodies = part.directory.bodies();
            for ordinal in 0..part.directory.len() {
                let lost = || FormatError::Damaged {
                    path: "memory".into(),
                    detail: format!("no body for number {ordinal} of a segment"),
                };
                resources.push((
                    bodies.id(ordinal).ok_or_else(lost)?,
                    bodies.body(ordinal).ok_or_else(lost)?,
                ));
            }
        }
        let pairs = resources.iter().map(|(id, body)| (id.as_str(), &body[..]));
        Ok(Segment {
            start: parts.first().map_or(self.end, |part| part.start),
            directory: builder.build(WRITTEN, pairs)?,
            written: parts
                .iter()
                .flat_map(|part| &part.written)
                .copied()
                .collect(),
            replaced: parts
                .iter()
                .flat_map(|part| &part.replaced)
                .copied()
                .collect(),
        })
    }

    /// This overlay with the segments that `joined` covers replaced by it. Answers itself unchanged when they are no
    /// longer there.
    pub fn replace(&self, joined: Segment) -> Overlay {
        let mut next = self.clone();
        let covered =
            |segment: &Arc<Segment>| segment.start >= joined.start && segment.end() <= joined.end();
        let first = next.segments.iter().position(covered);
        let count = next
            .segments
            .iter()
            .filter(|segment| covered(segment))
            .count();
        let total: u32 = next
            .segments
            .iter()
            .filter(|segment| covered(segment))
            .map(|segment| segment.directory.len())
            .sum();
        if let Some(first) = first
            && total == joined.directory.len()
        {
            next.segments
                .splice(first..first + count, [Arc::new(joined)]);
        }
        next
    }

    /// The versions written after log sequence `after`, in the order of the log.
    pub fn versions_after(&self, after: u64) -> Vec<Version> {
        let mut versions = Vec::new();
        for segment in &self.segments {
            let bodies = segment.directory.bodies();
            for (ordinal, &(sequence, instant)) in segment.written.iter().enumerate() {
                let ordinal = ordinal as u32;
                if sequence > after
                    && segment.start + ordinal < self.end
                    && let (Some(id), Some(body)) = (bodies.id(ordinal), bodies.body(ordinal))
                {
                    versions.push(Version {
                        sequence,
                        instant,
                        id,
                        body: body.to_vec(),
                    });
                }
            }
        }
        versions
    }

    /// The bodies of every version of an id that is still here, the oldest first; the generation's comes before them.
    pub fn versions_of(&self, generation: &Generation, id: &str) -> Vec<bytes::Bytes> {
        let base = generation.directory(WRITTEN);
        let mut found: Vec<bytes::Bytes> = base
            .ordinal(id)
            .and_then(|ordinal| base.bodies().body(ordinal))
            .into_iter()
            .collect();
        for segment in &self.segments {
            let ids = segment.directory.ids();
            for ordinal in ids.into_iter().flat_map(|ids| ids.all(id)) {
                if segment.start + ordinal < self.end {
                    found.extend(segment.directory.bodies().body(ordinal));
                }
            }
        }
        found
    }
}
