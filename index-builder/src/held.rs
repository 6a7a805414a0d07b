//! Files of the input that stay open while a generation is built: plain NDJSON is read again where its records are copied,
//! instead of being spooled. What has changed meanwhile is noticed by its checksum.

use rorqual::index::FormatError;

use crate::input::Inputs;
use crate::spool::Spool;

/// Files of the input that are read again where their records are copied, instead of being spooled.
pub struct HeldSources {
    /// For each source the number of its spool, if it has one.
    pub numbers: Vec<Option<u16>>,
    /// Their spools: they follow those of `threads` workers and that of the anomalies.
    pub spools: Vec<Spool>,
}

impl HeldSources {
    /// Opens what can be read again.
    ///
    /// # Errors
    /// [`FormatError::Io`] when a file has gone.
    pub fn open(inputs: Option<&Inputs>, threads: usize) -> Result<HeldSources, FormatError> {
        /// As many are kept open; what others hold is spooled.
        const MOST: usize = 64;
        let first = match inputs {
            Some(_) => threads + 1,
            None => 1,
        };
        let mut held = HeldSources {
            numbers: Vec::new(),
            spools: Vec::new(),
        };
        for source in inputs.map(Inputs::sources).unwrap_or_default() {
            let path = source.path().filter(|_| held.spools.len() < MOST);
            let number = path.map(|_| (first + held.spools.len()) as u16);
            held.numbers.push(number);
            if let Some(path) = path {
                held.spools.push(Spool::open(path)?);
            }
        }
        Ok(held)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;
    use std::sync::atomic::AtomicU64;

    use rorqual_schema::{ResourceType, Schema};

    use super::*;
    use crate::gather::Gatherer;
    use crate::input::Limits;

    /// Two places, the second after blanks and a byte-order mark.
    const TEXT: &str = "{\"resourceType\":\"Location\",\"id\":\"a\"}\n\u{feff} {\"resourceType\":\"Location\",\"id\":\"b\",\"name\":\"Accueil\"} \r\n";

    #[test]
    fn a_plain_file_is_not_spooled_and_its_changes_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("places.ndjson");
        fs::write(&source, TEXT).unwrap();
        let inputs = Inputs::discover(std::slice::from_ref(&source)).unwrap();
        let held = HeldSources::open(Some(&inputs), 1).unwrap();
        assert_eq!(held.numbers, [Some(2)]);
        let schema = Schema::embedded().unwrap();
        let mut gatherer =
            Gatherer::create(&schema, &dir.path().join("spool"), 0, usize::MAX).unwrap();
        gatherer.holding(held.numbers.clone());
        inputs
            .read(&Limits::default(), &AtomicU64::new(0), &mut |batch| {
                gatherer.take(batch).unwrap();
                ControlFlow::Continue(())
            })
            .unwrap();
        let gathered = gatherer.finish().unwrap();
        let spools = [vec![gathered.spool.clone(); 2], held.spools].concat();
        let places = &gathered.resources[ResourceType::Location.index()];
        let bodies = |buffer: &mut Vec<u8>| -> Vec<Result<String, FormatError>> {
            let read = (0..places.len() as u32).map(|slot| {
                let place = places.get(slot)?;
                place.read_body(&spools, buffer)?;
                Ok(String::from_utf8(buffer.clone()).unwrap())
            });
            read.collect()
        };
        let mut buffer = Vec::new();
        let read: Result<Vec<_>, _> = bodies(&mut buffer).into_iter().collect();
        let expected = TEXT
            .lines()
            .map(|line| line.trim_matches(['\u{feff}', ' ']));
        assert_eq!(read.unwrap(), expected.collect::<Vec<_>>());

        let cut = TEXT.get(..TEXT.len() - 9).unwrap().to_owned();
        for altered in [TEXT.replace("Accueil", "Urgence"), cut] {
            fs::write(&source, altered).unwrap();
            let read = bodies(&mut buffer);
            assert!(read[0].is_ok());
            assert!(
                matches!(&read[1], Err(FormatError::Altered { path }) if *path == source),
                "{read:?}"
            );
        }
    }
}
