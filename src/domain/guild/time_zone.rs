//! Names of time zones: reading them, suggesting them.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::GuildRefusal;

/// Most names that Discord shows at once.
const CHOICES_MAX: usize = 25;
/// Most names offered for a wrong one.
const NEAREST_MAX: usize = 3;
/// How alike a name must be to be offered, from 0 to 1.
const LIKENESS_MIN: f64 = 0.75;

/// Where most people live, offered before anything is typed.
const COMMON: [&str; CHOICES_MAX] = [
    "UTC",
    "America/Argentina/Buenos_Aires",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Toronto",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "Asia/Dubai",
    "Asia/Jakarta",
    "Asia/Kolkata",
    "Asia/Manila",
    "Asia/Seoul",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Moscow",
    "Europe/Paris",
];

/// Reads an IANA name in any case; refuses others and offers the nearest.
pub(in crate::domain) fn parse(name: &str) -> Result<Tz, GuildRefusal> {
    let spelled = normal(name);
    let found = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&spelled));
    found.copied().ok_or_else(|| GuildRefusal::UnknownTimeZone {
        name: name.chars().take(64).collect(),
        nearest: nearest(&spelled),
    })
}

fn normal(name: &str) -> String {
    name.trim().replace(' ', "_")
}

/// The last part, as people name a city.
fn city(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn nearest(wrong: &str) -> Vec<&'static str> {
    let wrong = wrong.to_ascii_lowercase();
    if wrong.len() > 64 {
        return Vec::new();
    }
    let likeness = |name: &str| {
        let name = name.to_ascii_lowercase();
        let whole = strsim::normalized_damerau_levenshtein(&wrong, &name);
        let part = strsim::normalized_damerau_levenshtein(city(&wrong), city(&name));
        // The same city under another continent is the commonest mistake after a slip of the finger.
        whole.max(part * 0.98)
    };
    let mut ranked: Vec<(f64, &'static str)> = TZ_VARIANTS
        .iter()
        .map(|zone| (likeness(zone.name()), zone.name()))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    ranked.into_iter().take(NEAREST_MAX).map(|(_, name)| name).collect()
}

/// At most 25 names for what somebody has typed so far: those that start with it first, then those that hold it.
pub fn time_zone_choices(typed: &str) -> Vec<&'static str> {
    let typed = normal(typed).to_ascii_lowercase();
    if typed.is_empty() {
        return COMMON.to_vec();
    }
    let mut ranked: Vec<(u8, &'static str)> = TZ_VARIANTS
        .iter()
        .filter_map(|zone| {
            let name = zone.name().to_ascii_lowercase();
            let rank = match () {
                () if name.starts_with(&typed) => 0,
                () if city(&name).starts_with(&typed) => 1,
                () if name.contains(&typed) => 2,
                () => return None,
            };
            Some((rank, zone.name()))
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(CHOICES_MAX).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(name: &str) -> Vec<&'static str> {
        match parse(name) {
            Err(GuildRefusal::UnknownTimeZone { nearest, .. }) => nearest,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!(parse("Europe/Berlin").unwrap(), Tz::Europe__Berlin);
        assert_eq!(parse(" europe/berlin ").unwrap(), Tz::Europe__Berlin);
        assert_eq!(parse("america/new york").unwrap(), Tz::America__New_York);
    }

    #[test]
    fn typos_are_answered_with_the_nearest_names() {
        assert_eq!(offered("Europe/Berlni")[0], "Europe/Berlin");
        assert_eq!(offered("Berlin")[0], "Europe/Berlin");
        assert_eq!(offered("Asia/Calcuta")[0], "Asia/Calcutta");
        assert_eq!(offered("US/Berlin")[0], "Europe/Berlin");
        assert!(offered("Middle-earth/Minas_Tirith").is_empty());
        assert!(offered(&"x".repeat(500)).is_empty());
    }

    #[test]
    fn choices_prefer_beginnings() {
        assert_eq!(time_zone_choices("").len(), 25);
        assert!(COMMON.iter().all(|name| parse(name).is_ok()));
        assert_eq!(time_zone_choices("europe/be")[..3], ["Europe/Belfast", "Europe/Belgrade", "Europe/Berlin"]);
        assert_eq!(time_zone_choices("berl"), ["Europe/Berlin"]);
        assert_eq!(time_zone_choices("new york"), ["America/New_York"]);
        assert!(time_zone_choices("a").len() <= 25);
        assert!(time_zone_choices("zzz").is_empty());
    }
}
