//! The little of Ethereum's binary interface that names need: <https://docs.soliditylang.org/en/latest/abi-spec.html>.

use sha3::{Digest as _, Keccak256};

/// What everything is padded to.
pub(super) const WORD_BYTES: usize = 32;
/// The address of nobody.
pub(super) const NOBODY: &str = "0x0000000000000000000000000000000000000000";

/// A name as contracts know it.
pub(super) type Node = [u8; WORD_BYTES];

/// A part of a question: the first four bytes of a function's digest, or a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Which function.
    Selector([u8; 4]),
    /// An argument, or a part of one.
    Argument([u8; WORD_BYTES]),
}

impl Word {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Selector(bytes) => bytes,
            Self::Argument(bytes) => bytes,
        }
    }
}

/// The digest of a name, label by label from its end: <https://eips.ethereum.org/EIPS/eip-137>.
pub(super) fn node(name: &str) -> Node {
    let labels = name.rsplit('.').filter(|label| !label.is_empty());
    labels.fold([0; WORD_BYTES], |above, label| {
        Keccak256::new().chain_update(above).chain_update(Keccak256::digest(label)).finalize().into()
    })
}

fn selector(function: &str) -> Word {
    let digest = Keccak256::digest(function);
    Word::Selector([digest[0], digest[1], digest[2], digest[3]])
}

/// A function's question about a name.
pub(super) fn question(function: &str, node: &Node) -> Vec<Word> {
    vec![selector(function), Word::Argument(*node)]
}

/// The question for a text of a name, by a key of at most one word.
pub(super) fn question_of_text(node: &Node, key: &str) -> Vec<Word> {
    let number = |value: usize| {
        let mut word = [0; WORD_BYTES];
        word[WORD_BYTES - 8..].copy_from_slice(&(value as u64).to_be_bytes());
        Word::Argument(word)
    };
    let mut text = [0; WORD_BYTES];
    let length = key.len().min(WORD_BYTES);
    text[..length].copy_from_slice(&key.as_bytes()[..length]);
    let mut question = question("text(bytes32,string)", node);
    // The text lies behind the two words of the arguments.
    question.extend([number(2 * WORD_BYTES), number(length), Word::Argument(text)]);
    question
}

/// As JSON-RPC spells bytes.
pub(super) fn hexadecimal(words: &[Word]) -> String {
    "0x".chars().chain(words.iter().flat_map(Word::bytes).flat_map(|byte| digits(*byte))).collect()
}

fn digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'))
}

/// The bytes that JSON-RPC spells.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.strip_prefix("0x")?.as_bytes().as_chunks::<2>() else { return None };
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect()
}

/// The address in an answer, in lower case.
pub(super) fn address(answer: &[u8]) -> Option<String> {
    let word = answer.first_chunk::<WORD_BYTES>()?;
    let (padding, address) = word.split_at(12);
    let is_address = padding.iter().all(|byte| *byte == 0);
    is_address.then(|| "0x".chars().chain(address.iter().flat_map(|byte| digits(*byte))).collect())
}

/// The text in an answer.
pub(super) fn text(answer: &[u8]) -> Option<String> {
    let number = |from: usize| -> Option<usize> {
        let word = answer.get(from..from.checked_add(WORD_BYTES)?)?;
        let (high, low) = word.split_at(WORD_BYTES - 8);
        let value = u64::from_be_bytes(low.try_into().ok()?);
        usize::try_from(value).ok().filter(|_| high.iter().all(|byte| *byte == 0))
    };
    let from = number(0)?;
    let begin = from.checked_add(WORD_BYTES)?;
    let text = answer.get(begin..begin.checked_add(number(from)?)?)?;
    String::from_utf8(text.to_vec()).ok()
}
