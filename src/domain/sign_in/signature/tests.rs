use proptest::prelude::*;

use super::*;
use crate::domain::testing::wallet::Wallet;

/// The examples of EIP-55.
#[test]
fn checksums_are_those_of_the_standard() {
    for text in [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!(address.checksummed(), text);
        assert_eq!(address.lower_case(), text.to_lowercase());
        assert_eq!(Address::parse(&text.to_lowercase()), Some(address));
        assert_eq!(Address::parse(&text.to_uppercase().replace("0X", "0x")), Some(address));
    }
    for text in [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        "0x+aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0xäaeb6053f3e94c9b9a09f33669435e7ef1beae",
        "",
    ] {
        assert_eq!(Address::parse(text), None, "{text}");
    }
}

/// A known pair: the first account of a well-known test phrase, and what its wallet signs for a text.
#[test]
fn the_address_of_a_known_key_is_known() {
    let digits = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let key = k256::ecdsa::SigningKey::from_slice(&bytes(digits).unwrap()).unwrap();
    let address = Address::of_key(key.verifying_key());
    assert_eq!(address.checksummed(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
}

#[test]
fn a_signature_is_of_one_wallet_and_one_text() {
    let (one, other) = (Wallet::of(1), Wallet::of(2));
    let signed = one.sign("text");
    assert_eq!(check("text", &signed, one.address()), Ok(()));
    assert_eq!(check("text", &signed, other.address()), Err(SignInRefusal::WrongSignature));
    assert_eq!(check("texts", &signed, one.address()), Err(SignInRefusal::WrongSignature));
}

/// The last byte says which key it is: as wallets write it, or as the curve counts.
#[test]
fn a_signature_has_four_spellings_and_no_more() {
    let wallet = Wallet::of(3);
    let signed = wallet.sign("text");
    let (body, last) = signed.split_at(130);
    let last = u8::from_str_radix(last, 16).unwrap();
    for byte in 0..=255_u8 {
        let is_right = byte == last || byte == last - 27;
        let outcome = check("text", &format!("{body}{byte:02x}"), wallet.address());
        assert_eq!(outcome.is_ok(), is_right, "{byte}");
    }
    assert_eq!(check("text", &signed.to_uppercase().replace("0X", "0x"), wallet.address()), Ok(()));
}

/// Of the two signatures that open alike only the lower one counts.
#[test]
fn the_twin_of_a_signature_does_not_open() {
    let wallet = Wallet::of(4);
    let signed = bytes(&wallet.sign("text")[2..]).unwrap();
    // The order of the curve, from which the second number is taken.
    let order = bytes("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap();
    let mut twin = signed.clone();
    let mut borrow = 0_i16;
    for at in (0..32).rev() {
        let digit = i16::from(order[at]) - i16::from(signed[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        twin[32 + at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    twin[64] = 27 + 28 - signed[64];
    let text = format!("0x{}", hexadecimal(&twin));
    assert_eq!(check("text", &text, wallet.address()), Err(SignInRefusal::WrongSignature));
    for (numbers, what) in [([0; 64], "zero"), ([255; 64], "more than the order")] {
        let text = format!("0x{}1b", hexadecimal(&numbers));
        assert_eq!(check("text", &text, wallet.address()), Err(SignInRefusal::WrongSignature), "{what}");
    }
}

#[test]
fn what_is_no_signature_of_a_wallet_is_told_apart() {
    let wallet = Wallet::of(5);
    let signed = wallet.sign("text");
    let outcome = |text: &str| check("text", text, wallet.address());
    for text in ["", "0x0", "0xzz", &signed[2..], &format!("{signed}0"), "0xéé"] {
        assert_eq!(outcome(text), Err(SignInRefusal::UnreadableSignature), "{text}");
    }
    for text in ["0x", "0x00", &signed[..130], &format!("{signed}00"), &format!("0x{}", "ab".repeat(600))] {
        assert_eq!(outcome(text), Err(SignInRefusal::ContractWalletUnsupported), "{text}");
    }
}

proptest! {
    #[test]
    fn every_text_can_be_signed(text in "\\PC{0,80}", seed in 1_u8..=250) {
        let wallet = Wallet::of(seed);
        prop_assert_eq!(check(&text, &wallet.sign(&text), wallet.address()), Ok(()));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 65), text in "\\PC{0,20}") {
        let _ = check(&text, &format!("0x{}", hexadecimal(&bytes)), Address::default());
    }
}
