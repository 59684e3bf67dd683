//! Options of `/practice-admin`, as people type them.

use crate::{
    discord::{CommandError, text},
    domain::duration,
};

/// Characters of a wrong value that are shown again.
const ECHO_MAX: usize = 40;

/// Reads a duration in seconds; `off` and `0` are none.
pub fn seconds(typed: &str) -> Result<i64, CommandError> {
    let typed = typed.trim();
    if matches!(typed.to_ascii_lowercase().as_str(), "off" | "none" | "0") {
        return Ok(0);
    }
    duration::parse(typed).ok_or_else(|| CommandError::Input {
        problem: format!("“{}” is not a duration that I can read", text::escape(typed, ECHO_MAX)),
        example: "90m, 1h30 or off",
    })
}

/// Reads a duration with a sign, in seconds; without a sign it adds.
pub fn signed_seconds(typed: &str) -> Result<i64, CommandError> {
    let typed = typed.trim();
    // Keyboards write a minus in more than one way.
    let taken = typed.strip_prefix(['-', '−', '–']);
    let length = taken.or_else(|| typed.strip_prefix('+')).unwrap_or(typed);
    let seconds = duration::parse(length).ok_or_else(|| CommandError::Input {
        problem: format!("“{}” is no time to add or take", text::escape(typed, ECHO_MAX)),
        example: "+30m or -1h30",
    })?;
    Ok(if taken.is_some() { -seconds } else { seconds })
}

/// Reads a time of day as its minute.
pub fn minute(typed: &str) -> Result<i32, CommandError> {
    let number = |text: &str, most: i32| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|number| digits && *number <= most)
    };
    let typed = typed.trim();
    typed
        .split_once(':')
        .filter(|(_, minutes)| minutes.len() == 2)
        .and_then(|(hours, minutes)| Some(number(hours, 23)? * 60 + number(minutes, 59)?))
        .ok_or_else(|| CommandError::Input {
            problem: format!("“{}” is not a time of day", text::escape(typed, ECHO_MAX)),
            example: "/practice-admin post period:weekly when:09:00",
        })
}

/// A time as people read it; none is `off`.
pub fn length(seconds: i64) -> String {
    if seconds == 0 { "off".to_owned() } else { duration::format(seconds) }
}

/// Hours and minutes, as boards and sums show them.
pub fn hours(seconds: i64) -> String {
    format!("{}h {:02}m", seconds.div_euclid(3_600), seconds.rem_euclid(3_600) / 60)
}

/// A difference with its sign.
pub fn difference(seconds: i64) -> String {
    let sign = if seconds < 0 { "−" } else { "+" };
    format!("{sign}{}", duration::format(seconds.saturating_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_read() {
        for (typed, expected) in [("+30m", 1_800), ("-1h30", -5_400), ("− 10s", -10), ("2h", 7_200)] {
            assert_eq!(signed_seconds(typed).unwrap(), expected, "{typed}");
        }
        for typed in ["", "-", "1", "--1h", "an hour"] {
            assert!(signed_seconds(typed).is_err(), "{typed}");
        }
        assert_eq!((seconds("Off").unwrap(), seconds("0").unwrap(), seconds("15m").unwrap()), (0, 0, 900));
        assert_eq!((minute("9:05").unwrap(), minute(" 23:59").unwrap()), (545, 1_439));
        for typed in ["24:00", "9", "9:5", "-1:00", "09:60"] {
            assert!(minute(typed).is_err(), "{typed}");
        }
        assert_eq!((difference(-90).as_str(), hours(90_061).as_str()), ("−1m 30s", "25h 01m"));
    }
}
