use entity::{practice_rule::PracticePrivacy, user::Privacy};

use super::*;
use crate::domain::user::{ProfileChange, set_profile};

fn ask(number: u64, period: Period, activity: Option<&str>) -> ReportQuery {
    let activity = activity.map(str::to_owned);
    let (person, guild_id, metric) = (person(number), guild(), Metric::All);
    ReportQuery { person, guild_id, period, day: None, metric, activity, is_public: false }
}

async fn names(domain: &TestDomain, actor: &Actor) -> Vec<DiscordUserId> {
    let query = LeaderboardQuery { guild_id: guild(), limit: 10, ..LeaderboardQuery::default() };
    let board = leaderboard(domain, actor, &query).await.unwrap();
    board.standings.into_iter().filter_map(|one| one.discord_user_id).collect()
}

async fn practise(domain: &TestDomain, number: u64, minutes: i64, activity: Option<&str>) {
    let new = NewSession { activity: activity.map(str::to_owned), ..new(number, SessionSource::Command) };
    start(domain, &member(number), new).await.unwrap();
    live(domain, TimeDelta::minutes(minutes)).await;
    halt(domain, number).await;
}

#[tokio::test]
async fn a_report_tells_the_whole_and_its_parts() {
    let domain = testing::domain().await;
    practise(&domain, 1, 7, Some("scales")).await;
    practise(&domain, 1, 3, None).await;
    practise(&domain, 2, 20, Some("scales")).await;
    for (period, bars) in [(Period::Day, 7), (Period::Week, 7), (Period::All, 1)] {
        let all = report(&domain, &member(1), &ask(1, period, None)).await.unwrap();
        assert_eq!((all.seconds, all.rank, all.bars.len()), (600, Some(2), bars), "{period:?}");
        let scales = report(&domain, &member(1), &ask(1, period, Some("scales"))).await.unwrap();
        assert_eq!((scales.seconds, scales.rank), (420, Some(2)), "{period:?}");
    }
    let year = report(&domain, &member(1), &ask(1, Period::Year, None)).await.unwrap();
    assert_eq!((year.grain, year.bars.len(), year.seconds), (Grain::Month, 12, 600));
    let voice = ReportQuery { metric: Metric::Voice, ..ask(1, Period::Week, None) };
    let voice = report(&domain, &member(1), &voice).await.unwrap();
    assert_eq!((voice.seconds, voice.rank), (0, None));
    let nobody = report(&domain, &member(1), &ask(9, Period::All, None)).await.unwrap();
    assert_eq!((nobody.seconds, nobody.rank), (0, None));
    assert_eq!(own_activities(&domain, &member(1), guild(), " SCA").await.unwrap(), ["scales"]);
    assert!(own_activities(&domain, &member(1), guild(), "x").await.unwrap().is_empty());
    let far = Dates { first: at("1000-01-01T00:00:00Z").date_naive(), last: domain.now().date_naive() };
    let refused = report(&domain, &member(1), &ask(1, Period::Custom(far), None)).await;
    assert_eq!(code(refused), "practice.bad_dates");
}

#[tokio::test]
async fn who_is_private_shows_it_to_themself_and_to_managers() {
    let domain = testing::domain().await;
    practise(&domain, 1, 10, None).await;
    practise(&domain, 2, 5, None).await;
    let change = ProfileChange { privacy: Some(Some(Privacy::Private)), ..ProfileChange::default() };
    set_profile(&domain, &member(1), change).await.unwrap();
    let of_one = ask(1, Period::Week, None);
    assert_eq!(code(report(&domain, &member(2), &of_one).await), "practice.private");
    assert_eq!(code(history(&domain, &member(2), (person(1), guild()), None, 10).await), "practice.private");
    let own = report(&domain, &member(1), &of_one).await.unwrap();
    assert_eq!((own.seconds, own.rank), (600, Some(1)));
    assert_eq!(report(&domain, &testing::admin(), &of_one).await.unwrap().seconds, 600);
    assert_eq!(names(&domain, &member(2)).await, [account(2)]);
    assert_eq!(names(&domain, &testing::root()).await, [account(1), account(2)], "programs see all");
}

#[tokio::test]
async fn who_has_left_is_off_the_board_for_a_day_or_until_they_are_seen() {
    let domain = testing::domain().await;
    practise(&domain, 1, 10, None).await;
    practise(&domain, 2, 5, None).await;
    // Neither an unknown account nor one that has never practised here is noted.
    note_departed(&domain, testing::guild(), &[account(1), account(7)]).await.unwrap();
    assert_eq!(names(&domain, &member(2)).await, [account(2)]);
    note_present(&domain, testing::guild(), account(1)).await.unwrap();
    assert_eq!(names(&domain, &member(2)).await, [account(1), account(2)]);
    note_departed(&domain, testing::guild(), &[account(1)]).await.unwrap();
    domain.advance(TimeDelta::hours(23));
    assert_eq!(names(&domain, &member(2)).await, [account(2)]);
    note_departed(&domain, testing::guild(), &[account(1)]).await.unwrap();
    domain.advance(TimeDelta::hours(23));
    assert_eq!(names(&domain, &member(2)).await, [account(2)], "it was found out again");
    domain.advance(TimeDelta::hours(2));
    assert_eq!(names(&domain, &member(2)).await, [account(1), account(2)]);
}

#[tokio::test]
async fn what_is_private_is_shown_to_nobody_by_those_who_may_see_it() {
    let domain = testing::domain().await;
    practise(&domain, 1, 10, None).await;
    practise(&domain, 2, 5, None).await;
    let change = ProfileChange { privacy: Some(Some(Privacy::Private)), ..ProfileChange::default() };
    set_profile(&domain, &member(1), change).await.unwrap();
    let manager = testing::admin();
    let shown = ReportQuery { is_public: true, ..ask(1, Period::Week, None) };
    assert!(report(&domain, &manager, &ask(1, Period::Week, None)).await.is_ok());
    assert_eq!(code(report(&domain, &manager, &shown).await), "practice.private");
    assert!(report(&domain, &member(1), &shown).await.is_ok(), "people may show themselves");
    start(&domain, &member(1), new(1, SessionSource::Command)).await.unwrap();
    start(&domain, &member(2), new(2, SessionSource::Command)).await.unwrap();
    let practising = now_practising(&domain, &manager, testing::guild(), 10).await.unwrap();
    assert_eq!(practising.into_iter().map(|(account, _)| account).collect::<Vec<_>>(), [Some(account(2))]);

    let change = RuleChange { privacy: Some(PracticePrivacy::Private), ..RuleChange::default() };
    set_rule(&domain, &manager, testing::guild(), change).await.unwrap();
    let board = LeaderboardQuery { guild_id: guild(), limit: 10, ..LeaderboardQuery::default() };
    assert!(leaderboard(&domain, &manager, &board).await.is_ok());
    let board = LeaderboardQuery { is_public: true, ..board };
    assert_eq!(code(leaderboard(&domain, &manager, &board).await), "practice.board_is_private");
    assert_eq!(code(now_practising(&domain, &manager, testing::guild(), 10).await), "practice.board_is_private");
    let shown = ReportQuery { is_public: true, ..ask(2, Period::Week, None) };
    assert_eq!(code(report(&domain, &manager, &shown).await), "practice.private");
}
