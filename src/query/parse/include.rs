//! `_include` and `_revinclude`.

use rorqual_schema::{ParameterType, ResourceType};

use super::Reader;
use super::controls::{Controls, WrittenInclude};
use super::decode::Writer;
use super::leaf::malformed;
use super::path::parameter;
use super::request::Include;
use crate::query::error::Fault;

impl Reader<'_> {
    /// Reads all includes.
    pub(super) fn includes(&mut self, controls: &Controls, out: &mut Writer) -> Vec<Include> {
        let mut includes = Vec::new();
        let mut climb_meant = None;
        for written in &controls.includes {
            match self.include(written) {
                Ok(Some(include)) => {
                    if self.is_provider(&include) {
                        climb_meant.get_or_insert(written);
                    }
                    if !includes.contains(&include) {
                        self.write(&include, out);
                        includes.push(include);
                    }
                }
                Ok(None) => {}
                Err(fault @ Fault::UnknownName { .. }) => self.notes.drop_if_lenient(fault),
                Err(fault) => self.notes.refuse(fault),
            }
        }
        if let Some(written) = climb_meant {
            self.add_climb(written, &mut includes, out);
        }
        includes
    }

    /// Published requests iterate the organization of an offer and mean the organizations above it, too.
    fn add_climb(
        &mut self,
        written: &WrittenInclude,
        includes: &mut Vec<Include>,
        out: &mut Writer,
    ) {
        let climb = Include {
            reverse: false,
            iterate: true,
            source: Some(ResourceType::Organization),
            parameter: self.schema.find(ResourceType::Organization, "partof"),
            target: None,
        };
        if climb.parameter.is_none() || includes.contains(&climb) {
            return;
        }
        let slip = self.notes.slip(
            &written.name,
            &format!("{}={}", written.name, written.value),
            &format!(
                "{}={}&_include:iterate=Organization:partof",
                written.name, written.value
            ),
            "the climb from the organization upwards is not asked for",
        );
        match slip {
            Ok(()) => {
                self.write(&climb, out);
                includes.push(climb);
            }
            Err(fault) => self.notes.refuse(fault),
        }
    }

    /// Whether an include is `_include:iterate=HealthcareService:organization`.
    fn is_provider(&self, include: &Include) -> bool {
        let offer = ResourceType::HealthcareService;
        include.iterate
            && !include.reverse
            && include.source == Some(offer)
            && include.parameter.is_some()
            && include.parameter == self.schema.find(offer, "organization")
    }

    /// Reads one include; nothing when it is a published one that means nothing.
    fn include(&mut self, written: &WrittenInclude) -> Result<Option<Include>, Fault> {
        let (name, value) = (written.name.as_str(), written.value.as_str());
        let mut include = Include {
            reverse: written.reverse,
            iterate: written.iterate,
            source: None,
            parameter: None,
            target: None,
        };
        if value == "*" {
            return Ok(Some(include));
        }
        let parts: Vec<&str> = value.split(':').map(str::trim).collect();
        let (source_name, code, target_name) = match parts.as_slice() {
            [source, code] => (*source, *code, None),
            [source, code, target] => (*source, *code, Some(*target)),
            _ => {
                let fault = "expected Type:parameter, Type:parameter:Target, Type:* or *";
                return Err(malformed(name, value, fault));
            }
        };
        if code == "healthcareservice"
            && written.reverse
            && ["Location", "Organization"].contains(&source_name)
        {
            let fault = "no such reference exists";
            let whole = format!("{name}={value}");
            self.notes.slip(name, &whole, "nothing (left out)", fault)?;
            return Ok(None);
        }
        let unknown = |fault: String, suggestions| Fault::UnknownName {
            parameter: name.to_owned(),
            written: format!("{name}={value}"),
            fault,
            suggestions,
        };
        let source = match ResourceType::from_name(source_name) {
            Some(source) => source,
            None if source_name == "Healthcareservice" => {
                let fault = "the type is misspelt";
                let meant = ResourceType::HealthcareService;
                self.notes.slip(name, source_name, meant.name(), fault)?;
                meant
            }
            None => {
                let known = ResourceType::ALL.map(ResourceType::name).join(", ");
                let fault =
                    format!("{source_name} is not a type of this directory; known: {known}");
                return Err(unknown(fault, Vec::new()));
            }
        };
        include.source = Some(source);
        if code != "*" {
            let found = self.schema.find(source, code).filter(|number| {
                parameter(self.schema, source, *number)
                    .is_some_and(|known| known.kind == ParameterType::Reference)
            });
            let Some(number) = found else {
                let references: Vec<String> = self
                    .schema
                    .parameters(source)
                    .iter()
                    .filter(|known| known.kind == ParameterType::Reference)
                    .map(|known| format!("{source}:{}", known.code))
                    .collect();
                let fault = format!("{code} is not a reference of {source}");
                return Err(unknown(fault, references));
            };
            include.parameter = Some(number);
        }
        if let Some(target_name) = target_name {
            let reached = |target: ResourceType| {
                let references = self.schema.parameters(source).iter().enumerate();
                references
                    .filter(|(number, _)| include.parameter.is_none_or(|wanted| wanted == *number))
                    .any(|(_, known)| known.targets.contains(&target))
            };
            let target = ResourceType::from_name(target_name).filter(|target| reached(*target));
            let Some(target) = target else {
                let fault = format!("{source}:{code} does not refer to {target_name}");
                return Err(unknown(fault, Vec::new()));
            };
            include.target = Some(target);
        }
        Ok(Some(include))
    }

    fn write(&self, include: &Include, out: &mut Writer) {
        let name = match (include.reverse, include.iterate) {
            (false, false) => "_include",
            (false, true) => "_include:iterate",
            (true, false) => "_revinclude",
            (true, true) => "_revinclude:iterate",
        };
        let Some(source) = include.source else {
            return out.push(name, "*");
        };
        let code = include
            .parameter
            .and_then(|number| parameter(self.schema, source, number))
            .map_or("*", |known| known.code.as_str());
        match include.target {
            Some(target) => out.push(name, &format!("{source}:{code}:{target}")),
            None => out.push(name, &format!("{source}:{code}")),
        }
    }
}
