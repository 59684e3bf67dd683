//! Figures as bars, and the same as text: both are made of the same lines.

use chrono::{Datelike as _, NaiveDate};

use crate::{
    chart::Bars,
    discord::text,
    domain::{
        duration,
        practice::{Bar, Dates, Grain, Report},
    },
};

/// Longest description of a picture.
const DESCRIPTION_MAX: usize = 1_000;
/// More days than these are named by their date alone.
const NAMED_DAYS_MAX: usize = 10;

/// Name of the picture's file, by which the card finds it.
pub(super) const FILE: &str = "practice.png";

/// The report's bars as a picture; none where nothing was practised.
pub(super) fn bars(report: &Report, title: String) -> Option<Bars> {
    if report.bars.iter().all(|bar| bar.seconds <= 0) {
        return None;
    }
    let present = report.bars.iter().rposition(|bar| bar.first <= report.today);
    let is_now = report.dates.last >= report.today;
    Some(Bars {
        title,
        labels: report.bars.iter().map(|bar| label(report, bar.first)).collect(),
        seconds: report.bars.iter().map(|bar| bar.seconds).collect(),
        present: present.filter(|_| is_now),
    })
}

/// Each bar with something in it.
pub(super) fn lines(report: &Report) -> impl Iterator<Item = String> {
    let filled = report.bars.iter().filter(|bar| bar.seconds > 0);
    filled.map(|Bar { first, seconds }| format!("{}: {}", name(report.grain, *first), duration::format(*seconds)))
}

/// What a picture shows, for those who do not see it.
pub(super) fn description(report: &Report, title: &str) -> String {
    let lines: Vec<String> = lines(report).collect();
    text::bounded(&format!("Bars, {title}. {}", lines.join(", ")), DESCRIPTION_MAX)
}

fn label(report: &Report, first: NaiveDate) -> String {
    let format = match report.grain {
        Grain::Day if report.bars.len() <= NAMED_DAYS_MAX => "%a %-d",
        Grain::Day => "%-d",
        Grain::Month if report.dates.first.year() == report.dates.last.year() => "%b",
        Grain::Month => "%b %y",
        Grain::Year => "%Y",
    };
    first.format(format).to_string()
}

fn name(grain: Grain, first: NaiveDate) -> String {
    let format = match grain {
        Grain::Day => "%a %-d %b",
        Grain::Month => "%b %Y",
        Grain::Year => "%Y",
    };
    first.format(format).to_string()
}

/// `16 to 22 Nov 2026`.
pub(super) fn dates(dates: Dates) -> String {
    let Dates { first, last } = dates;
    let end = last.format("%-d %b %Y");
    if first == last {
        end.to_string()
    } else if (first.year(), first.month()) == (last.year(), last.month()) {
        format!("{} to {end}", first.format("%-d"))
    } else if first.year() == last.year() {
        format!("{} to {end}", first.format("%-d %b"))
    } else {
        format!("{} to {end}", first.format("%-d %b %Y"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_read_well() {
        let said =
            |first: &str, last: &str| dates(Dates { first: first.parse().unwrap(), last: last.parse().unwrap() });
        assert_eq!(said("2026-11-22", "2026-11-22"), "22 Nov 2026");
        assert_eq!(said("2026-11-16", "2026-11-22"), "16 to 22 Nov 2026");
        assert_eq!(said("2026-11-30", "2026-12-06"), "30 Nov to 6 Dec 2026");
        assert_eq!(said("2025-12-29", "2026-01-04"), "29 Dec 2025 to 4 Jan 2026");
    }
}
