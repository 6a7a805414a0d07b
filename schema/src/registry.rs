//! The schema: every parameter and group of every type, compiled.

use std::borrow::Cow;
use std::path::Path;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use crate::extract::{Extraction, Walk};
use crate::group::{Group, GroupFile};
use crate::human_text;
use crate::json::Node;
use crate::parameter::{Parameter, ParameterType, SearchParameterFile};
use crate::plan::{Plan, PlanError};
use crate::resource_type::ResourceType;
use crate::schema_error::SchemaError;
use crate::suggest::{RESULT_PARAMETERS, nearest};
use crate::value::date::TimeZoneRule;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/search-parameters");
static GROUPS: &str = include_str!("../groups.json");
const GROUPS_NAME: &str = "groups.json";

/// What can be asked: the search parameters of each type, compiled into one extractor per type.
#[derive(Debug)]
pub struct Schema {
    types: [TypeSchema; ResourceType::COUNT],
    zone: TimeZoneRule,
}

#[derive(Debug, Default)]
struct TypeSchema {
    parameters: Vec<Parameter>,
    groups: Vec<Group>,
    plan: Plan,
}

/// A whole schema as one JSON text.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct SchemaFile {
    time_zone: String,
    groups: Vec<GroupFile>,
    parameters: Vec<SearchParameterFile>,
}

impl Schema {
    /// The schema compiled into the program.
    pub fn embedded() -> Result<Schema, SchemaError> {
        Draft::embedded()?.compile(TimeZoneRule::default())
    }

