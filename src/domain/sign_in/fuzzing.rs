//! What must hold of any text that a stranger sends: for the fuzz targets in `fuzz/`, and for tests with random texts.

use std::net::IpAddr;

use chrono::DateTime;
use ipnet::IpNet;

use super::{Message, Origin};
use crate::{
    domain::{SigningKeys, access_token, api_key},
    secret::Secret,
};

/// A message is written exactly as it was read.
pub fn message(text: &str) {
    if let Ok(read) = Message::parse(text) {
        assert_eq!(read.to_string(), text, "it is written in another way");
        let _ = read.check_times(DateTime::UNIX_EPOCH);
        let _ = (Origin::of_domain(read.scheme, read.domain), Origin::of_uri(read.uri));
    }
}

/// Nobody who lacks the secret makes a token.
pub fn token(text: &str) {
    let keys = SigningKeys::new(&Secret::new("a secret that nobody can guess, of 32 bytes and more"), None);
    assert!(access_token::read(&keys, text, DateTime::UNIX_EPOCH).is_err(), "it opens");
}

/// The first line is an allowed origin, the second one a domain, the third one a URI: whatever is allowed is that host,
/// or lies under its dot.
pub fn origin(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let (Some(entry), Some(domain)) = (lines.next(), lines.next()) else { return };
    let Ok(entries) = api_key::origins(&[entry.to_owned()]) else { return };
    let found = [Origin::of_domain(None, domain), lines.next().and_then(Origin::of_uri)];
    for origin in found.into_iter().flatten().filter(|origin| origin.is_allowed(&entries)) {
        let (allowed, host) = (without_port(&entries[0]), origin.host());
        match allowed.strip_prefix("*.") {
            Some(under) => assert!(host.ends_with(&format!(".{under}")), "{host} is not under {under}"),
            None => assert_eq!(host, allowed),
        }
        assert!(!host.contains(['@', '/', '\\', '?', '#', '%']), "{host} is no host");
    }
}

fn without_port(entry: &str) -> &str {
    match entry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => entry,
    }
}

/// The first line is a network, the second one an address: it lies within exactly if its first bits are the same.
pub fn network(text: &str) {
    let Some((network, address)) = text.split_once('\n') else { return };
    let Ok(networks) = api_key::networks(&[network.to_owned()]) else { return };
    let Ok(address) = address.parse::<IpAddr>() else { return };
    let address = address.to_canonical();
    let found = networks[0].contains(&address);
    let expected = match (networks[0], address) {
        (IpNet::V4(network), IpAddr::V4(address)) => {
            same_bits(network.network().to_bits().into(), address.to_bits().into(), 32 - network.prefix_len())
        }
        (IpNet::V6(network), IpAddr::V6(address)) => {
            same_bits(network.network().to_bits(), address.to_bits(), 128 - network.prefix_len())
        }
        _ => false,
    };
    assert_eq!(found, expected, "{network} and {address}");
}

/// Whether two numbers are the same but for their last bits.
fn same_bits(one: u128, other: u128, last: u8) -> bool {
    let cut = |number: u128| number.checked_shr(last.into()).unwrap_or(0);
    cut(one) == cut(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_message_or_none(text in "\\PC{0,300}") {
            message(&text);
        }

        #[test]
        fn no_text_is_a_token(text in "\\PC{0,200}", parts in "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,50}") {
            token(&text);
            token(&parts);
        }

        #[test]
        fn origins_fit_whole_labels(
            entry in "(\\*\\.)?[a-c]{1,2}(\\.[a-c]{1,2}){0,2}(:[1-9]{1,2})?",
            domain in "([a-c]{0,2}[.@:]?){0,4}(:[1-9]{1,2})?\\.?",
            uri in "https?://([a-c]{0,2}[.@:/\\\\#]?){0,5}(:[1-9]{1,2})?[/?#]?[a-c.]{0,4}",
        ) {
            origin(&format!("{entry}\n{domain}\n{uri}"));
        }

        #[test]
        fn any_texts_are_origins_or_none(text in "\\PC{0,40}\\n\\PC{0,40}\\n\\PC{0,40}") {
            origin(&text);
        }

        #[test]
        fn networks_hold_what_has_their_bits(bits: u32, prefix in 0_u8..=32, flip in 0_u32..33) {
            let one = std::net::Ipv4Addr::from_bits(bits);
            let other = std::net::Ipv4Addr::from_bits(bits ^ 1_u32.checked_shl(flip).unwrap_or(0));
            network(&format!("{one}/{prefix}\n{other}"));
            network(&format!("{one}\n::ffff:{other}"));
            network(&format!("::ffff:{one}/{}\n{other}", 96 + prefix));
        }

        #[test]
        fn wide_networks_hold_what_has_their_bits(bits: u128, prefix in 0_u8..=128, flip in 0_u32..129) {
            let one = std::net::Ipv6Addr::from_bits(bits);
            let other = std::net::Ipv6Addr::from_bits(bits ^ 1_u128.checked_shl(flip).unwrap_or(0));
            network(&format!("{one}/{prefix}\n{other}"));
        }

        #[test]
        fn any_texts_are_networks_or_none(text in "\\PC{0,40}\\n\\PC{0,40}") {
            network(&text);
        }
    }
}
