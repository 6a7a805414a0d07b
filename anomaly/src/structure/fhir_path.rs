//! Where in a resource something stands, as FHIRPath; made into text only when there is a fault to tell of.

use std::fmt;

/// A place, as a chain of steps down from a root.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    /// The root, such as `Task`.
    Root(&'p str),
    /// A child element of the place above.
    Child(&'p Path<'p>, &'p str),
    /// One item of the repeating element above, from 0.
    Item(&'p Path<'p>, usize),
}

impl Path<'_> {
    /// A child element of this place.
    pub(super) fn child<'p>(&'p self, name: &'p str) -> Path<'p> {
        Path::Child(self, name)
    }

    /// One item of this place, from 0.
    pub(super) fn item(&self, index: usize) -> Path<'_> {
        Path::Item(self, index)
    }
}

/// Words that FHIRPath reads as operators or literals unless they are delimited.
const WORDS: [&str; 8] = ["and", "div", "false", "implies", "mod", "or", "true", "xor"];

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root(name) => f.write_str(name),
            Path::Child(above, name) if is_plain(name) => write!(f, "{above}.{name}"),
            Path::Child(above, name) => {
                write!(f, "{above}.`")?;
                for c in name.chars().take(60) {
                    match c {
                        '`' | '\\' => write!(f, "\\{c}")?,
                        c => write!(f, "{}", c.escape_debug())?,
                    }
                }
                f.write_str("`")
            }
            Path::Item(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let mut letters = name.bytes();
    name.len() <= 64
        && letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !WORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn steps_are_written_as_fhirpath() {
        let root = Path::Root("Task");
        let input = root.child("input");
        let third = input.item(2);
        assert_eq!(third.child("type").to_string(), "Task.input[2].type");
        assert_eq!(root.child("div").to_string(), "Task.`div`");
        assert_eq!(root.child("a`\\\n").to_string(), "Task.`a\\`\\\\\\n`");
        assert_eq!(root.child("").to_string(), "Task.``");
        assert!(root.child(&"x".repeat(500)).to_string().len() < 70);
    }
}
