//! What statistics and boards are about: as options of a command, and packed into the id of a button.

use chrono::{Datelike as _, NaiveDate};
use entity::id::{DiscordUserId, RoleId};
use serenity::all::{CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption};

use crate::{
    discord::{
        CommandError,
        component::{Press, custom_id, outdated},
    },
    domain::practice::{Dates, Metric, Period},
};

use super::AREA;

/// Longest custom id, in bytes.
const ID_MAX: usize = 100;
/// Digits of packed numbers.
const RADIX: u32 = 36;

/// How long a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub(super) enum PeriodChoice {
    /// A day.
    #[name = "day"]
    Day,
    /// A week.
    #[name = "week"]
    Week,
    /// A month.
    #[name = "month"]
    Month,
    /// A year.
    #[name = "year"]
    Year,
    /// All time.
    #[name = "all"]
    All,
    /// From one date to another.
    #[name = "custom"]
    Custom,
}

/// Which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub(super) enum MetricChoice {
    /// All of it.
    #[name = "all"]
    All,
    /// That in voice channels.
    #[name = "voice"]
    Voice,
    /// All other.
    #[name = "timer"]
    Timer,
}

impl From<MetricChoice> for Metric {
    fn from(choice: MetricChoice) -> Self {
        match choice {
            MetricChoice::All => Self::All,
            MetricChoice::Voice => Self::Voice,
            MetricChoice::Timer => Self::Timer,
        }
    }
}

/// The stretch that somebody asks for; dates are for a custom one alone.
pub(super) fn period(
    choice: PeriodChoice,
    from: Option<&str>,
    to: Option<&str>,
    example: &'static str,
) -> Result<Period, CommandError> {
    let input = |problem: String| CommandError::Input { problem, example };
    if choice != PeriodChoice::Custom && (from.is_some() || to.is_some()) {
        return Err(input("`from` and `to` go with the period custom".to_owned()));
    }
    Ok(match choice {
        PeriodChoice::Day => Period::Day,
        PeriodChoice::Week => Period::Week,
        PeriodChoice::Month => Period::Month,
        PeriodChoice::Year => Period::Year,
        PeriodChoice::All => Period::All,
        PeriodChoice::Custom => {
            let date = |text: Option<&str>| text.and_then(|text| text.trim().parse::<NaiveDate>().ok());
            let (Some(first), Some(last)) = (date(from), date(to)) else {
                return Err(input("The period custom takes two dates, `from` and `to`, year first".to_owned()));
            };
            Period::Custom(Dates { first, last })
        }
    })
}

/// The stretch and what counts: what statistics and boards have in common.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub(super) period: Period,
    /// A day of it; none is the present one.
    pub(super) day: Option<NaiveDate>,
    pub(super) metric: Metric,
    pub(super) activity: Option<String>,
}

impl Stretch {
    /// `wa.k9x2.`: period and metric, its day, its last day.
    fn packed(&self) -> String {
        let (letter, day, last) = match self.period {
            Period::Day => ('d', self.day, None),
            Period::Week => ('w', self.day, None),
            Period::Month => ('m', self.day, None),
            Period::Year => ('y', self.day, None),
            Period::All => ('a', None, None),
            Period::Custom(dates) => ('c', Some(dates.first), Some(dates.last)),
        };
        let day = day.map_or_else(String::new, packed_date);
        let last = last.map_or_else(String::new, packed_date);
        format!("{letter}{}.{day}.{last}", metric_letter(self.metric))
    }

    fn unpacked(parts: &mut std::str::Split<'_, char>, activity: String) -> Option<Self> {
        let mut letters = parts.next()?.chars();
        let (period, metric) = (letters.next()?, metric_of(letters.next()?)?);
        let day = unpacked_date(parts.next()?)?;
        let last = unpacked_date(parts.next()?)?;
        let period = match period {
            'd' => Period::Day,
            'w' => Period::Week,
            'm' => Period::Month,
            'y' => Period::Year,
            'a' => Period::All,
            'c' => Period::Custom(Dates { first: day?, last: last? }),
            _ => return None,
        };
        Some(Self { period, day, metric, activity: (!activity.is_empty()).then_some(activity) })
    }
}

