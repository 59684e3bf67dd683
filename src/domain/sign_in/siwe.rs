//! Messages of Sign-In with Ethereum, read strictly after the grammar of <https://eips.ethereum.org/EIPS/eip-4361>.
//!
//! Invariant: a message is written exactly as it was read, so that what was checked is what was signed.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::{refusal::SignInRefusal, signature::Address};

/// Longest message in bytes.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// Fewest characters of a nonce.
const NONCE_CHARACTERS_MIN: usize = 8;
/// How long ago a message may have been issued.
const AGE_MAX: TimeDelta = TimeDelta::minutes(10);
/// What clocks may differ by.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// How far away the end of a message may be.
const LIFE_MAX: TimeDelta = TimeDelta::hours(24);

const PREAMBLE: &str = " wants you to sign in with your Ethereum account:";

/// A moment and how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment<'a> {
    text: &'a str,
    /// The moment.
    pub at: DateTime<Utc>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The scheme of the origin that asks, where it is said.
    pub scheme: Option<&'a str>,
    /// The authority that asks.
    pub domain: &'a str,
    address: &'a str,
    /// What the person agrees to.
    pub statement: Option<&'a str>,
    /// What the sign-in is for.
    pub uri: &'a str,
    chain: &'a str,
    /// The chain that the account is on.
    pub chain_id: u64,
    /// What makes the message unique.
    pub nonce: &'a str,
    /// When it was made.
    pub issued_at: Moment<'a>,
    /// When it ends.
    pub expiration_time: Option<Moment<'a>>,
    /// When it begins.
    pub not_before: Option<Moment<'a>>,
    /// The asker's own name for the request.
    pub request_id: Option<&'a str>,
    /// What the person wants to be looked at.
    pub resources: Vec<&'a str>,
}

/// What part of a message cannot be read.
type Fault = &'static str;

impl<'a> Message<'a> {
    /// Reads a message.
    pub fn parse(text: &'a str) -> Result<Self, SignInRefusal> {
        if text.len() > MESSAGE_BYTES_MAX {
            return Err(SignInRefusal::Unreadable("it is too long"));
        }
        read(text).map_err(SignInRefusal::Unreadable)
    }

    /// The account that signs.
    pub fn address(&self) -> Address {
        // Read once already.
        Address::parse(self.address).unwrap_or_default()
    }

    /// Refuses a message that is not good at this moment.
    pub fn check_times(&self, now: DateTime<Utc>) -> Result<(), SignInRefusal> {
        if self.issued_at.at > now + LEEWAY || self.not_before.is_some_and(|moment| moment.at > now) {
            return Err(SignInRefusal::NotYetValid);
        }
        if now - self.issued_at.at > AGE_MAX || self.expiration_time.is_some_and(|moment| moment.at <= now) {
            return Err(SignInRefusal::Expired);
        }
        if self.expiration_time.is_some_and(|moment| moment.at > now + LIFE_MAX) {
            return Err(SignInRefusal::TooLong);
        }
        Ok(())
    }
}

fn read(text: &str) -> Result<Message<'_>, Fault> {
    let mut lines = Lines(text.split('\n').peekable());
    let origin = lines.next().and_then(|line| line.strip_suffix(PREAMBLE)).ok_or("the first line")?;
    let (scheme, domain) = match origin.split_once("://") {
        Some((scheme, domain)) => (Some(scheme), domain),
        None => (None, origin),
    };
    if !scheme.is_none_or(is_scheme) {
        return Err("the scheme before the domain");
    }
    if !is_authority(domain) {
        return Err("the domain");
    }
    let address = lines.next().filter(|line| Address::parse(line).is_some()).ok_or("the address")?;
    lines.empty().ok_or("the line after the address")?;
    let statement = match lines.next() {
        Some("") => None,
        Some(line) => {
            lines.empty().ok_or("the line after the statement")?;
            Some(line)
        }
        None => return Err("the statement"),
    };
    if !statement.is_none_or(|text| text.bytes().all(|byte| is_reserved_or_unreserved(byte) || byte == b' ')) {
        return Err("the statement");
    }
    let uri = lines.tagged("URI: ").filter(|text| is_uri(text)).ok_or("the URI")?;
    lines.tagged("Version: ").filter(|text| *text == "1").ok_or("the version, which must be 1")?;
    let chain = lines.tagged("Chain ID: ").filter(|text| is_number(text)).ok_or("the chain ID")?;
    let chain_id = chain.parse().map_err(|_| "the chain ID")?;
    let nonce = lines.tagged("Nonce: ").filter(|text| is_nonce(text)).ok_or("the nonce")?;
    let issued_at = lines.tagged("Issued At: ").and_then(Moment::read).ok_or("Issued At")?;
    let expiration_time = lines.moment("Expiration Time: ", "Expiration Time")?;
    let not_before = lines.moment("Not Before: ", "Not Before")?;
    let request_id = lines.optional("Request ID: ");
    if !request_id.is_none_or(is_request_id) {
        return Err("the request ID");
    }
    let mut resources = Vec::new();
    if let Some(rest) = lines.optional("Resources:") {
        if !rest.is_empty() {
            return Err("the resources");
        }
        while let Some(line) = lines.next() {
            resources.push(line.strip_prefix("- ").filter(|text| is_uri(text)).ok_or("the resources")?);
        }
    }
    if lines.next().is_some() {
        return Err("the lines at the end");
    }
    Ok(Message {
        scheme,
        domain,
        address,
        statement,
        uri,
        chain,
        chain_id,
        nonce,
        issued_at,
        expiration_time,
        not_before,
        request_id,
        resources,
    })
}

