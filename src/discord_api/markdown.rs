//! Text from people, as it may stand in a message of ours.

/// Makes text from people inert: no mention, no link with another face, no formatting, no layout tricks.
///
/// Cut to `max` characters first, so that an escape is never cut in two.
pub fn escape(text: &str, max: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in bounded(text, max).chars() {
        match character {
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '[' | ']' | '(' | ')' | '#' | '-' | ':' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // A zero-width space behind it takes the power from every mention.
            '@' => escaped.push_str("@\u{200b}"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            _ if invisible(character) => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Controls, zero-width characters and marks that turn the direction of what follows.
fn invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

/// The text cut to `max` characters, the last of them an ellipsis where something is missing.
pub fn bounded(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_people_is_inert() {
        assert_eq!(escape("@everyone", 100), "@\u{200b}everyone");
        assert_eq!(escape("<@&1>", 100), "\\<@\u{200b}&1\\>");
        assert_eq!(escape("[x](http://y)", 100), "\\[x\\]\\(http\\://y\\)");
        assert_eq!(escape("a\u{202e}b\u{200b}c\nd", 100), "abc d");
    }

    #[test]
    fn escaping_never_leaves_half_an_escape() {
        let escaped = escape(&"`".repeat(4_000), 50);
        assert!(escaped.chars().count() <= 100 && escaped.ends_with('…'));
    }
}
