//! Medians of several rounds, and how they are shown.

use std::collections::BTreeMap;

/// The figures of one run: for each row and target, one number per round.
#[derive(Debug, Default)]
pub struct Figures {
    rounds: BTreeMap<(String, String), Vec<f64>>,
}

impl Figures {
    /// Adds a round.
    pub fn add(&mut self, row: &str, target: &str, value: f64) {
        self.rounds.entry((row.to_owned(), target.to_owned())).or_default().push(value);
    }

    /// The median of a target's rounds.
    pub fn median(&self, row: &str, target: &str) -> Option<f64> {
        median(self.rounds.get(&(row.to_owned(), target.to_owned()))?)
    }

    /// The median over the rounds of one target divided by another of the same round, with the lowest and highest:
    /// what disturbs the machine disturbs both.
    pub fn ratio(&self, row: &str, target: &str, other: &str) -> Option<(f64, f64, f64)> {
        let ours = self.rounds.get(&(row.to_owned(), target.to_owned()))?;
        let theirs = self.rounds.get(&(row.to_owned(), other.to_owned()))?;
        let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        let lowest = ratios.iter().copied().reduce(f64::min)?;
        let highest = ratios.iter().copied().reduce(f64::max)?;
        Some((median(&ratios)?, lowest, highest))
    }
}

/// The middle value; of an even number, the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

/// The value below which `percent` of the sorted values lie.
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
}

/// Prints a row of a Markdown table.
pub fn print_row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

/// Prints the head of a Markdown table.
pub fn print_head(names: &[&str]) {
    println!("| {} |\n|{}", names.join(" | "), "---|".repeat(names.len()));
}

/// Prints a line.
pub fn print_line(line: &str) {
    println!("{line}");
}
