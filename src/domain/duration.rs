//! Durations as people write them: `90m`, `1h30`, `1d 6h`, `2 weeks`.

/// Seconds of each unit, largest first, with the spellings that are understood.
const UNITS: [(&str, i64, &[&str]); 5] = [
    ("w", 604_800, &["w", "week", "weeks"]),
    ("d", 86_400, &["d", "day", "days"]),
    ("h", 3_600, &["h", "hr", "hrs", "hour", "hours"]),
    ("m", 60, &["m", "min", "mins", "minute", "minutes"]),
    ("s", 1, &["s", "sec", "secs", "second", "seconds"]),
];

/// Longest text that is looked at, in bytes.
const TEXT_MAX: usize = 64;

/// Reads a duration in whole seconds; `None` for what is none.
///
/// Units stand in falling order, each at most once. A last number without a unit takes the next smaller one
/// (`1h30` is ninety minutes); a single bare number has no unit and is refused.
pub fn parse(text: &str) -> Option<i64> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let text = text.trim().to_lowercase();
    let mut rest = text.as_str();
    let mut total = 0_i64;
    let mut last_unit: Option<usize> = None;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: i64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let word = &rest[..letters];
        let unit = if word.is_empty() && rest.is_empty() {
            last_unit? + 1
        } else {
            UNITS.iter().position(|(_, _, names)| names.contains(&word))?
        };
        if last_unit.is_some_and(|last| unit <= last) {
            return None;
        }
        let (_, seconds, _) = UNITS.get(unit)?;
        total = total.checked_add(number.checked_mul(*seconds)?)?;
        last_unit = Some(unit);
        rest = rest[letters..].trim_start_matches([' ', ',']);
    }
    last_unit.map(|_| total)
}

/// Writes seconds in the shortest exact form, such as `1d 6h`.
pub fn format(seconds: i64) -> String {
    let mut rest = seconds.max(0);
    let mut parts = Vec::new();
    // Weeks only where nothing else is left: "10d" reads better than "1w 3d".
    let units = if rest % 604_800 == 0 { &UNITS[..] } else { &UNITS[1..] };
    for (name, unit, _) in units {
        if rest >= *unit {
            parts.push(format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{format, parse};

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in [
            ("90m", 5_400),
            ("1h30", 5_400),
            ("1d 6h", 108_000),
            ("1d6h", 108_000),
            ("2 weeks", 1_209_600),
            ("1 hour, 5 min", 3_900),
            ("10S", 10),
            ("1m30", 90),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", "h", "10", "1h 1h", "1m 1h", "1.5h", "-1h", "1x", "1s30", "99999999999999999999h", "९m"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn echo_reads_back(seconds in 1_i64..31_536_000) {
            prop_assert_eq!(parse(&format(seconds)), Some(seconds));
        }

        #[test]
        fn never_panics(text in "\\PC{0,80}") {
            let _ = parse(&text);
        }
    }
}
