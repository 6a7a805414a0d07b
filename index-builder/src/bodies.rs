//! The bodies of a type, plain and compressed, copied from spools in the order of their ordinals: in long runs where the live
//! generation has them in the same order.

use std::ops::Range;
use std::path::Path;

use rorqual::index::FormatError;
use rorqual::index::bodies::{BODIES, BodyFiles, BodyLayout, DEFLATED, length_before};
use rorqual::index::manifest::FileRecord;
use rorqual::index::overlay::WRITTEN;
use rorqual_schema::ResourceType;

use crate::gather::HumanText;
use crate::progress::Progress;
use crate::resources::Resources;
use crate::write::Material;

/// Writes the files of bodies of a type into `path`, the folder of the generation; answers the record of each.
///
/// # Errors
/// [`FormatError`].
pub fn write_bodies(
    material: &Material<'_>,
    path: &Path,
    kind: ResourceType,
    progress: &Progress,
) -> Result<Vec<(String, FileRecord)>, FormatError> {
    let resources = &material.resources[kind.index()];
    let slots = &material.order.slots[kind.index()];
    let phase = progress.items(
        &format!("copying {}", kind.name()),
        Some(slots.len() as u64),
    );
    let mut files = BodyFiles::create(&path.join(kind.name()), kind.name())?;
    let live = material.besides.live.filter(|_| kind != WRITTEN);
    let mut spans = live.map(|live| live.spans(kind)).transpose()?.flatten();
    if let Some(live) = live {
        // Runs are copied without looking at each resource.
        for name in [BODIES, DEFLATED] {
            live.sound(&format!("{}/{name}", kind.name()))?;
        }
    }
    let (mut buffer, mut compressed) = (Vec::new(), Vec::new());
    let mut rest = slots.as_slice();
    while let Some(&slot) = rest.first() {
        let first = resources.get(slot)?;
        let run = match spans {
            Some(_) => stored_run(resources, rest)?.unwrap_or(0..0),
            None => 0..0,
        };
        let (own, others) = rest.split_at(run.len().max(1));
        rest = others;
        let plain = &material.spools[first.spool as usize];
        let deflated = &material.spools[first.deflated.spool as usize];
        if run.is_empty() {
            first.read_body(material.spools, &mut buffer)?;
            deflated.read(first.deflated.piece, &mut compressed)?;
            files.push(first.id, &buffer, &compressed)?;
        } else {
            let last = resources.get(own.last().copied().unwrap_or(slot))?;
            let before = length_before(kind.name(), first.id) as u64;
            let records = first.body.start() - before..last.body.end();
            plain.visit(records, &mut buffer, |piece| files.push_records(piece))?;
            let pieces = first.deflated.piece.start()..last.deflated.piece.end();
            deflated.visit(pieces, &mut buffer, |piece| files.push_compressed(piece))?;
            if let Some(spans) = &mut spans {
                files.push_spans(spans, run);
            }
        }
        phase.set((slots.len() - rest.len()) as u64);
    }
    let records = files.finish()?;
    phase.finish("done");
    let named = |(name, record)| (format!("{}/{name}", kind.name()), record);
    Ok(records.into_iter().map(named).collect())
}

/// What the pack of a type tells of its bodies.
///
/// # Errors
/// [`FormatError`] when what is known of them cannot be read.
pub fn layout(material: &Material<'_>, kind: ResourceType) -> Result<BodyLayout, FormatError> {
    let resources = &material.resources[kind.index()];
    let mut layout = BodyLayout::new(kind.name());
    for &slot in &material.order.slots[kind.index()] {
        let resource = resources.get(slot)?;
        let lengths = (resource.body.length(), resource.deflated.piece.length());
        layout.push(resource.id, lengths.0, resource.checksum, lengths.1);
    }
    Ok(layout)
}

/// The ordinals, in one earlier generation, of the resources from the first on that stand one behind the other there.
fn stored_run(resources: &Resources, slots: &[u32]) -> Result<Option<Range<u32>>, FormatError> {
    let place = |slot: u32| {
        let resource = resources.get(slot)?;
        Ok(match resource.text {
            HumanText::Stored(at) => Some((resource.spool, at)),
            HumanText::Spooled { .. } => None,
        })
    };
    let mut found: Option<(u16, Range<u32>)> = None;
    for &slot in slots {
        let next = place(slot)?;
        found = match (found, next) {
            (None, Some((spool, at))) => Some((spool, at..at + 1)),
            (Some((spool, run)), Some(next)) if next == (spool, run.end) => {
                Some((spool, run.start..run.end + 1))
            }
            (found, _) => return Ok(found.map(|(_, run)| run)),
        };
    }
    Ok(found.map(|(_, run)| run))
}
