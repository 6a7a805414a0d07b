//! Where the top-level members of each stored resource stand, so that some of them are cut out without reading it.
//!
//! Most resources of a type have their members in one of a few sequences. Each such sequence is a shape, stored once: a
//! byte that says where `meta` takes another tag ([`TagPlace`]), then the names, with a NUL between two. Of a resource
//! its record then holds the number of its shape and the length of each value, as LEB128 numbers: about as many bytes as
//! it has members. They have a pack of their own, [`super::bodies::SPANS`]; its sections: `spans.starts` (u64, one more than there are resources) into `spans.records`, and
//! `spans.shape_starts` (u64, one more than there are shapes) into `spans.shapes`.
//!
//! Nothing is recorded, and the record is empty, of a resource that is laid out otherwise than usual: blanks between its
//! members, a name spelt with escapes, no `meta` or two of them, a `meta` that says already that it is incomplete. Whoever
//! reads spans has to be able to do without.

use std::collections::HashMap;

use ahash::RandomState;

use super::FormatError;
use super::map::{Column, Region};
use super::pack::{Pack, PackWriter};

/// How many shapes a type has at most; resources of further ones have no spans, so that an odd extract does not swell the
/// index.
const MOST_SHAPES: usize = 1 << 14;

/// The member that says of itself where a tag goes.
pub const META: &str = "meta";

/// Where `meta` takes one tag more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagPlace {
    /// `tag` is its last member, with a tag at least: one byte before the end of the object and that of the list.
    InList = 1,
    /// It has members and no `tag`: before the end of the object.
    AfterMembers = 2,
}

impl TagPlace {
    fn read(byte: u8) -> Option<TagPlace> {
        match byte {
            1 => Some(TagPlace::InList),
            2 => Some(TagPlace::AfterMembers),
            _ => None,
        }
    }
}

/// How far the end of a string is looked for byte by byte.
const SHORT: usize = 12;

const OPENS_OR_CLOSES: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"\"{}[]";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// Reads an object without blanks between its members; strings and what is inside values are passed over.
struct Scan<'b> {
    text: &'b [u8],
    at: usize,
}

