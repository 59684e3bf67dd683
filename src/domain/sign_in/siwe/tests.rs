use proptest::prelude::*;

use super::*;
use crate::domain::{sign_in::SignInRefusal, testing::wallet::Wallet};

const ADDRESS: &str = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";

fn message(rest: &str) -> String {
    format!("cartel.sh wants you to sign in with your Ethereum account:\n{ADDRESS}\n{rest}")
}

const FULL: &str = "\nI accept the terms: https://cartel.sh/tos\n\nURI: https://cartel.sh/login\nVersion: 1\nChain ID: 1\n\
    Nonce: 32891757\nIssued At: 2021-09-30T16:25:24.000Z\nExpiration Time: 2021-09-30T16:35:24Z\n\
    Not Before: 2021-09-30T16:25:24+02:00\nRequest ID: some-id_1%20\nResources:\n- ipfs://Qm/\n- https://x.org/a#b";
const BARE: &str =
    "\n\nURI: https://cartel.sh\nVersion: 1\nChain ID: 1\nNonce: abcdefgh\nIssued At: 2021-09-30T16:25:24Z";

#[test]
fn a_message_says_all_that_the_standard_names() {
    let text = message(FULL);
    let read = Message::parse(&text).unwrap();
    assert_eq!((read.scheme, read.domain, read.chain_id, read.nonce), (None, "cartel.sh", 1, "32891757"));
    assert_eq!(read.address().checksummed(), ADDRESS);
    assert_eq!(read.statement, Some("I accept the terms: https://cartel.sh/tos"));
    assert_eq!((read.uri, read.request_id), ("https://cartel.sh/login", Some("some-id_1%20")));
    assert_eq!(read.resources, ["ipfs://Qm/", "https://x.org/a#b"]);
    assert_eq!(read.issued_at.at.timestamp(), 1_633_019_124);
    assert_eq!(read.not_before.unwrap().at.timestamp(), 1_633_019_124 - 7_200);
    assert_eq!(read.to_string(), text);
    let bare = format!("https://{}", message(BARE));
    let read = Message::parse(&bare).unwrap();
    assert_eq!((read.scheme, read.statement, read.expiration_time), (Some("https"), None, None));
    assert_eq!(read.to_string(), bare);
}

