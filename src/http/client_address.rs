//! From where a request comes: the other end of the socket, unless that is a proxy of ours that says otherwise.
//!
//! Invariant: no header of a client moves its address. A proxy appends who spoke to it, so that the right-most address
//! that is no proxy of ours is the last that one of ours has seen; everything before it is the client's own word.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;

use super::server::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that limits and lists of allowed networks look at.
pub(super) fn client_address(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    // Only tests have requests without a socket.
    let peer = extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.to_canonical());
    let is_ours = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_ours(&peer) {
        return peer;
    }
    let values: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    let hops = values.iter().rev().flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let mut farthest = peer;
    for hop in hops {
        // What cannot be read was written by nobody of ours.
        let Some(address) = std::str::from_utf8(hop).ok().and_then(address_of) else { return peer };
        farthest = address;
        if !is_ours(&address) {
            break;
        }
    }
    farthest
}

/// An address as proxies write it: bare, with a port, in brackets, or both.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().or_else(|_| hop.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(peer: &str, trusted: &[&str], forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(Peer(peer.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(&extensions, &headers, &trusted).to_string()
    }

    /// D11: without a trusted proxy no header counts.
    #[test]
    fn a_stranger_cannot_name_its_address() {
        assert_eq!(seen("198.51.100.7", &[], &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(seen("198.51.100.7", &["10.0.0.0/8"], &["203.0.113.9"]), "198.51.100.7");
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_counts() {
        let seen = |forwarded: &[&str]| seen("10.0.0.1", &["10.0.0.0/8", "fd00::/8"], forwarded);
        for (forwarded, expected) in [
            (&[][..], "10.0.0.1"),
            (&["203.0.113.9"], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (&["1.1.1.1 ,203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            (&["1.1.1.1", "203.0.113.9", "10.0.0.2,10.0.0.3"], "203.0.113.9"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["2001:db8::1, fd00::2"], "2001:db8::1"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["::ffff:10.0.0.2"], "10.0.0.2"),
            (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            assert_eq!(seen(forwarded), expected, "{forwarded:?}");
        }
    }

    #[test]
    fn garbage_falls_back_to_the_peer() {
        for forwarded in
            ["", ",", "unknown", "_hidden", "203.0.113.9,", "203.0.113.256", "203.0.113.9:x", "[::1", "a.b", "é", "1"]
        {
            assert_eq!(seen("10.0.0.1", &["10.0.0.0/8"], &[forwarded]), "10.0.0.1", "{forwarded:?}");
        }
        assert_eq!(seen("10.0.0.1", &["10.0.0.0/8"], &["203.0.113.9, garbage, 10.0.0.2"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["10.0.0.0/8"], &["garbage, 203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn a_mapped_peer_is_the_address_that_it_maps() {
        assert_eq!(seen("::ffff:10.0.0.1", &["10.0.0.0/8"], &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("::ffff:198.51.100.7", &[], &[]), "198.51.100.7");
    }
}