    /// The embedded schema with every `*.json` of a folder added: SearchParameter resources, one a file, which replace those
    /// of the same base and code, and a `groups.json`, which adds groups or replaces those of the same base and name.
    pub fn with_directory(dir: &Path) -> Result<Schema, SchemaError> {
        let read_fault = |path: &Path| {
            let path = path.to_owned();
            |source| SchemaError::Read { path, source }
        };
        let mut draft = Draft::embedded()?;
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(read_fault(dir))? {
            paths.push(entry.map_err(read_fault(dir))?.path());
        }
        paths.retain(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        });
        paths.sort();
        for path in paths {
            let text = std::fs::read(&path).map_err(read_fault(&path))?;
            let file = path.display().to_string();
            if path.file_name().is_some_and(|name| name == GROUPS_NAME) {
                draft.add_groups(&file, &text)?;
            } else {
                draft.add_parameter(&file, &text)?;
            }
        }
        draft.compile(TimeZoneRule::default())
    }

    /// Reads back what [`Schema::to_json`] wrote.
    pub fn from_json(text: &[u8]) -> Result<Schema, SchemaError> {
        let file: SchemaFile =
            serde_json::from_slice(text).map_err(|source| SchemaError::Json {
                file: "the stored schema".to_owned(),
                source,
            })?;
        let mut draft = Draft::default();
        for group in file.groups {
            draft.add_group(group)?;
        }
        for parameter in file.parameters {
            draft.add(&format!("the stored {}", parameter.id), parameter)?;
        }
        draft.compile(TimeZoneRule::from_name(&file.time_zone)?)
    }

    /// The whole schema as JSON, always the same for the same schema: what a generation carries.
    pub fn to_json(&self) -> Vec<u8> {
        let mut file = SchemaFile {
            time_zone: self.zone.name().to_owned(),
            groups: Vec::new(),
            parameters: Vec::new(),
        };
        for schema in &self.types {
            file.parameters
                .extend(schema.parameters.iter().map(Parameter::to_file));
            file.groups.extend(schema.groups.iter().map(|group| {
                GroupFile {
                    name: group.name.clone(),
                    base: group.base.name().to_owned(),
                    path: group.path.clone(),
                    parent: group
                        .parent
                        .and_then(|parent| schema.groups.get(parent))
                        .map(|parent| parent.name.clone()),
                    description: group.description.clone(),
                }
            }));
        }
        // Strings, booleans and lists only: nothing that JSON cannot write.
        serde_json::to_vec(&file).unwrap_or_default()
    }

    /// Sixteen hexadecimal digits that change whenever the schema does.
    pub fn digest(&self) -> String {
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&self.to_json()))
    }

    /// The same schema with another zone for the dates that name none.
    pub fn with_time_zone(mut self, zone: TimeZoneRule) -> Schema {
        self.zone = zone;
        self
    }

    /// The zone of the dates that name none, in data and in requests.
    pub fn time_zone(&self) -> &TimeZoneRule {
        &self.zone
    }

    /// The parameters of a type in the order of their codes; the place in this list is the parameter's number.
    pub fn parameters(&self, t: ResourceType) -> &[Parameter] {
        &self.of(t).parameters
    }

    /// The number of the parameter of that code.
    pub fn find(&self, t: ResourceType, code: &str) -> Option<usize> {
        self.parameters(t)
            .binary_search_by(|parameter| parameter.code.as_str().cmp(code))
            .ok()
    }

    /// The groups of a type, a parent before its children; the place in this list is the group's number.
    pub fn groups(&self, t: ResourceType) -> &[Group] {
        &self.of(t).groups
    }

    /// The number of the group of that name.
    pub fn find_group(&self, t: ResourceType, name: &str) -> Option<usize> {
        self.groups(t).iter().position(|group| group.name == name)
    }

    /// The known names nearest to one that is not, best first, three at most: parameters of the type, parameters one
    /// reference away (`location.near`), and the names that shape results (`_sort`).
    pub fn suggest(&self, t: ResourceType, written: &str) -> Vec<String> {
        let own = self
            .parameters(t)
            .iter()
            .map(|parameter| Cow::Borrowed(parameter.code.as_str()));
        let chained = self
            .parameters(t)
            .iter()
            .filter(|parameter| parameter.kind == ParameterType::Reference)
            .flat_map(|head| {
                let single = head.targets.len() == 1;
                head.targets.iter().flat_map(move |target| {
                    self.parameters(*target).iter().map(move |parameter| {
                        let code = &parameter.code;
                        Cow::Owned(if single {
                            format!("{}.{code}", head.code)
                        } else {
                            format!("{}:{target}.{code}", head.code)
                        })
                    })
                })
            });
        nearest(
            written,
            own.chain(RESULT_PARAMETERS.into_iter().map(Cow::Borrowed))
                .chain(chained),
        )
    }

    /// Empties `sink` and fills it with every value of every parameter of the type, and the lines of its groups.
    pub fn extract<'a>(
        &'a self,
        t: ResourceType,
        resource: &'a Node<'a>,
        sink: &mut Extraction<'a>,
    ) {
        let TypeSchema {
            parameters, plan, ..
        } = self.of(t);
        Walk {
            plan,
            parameters,
            zone: &self.zone,
            sink,
        }
        .run(resource);
    }

    /// Visits the human text of a resource, run by run in document order: what `_content` searches. Nothing is folded.
    pub fn human_text(&self, _t: ResourceType, resource: &Node<'_>, visit: &mut dyn FnMut(&str)) {
        human_text::each_run(resource, visit);
    }

    fn of(&self, t: ResourceType) -> &TypeSchema {
        let [
            offers,
            locations,
            organizations,
            practitioners,
            roles,
            tasks,
        ] = &self.types;
        match t {
            ResourceType::HealthcareService => offers,
            ResourceType::Location => locations,
            ResourceType::Organization => organizations,
            ResourceType::Practitioner => practitioners,
            ResourceType::PractitionerRole => roles,
            ResourceType::Task => tasks,
        }
    }
}

/// Parameters and groups as read, not yet compiled.
#[derive(Default)]
struct Draft {
    parameters: Vec<Parameter>,
    groups: Vec<(ResourceType, GroupFile)>,
}

impl Draft {
    fn embedded() -> Result<Draft, SchemaError> {
        let mut draft = Draft::default();
        draft.add_groups(GROUPS_NAME, GROUPS.as_bytes())?;
        for file in FILES.files() {
            draft.add_parameter(&file.path().display().to_string(), file.contents())?;
        }
        Ok(draft)
    }