/// Each of these is one change away from a right message.
#[test]
fn what_breaks_the_grammar_is_no_message() {
    let full = message(FULL);
    for (from, to) in [
        ("cartel.sh wants", " wants"),
        ("cartel.sh wants", "car tel.sh wants"),
        ("cartel.sh wants", "cärtel.sh wants"),
        ("cartel.sh wants", "1s://cartel.sh wants"),
        ("cartel.sh wants", "cartel.sh/x wants"),
        ("wants you", "Wants you"),
        ("account:", "account"),
        ("0xC02", "0XC02"),
        ("0xC02", "C02"),
        ("0xC02", "0xc02"),
        ("Cc2", "Cc"),
        ("Cc2", "Cc2f"),
        ("Cc2\n", "Cc2 \n"),
        ("I accept", "I\taccept"),
        ("I accept", "I \u{202e}accept"),
        ("I accept", "I \"accept"),
        ("I accept", "I\n\naccept"),
        ("tos\n\nURI", "tos\nURI"),
        ("URI: ", "URI:"),
        ("URI: ", "Uri: "),
        ("URI: https://cartel.sh/login", "URI: /login"),
        ("URI: https://cartel.sh/login", "URI: https://cartel.sh/%zz"),
        ("URI: https://cartel.sh/login", "URI: https://cartel.sh/a b"),
        ("URI: https://cartel.sh/login", "URI: https://cartel.sh/#a#b"),
        ("Version: 1", "Version: 2"),
        ("Version: 1", "Version: 01"),
        ("Chain ID: 1", "Chain ID: "),
        ("Chain ID: 1", "Chain ID: -1"),
        ("Chain ID: 1", "Chain ID: +1"),
        ("Chain ID: 1", "Chain ID: 99999999999999999999"),
        ("Nonce: 32891757", "Nonce: 3289175"),
        ("Nonce: 32891757", "Nonce: 32891-57"),
        ("2021-09-30T16:25:24.000Z", "2021-09-30 16:25:24.000Z"),
        ("2021-09-30T16:25:24.000Z", "2021-09-30T16:25:24.000"),
        ("2021-09-30T16:25:24.000Z", "2021-09-30T16:25:24.Z"),
        ("2021-09-30T16:25:24.000Z", "2021-09-31T16:25:24.000Z"),
        ("2021-09-30T16:25:24.000Z", "2021-09-30T25:25:24.000Z"),
        ("2021-09-30T16:25:24.000Z", "2021-9-30T16:25:24.000Z"),
        ("2021-09-30T16:25:24.000Z", "1633019124"),
        ("Expiration Time: 2021-09-30T16:35:24Z", "Expiration Time: never"),
        ("Expiration Time: 2021-09-30T16:35:24Z\n", "\n"),
        ("Request ID: some-id_1%20", "Request ID: some id"),
        ("Resources:\n", "Resources: \n"),
        ("Resources:\n", ""),
        ("- ipfs://Qm/", "-ipfs://Qm/"),
        ("- ipfs://Qm/", "- Qm"),
        ("a#b", "a#b\n"),
        ("\nURI", "\r\nURI"),
    ] {
        let broken = full.replacen(from, to, 1);
        assert_ne!(broken, full, "{from:?} is not in the message");
        let refusal = Message::parse(&broken).map(drop).unwrap_err();
        assert!(matches!(refusal, SignInRefusal::Unreadable(_)), "{from:?} {to:?}");
    }
    for text in ["", "\n", "x", &full[1..full.len() / 2], &"x".repeat(MESSAGE_BYTES_MAX + 1)] {
        assert!(Message::parse(text).is_err(), "{text:?}");
    }
    // The lines at the end have an order.
    let swapped = message(BARE) + "\nNot Before: 2021-09-30T16:25:24Z\nExpiration Time: 2021-09-30T16:35:24Z";
    assert!(Message::parse(&swapped).is_err());
}

/// D23: no message is good for long, and none from the future is.
#[test]
fn times_are_bounded() {
    let now: DateTime<Utc> = "2026-01-05T12:00:00Z".parse().unwrap();
    let with = |lines: &str| {
        let text = message(&format!(
            "\n\nURI: https://cartel.sh\nVersion: 1\nChain ID: 1\nNonce: abcdefgh\nIssued At: {lines}"
        ));
        Message::parse(&text).unwrap().check_times(now)
    };
    for (lines, outcome) in [
        ("2026-01-05T12:00:00Z", Ok(())),
        ("2026-01-05T11:50:00Z", Ok(())),
        ("2026-01-05T12:01:00Z", Ok(())),
        ("2026-01-05T13:00:00+01:00", Ok(())),
        ("2026-01-05T11:49:59Z", Err(SignInRefusal::Expired)),
        ("2026-01-05T11:00:00Z", Err(SignInRefusal::Expired)),
        ("2016-01-05T12:00:00Z", Err(SignInRefusal::Expired)),
        ("2026-01-05T12:01:01Z", Err(SignInRefusal::NotYetValid)),
        ("2026-01-05T12:02:00Z", Err(SignInRefusal::NotYetValid)),
        ("2026-01-05T12:00:00Z\nExpiration Time: 2026-01-05T12:00:01Z", Ok(())),
        ("2026-01-05T12:00:00Z\nExpiration Time: 2026-01-06T12:00:00Z", Ok(())),
        ("2026-01-05T12:00:00Z\nExpiration Time: 2026-01-05T12:00:00Z", Err(SignInRefusal::Expired)),
        ("2026-01-05T12:00:00Z\nExpiration Time: 2026-01-06T12:00:01Z", Err(SignInRefusal::TooLong)),
        ("2026-01-05T12:00:00Z\nNot Before: 2026-01-05T12:00:00Z", Ok(())),
        ("2026-01-05T12:00:00Z\nNot Before: 2026-01-05T12:00:01Z", Err(SignInRefusal::NotYetValid)),
    ] {
        assert_eq!(with(lines), outcome, "{lines}");
    }
}

