//! The address an entry asks for, made relative to the base of this server.

/// An address that is no path below the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UrlFault {
    /// On another server, or outside the base.
    Foreign,
    /// Blanks or control characters inside, a fragment, or `..` among its segments.
    Unreadable,
}

/// The part below the base, without a slash at its head: `Task`, `Task/12`, `Task?focus=…`. Blanks around the address are
/// published slips and are trimmed.
pub(super) fn below_base<'u>(written: &'u str, base: &str) -> Result<&'u str, UrlFault> {
    let url = written.trim();
    if url
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '#')
    {
        return Err(UrlFault::Unreadable);
    }
    let below = if has_scheme(url) || url.starts_with("//") {
        strip_base(url, base).ok_or(UrlFault::Foreign)?
    } else if let Some(rooted) = url.strip_prefix('/') {
        // A slash at the head means the root of the server to some clients, the base to others: both are understood.
        let path = base_path(base);
        match path.is_empty() {
            false => cut(url, path).unwrap_or(rooted),
            true => rooted,
        }
    } else {
        url
    };
    let path = below.split('?').next().unwrap_or_default();
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(UrlFault::Unreadable);
    }
    Ok(below)
}

/// Whether it begins with a scheme (RFC 3986, section 3.1); a colon in a query is none.
fn has_scheme(url: &str) -> bool {
    let Some((head, _)) = url.split_once(':') else {
        return false;
    };
    head.starts_with(|c: char| c.is_ascii_alphabetic())
        && head
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// What follows the base; scheme and host compare without regard to case, the path exactly.
fn strip_base<'u>(url: &'u str, base: &str) -> Option<&'u str> {
    let origin = base.len() - base_path(base).len();
    let (head, rest) = url.split_at_checked(origin)?;
    if !head.eq_ignore_ascii_case(base.get(..origin)?) {
        return None;
    }
    cut(rest, base_path(base))
}

/// What follows a path and a slash or the end: `/fhir` does not begin `/fhirs/Task`.
fn cut<'u>(url: &'u str, path: &str) -> Option<&'u str> {
    let rest = url.strip_prefix(path)?;
    if rest.is_empty() || rest.starts_with('?') {
        return Some(rest);
    }
    rest.strip_prefix('/')
}

/// The path of the base: `/fhir` of `https://ror.example/fhir`; empty when the base has none.
fn base_path(base: &str) -> &str {
    let base = base.trim_end_matches('/');
    let Some((_, after)) = base.split_once("://") else {
        return "";
    };
    after
        .find('/')
        .and_then(|at| after.get(at..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{UrlFault, below_base};

    #[test]
    fn addresses_below_the_base() {
        const BASE: &str = "https://ror.example:8443/a/fhir";
        let below = |url: &'static str| below_base(url, BASE);
        for url in [
            "Task/12",
            " Task/12\t",
            "/Task/12",
            "/a/fhir/Task/12",
            "https://ror.example:8443/a/fhir/Task/12",
            "\u{a0}HTTPS://ROR.example:8443/a/fhir/Task/12 ",
        ] {
            assert_eq!(below(url), Ok("Task/12"), "{url}");
        }
        assert_eq!(
            below("Task?focus:Organization=1"),
            Ok("Task?focus:Organization=1")
        );
        assert_eq!(below("?_type=Task"), Ok("?_type=Task"));
        for url in [
            "https://hapi.fhir.org/baseR4/Task/1",
            "https://ror.example:8443/a/fhirs/Task/1",
            "https://ror.example:8443/A/fhir/Task/1",
            "https://ror.example/a/fhir/Task/1",
            "//ror.example:8443/a/fhir/Task/1",
            "urn:uuid:0000",
            "http:é",
        ] {
            assert_eq!(below(url), Err(UrlFault::Foreign), "{url}");
        }
        for url in [
            "Task /12",
            "Task/12#x",
            "../Task/1",
            "Task/../x",
            "Ta\u{0}sk",
        ] {
            assert_eq!(below(url), Err(UrlFault::Unreadable), "{url}");
        }
        // A base that is the root of its server.
        assert_eq!(
            below_base("https://ror.example/Task/1", "https://ror.example"),
            Ok("Task/1")
        );
        assert_eq!(below_base("/Task/1", "https://ror.example/"), Ok("Task/1"));
    }
}