    fn add_parameter(&mut self, file: &str, text: &[u8]) -> Result<(), SchemaError> {
        let read = serde_json::from_slice(text).map_err(|source| SchemaError::Json {
            file: file.to_owned(),
            source,
        })?;
        self.add(file, read)
    }

    fn add(&mut self, file: &str, read: SearchParameterFile) -> Result<(), SchemaError> {
        let parameters = read
            .into_parameters()
            .map_err(|fault| SchemaError::Parameter {
                file: file.to_owned(),
                fault,
            })?;
        for parameter in parameters {
            self.parameters
                .retain(|known| (known.base, &known.code) != (parameter.base, &parameter.code));
            self.parameters.push(parameter);
        }
        Ok(())
    }

    fn add_groups(&mut self, file: &str, text: &[u8]) -> Result<(), SchemaError> {
        let groups: Vec<GroupFile> =
            serde_json::from_slice(text).map_err(|source| SchemaError::Json {
                file: file.to_owned(),
                source,
            })?;
        groups
            .into_iter()
            .try_for_each(|group| self.add_group(group))
    }

    fn add_group(&mut self, group: GroupFile) -> Result<(), SchemaError> {
        let base = ResourceType::from_name(&group.base).ok_or_else(|| SchemaError::Group {
            group: group.name.clone(),
            fault: format!("`{}` is not a type of the directory", group.base),
        })?;
        match self
            .groups
            .iter_mut()
            .find(|(t, known)| *t == base && known.name == group.name)
        {
            Some((_, known)) => *known = group,
            None => self.groups.push((base, group)),
        }
        Ok(())
    }

    fn compile(mut self, zone: TimeZoneRule) -> Result<Schema, SchemaError> {
        self.parameters
            .sort_by(|a, b| (a.base, &a.code).cmp(&(b.base, &b.code)));
        let mut types: [TypeSchema; ResourceType::COUNT] = Default::default();
        for (t, schema) in ResourceType::ALL.into_iter().zip(&mut types) {
            schema.groups = self.groups_of(t)?;
            schema.parameters = self
                .parameters
                .iter()
                .filter(|parameter| parameter.base == t)
                .cloned()
                .collect();
            let plan = Plan::compile(t, &mut schema.parameters, &schema.groups);
            schema.plan = plan.map_err(|error| explain(error, t, schema))?;
        }
        Ok(Schema { types, zone })
    }

    fn groups_of(&self, t: ResourceType) -> Result<Vec<Group>, SchemaError> {
        let mut groups: Vec<Group> = Vec::new();
        for (_, file) in self.groups.iter().filter(|(base, _)| *base == t) {
            let parent = match &file.parent {
                None => None,
                Some(name) => Some(
                    groups
                        .iter()
                        .position(|group| &group.name == name)
                        .ok_or_else(|| SchemaError::Group {
                            group: file.name.clone(),
                            fault: format!("its parent `{name}` does not come before it"),
                        })?,
                ),
            };
            groups.push(Group {
                name: file.name.clone(),
                base: t,
                path: file.path.clone(),
                parent,
                description: file.description.clone(),
            });
        }
        Ok(groups)
    }
}

fn explain(error: PlanError, base: ResourceType, schema: &TypeSchema) -> SchemaError {
    let code = |number: usize| {
        schema
            .parameters
            .get(number)
            .map(|parameter| parameter.code.clone())
            .unwrap_or_default()
    };
    match error {
        PlanError::Parameter { parameter, source } => SchemaError::Expression {
            base,
            code: code(parameter),
            source,
        },
        PlanError::NoBranch { parameter } => SchemaError::NoPath {
            base,
            code: code(parameter),
        },
        PlanError::Group { group, fault } => {
            let group = schema
                .groups
                .get(group)
                .map(|group| group.name.clone())
                .unwrap_or_default();
            SchemaError::Group { group, fault }
        }
    }
}
