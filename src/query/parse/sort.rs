//! `_sort`.

use rorqual_schema::{Hop, ParameterType};

use super::Reader;
use super::controls::Controls;
use super::decode::Writer;
use super::leaf::malformed;
use super::path::{Step, parameter};
use super::request::{SortBy, SortKey};
use crate::query::error::Fault;

/// Keys of one order.
const MAXIMUM_KEYS: usize = 20;

impl Reader<'_> {
    /// Reads the keys of the order, once the criteria are known.
    pub(super) fn sort(
        &mut self,
        controls: &Controls,
        content: bool,
        out: &mut Writer,
    ) -> Vec<SortKey> {
        let mut keys = Vec::new();
        let mut names = Vec::new();
        for text in controls.sort.iter().flat_map(|list| list.split(',')) {
            match self.sort_key(text.trim(), content) {
                Ok((key, name)) => {
                    keys.push(key);
                    names.push(name);
                }
                Err(fault @ (Fault::UnknownName { .. } | Fault::UnknownParameter { .. })) => {
                    self.notes.drop_if_lenient(fault);
                }
                Err(fault) => self.notes.refuse(fault),
            }
        }
        if keys.len() > MAXIMUM_KEYS {
            self.notes.refuse(Fault::TooCostly {
                parameter: Some("_sort".to_owned()),
                what: "sort keys",
                got: keys.len(),
                limit: MAXIMUM_KEYS,
            });
        }
        if !names.is_empty() {
            out.push("_sort", &names.join(","));
        }
        keys
    }

    fn sort_key(&mut self, text: &str, content: bool) -> Result<(SortKey, String), Fault> {
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name.trim()),
            None => (false, text),
        };
        if name.is_empty() {
            return Err(malformed(
                "_sort",
                text,
                "the name of a parameter is missing",
            ));
        }
        let (by, proper) = if name == "_score" {
            if !content {
                let fault = "only a search by _content has a score";
                return Err(malformed("_sort", text, fault));
            }
            (SortBy::Score, name.to_owned())
        } else {
            self.sort_by(text, name)?
        };
        let sign = if descending { "-" } else { "" };
        Ok((SortKey { by, descending }, format!("{sign}{proper}")))
    }

    fn sort_by(&mut self, text: &str, name: &str) -> Result<(SortBy, String), Fault> {
        let refused = |fault: String| Fault::UnknownName {
            parameter: "_sort".to_owned(),
            written: format!("_sort={text}"),
            fault,
            suggestions: Vec::new(),
        };
        // `_sort=near` also means the distance of a chained proximity search.
        if let Some(near) = &self.near
            && ["near", "near-insee-code"].contains(&name)
        {
            return Ok((SortBy::Distance(near.1.parameter), name.to_owned()));
        }
        let found = self.resolve(self.kind, name).map_err(|fault| match fault {
            Fault::UnknownParameter {
                kind,
                name,
                suggestions,
            } => Fault::UnknownName {
                parameter: "_sort".to_owned(),
                written: format!("_sort={text}"),
                fault: format!("{name} is not a parameter of {kind}"),
                suggestions,
            },
            fault => fault,
        })?;
        if let Some(fault) = found.slip {
            self.notes.slip("_sort", name, &found.canonical, fault)?;
        }
        if found.modifier.is_some() {
            return Err(malformed("_sort", text, "a sort key takes no modifier"));
        }
        let end = match found.alternatives.as_slice() {
            [end] => end,
            _ => {
                let fault =
                    "several types have it; name one, as in focus:HealthcareService.identifier";
                return Err(malformed("_sort", text, fault));
            }
        };
        let Some(known) = parameter(self.schema, end.kind, end.parameter) else {
            return Err(refused("it is not a parameter".to_owned()));
        };
        if known.kind == ParameterType::Special
            && ["near", "near-insee-code"].contains(&known.code.as_str())
        {
            let near = self.near.as_ref().filter(|(steps, _)| *steps == end.steps);
            return match near {
                Some((_, near)) => Ok((SortBy::Distance(near.parameter), found.canonical)),
                None => Err(malformed(
                    "_sort",
                    text,
                    "the search has no near criterion to measure the distance from",
                )),
            };
        }
        if matches!(
            known.kind,
            ParameterType::Reference | ParameterType::Special
        ) {
            return Err(refused(format!(
                "{} is a {} of {}, which has no order",
                known.code, known.kind, end.kind
            )));
        }
        let by = match end.steps.as_slice() {
            [] => SortBy::Parameter(end.parameter),
            [
                Step::Forward {
                    parameter,
                    target,
                    hop: Hop::Direct,
                },
            ] => {
                if !self.options.features.chains {
                    return Err(Fault::NotOffered {
                        parameter: "_sort".to_owned(),
                        what: "an order by a chained parameter",
                    });
                }
                SortBy::Chained {
                    reference: *parameter,
                    target: *target,
                    parameter: end.parameter,
                }
            }
            _ => {
                let fault = "an order follows one reference at most, without _has and :above";
                return Err(malformed("_sort", text, fault));
            }
        };
        Ok((by, found.canonical))
    }
}
