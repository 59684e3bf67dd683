//! Which hosts a key may sign people in for.
//!
//! Invariant: hosts are compared whole, or at the dot before them: never by how a text begins or ends.

use url::{Host, Url};

/// A host, and the port that was said with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    host: String,
    port: Option<u16>,
    /// The port that is meant where none is said.
    default_port: u16,
}

impl Origin {
    /// Reads an authority, which has no name of a user, no path and no dot at its end.
    pub fn of_domain(scheme: Option<&str>, domain: &str) -> Option<Self> {
        let default_port = default_port(scheme.unwrap_or("https"))?;
        let is_plain = !domain.is_empty() && !domain.contains(['@', '/', '?', '#', '\\', '%']);
        let (host, port) = match domain.rsplit_once(':') {
            // A colon inside of brackets is part of an address.
            Some((host, port)) if !port.ends_with(']') => {
                let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
                (host, Some(port.parse().ok().filter(|port| is_number && *port != 0)?))
            }
            _ => (domain, None),
        };
        let host = Some(host).filter(|host| is_plain && !host.ends_with('.'))?;
        // The parser of URLs says what is a host, and folds its case.
        let host = Host::parse(host).ok()?.to_string();
        Some(Self { host, port, default_port })
    }

    /// The origin of an address of the web.
    pub fn of_uri(uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok()?;
        let default_port = default_port(url.scheme())?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        let host = url.host().filter(|_| is_plain)?.to_string();
        (!host.ends_with('.')).then(|| Self { host, port: url.port(), default_port })
    }

    /// The host, in lower case.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether one of the allowed hosts is this one: `host`, `host:port`, or `*.host` for all that lie under it.
    pub fn is_allowed(&self, allowed: &[String]) -> bool {
        allowed.iter().any(|entry| self.fits(entry))
    }

    fn fits(&self, entry: &str) -> bool {
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().ok()),
            _ => (entry, None),
        };
        let is_port = match port {
            Some(port) => self.port.unwrap_or(self.default_port) == port,
            None => self.port.is_none(),
        };
        let is_host = match host.strip_prefix("*.") {
            Some(under) => self.host.strip_suffix(under).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => self.host == host,
        };
        is_port && is_host
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> Vec<String> {
        ["cartel.sh", "*.x.org", "127.0.0.1:3000", "[::1]", "exact.dev:8443"].map(str::to_owned).to_vec()
    }

    /// D22: a host counts whole or under a dot; only its case is folded.
    #[test]
    fn domains_are_compared_at_labels() {
        for (domain, fits) in [
            ("cartel.sh", true),
            ("CARTEL.SH", true),
            ("a.x.org", true),
            ("a.b.x.org", true),
            ("127.0.0.1:3000", true),
            ("[::1]", true),
            ("[0:0::1]", true),
            ("exact.dev:8443", true),
            ("cartel.sh.evil.io", false),
            ("evilcartel.sh", false),
            ("evilx.org", false),
            ("x.org", false),
            (".x.org", false),
            ("a@cartel.sh", false),
            ("cartel.sh@evil.io", false),
            ("cartel.sh:8443", false),
            ("cartel.sh.", false),
            ("cartel.sh:", false),
            ("cartel.sh:+80", false),
            ("cartel.sh:0", false),
            ("cartel.sh/", false),
            ("cartel.sh%2e", false),
            ("cartel%2esh", false),
            ("www.cartel.sh", false),
            ("a.x.org:8443", false),
            ("127.0.0.1", false),
            ("2130706433:3000", true),
            ("exact.dev", false),
            ("[::1]:80", false),
            ("[::1", false),
            ("", false),
        ] {
            let origin = Origin::of_domain(None, domain);
            assert_eq!(origin.is_some_and(|origin| origin.is_allowed(&allowed())), fits, "{domain}");
        }
    }

    #[test]
    fn addresses_are_compared_as_parsed() {
        for (uri, fits) in [
            ("https://cartel.sh", true),
            ("https://cartel.sh:443/login?next=/a#b", true),
            ("http://cartel.sh", true),
            ("https://CARTEL.sh/", true),
            ("https://a.x.org/x", true),
            ("http://127.0.0.1:3000", true),
            ("https://cartel.sh.evil.com", false),
            ("https://cartel.sh@evil.com", false),
            ("https://evil.com/cartel.sh", false),
            ("https://evil.com#cartel.sh", false),
            ("https://evil.com\\@cartel.sh", false),
            ("https://user@cartel.sh", false),
            ("https://cartel.sh:8443", false),
            ("https://cartel.sh.", false),
            ("ftp://cartel.sh", false),
            ("did:key:abc", false),
            ("javascript://cartel.sh/%0aalert(1)", false),
            ("cartel.sh", false),
            ("", false),
        ] {
            let origin = Origin::of_uri(uri);
            assert_eq!(origin.is_some_and(|origin| origin.is_allowed(&allowed())), fits, "{uri}");
        }
        assert!(!Origin::of_uri("https://cartel.sh").unwrap().is_allowed(&[]));
    }

    #[test]
    fn a_port_that_is_meant_fits_one_that_is_said() {
        let allowed = ["a.dev:443".to_owned(), "b.dev:80".to_owned()];
        let fits = |scheme, domain| Origin::of_domain(scheme, domain).is_some_and(|origin| origin.is_allowed(&allowed));
        assert!(fits(None, "a.dev") && fits(Some("https"), "a.dev:443") && fits(Some("http"), "b.dev"));
        assert!(!fits(Some("http"), "a.dev") && !fits(None, "b.dev") && !fits(Some("ftp"), "a.dev"));
    }
}