/// Whose statistics.
#[derive(Clone, Debug)]
pub(super) struct PersonView {
    pub(super) person: DiscordUserId,
    /// Over all servers, not only this one.
    pub(super) is_everywhere: bool,
    pub(super) stretch: Stretch,
}

impl PersonView {
    /// The id of a button that shows this; none where it would be too long.
    pub(super) fn id(&self, verb: &str) -> Option<String> {
        let place = if self.is_everywhere { 'e' } else { 'g' };
        id(verb, &format!("{place}{}.{}", packed(self.person.get()), self.stretch.packed()), &self.stretch)
    }

    pub(super) fn of(press: &Press<'_>) -> Result<Self, CommandError> {
        let read = || {
            let mut parts = press.arguments.first()?.split('.');
            let whose = parts.next()?;
            let is_everywhere = whose.starts_with('e');
            let person = DiscordUserId::new(unpacked(whose.get(1..)?)?)?;
            Some(Self { person, is_everywhere, stretch: Stretch::unpacked(&mut parts, activity_of(press))? })
        };
        read().ok_or_else(outdated)
    }
}

/// Which page of which board.
#[derive(Clone, Debug)]
pub(super) struct BoardView {
    pub(super) page: u64,
    /// Only who has this role.
    pub(super) role: Option<RoleId>,
    pub(super) stretch: Stretch,
}

impl BoardView {
    /// The id of a button that shows this; none where it would be too long.
    pub(super) fn id(&self, verb: &str) -> Option<String> {
        let role = self.role.map_or_else(String::new, |role| format!(".{}", packed(role.get())));
        id(verb, &format!("{}.{}{role}", packed(self.page), self.stretch.packed()), &self.stretch)
    }

    pub(super) fn of(press: &Press<'_>) -> Result<Self, CommandError> {
        let read = || {
            let mut parts = press.arguments.first()?.split('.');
            let page = unpacked(parts.next()?)?;
            let stretch = Stretch::unpacked(&mut parts, activity_of(press))?;
            let role = match parts.next() {
                Some(role) => Some(RoleId::new(unpacked(role)?)?),
                None => None,
            };
            Some(Self { page, role, stretch })
        };
        read().ok_or_else(outdated)
    }
}

/// An activity stands last, because it may hold what separates the parts.
fn activity_of(press: &Press<'_>) -> String {
    press.arguments.get(1..).unwrap_or_default().join("|")
}

fn id(verb: &str, state: &str, stretch: &Stretch) -> Option<String> {
    let activity = stretch.activity.as_deref().unwrap_or_default();
    let length = AREA.len() + verb.len() + state.len() + activity.len() + "v1||||".len();
    (length <= ID_MAX).then(|| custom_id(AREA, verb, &[state, activity]))
}

/// A menu with what counts, whose choice comes with the id.
pub(super) fn metric_menu(id: String, chosen: Metric) -> CreateSelectMenu {
    let options = [
        (Metric::All, "All time that counts"),
        (Metric::Voice, "Time in voice channels"),
        (Metric::Timer, "Time by timer"),
    ];
    let option = |(metric, label): (Metric, &str)| {
        CreateSelectMenuOption::new(label, metric_letter(metric)).default_selection(metric == chosen)
    };
    CreateSelectMenu::new(id, CreateSelectMenuKind::String { options: options.into_iter().map(option).collect() })
}

/// A menu of periods, whose choice comes with the id.
pub(super) fn period_menu(id: String, chosen: Period) -> CreateSelectMenu {
    let options = [
        (Period::Day, "d", "Day"),
        (Period::Week, "w", "Week"),
        (Period::Month, "m", "Month"),
        (Period::Year, "y", "Year"),
        (Period::All, "a", "All time"),
    ];
    let option = |(period, letter, label): (Period, &str, &str)| {
        CreateSelectMenuOption::new(label, letter).default_selection(period == chosen)
    };
    CreateSelectMenu::new(id, CreateSelectMenuKind::String { options: options.into_iter().map(option).collect() })
        .placeholder("Another period")
}

