//! Printing that survives a reader who goes away, as `guildhall config show | head -1` does.

use std::io::{self, ErrorKind, Write};

/// Writes to standard output. A closed pipe counts as success: the reader has seen enough.
pub fn print(text: &str) -> io::Result<()> {
    print_to(&mut io::stdout().lock(), text)
}

/// Writes to standard error, where nobody can be told about a failure.
pub fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

pub(super) fn print_to(writer: &mut impl Write, text: &str) -> io::Result<()> {
    match writer.write_all(text.as_bytes()).and_then(|()| writer.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
