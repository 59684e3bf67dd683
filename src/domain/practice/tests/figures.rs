use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::guild::{GeneralChange, set_general};

async fn board(domain: &TestDomain, query: LeaderboardQuery) -> Board {
    leaderboard(domain, &testing::root(), &query).await.unwrap()
}

fn all() -> LeaderboardQuery {
    LeaderboardQuery { limit: 100, ..LeaderboardQuery::default() }
}

/// Numbers that look random and are the same each time: <https://en.wikipedia.org/wiki/Xorshift>.
struct Lots(u64);

impl Lots {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn span(&mut self, milliseconds: u64) -> TimeDelta {
        TimeDelta::milliseconds(self.below(milliseconds).cast_signed())
    }
}

/// All five figures of everybody, which must tell one story.
async fn agree(domain: &TestDomain, people: u64) {
    let root = testing::root();
    let board = board(domain, all()).await;
    let mut sum = 0;
    for number in 1..=people {
        let (days, today_seconds) =
            (month(domain, &root, person(number), None).await.unwrap(), day(domain, number).await);
        let week = week(domain, &root, person(number), None).await.unwrap();
        let standing = board.standings.iter().find(|one| one.discord_user_id == Some(account(number)));
        let total = standing.map_or(0, |standing| standing.seconds);
        assert_eq!(split::sum(&days), total, "person {number}: month and board");
        assert_eq!(week.len(), 7);
        for (date, seconds) in &week {
            assert_eq!(days.get(date).copied().unwrap_or(0), *seconds, "person {number}, {date}");
        }
        assert_eq!(week.values().last(), Some(&today_seconds));
        assert!(days.values().all(|seconds| *seconds >= 0));
        sum += total;
    }
    assert_eq!(total_seconds(domain, &root, None).await.unwrap(), sum);
}

/// D47: after whatever happened, daily, weekly, monthly, leaderboard and total agree, open sessions included, and each
/// session counts exactly the time of its counted parts.
#[tokio::test]
async fn five_figures_agree() {
    for (seed, zone) in [(7, "Europe/Berlin"), (11, "America/St_Johns"), (13, "Pacific/Apia")] {
        let domain = testing::domain().await;
        let change = GeneralChange { time_zone: Some(zone.to_owned()), ..GeneralChange::default() };
        set_general(&domain, &testing::admin(), testing::guild(), change).await.unwrap();
        let (mut lots, people) = (Lots(seed), 4);
        for _ in 0..120 {
            let number = 1 + lots.below(people);
            let source = [SessionSource::Http, SessionSource::Command, SessionSource::Voice]
                [usize::try_from(lots.below(3)).unwrap()];
            let root = testing::root();
            // Refusals are part of what happens.
            match lots.below(6) {
                0 | 1 => drop(start(&domain, &root, new(number, source)).await),
                2 => drop(stop(&domain, &root, person(number), None).await),
                3 => drop(pause(&domain, &root, person(number)).await),
                4 => drop(resume(&domain, &root, person(number)).await),
                _ => beat(&domain).await,
            }
            domain.advance(lots.span(2 * 3_600_000));
            if lots.below(3) == 0 {
                beat(&domain).await;
            }
        }
        agree_without_bounds(&domain, people).await;
        let rows = entity::practice_session::Entity::find().all(domain.store().reader()).await.unwrap();
        assert!(rows.len() > 10, "{} sessions", rows.len());
        let counted: i64 = rows.into_iter().map(|row| SessionView::from(row).seconds).sum();
        assert_eq!(counted, total_seconds(&domain, &testing::root(), None).await.unwrap());
    }
}