impl<'b> Scan<'b> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// The inside of a string; `at` is at its opening quote.
    fn string(&mut self) -> Option<&'b [u8]> {
        self.eat(b'"')?;
        let from = self.at;
        loop {
            let rest = self.text.get(self.at..)?;
            // Most names and codes are so short that a search by blocks only costs.
            let near = rest
                .iter()
                .take(SHORT)
                .position(|byte| matches!(byte, b'"' | b'\\'));
            self.at += match near {
                Some(near) => near,
                None => {
                    let far = rest.get(SHORT..)?;
                    SHORT + memchr::memchr2(b'"', b'\\', far)?
                }
            };
            if self.peek()? == b'"' {
                self.at += 1;
                return self.text.get(from..self.at - 1);
            }
            self.at += 2;
        }
    }

    /// Passes a value; it ends where its text does, without blanks.
    fn value(&mut self) -> Option<&'b [u8]> {
        let from = self.at;
        match self.peek()? {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => {
                let mut depth = 0usize;
                loop {
                    // What neither opens nor closes anything is passed in one go.
                    let rest = self.text.get(self.at..)?;
                    self.at += rest
                        .iter()
                        .position(|byte| OPENS_OR_CLOSES[usize::from(*byte)])?;
                    match self.peek()? {
                        b'"' => {
                            self.string()?;
                            continue;
                        }
                        b'{' | b'[' => depth += 1,
                        _ => depth -= 1,
                    }
                    self.at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => {
                while !matches!(
                    self.peek()?,
                    b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'
                ) {
                    self.at += 1;
                }
            }
        }
        self.text.get(from..self.at)
    }

    /// Every member of the object that the text is; `None` when it is laid out otherwise.
    fn members(&mut self, mut met: impl FnMut(&'b [u8], &'b [u8]) -> Option<()>) -> Option<()> {
        self.eat(b'{')?;
        loop {
            let name = self.string()?;
            self.eat(b':')?;
            let value = self.value()?;
            if value.is_empty() || name.iter().any(|byte| matches!(byte, b'\\' | 0)) {
                return None;
            }
            met(name, value)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        (self.at + 1 == self.text.len()).then_some(())
    }
}

/// Where a `meta` takes a tag; `None` when it is too odd to say, or has the tag of an incomplete resource.
fn tag_place(meta: &[u8]) -> Option<TagPlace> {
    let mut tags = None;
    let mut last = false;
    Scan { text: meta, at: 0 }.members(|name, value| {
        last = name == b"tag";
        match (last, tags) {
            (true, Some(_)) => None,
            (true, None) => {
                tags = Some(value);
                Some(())
            }
            (false, _) => Some(()),
        }
    })?;
    let Some(tags) = tags else {
        return Some(TagPlace::AfterMembers);
    };
    // A list with something in it, and no blank before its end.
    let listed = last
        && matches!(tags, [b'[', .., before, b']']
            if !matches!(before, b'[' | b' ' | b'\t' | b'\n' | b'\r'));
    let plain =
        memchr::memchr(b'\\', tags).is_none() && memchr::memmem::find(tags, b"SUBSETTED").is_none();
    (listed && plain).then_some(TagPlace::InList)
}

/// The shape of a body and the lengths of its values; `false` when it has none.
fn outline(body: &[u8], shape: &mut Vec<u8>, lengths: &mut Vec<u32>) -> bool {
    shape.clear();
    lengths.clear();
    shape.push(0);
    let mut place = None;
    let read = Scan { text: body, at: 0 }.members(|name, value| {
        if name == META.as_bytes() && place.replace(tag_place(value)?).is_some() {
            return None;
        }
        if shape.len() > 1 {
            shape.push(0);
        }
        shape.extend_from_slice(name);
        lengths.push(u32::try_from(value.len()).ok()?);
        Some(())
    });
    match (read, place, shape.first_mut()) {
        (Some(()), Some(place), Some(first)) => {
            *first = place as u8;
            true
        }
        _ => false,
    }
}

fn push_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0u32;
    for shift in (0..32).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Gathers spans while bodies are written, in their order.
#[derive(Default)]
pub struct SpanColumns {
    numbers: HashMap<Box<[u8]>, u32, RandomState>,
    shapes: Vec<u8>,
    shape_starts: Vec<u64>,
    records: Vec<u8>,
    ends: Vec<u64>,
    /// What [`outline`] fills, kept for the next body.
    shape: Vec<u8>,
    lengths: Vec<u32>,
}

impl SpanColumns {
    /// Notes the next body.
    pub fn push(&mut self, body: &[u8]) {
        if outline(body, &mut self.shape, &mut self.lengths)
            && let Some(number) = self.number()
        {
            push_number(&mut self.records, number);
            for &length in &self.lengths {
                push_number(&mut self.records, length);
            }
        }
        self.ends.push(self.records.len() as u64);
    }

    /// Notes the next body, which is that of an ordinal of `taken`.
    pub fn take(&mut self, taken: &mut TakenSpans, ordinal: u32) {
        let TakenSpans { spans, numbers } = taken;
        if let Some(record) = spans.of(ordinal)
            && let Some(number) = self.number_taken(spans, numbers, record.shape)
        {
            push_number(&mut self.records, number);
            self.records.extend_from_slice(record.lengths);
        }
        self.ends.push(self.records.len() as u64);
    }

    /// The number that a shape of `spans` has here; `numbers` are those known already.
    fn number_taken(
        &mut self,
        spans: &Spans,
        numbers: &mut [Option<u32>],
        shape: u32,
    ) -> Option<u32> {
        let known = numbers.get_mut(shape as usize)?;
        if known.is_none() {
            let bytes = row(&spans.shape_starts, &spans.shapes, shape as usize)?;
            self.shape.clear();
            self.shape.extend_from_slice(bytes);
            *known = self.number();
        }
        *known
    }

    /// The number of the shape at hand.
    fn number(&mut self) -> Option<u32> {
        if let Some(&number) = self.numbers.get(self.shape.as_slice()) {
            return Some(number);
        }
        let number = self.numbers.len();
        (number < MOST_SHAPES).then(|| {
            self.numbers
                .insert(self.shape.as_slice().into(), number as u32);
            self.shape_starts.push(self.shapes.len() as u64);
            self.shapes.extend_from_slice(&self.shape);
            number as u32
        })
    }

    /// Writes the sections into the pack.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(&self, pack: &mut PackWriter) -> Result<(), FormatError> {
        let starts: Vec<u64> = std::iter::once(0)
            .chain(self.ends.iter().copied())
            .collect();
        let mut shape_starts = self.shape_starts.clone();
        shape_starts.push(self.shapes.len() as u64);
        pack.column("spans.starts", &starts)?;
        pack.section("spans.records", &self.records)?;
        pack.column("spans.shape_starts", &shape_starts)?;
        pack.section("spans.shapes", &self.shapes)
    }
}

