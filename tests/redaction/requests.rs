//! What is asked of both sides: searches of every kind, drawn around what is there and around what is hidden, sound and
//! spoilt, their explanations, and reads.

use crate::kinds::Kind;
use crate::queries::{Feature, generate, refused, url};
use crate::random::Random;
use crate::reference::Reference;
use crate::sides::{Pair, Scene};
use crate::written::Writing;

const FEATURES: &[Feature] = &[
    Feature::Groups,
    Feature::Chains,
    Feature::Has,
    Feature::Hierarchy,
    Feature::Near,
    Feature::Filter,
    Feature::ChainedSort,
    Feature::Content,
    Feature::Elements,
    Feature::SortNear,
];

/// Added to searches, beside what the generator gives them.
const MORE: &[&str] = &[
    "_include=*",
    "_revinclude=*",
    "_include=*&_revinclude=*",
    "_include:iterate=*&_revinclude:iterate=*",
    "_revinclude:iterate=Task:focus",
    "_total=none",
    "_sort=-_lastUpdated",
    "_sort=_id",
    "_elements=name,extension,focus",
    "_pretty=true",
    "colour=red",
];

/// One thing to ask.
#[derive(Debug)]
pub enum Ask {
    /// `Type?query`, and whether unknown parameters are let pass.
    Search { address: String, lenient: bool },
    /// What a search would cost.
    Explain { address: String },
    /// A type and an id.
    Read { kind: Kind, id: String },
}

/// Draws requests.
pub struct Asker<'a> {
    whole: &'a Reference,
    /// Most searches are about anomalies, and none is explained: how many pieces they lie in is nobody's concern.
    anomalies: bool,
}

impl<'a> Asker<'a> {
    pub fn of_everything(scene: &'a Scene) -> Self {
        Asker {
            whole: &scene.whole,
            anomalies: false,
        }
    }

    pub fn of_anomalies(writing: &'a Writing) -> Self {
        Asker {
            whole: writing.whole(),
            anomalies: true,
        }
    }

    /// The same for one pair.
    pub fn of(&self, pair: &'a Pair) -> Own<'a> {
        Own {
            whole: self.whole,
            redacted: &pair.redacted,
            anomalies: self.anomalies,
        }
    }
}

/// Draws requests for one pair: around what it shows, and around what it hides.
pub struct Own<'a> {
    whole: &'a Reference,
    redacted: &'a Reference,
    anomalies: bool,
}

impl Own<'_> {
    pub fn next(&self, r: &mut Random) -> Ask {
        let around = if r.chance(50) {
            self.whole
        } else {
            self.redacted
        };
        match r.below(20) {
            0 => {
                let resource = r.pick(&self.whole.resources);
                Ask::Read {
                    kind: resource.kind,
                    id: resource.id.clone(),
                }
            }
            1 => Ask::Search {
                address: refused(r, around, FEATURES),
                lenient: r.chance(30),
            },
            2 if !self.anomalies => Ask::Explain {
                address: self.address(r, around),
            },
            _ => Ask::Search {
                address: self.address(r, around),
                lenient: r.chance(5),
            },
        }
    }

    fn address(&self, r: &mut Random, around: &Reference) -> String {
        let mut query = generate(r, around, FEATURES);
        while self.anomalies && query.kind != Kind::Task && r.chance(85) {
            query = generate(r, around, FEATURES);
        }
        let mut address = url(r, &query);
        if r.chance(30) {
            let joint = if address.contains('?') { '&' } else { '?' };
            address.push(joint);
            let more: &str = r.pick::<&str>(MORE);
            address.push_str(more);
        }
        address
    }
}
