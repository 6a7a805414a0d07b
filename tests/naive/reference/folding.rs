//! Folding of text by a hand-written table of French and Latin letters.

/// Text without case, accents and ligatures; apostrophes, hyphens and runs of blanks become one blank.
pub fn fold(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        let plain: &str = match letter {
            'à' | 'â' | 'ä' | 'á' | 'ã' | 'å' | 'À' | 'Â' | 'Ä' | 'Á' | 'Ã' | 'Å' => {
                "a"
            }
            'ç' | 'Ç' => "c",
            'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => "e",
            'î' | 'ï' | 'í' | 'ì' | 'Î' | 'Ï' | 'Í' | 'Ì' => "i",
            'ñ' | 'Ñ' => "n",
            'ô' | 'ö' | 'ó' | 'ò' | 'õ' | 'Ô' | 'Ö' | 'Ó' | 'Ò' | 'Õ' => "o",
            'ù' | 'û' | 'ü' | 'ú' | 'Ù' | 'Û' | 'Ü' | 'Ú' => "u",
            'ÿ' | 'ý' | 'Ÿ' | 'Ý' => "y",
            'œ' | 'Œ' => "oe",
            'æ' | 'Æ' => "ae",
            'ß' | 'ẞ' => "ss",
            '\'' | '\u{2019}' | '\u{2018}' | '-' | '\u{2010}' | '\u{2011}' => " ",
            '\u{300}'..='\u{36f}' => "",
            blank if blank.is_whitespace() => " ",
            other => {
                out.extend(other.to_lowercase());
                continue;
            }
        };
        if plain != " " || !(out.is_empty() || out.ends_with(' ')) {
            out.push_str(plain);
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn spellings_of_one_name_meet() {
        assert_eq!(
            fold("CLINIQUE DE L\u{2019}OEUVRE"),
            fold("Clinique  de l'Œuvre ")
        );
        assert_eq!(fold("Po\u{302}le Me\u{300}re-Enfant"), "pole mere enfant");
        assert_eq!(fold(" - L'Haÿ-\u{a0}les-Roses"), "l hay les roses");
    }
}