/// The opened spans of the resources of a type.
pub struct Spans {
    starts: Column<u64>,
    records: Region,
    shape_starts: Column<u64>,
    shapes: Region,
}

/// Spans that others are taken from, and what their shapes are numbered there.
pub struct TakenSpans {
    spans: Spans,
    numbers: Vec<Option<u32>>,
}

impl TakenSpans {
    /// To be taken from `spans`; `None` when resources may have been left out of them for having too many shapes.
    pub fn new(spans: Spans) -> Option<TakenSpans> {
        let shapes = spans.shape_starts.len().saturating_sub(1);
        (shapes < MOST_SHAPES).then(|| TakenSpans {
            spans,
            numbers: vec![None; shapes],
        })
    }
}

/// A sequence of members.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'i> {
    /// Where its `meta` takes a tag.
    pub place: TagPlace,
    names: &'i [u8],
}

impl<'i> Shape<'i> {
    /// The names of the members, in their order.
    pub fn names(&self) -> impl Iterator<Item = &'i [u8]> + use<'i> {
        self.names.split(|byte| *byte == 0)
    }
}

/// What is recorded of one resource.
#[derive(Clone, Copy, Debug)]
pub struct Record<'i> {
    /// The number of its shape.
    pub shape: u32,
    lengths: &'i [u8],
}

impl Record<'_> {
    /// The lengths of the values in bytes, in the order of the shape; they end early when the record is damaged.
    pub fn lengths(&self) -> impl Iterator<Item = u32> {
        let mut rest = self.lengths;
        std::iter::from_fn(move || take_number(&mut rest))
    }
}

impl Spans {
    /// Opens the sections of a pack that is about `count` resources.
    ///
    /// # Errors
    /// [`FormatError`] when one is missing, or they do not fit.
    pub fn open(pack: &Pack, count: usize) -> Result<Spans, FormatError> {
        let spans = Spans {
            starts: pack.column("spans.starts")?,
            records: pack.region("spans.records")?,
            shape_starts: pack.column("spans.shape_starts")?,
            shapes: pack.region("spans.shapes")?,
        };
        let fits = spans.starts.len() == count + 1
            && spans.starts.last() == Some(&(spans.records.as_slice().len() as u64))
            && spans.shape_starts.last() == Some(&(spans.shapes.as_slice().len() as u64));
        if !fits {
            return Err(FormatError::Layout {
                section: "spans".to_owned(),
                detail: "its arrays do not end together".into(),
            });
        }
        Ok(spans)
    }