/// The stretch of a random story may be longer than a month: then the days of both months together are the total.
async fn agree_without_bounds(domain: &TestDomain, people: u64) {
    let root = testing::root();
    let board = board(domain, all()).await;
    let dates = Dates { first: "2026-01-01".parse().unwrap(), last: "2026-12-31".parse().unwrap() };
    let within = self::board(domain, LeaderboardQuery { dates: Some(dates), ..all() }).await;
    assert_eq!(board.standings, within.standings, "by days and of all time");
    for number in 1..=people {
        let days = by_day(domain, &root, (person(number), None), dates).await.unwrap();
        let standing = board.standings.iter().find(|one| one.discord_user_id == Some(account(number)));
        assert_eq!(split::sum(&days), standing.map_or(0, |standing| standing.seconds), "person {number}");
        let month = month(domain, &root, person(number), None).await.unwrap();
        assert!(month.iter().all(|(date, seconds)| days[date] == *seconds && *seconds >= 0));
        let week = week(domain, &root, person(number), None).await.unwrap();
        assert!(week.iter().all(|(date, seconds)| days[date] == *seconds));
        assert_eq!(week.values().last().copied(), Some(day(domain, number).await));
    }
    let sum: i64 = board.standings.iter().map(|standing| standing.seconds).sum();
    assert_eq!(total_seconds(domain, &root, None).await.unwrap(), sum);
}

#[tokio::test]
async fn open_sessions_count_as_observed_in_all_five() {
    let domain = testing::domain().await;
    begin(&domain, 1, SessionSource::Http).await;
    begin(&domain, 2, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(7)).await;
    domain.advance(TimeDelta::seconds(59));
    agree(&domain, 2).await;
    assert_eq!((day(&domain, 1).await, day(&domain, 2).await), (420, 420));
    halt(&domain, 1).await;
    assert_eq!(day(&domain, 1).await, 479);
    agree(&domain, 2).await;
}

/// D46 through the store: a night over the change to summer time.
#[tokio::test]
async fn a_night_is_split_in_the_zone_of_its_start() {
    let domain = testing::domain().await;
    let zone = |name: &str| GeneralChange { time_zone: Some(name.to_owned()), ..GeneralChange::default() };
    set_general(&domain, &testing::admin(), testing::guild(), zone("Europe/Berlin")).await.unwrap();
    domain.advance(at("2026-03-28T21:00:00Z") - domain.now());
    begin(&domain, 1, SessionSource::Command).await;
    // A changed zone is that of the next session.
    set_general(&domain, &testing::admin(), testing::guild(), zone("Pacific/Apia")).await.unwrap();
    touch(&domain, &member(1), person(1)).await.unwrap();
    live(&domain, TimeDelta::minutes(170)).await;
    touch(&domain, &member(1), person(1)).await.unwrap();
    live(&domain, TimeDelta::minutes(70)).await;
    halt(&domain, 1).await;
    let dates = Dates { first: "2026-03-27".parse().unwrap(), last: "2026-03-30".parse().unwrap() };
    let days = by_day(&domain, &testing::root(), (person(1), None), dates).await.unwrap();
    assert_eq!(days.into_values().collect::<Vec<_>>(), [0, 7_200, 7_200, 0]);
}

#[tokio::test]
async fn boards_rank_share_hide_and_page() {
    let domain = testing::domain().await;
    for (number, seconds) in [(1, 100), (2, 300), (3, 200), (4, 200), (5, 50)] {
        begin(&domain, number, SessionSource::Http).await;
        domain.advance(TimeDelta::seconds(seconds));
        halt(&domain, number).await;
    }
    let ranks =
        |board: &Board| -> Vec<(u64, i64)> { board.standings.iter().map(|one| (one.rank, one.seconds)).collect() };
    let whole = board(&domain, LeaderboardQuery { own: Some(person(1)), ..all() }).await;
    assert_eq!(ranks(&whole), [(1, 300), (2, 200), (2, 200), (4, 100), (5, 50)]);
    assert_eq!(whole.own.map(|own| (own.rank, own.seconds)), Some((4, 100)));
    let mut paged = Vec::new();
    for offset in [0, 2, 4] {
        let page = board(&domain, LeaderboardQuery { limit: 2, offset, ..all() }).await;
        assert_eq!(page.more, offset < 4);
        paged.extend(page.standings);
    }
    assert_eq!(paged, whole.standings);
    let hidden = BTreeSet::from([whole.standings[0].user_id]);
    let without = board(&domain, LeaderboardQuery { hidden, own: Some(person(2)), ..all() }).await;
    assert_eq!((ranks(&without)[0], without.own), ((1, 200), None));
    let nobody = board(&domain, LeaderboardQuery { guild_id: guild(), ..all() }).await;
    assert_eq!(nobody, Board::default(), "none of it is the guild's");
    let voice = board(&domain, LeaderboardQuery { metric: Metric::Voice, ..all() }).await;
    let timer = board(&domain, LeaderboardQuery { metric: Metric::Timer, ..all() }).await;
    assert_eq!((voice.standings.len(), &timer.standings), (0, &whole.standings));
}

