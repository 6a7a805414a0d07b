//! The six resource types of the directory.

use std::fmt;

/// A FHIR R4 resource type that the directory holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ResourceType {
    /// An offer of care (*offre opérationnelle*).
    HealthcareService,
    /// A place where offers are delivered.
    Location,
    /// A legal entity, a geographical entity or an internal organization.
    Organization,
    /// A professional.
    Practitioner,
    /// The situation of a professional in an offer.
    PractitionerRole,
    /// A quality anomaly reported on one of the five others.
    Task,
}

impl ResourceType {
    /// Every type, in the order of [`ResourceType::index`].
    pub const ALL: [ResourceType; 6] = [
        ResourceType::HealthcareService,
        ResourceType::Location,
        ResourceType::Organization,
        ResourceType::Practitioner,
        ResourceType::PractitionerRole,
        ResourceType::Task,
    ];

    /// How many types there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The FHIR name, which is also the name used in URLs.
    pub fn name(self) -> &'static str {
        match self {
            ResourceType::HealthcareService => "HealthcareService",
            ResourceType::Location => "Location",
            ResourceType::Organization => "Organization",
            ResourceType::Practitioner => "Practitioner",
            ResourceType::PractitionerRole => "PractitionerRole",
            ResourceType::Task => "Task",
        }
    }

    /// The type of that FHIR name; names are case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// A number in `0..COUNT`, stable across versions (it is written in generations).
    pub fn index(self) -> usize {
        self as usize
    }

    /// The type of that number.
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::ResourceType;

    #[test]
    fn names_and_numbers_round_trip() {
        for (number, t) in ResourceType::ALL.into_iter().enumerate() {
            assert_eq!(t.index(), number);
            assert_eq!(ResourceType::from_index(number), Some(t));
            assert_eq!(ResourceType::from_name(t.name()), Some(t));
        }
        assert_eq!(ResourceType::from_index(ResourceType::COUNT), None);
        assert_eq!(ResourceType::from_name("Healthcareservice"), None);
    }
}
