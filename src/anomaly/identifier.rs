//! The functional identifier of an anomaly: a number that is never given twice, in the shape the operator wants.

/// How functional identifiers look. Their national format is unpublished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierFormat {
    /// `Identifier.system`; empty: none.
    pub system: String,
    /// `Identifier.value`, with one `{number}` in it, or `{number:08}` for at least eight digits.
    pub shape: String,
}

/// A shape that does not say where the number goes, exactly once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the shape \"{shape}\" of functional identifiers must hold {{number}} exactly once, or {{number:08}} for at least eight digits (1 to 18)"
)]
pub struct ShapeError {
    /// The shape as written.
    pub shape: String,
}

impl Default for IdentifierFormat {
    fn default() -> Self {
        IdentifierFormat {
            system: "urn:rorqual:anomaly".to_owned(),
            shape: "ANO-{number:08}".to_owned(),
        }
    }
}

impl IdentifierFormat {
    /// Checks the shape.
    ///
    /// # Errors
    /// [`ShapeError`].
    pub fn check(&self) -> Result<(), ShapeError> {
        self.parts().map(|_| ())
    }

    /// What stands before and after the number, and how many digits it has at least.
    fn parts(&self) -> Result<(&str, &str, usize), ShapeError> {
        let error = || ShapeError {
            shape: self.shape.clone(),
        };
        let (before, rest) = self.shape.split_once("{number").ok_or_else(error)?;
        let (format, after) = rest.split_once('}').ok_or_else(error)?;
        if after.contains("{number") {
            return Err(error());
        }
        let digits = match format {
            "" => 1,
            format => {
                let digits = format
                    .strip_prefix(':')
                    .and_then(|digits| digits.parse().ok());
                digits
                    .filter(|digits| (1..=18).contains(digits))
                    .ok_or_else(error)?
            }
        };
        Ok((before, after, digits))
    }

    /// The value of a number.
    pub fn value(&self, number: u64) -> String {
        match self.parts() {
            Ok((before, after, digits)) => format!("{before}{number:0digits$}{after}"),
            // Checked when the configuration is read.
            Err(_) => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_goes_where_the_shape_says() {
        let value = |shape: &str| {
            let format = IdentifierFormat {
                system: String::new(),
                shape: shape.to_owned(),
            };
            format.check().map(|()| format.value(42))
        };
        assert_eq!(value("ANO-{number:08}").unwrap(), "ANO-00000042");
        assert_eq!(value("{number}/R").unwrap(), "42/R");
        assert_eq!(value("A{number:1}").unwrap(), "A42");
        for wrong in [
            "",
            "ANO",
            "{number",
            "{number:x}",
            "{number:19}",
            "{number:0}",
            "{number}{number}",
        ] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
    }
}