#[tokio::test]
async fn seasons_goals_and_streaks() {
    let domain = testing::domain().await;
    let (admin, guild_id) = (testing::admin(), testing::guild());
    for _ in 0..3 {
        begin(&domain, 1, SessionSource::Command).await;
        live(&domain, TimeDelta::minutes(10)).await;
        halt(&domain, 1).await;
        domain.advance(TimeDelta::days(1) - TimeDelta::minutes(10));
    }
    start_season(&domain, &admin, guild_id, "Winter".to_owned()).await.unwrap();
    assert_eq!(code(start_season(&domain, &admin, guild_id, "Again".to_owned()).await), "practice.season_runs");
    begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(20)).await;
    halt(&domain, 1).await;
    let (_, dates) = current_season(&domain, &admin, guild_id).await.unwrap().expect("one runs");
    let season = board(&domain, LeaderboardQuery { guild_id: guild(), dates: Some(dates), ..all() }).await;
    assert_eq!(season.standings[0].seconds, 1_200);
    end_season(&domain, &admin, guild_id).await.unwrap();
    assert_eq!(code(end_season(&domain, &admin, guild_id).await), "practice.no_season");
    let streak = streaks(&domain, &member(1), person(1), guild()).await.unwrap();
    assert_eq!(streak, Streak { current: 4, longest: 4 });
    let goal = entity::practice_goal::GoalPeriod::Week;
    set_goal(&domain, &member(1), (person(1), guild()), goal, 3_600).await.unwrap();
    let (summary, goals) = goals(&domain, &member(1), (person(1), guild())).await.unwrap();
    assert_eq!((goals[0].goal.seconds, goals[0].seconds), (3_600, 3_000));
    assert_eq!((summary.day_seconds, summary.total_seconds), (1_200, 3_000));
    clear_goal(&domain, &member(1), (person(1), guild()), goal).await.unwrap();
    let left = super::goals(&domain, &member(1), (person(1), guild())).await.unwrap().1;
    assert_eq!(left, []);
}

#[tokio::test]
async fn histories_and_exports_come_in_pages() {
    let domain = testing::domain().await;
    for index in 0..5 {
        let note = Some(format!("note {index}"));
        let new = NewSession { note, is_private: index == 0, ..new(1, SessionSource::Command) };
        start(&domain, &member(1), new).await.unwrap();
        live(&domain, TimeDelta::seconds(10)).await;
        halt(&domain, 1).await;
    }
    let mut seen = BTreeMap::new();
    let mut next = None;
    loop {
        let page = history(&domain, &member(1), (person(1), guild()), next, 2).await.unwrap();
        seen.extend(page.sessions.into_iter().map(|view| (view.row.id, view.row.note)));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    let others = history(&domain, &member(2), (person(1), guild()), None, 10).await.unwrap();
    assert_eq!(others.sessions.len(), 4, "the private one is not shown");
    let (rows, next) = export_page(&domain, &testing::admin(), (None, guild()), None).await.unwrap();
    assert_eq!((rows.len(), next), (5, None));
    assert!(rows.iter().all(|row| row.note.is_none() && row.discord_user_id == Some(account(1))));
    assert_eq!(code(export_page(&domain, &member(1), (None, guild()), None).await), "forbidden");
    let (own, _) = export_page(&domain, &member(1), (Some(person(1)), guild()), None).await.unwrap();
    assert_eq!(own[4].note.as_deref(), Some("note 4"));
}