struct Lines<'a>(std::iter::Peekable<std::str::Split<'a, char>>);

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn empty(&mut self) -> Option<()> {
        self.next().filter(|line| line.is_empty()).map(drop)
    }

    fn tagged(&mut self, tag: &str) -> Option<&'a str> {
        self.next()?.strip_prefix(tag)
    }

    /// The next line if it has the tag.
    fn optional(&mut self, tag: &str) -> Option<&'a str> {
        let rest = self.0.peek()?.strip_prefix(tag)?;
        self.0.next();
        Some(rest)
    }

    /// A moment that may be missing.
    fn moment(&mut self, tag: &str, name: Fault) -> Result<Option<Moment<'a>>, Fault> {
        self.optional(tag).map(|text| Moment::read(text).ok_or(name)).transpose()
    }
}

impl<'a> Moment<'a> {
    /// A date-time of RFC 3339, which is narrower than what chrono reads.
    fn read(text: &'a str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(19)?;
        let shape = date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => matches!(byte, b'T' | b't'),
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
        let rest = match rest.strip_prefix('.') {
            Some(fraction) => {
                let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
                Some(zone).filter(|zone| zone.len() < fraction.len())?
            }
            None => rest,
        };
        let is_zone = match rest.as_bytes() {
            [b'Z' | b'z'] => true,
            [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()),
            _ => false,
        };
        if !shape || !is_zone {
            return None;
        }
        let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
        Some(Self { text, at })
    }
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{scheme}://")?;
        }
        write!(f, "{}{PREAMBLE}\n{}\n\n", self.domain, self.address)?;
        if let Some(statement) = self.statement {
            writeln!(f, "{statement}")?;
        }
        write!(f, "\nURI: {}\nVersion: 1\nChain ID: {}\nNonce: {}", self.uri, self.chain, self.nonce)?;
        write!(f, "\nIssued At: {}", self.issued_at.text)?;
        if let Some(moment) = self.expiration_time {
            write!(f, "\nExpiration Time: {}", moment.text)?;
        }
        if let Some(moment) = self.not_before {
            write!(f, "\nNot Before: {}", moment.text)?;
        }
        if let Some(request) = self.request_id {
            write!(f, "\nRequest ID: {request}")?;
        }
        if !self.resources.is_empty() {
            f.write_str("\nResources:")?;
        }
        self.resources.iter().try_for_each(|resource| write!(f, "\n- {resource}"))
    }
}

// The grammar of RFC 3986, appendix A.

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_sub_delimiter(byte: u8) -> bool {
    b"!$&'()*+,;=".contains(&byte)
}

fn is_reserved_or_unreserved(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delimiter(byte) || b":/?#[]@".contains(&byte)
}

/// Whether all bytes are of these, or percent-encoded.
fn is_encoded(text: &str, is_plain: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_fine = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
            byte => is_plain(byte),
        };
        if !is_fine {
            return false;
        }
    }
    true
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_authority(text: &str) -> bool {
    !text.is_empty()
        && is_encoded(text, |byte| is_unreserved(byte) || is_sub_delimiter(byte) || b":@[]".contains(&byte))
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let (before_fragment, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    is_scheme(scheme)
        && is_encoded(before_fragment, |byte| is_reserved_or_unreserved(byte) && byte != b'#')
        && is_encoded(fragment, |byte| is_reserved_or_unreserved(byte) && !b"#[]".contains(&byte))
}

fn is_request_id(text: &str) -> bool {
    is_encoded(text, |byte| is_unreserved(byte) || is_sub_delimiter(byte) || b":@".contains(&byte))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_nonce(text: &str) -> bool {
    text.len() >= NONCE_CHARACTERS_MIN && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
