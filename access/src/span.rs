//! Where each value of a JSON text stands, in step with the tree read from it.

use rorqual_schema::Node;

/// The place of a value in its text, in bytes, and those of its parts; the shape is that of the [`Node`].
#[derive(Debug)]
pub(crate) struct Span {
    /// First byte of the value; for a member of an object, of its name.
    pub start: usize,
    /// First byte of the value proper.
    pub value: usize,
    /// Just after its last byte.
    pub end: usize,
    /// The items of an array or the members of an object, in order.
    pub parts: Vec<Span>,
}

/// The spans of a text from which `node` was read; nothing when the node is of another text.
pub(crate) fn spans(text: &[u8], node: &Node<'_>) -> Option<Span> {
    let mut scan = Scan { text, at: 0 };
    let span = scan.value(node)?;
    scan.blanks();
    (scan.at == text.len()).then_some(span)
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scan<'_> {
    fn blanks(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        self.blanks();
        (self.text.get(self.at) == Some(&wanted)).then(|| self.at += 1)
    }

    fn value(&mut self, node: &Node<'_>) -> Option<Span> {
        self.blanks();
        let start = self.at;
        let mut parts = Vec::new();
        match node {
            Node::Object(members) => {
                self.take(b'{')?;
                for (index, (_, value)) in members.iter().enumerate() {
                    if index > 0 {
                        self.take(b',')?;
                    }
                    self.blanks();
                    let name = self.at;
                    self.string()?;
                    self.take(b':')?;
                    let mut part = self.value(value)?;
                    part.start = name;
                    parts.push(part);
                }
                self.take(b'}')?;
            }
            Node::Array(items) => {
                self.take(b'[')?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.take(b',')?;
                    }
                    parts.push(self.value(item)?);
                }
                self.take(b']')?;
            }
            Node::String(_) => self.string()?,
            Node::Null => self.word(b"null")?,
            Node::Bool(true) => self.word(b"true")?,
            Node::Bool(false) => self.word(b"false")?,
            Node::Number(_) => {
                while matches!(
                    self.text.get(self.at),
                    Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
                ) {
                    self.at += 1;
                }
                if self.at == start {
                    return None;
                }
            }
        }
        Some(Span {
            start,
            value: start,
            end: self.at,
            parts,
        })
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text
            .get(self.at..)?
            .starts_with(word)
            .then(|| self.at += word.len())
    }

    /// Leaves the position just after the closing quote.
    fn string(&mut self) -> Option<()> {
        if self.text.get(self.at) != Some(&b'"') {
            return None;
        }
        self.at += 1;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}