    /// What is recorded of an ordinal, if anything.
    pub fn of(&self, ordinal: u32) -> Option<Record<'_>> {
        let mut bytes = row(&self.starts, &self.records, ordinal as usize)?;
        Some(Record {
            shape: take_number(&mut bytes)?,
            lengths: bytes,
        })
    }

    /// A shape by its number.
    pub fn shape(&self, number: u32) -> Option<Shape<'_>> {
        let bytes = row(&self.shape_starts, &self.shapes, number as usize)?;
        let (&place, names) = bytes.split_first()?;
        Some(Shape {
            place: TagPlace::read(place)?,
            names,
        })
    }

    /// Whether what is recorded of an ordinal is what its body has to be recorded as: for a check of the whole.
    pub fn agree(&self, ordinal: u32, body: &[u8]) -> bool {
        let (mut shape, mut lengths) = (Vec::new(), Vec::new());
        let due = outline(body, &mut shape, &mut lengths);
        match self.of(ordinal) {
            Some(record) => {
                due && row(&self.shape_starts, &self.shapes, record.shape as usize)
                    == Some(shape.as_slice())
                    && record.lengths().eq(lengths)
            }
            None => {
                let empty = row(&self.starts, &self.records, ordinal as usize) == Some(&[]);
                empty && (!due || self.shape_starts.len() > MOST_SHAPES)
            }
        }
    }
}

