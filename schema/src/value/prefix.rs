//! The comparison prefixes of dates, numbers and quantities.

/// A comparison, as FHIR R4 names them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Prefix {
    /// Equal: within the precision given.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// Starts after.
    Sa,
    /// Ends before.
    Eb,
    /// Approximately.
    Ap,
}

impl Prefix {
    /// Every prefix.
    pub const ALL: [Prefix; 9] = [
        Prefix::Eq,
        Prefix::Ne,
        Prefix::Gt,
        Prefix::Lt,
        Prefix::Ge,
        Prefix::Le,
        Prefix::Sa,
        Prefix::Eb,
        Prefix::Ap,
    ];

    /// The two letters written in requests.
    pub fn name(self) -> &'static str {
        match self {
            Prefix::Eq => "eq",
            Prefix::Ne => "ne",
            Prefix::Gt => "gt",
            Prefix::Lt => "lt",
            Prefix::Ge => "ge",
            Prefix::Le => "le",
            Prefix::Sa => "sa",
            Prefix::Eb => "eb",
            Prefix::Ap => "ap",
        }
    }

    /// The prefix of those two letters, in lower case.
    pub fn from_name(name: &str) -> Option<Prefix> {
        Prefix::ALL.into_iter().find(|prefix| prefix.name() == name)
    }
}

/// Separates the prefix, [`Prefix::Eq`] when none is written, from the rest. Blanks around both are dropped.
pub fn split_prefix(raw: &str) -> (Prefix, &str) {
    let raw = raw.trim();
    match raw.get(..2).and_then(Prefix::from_name) {
        Some(prefix) => (prefix, raw.get(2..).unwrap_or_default().trim_start()),
        None => (Prefix::Eq, raw),
    }
}

#[cfg(test)]
mod tests {
    use super::{Prefix, split_prefix};

    #[test]
    fn prefixes_are_two_lower_case_letters() {
        assert_eq!(split_prefix("ge2022"), (Prefix::Ge, "2022"));
        assert_eq!(split_prefix("2022"), (Prefix::Eq, "2022"));
        assert_eq!(split_prefix("GE2022"), (Prefix::Eq, "GE2022"));
        assert_eq!(split_prefix(" lt 5 "), (Prefix::Lt, "5"));
        assert_eq!(split_prefix("é"), (Prefix::Eq, "é"));
        for prefix in Prefix::ALL {
            assert_eq!(Prefix::from_name(prefix.name()), Some(prefix));
        }
    }
}