/// The view with what was chosen in a menu, if the press was one.
pub(super) fn chosen(mut stretch: Stretch, press: &Press<'_>) -> Result<Stretch, CommandError> {
    let Some(value) = press.values.first() else { return Ok(stretch) };
    match (press.verb, value.as_str()) {
        ("stats_metric", letter) => {
            let letter = letter.chars().next().and_then(metric_of);
            stretch.metric = letter.ok_or_else(outdated)?;
        }
        (_, letter) => {
            stretch.period = match letter {
                "d" => Period::Day,
                "w" => Period::Week,
                "m" => Period::Month,
                "y" => Period::Year,
                "a" => Period::All,
                _ => return Err(outdated()),
            };
        }
    }
    Ok(stretch)
}

fn metric_letter(metric: Metric) -> &'static str {
    match metric {
        Metric::All => "a",
        Metric::Voice => "v",
        Metric::Timer => "t",
    }
}

fn metric_of(letter: char) -> Option<Metric> {
    match letter {
        'a' => Some(Metric::All),
        'v' => Some(Metric::Voice),
        't' => Some(Metric::Timer),
        _ => None,
    }
}

/// A number in few characters.
fn packed(number: u64) -> String {
    let (mut digits, mut rest) = (Vec::new(), number);
    loop {
        let digit = u32::try_from(rest % u64::from(RADIX)).unwrap_or(0);
        digits.extend(char::from_digit(digit, RADIX));
        rest /= u64::from(RADIX);
        if rest == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

fn unpacked(text: &str) -> Option<u64> {
    u64::from_str_radix(text, RADIX).ok()
}

fn packed_date(date: NaiveDate) -> String {
    packed(date.num_days_from_ce().unsigned_abs().into())
}

/// The inner one is none for no date, the outer one for what is no date.
#[expect(clippy::option_option, reason = "no date is not a wrong date")]
fn unpacked_date(text: &str) -> Option<Option<NaiveDate>> {
    if text.is_empty() {
        return Some(None);
    }
    let days = i32::try_from(unpacked(text)?).ok()?;
    NaiveDate::from_num_days_from_ce_opt(days).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(id: &str) -> Press<'_> {
        let mut parts = id.split('|').skip(2);
        Press { verb: parts.next().unwrap(), arguments: parts.collect(), values: Vec::new(), inputs: Vec::new() }
    }

    fn stretch(period: Period) -> Stretch {
        let activity = Some("scales | fast".to_owned());
        Stretch { period, day: "2026-11-22".parse().ok(), metric: Metric::Voice, activity }
    }

    #[test]
    fn a_button_says_all_that_it_shows() {
        let dates = Dates { first: "2026-01-01".parse().unwrap(), last: "2026-12-31".parse().unwrap() };
        for period in [Period::Day, Period::Week, Period::Month, Period::Year, Period::Custom(dates)] {
            let person = DiscordUserId::new(u64::MAX).unwrap();
            let view = PersonView { person, is_everywhere: true, stretch: stretch(period) };
            let read = PersonView::of(&press(&view.id("stats_period").unwrap())).unwrap();
            assert_eq!((read.person, read.is_everywhere), (person, true));
            assert_eq!((read.stretch.period, read.stretch.metric), (period, Metric::Voice));
            assert_eq!(read.stretch.activity.as_deref(), Some("scales | fast"));
            for role in [None, RoleId::new(u64::MAX)] {
                let board = BoardView { page: 12, role, stretch: stretch(period) };
                let read = BoardView::of(&press(&board.id("board_back").unwrap())).unwrap();
                assert_eq!((read.page, read.role, read.stretch.period), (12, role, period));
            }
        }
    }

    #[test]
    fn an_activity_of_fifty_letters_fits_and_what_does_not_fit_has_no_button() {
        let person = DiscordUserId::new(u64::MAX).unwrap();
        let named = |activity: String| {
            let stretch = Stretch { activity: Some(activity), ..stretch(Period::Week) };
            PersonView { person, is_everywhere: false, stretch }.id("stats_metric")
        };
        assert!(named("x".repeat(50)).is_some());
        assert!(named("ä".repeat(50)).is_none());
    }

    #[test]
    fn what_is_no_view_is_outdated() {
        for id in
            ["v1|practice|stats_on", "v1|practice|stats_on|x", "v1|practice|stats_on|g!.wa..", "v1|practice|x|g1.qq.."]
        {
            assert!(PersonView::of(&press(id)).is_err(), "{id}");
        }
    }
}