/// Another implementation of the standard as witness. It reads no scheme, no address without a checksum, and lets pass
/// what the grammar forbids in statements and nonces; in all else the two agree.
#[test]
fn another_reader_agrees() {
    let (full, bare) = (message(FULL), message(BARE));
    for text in [
        full.clone(),
        bare.clone(),
        full.replace("- https", "-https"),
        full.replace("URI: https://cartel.sh/login", "URI: nothing"),
        full.replace("Version: 1", "Version: 2"),
        full.replace("Chain ID: 1", "Chain ID: x"),
        full.replace("Nonce: 32891757", "Nonce: 1"),
        full.replace("Issued At: 2021", "Issued At: x"),
        full.replace("Expiration Time: 2021", "Expiration Time: x"),
        full.replace("0xC02", "0xc02"),
        full.replace("wants you", "wants"),
        bare.replace("Version: 1\n", ""),
        String::new(),
    ] {
        assert_eq!(Message::parse(&text).is_ok(), text.parse::<siwe::Message>().is_ok(), "{text}");
    }
    let theirs: siwe::Message = full.parse().unwrap();
    let ours = Message::parse(&full).unwrap();
    assert_eq!(theirs.to_string(), ours.to_string());
    let wallet = Wallet::of(7);
    let text = full.replace(ADDRESS, &wallet.address().checksummed());
    let signed = wallet.sign(&text);
    let theirs: siwe::Message = text.parse().unwrap();
    let bytes: Vec<u8> =
        (2..signed.len()).step_by(2).map(|at| u8::from_str_radix(&signed[at..at + 2], 16).unwrap()).collect();
    assert!(theirs.verify_eip191(&bytes.try_into().unwrap()).is_ok());
}

fn right() -> impl Strategy<Value = String> {
    let time = "20[0-9]{2}-0[1-9]-[012][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]0[0-9]:[0-5][0-9])";
    (
        "(https?://)?[a-z0-9][a-z0-9.-]{0,20}(:[1-9][0-9]{0,3})?",
        proptest::option::of("[ -!#-$&-;=?-\\[\\]_a-z~]{1,40}"),
        "https?://[a-z][a-z0-9.]{0,10}(/[a-zA-Z0-9._~%20-]{0,0}[a-z]{0,9})?(\\?[a-z=&]{0,9})?",
        (0_u64.., "[a-zA-Z0-9]{8,40}", time),
        proptest::option::of(time),
        proptest::option::of(time),
        proptest::option::of("[a-zA-Z0-9._~!$&'()*+,;=:@-]{0,20}"),
        proptest::collection::vec("[a-z]{1,5}:[a-z0-9/]{0,12}", 0..4),
    )
        .prop_map(|(domain, statement, uri, (chain, nonce, issued), end, begin, id, resources)| {
            let mut text = format!("{domain}{PREAMBLE}\n{ADDRESS}\n\n");
            text.extend(statement.map(|statement| format!("{statement}\n")));
            text.extend([format!("\nURI: {uri}\nVersion: 1\nChain ID: {chain}\nNonce: {nonce}\nIssued At: {issued}")]);
            text.extend(end.map(|end| format!("\nExpiration Time: {end}")));
            text.extend(begin.map(|begin| format!("\nNot Before: {begin}")));
            text.extend(id.map(|id| format!("\nRequest ID: {id}")));
            if !resources.is_empty() {
                text += "\nResources:";
            }
            text.extend(resources.iter().map(|resource| format!("\n- {resource}")));
            text
        })
}

proptest! {
    #[test]
    fn what_is_read_is_written_the_same(text in right()) {
        let read = Message::parse(&text);
        prop_assert!(read.is_ok(), "{:?}", read);
        prop_assert_eq!(read.unwrap().to_string(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        if let Ok(read) = Message::parse(&text) {
            prop_assert_eq!(read.to_string(), text);
        }
    }

    /// One character away from a right message.
    #[test]
    fn a_damaged_message_is_never_misread(text in right(), at in any::<prop::sample::Index>(), by in any::<char>()) {
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        characters[at] = by;
        let damaged: String = characters.into_iter().collect();
        if let Ok(read) = Message::parse(&damaged) {
            prop_assert_eq!(read.to_string(), damaged);
        }
    }
}
