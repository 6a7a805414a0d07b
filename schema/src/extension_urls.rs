//! Extensions that have had several URLs.

use std::sync::LazyLock;

static TEXT: &str = include_str!("../reference/extension-urls.json");

static SPELLINGS: LazyLock<Vec<Vec<String>>> =
    LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// Every URL that names the same extension as this one, itself first.
pub fn spellings(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    if let Some(group) = SPELLINGS
        .iter()
        .find(|group| group.iter().any(|known| known == url))
    {
        all.extend(group.iter().filter(|known| *known != url).cloned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{TEXT, spellings};

    #[test]
    fn old_and_new_urls_are_one() {
        let groups: Vec<Vec<String>> = serde_json::from_str(TEXT).expect("readable");
        for group in groups {
            for url in &group {
                let mut found = spellings(url);
                assert_eq!(found.first(), Some(url));
                found.sort();
                let mut expected = group.clone();
                expected.sort();
                assert_eq!(found, expected);
            }
        }
        assert_eq!(spellings("equipmentType"), ["equipmentType"]);
    }
}
