//! The last guard: known secrets and the tokens in Discord's addresses are masked in finished lines.

use std::io::{self, Write};
use std::sync::Arc;

use tracing_subscriber::fmt::MakeWriter;

/// Shorter texts are no secrets worth masking and would tear holes into ordinary words.
const MASKED_CHARACTERS_MIN: usize = 8;

/// Address parts after which an id and then a token follow.
const TOKEN_PATHS: [&str; 2] = ["/webhooks/", "/interactions/"];

/// What to mask.
#[derive(Clone, Default)]
pub(super) struct Mask {
    texts: Arc<[String]>,
}

impl Mask {
    pub(super) fn new(texts: Vec<String>) -> Self {
        let mut texts: Vec<String> =
            texts.into_iter().filter(|text| text.chars().count() >= MASKED_CHARACTERS_MIN).collect();
        // As `Debug`, JSON, and `Debug` inside JSON write them: quotes and backslashes differ.
        let debugged = texts.iter().map(|text| inner(&format!("{text:?}")));
        texts.extend(debugged.collect::<Vec<_>>());
        let json = texts.iter().map(|text| inner(&serde_json::Value::from(text.as_str()).to_string()));
        texts.extend(json.collect::<Vec<_>>());
        texts.sort_unstable();
        texts.dedup();
        // The longest first, so that an address goes before the password in it.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self { texts: texts.into() }
    }

    fn apply(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for text in self.texts.iter() {
            if line.contains(text) {
                line = line.replace(text, "***");
            }
        }
        for path in TOKEN_PATHS {
            line = without_tokens(&line, path);
        }
        line
    }
}

/// What stands between the quotes.
fn inner(quoted: &str) -> String {
    quoted[1..quoted.len() - 1].to_owned()
}

/// Masks the token of each `{path}{id}/{token}` in a line.
fn without_tokens(line: &str, path: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(path) {
        let (before, after) = rest.split_at(at + path.len());
        shown.push_str(before);
        let id = after.find(|character: char| !character.is_ascii_digit());
        let (id, after) = after.split_at(id.unwrap_or(after.len()));
        shown.push_str(id);
        rest = after;
        if let Some(token) = after.strip_prefix('/').filter(|_| !id.is_empty()) {
            let end = token.find(|character: char| {
                !character.is_ascii_alphanumeric() && !matches!(character, '-' | '_' | '.' | '~' | '%')
            });
            let end = end.unwrap_or(token.len());
            shown.push_str(if end == 0 { "/" } else { "/***" });
            rest = &token[end..];
        }
    }
    shown.push_str(rest);
    shown
}

/// A writer for logs that masks each event before it leaves.
pub(super) struct Masked<W> {
    inner: W,
    mask: Mask,
}

impl<W> Masked<W> {
    pub(super) fn new(inner: W, mask: Mask) -> Self {
        Self { inner, mask }
    }
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Masked<W> {
    type Writer = MaskedWriter<'a, W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        MaskedWriter { inner: self.inner.make_writer(), mask: &self.mask }
    }
}

/// One event's writer; tracing-subscriber hands it the whole line at once.
pub(super) struct MaskedWriter<'a, W> {
    inner: W,
    mask: &'a Mask,
}

impl<W: Write> Write for MaskedWriter<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let masked = self.mask.apply(&String::from_utf8_lossy(line));
        self.inner.write_all(masked.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