fn row<'i>(starts: &[u64], bytes: &'i Region, number: usize) -> Option<&'i [u8]> {
    let (start, end) = (*starts.get(number)?, *starts.get(number + 1)?);
    bytes.as_slice().get(start as usize..end as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opened(bodies: &[&[u8]]) -> Spans {
        let mut columns = SpanColumns::default();
        bodies.iter().for_each(|body| columns.push(body));
        let mut pack = PackWriter::in_memory().unwrap();
        columns.write(&mut pack).unwrap();
        let pack = pack.into_pack().unwrap();
        assert!(Spans::open(&pack, bodies.len() + 1).is_err());
        Spans::open(&pack, bodies.len()).unwrap()
    }

    fn recorded(body: &str) -> bool {
        let spans = opened(&[body.as_bytes()]);
        assert!(spans.agree(0, body.as_bytes()), "{body}");
        spans.of(0).is_some()
    }

    #[test]
    fn resources_of_one_shape_share_it() {
        let bodies: [&[u8]; 4] = [
            br#"{"id":"1","meta":{"source":"a"},"name":"a \" {","n":[1,{"x":"]"}]}"#,
            br#"{"id":"22","meta":{"source":"b"},"name":"","n":[]}"#,
            br#"{"id": "3","meta":{"source":"c"}}"#,
            br#"{"meta":{"source":"a","tag":[{"code":"x"}]},"n":-1e2}"#,
        ];
        let spans = opened(&bodies);
        let shapes: Vec<Option<u32>> = (0..5)
            .map(|at| spans.of(at).map(|record| record.shape))
            .collect();
        assert_eq!(shapes, [Some(0), Some(0), None, Some(1), None]);
        assert_eq!(
            spans.of(0).unwrap().lengths().collect::<Vec<_>>(),
            [3, 14, 8, 13]
        );
        let names: Vec<&[u8]> = spans.shape(0).unwrap().names().collect();
        assert_eq!(names, [&b"id"[..], b"meta", b"name", b"n"]);
        assert_eq!(spans.shape(0).unwrap().place, TagPlace::AfterMembers);
        assert_eq!(spans.shape(1).unwrap().place, TagPlace::InList);
        assert!(spans.shape(2).is_none());
        for (at, body) in bodies.iter().enumerate() {
            assert!(spans.agree(at as u32, body));
        }
        assert!(!spans.agree(0, bodies[1]) && !spans.agree(2, bodies[0]));
    }

    #[test]
    fn what_is_laid_out_otherwise_is_not_recorded() {
        let meta = r#""meta":{"source":"s"}"#;
        assert!(recorded(&format!("{{{meta}}}")));
        assert!(recorded(&format!(r#"{{{meta},"a":1,"a":2}}"#)));
        for odd in [
            String::new(),
            "{}".to_owned(),
            "[]".to_owned(),
            r#"{"id":"1"}"#.to_owned(),
            format!("{{{meta},{meta}}}"),
            format!("{{ {meta}}}"),
            format!("{{{meta} }}"),
            format!("{{{meta}}}\n"),
            format!(r#"{{{meta},"a": 1}}"#),
            format!(r#"{{{meta},"a":1 }}"#),
            format!(r#"{{{meta},"a" :1}}"#),
            format!(r#"{{{meta}, "a":1}}"#),
            format!(r#"{{{meta},"\u0061":1}}"#),
            format!(r#"{{{meta},"a":"#),
            format!(r#"{{{meta},"a":[}}"#),
            format!(r#"{{{meta},"a":"x\"#),
        ] {
            assert!(!recorded(&odd), "{odd}");
        }
        for (meta, expected) in [
            (r#"{"tag":[{}]}"#, true),
            (r#"{"source":"s","tag":["x" ,1]}"#, true),
            (r#"{"tag":[]}"#, false),
            (r#"{"tag":[ ]}"#, false),
            (r#"{"tag":[1 ]}"#, false),
            (r#"{"tag":{}}"#, false),
            (r#"{"tag":null}"#, false),
            (r#"{"tag":[1],"source":"s"}"#, false),
            (r#"{"tag":[1],"tag":[1]}"#, false),
            (r#"{"tag":[{"code":"SUBSETTED"}]}"#, false),
            (r#"{"tag":[{"code":"\u0053UBSETTED"}]}"#, false),
            (r#"{"source": "s"}"#, false),
            ("{}", false),
            ("null", false),
            ("7", false),
        ] {
            assert_eq!(
                recorded(&format!(r#"{{"meta":{meta}}}"#)),
                expected,
                "{meta}"
            );
        }
    }

    #[test]
    fn further_shapes_are_left_out() {
        let body = |at: usize| format!(r#"{{"meta":{{"a":1}},"x{at}":1}}"#).into_bytes();
        let bodies: Vec<Vec<u8>> = (0..MOST_SHAPES + 2).map(body).collect();
        let spans = opened(&bodies.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert!(spans.of(MOST_SHAPES as u32 - 1).is_some());
        assert!(spans.of(MOST_SHAPES as u32).is_none());
        assert!(spans.agree(MOST_SHAPES as u32, &bodies[MOST_SHAPES]));
        assert!(TakenSpans::new(spans).is_none());
    }

    #[test]
    fn taken_spans_are_what_reading_the_bodies_again_would_record() {
        let bodies: [&[u8]; 5] = [
            br#"{"id":"1","meta":{"source":"a"},"name":"a"}"#,
            br#"{"meta":{"source":"b"},"n":[1,2]}"#,
            br#"{"id": "3","meta":{"source":"c"}}"#,
            br#"{"id":"4","meta":{"source":"a"},"name":"dddd"}"#,
            br#"{"meta":{"tag":[{"code":"x"}]},"n":7}"#,
        ];
        for order in [&[0, 1, 2, 3, 4][..], &[4, 1, 3], &[2], &[3, 0, 1, 1]] {
            let mut taken = TakenSpans::new(opened(&bodies)).unwrap();
            let (mut own, mut again) = (SpanColumns::default(), SpanColumns::default());
            for &at in order {
                own.take(&mut taken, at);
                again.push(bodies[at as usize]);
            }
            assert_eq!(own.records, again.records, "{order:?}");
            assert_eq!(own.ends, again.ends, "{order:?}");
            assert_eq!(own.shapes, again.shapes, "{order:?}");
            assert_eq!(own.shape_starts, again.shape_starts, "{order:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(numbers in prop::collection::vec(any::<u32>(), 0..9)) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|&number| push_number(&mut bytes, number));
            let mut rest = bytes.as_slice();
            let read: Vec<u32> = std::iter::from_fn(|| take_number(&mut rest)).collect();
            prop_assert_eq!(read, numbers);
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..64), text in r#"\{"meta":[\{\}\[\]":,a-z\\0-9 ]{0,40}"#) {
            opened(&[&body, text.as_bytes()]);
        }
    }
}
