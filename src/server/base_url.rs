//! The URL under which clients know the server: its text for links, its path for routing.

use std::net::SocketAddr;

use thiserror::Error;

/// A checked base URL, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseUrl {
    text: String,
    path_start: usize,
}

/// A base URL that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "base_url {url:?} is not usable ({reason}): give an address such as https://ror.example.org/fhir"
)]
pub struct BaseUrlError {
    /// The text given.
    pub url: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl BaseUrl {
    /// Checks `url` and takes its trailing slashes off.
    pub(super) fn parse(url: &str) -> Result<Self, BaseUrlError> {
        let refuse = |reason| {
            Err(BaseUrlError {
                url: url.to_owned(),
                reason,
            })
        };
        let text = url.trim().trim_end_matches('/');
        let Some(rest) = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))
        else {
            return refuse("it must begin with http:// or https://");
        };
        if text.contains(['?', '#', '"', '<', '>', '\\']) || text.chars().any(char::is_whitespace) {
            return refuse("no query, fragment, quote or blank is allowed");
        }
        // Links and routing compare this path as text, so it has one spelling only.
        if text.contains('%') || !text.is_ascii() {
            return refuse("its path must be plain ASCII");
        }
        let authority = rest.find('/').unwrap_or(rest.len());
        if authority == 0 {
            return refuse("the host is missing");
        }
        let path_start = text.len() - rest.len() + authority;
        Ok(Self {
            text: text.to_owned(),
            path_start,
        })
    }

    /// The default for a listening address: `http://<address>/fhir`, or `https://` when it is `secure`; an unspecified
    /// host is read as this machine.
    pub(super) fn of_address(address: SocketAddr, secure: bool) -> Self {
        let host = match address.ip() {
            ip if !ip.is_unspecified() => address.to_string(),
            ip if ip.is_ipv4() => format!("127.0.0.1:{}", address.port()),
            _ => format!("[::1]:{}", address.port()),
        };
        let scheme = if secure { "https" } else { "http" };
        let path_start = scheme.len() + "://".len() + host.len();
        Self {
            text: format!("{scheme}://{host}/fhir"),
            path_start,
        }
    }

    /// The whole URL, no trailing slash.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Its path, `""` or `/…` without a trailing slash.
    pub(super) fn path(&self) -> &str {
        self.text.get(self.path_start..).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_what_follows_the_host() {
        for (url, text, path) in [
            (
                "http://127.0.0.1:8080/fhir",
                "http://127.0.0.1:8080/fhir",
                "/fhir",
            ),
            (
                "https://ror.example.org/a/b//",
                "https://ror.example.org/a/b",
                "/a/b",
            ),
            ("https://ror.example.org/", "https://ror.example.org", ""),
            ("http://[::1]:80", "http://[::1]:80", ""),
        ] {
            let base = BaseUrl::parse(url).unwrap();
            assert_eq!((base.as_str(), base.path()), (text, path));
        }
    }

    #[test]
    fn what_cannot_stand_in_a_link_is_refused() {
        for url in [
            "",
            "ror.example.org",
            "ftp://x/y",
            "http://",
            "http:///fhir",
            "http://x/y?z",
            "http://x/a b",
            "http://x/é",
            "http://x/%66",
        ] {
            assert!(BaseUrl::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_unspecified_address_is_named_as_this_machine() {
        let base = BaseUrl::of_address("0.0.0.0:9000".parse().unwrap(), false);
        assert_eq!(
            (base.as_str(), base.path()),
            ("http://127.0.0.1:9000/fhir", "/fhir")
        );
        let base = BaseUrl::of_address("[::]:9000".parse().unwrap(), true);
        assert_eq!(
            (base.as_str(), base.path()),
            ("https://[::1]:9000/fhir", "/fhir")
        );
    }
}
