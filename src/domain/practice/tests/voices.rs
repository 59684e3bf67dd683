use entity::{
    id::ChannelId,
    practice_rule::ChannelMode,
    practice_session::{EndReason, SessionState},
};
use sea_orm::EntityTrait as _;

use super::*;

fn room(channel: u64, people: &[u64]) -> Room {
    Room { channel_id: testing::channel(channel), is_afk: false, people: people.iter().map(|id| here(*id)).collect() }
}

fn here(number: u64) -> Presence {
    Presence {
        user_id: account(number),
        is_bot: false,
        is_muted: false,
        is_deafened: false,
        roles: Vec::new(),
        since: DateTime::UNIX_EPOCH,
    }
}

fn all_channels() -> RuleChange {
    RuleChange { channel_mode: Some(ChannelMode::All), ..RuleChange::default() }
}

#[test]
fn who_counts_where() {
    let rule = Rule::default().with(&all_channels()).unwrap();
    let first = |room: &Room, rule: &Rule| decide(rule, None, account(1), Some(room));
    assert_eq!(first(&room(5, &[1, 2]), &rule), Decision::Start);
    assert_eq!(first(&room(5, &[1]), &rule), Decision::Keep, "alone");
    assert_eq!(first(&room(5, &[1, 2]), &Rule::default()), Decision::Keep, "no channel is tracked");
    let with = |change: fn(&mut Room)| {
        let mut room = room(5, &[1, 2]);
        change(&mut room);
        first(&room, &rule)
    };
    assert_eq!(with(|room| room.people[0].is_muted = true), Decision::Start, "the quiet practise too");
    assert_eq!(with(|room| room.people[0].is_deafened = true), Decision::Keep);
    assert_eq!(with(|room| room.people[0].is_bot = true), Decision::Keep);
    assert_eq!(with(|room| room.people[1].is_bot = true), Decision::Keep, "a bot is no company");
    assert_eq!(with(|room| room.is_afk = true), Decision::Keep);
    let running: Option<ChannelId> = Some(testing::channel(5));
    assert_eq!(decide(&rule, running, account(1), None), Decision::Stop);
    assert_eq!(decide(&rule, running, account(1), Some(&room(5, &[1, 2]))), Decision::Keep);
    assert_eq!(decide(&rule, running, account(1), Some(&room(6, &[1, 2]))), Decision::Move);
    assert_eq!(decide(&rule, running, account(1), Some(&room(6, &[1]))), Decision::Stop);
}

#[tokio::test]
async fn joining_starts_moving_keeps_and_leaving_stops() {
    let domain = testing::domain().await;
    set(&domain, all_channels()).await;
    let guild = testing::guild();
    let begun = voice_room_changed(&domain, guild, &room(5, &[1, 2])).await.unwrap();
    assert!(begun.iter().all(|(_, decision)| *decision == Decision::Start));
    live(&domain, TimeDelta::minutes(10)).await;
    assert_eq!(voice_joined(&domain, guild, account(1), &room(6, &[1, 3])).await.unwrap(), Decision::Move);
    assert_eq!(voice_room_changed(&domain, guild, &room(5, &[2])).await.unwrap(), [(account(2), Decision::Stop)]);
    live(&domain, TimeDelta::minutes(5)).await;
    assert_eq!(voice_left(&domain, guild, account(1)).await.unwrap(), Decision::Stop);
    assert_eq!(voice_left(&domain, guild, account(1)).await.unwrap(), Decision::Keep);
    assert_eq!((day(&domain, 1).await, day(&domain, 2).await), (900, 600));
    let board =
        LeaderboardQuery { guild_id: super::guild(), metric: Metric::Voice, limit: 5, ..LeaderboardQuery::default() };
    let board = leaderboard(&domain, &testing::root(), &board).await.unwrap();
    assert_eq!(board.standings.iter().map(|one| one.seconds).collect::<Vec<_>>(), [900, 600]);
}

#[tokio::test]
async fn a_timer_that_runs_is_not_touched_by_voice() {
    let domain = testing::domain().await;
    set(&domain, all_channels()).await;
    let timer = begin(&domain, 1, SessionSource::Command).await;
    voice_joined(&domain, testing::guild(), account(1), &room(5, &[1, 2])).await.unwrap();
    voice_left(&domain, testing::guild(), account(1)).await.unwrap();
    let view = running(&domain, &member(1), person(1)).await.unwrap().expect("it runs");
    assert_eq!(view.row.id, timer.id);
}

/// After a start nothing is counted in voice until the guild has told who is there.
#[tokio::test]
async fn a_guild_repairs_what_happened_unseen() {
    let domain = testing::domain().await;
    set(&domain, all_channels()).await;
    let guild = testing::guild();
    voice_states_of_guild(&domain, guild, &[room(5, &[1, 2, 3])]).await.unwrap();
    live(&domain, TimeDelta::minutes(10)).await;
    domain.advance(TimeDelta::seconds(100));
    // A new process has begun; the old one was killed.
    lose_sight(&domain, domain.now()).await.unwrap();
    beat(&domain).await;
    assert_eq!(day(&domain, 1).await, 600, "nobody knows yet whether they are there");
    // 1 is still there, 2 has gone, 3 is in another channel.
    voice_states_of_guild(&domain, guild, &[room(5, &[1, 4]), room(6, &[3, 5])]).await.unwrap();
    assert_eq!((day(&domain, 1).await, day(&domain, 2).await, day(&domain, 3).await), (700, 600, 600));
    let state =
        async |number| running(&domain, &testing::root(), person(number)).await.unwrap().map(|view| view.row.state);
    assert_eq!((state(1).await, state(2).await), (Some(SessionState::Open), None));
    assert_eq!((state(3).await, state(4).await), (Some(SessionState::Open), Some(SessionState::Open)));
    assert_eq!(segments(&domain).await.iter().filter(|(kind, _)| *kind == SegmentKind::Gap).count(), 1);
    live(&domain, TimeDelta::minutes(2)).await;
    assert_eq!((day(&domain, 1).await, day(&domain, 3).await), (820, 720));
}

/// A rule that counts a session no more ends it with all that it has counted.
#[tokio::test]
async fn a_changed_rule_takes_nothing_that_has_counted() {
    let domain = testing::domain().await;
    set(&domain, all_channels()).await;
    let rooms = [room(5, &[1, 2])];
    voice_states_of_guild(&domain, testing::guild(), &rooms).await.unwrap();
    live(&domain, TimeDelta::minutes(3)).await;
    domain.advance(TimeDelta::seconds(40));
    set(&domain, RuleChange { channel_mode: Some(ChannelMode::Off), ..RuleChange::default() }).await;
    voice_states_of_guild(&domain, testing::guild(), &rooms).await.unwrap();
    assert!(running(&domain, &testing::root(), person(1)).await.unwrap().is_none());
    assert_eq!(day(&domain, 1).await, 220);
}

#[tokio::test]
async fn who_is_not_seen_again_is_lost() {
    let domain = testing::domain().await;
    set(&domain, all_channels()).await;
    voice_room_changed(&domain, testing::guild(), &room(5, &[1, 2])).await.unwrap();
    live(&domain, TimeDelta::minutes(3)).await;
    domain.advance(TimeDelta::seconds(1));
    assert_eq!(lose_sight(&domain, domain.now()).await.unwrap(), 2);
    domain.advance(TimeDelta::seconds(30));
    assert_eq!(voice_resumed(&domain).await.unwrap(), 2);
    beat(&domain).await;
    assert_eq!(day(&domain, 1).await, 211, "the connection has told everything since");
    domain.advance(TimeDelta::seconds(1));
    lose_sight(&domain, domain.now()).await.unwrap();
    domain.advance(TimeDelta::minutes(61));
    beat(&domain).await;
    let rows = entity::practice_session::Entity::find().all(domain.store().reader()).await.unwrap();
    assert!(rows.iter().all(|row| row.end_reason == Some(EndReason::Lost)), "{rows:?}");
    assert_eq!(day(&domain, 1).await, 211);
}

#[tokio::test]
async fn company_matters_only_where_few_are() {
    let domain = testing::domain().await;
    set(&domain, all_channels()).await;
    let guild = testing::guild();
    assert_eq!(voice_room_changed(&domain, guild, &room(5, &[1, 2, 3])).await.unwrap(), [], "nobody was alone before");
    assert_eq!(voice_room_changed(&domain, guild, &room(5, &[1, 2])).await.unwrap().len(), 2);
    set(&domain, RuleChange { counts_alone: Some(true), ..RuleChange::default() }).await;
    assert_eq!(voice_room_changed(&domain, guild, &room(5, &[1])).await.unwrap(), [], "company is nothing");
}

#[tokio::test]
async fn who_has_the_role_is_not_tracked() {
    let domain = testing::domain().await;
    set(&domain, all_channels()).await;
    let (guild, role) = (testing::guild(), entity::id::RoleId::new(77));
    let kind = entity::guild_role::RoleKind::NoTrack;
    crate::domain::guild::role::set_role(&domain, &testing::admin(), guild, kind, role).await.unwrap();
    let mut both = room(5, &[1, 2]);
    both.people[0].roles.extend(role);
    assert_eq!(voice_joined(&domain, guild, account(1), &both).await.unwrap(), Decision::Keep);
    assert_eq!(voice_joined(&domain, guild, account(2), &both).await.unwrap(), Decision::Start, "company all the same");
    both.people[1].roles.extend(role);
    voice_states_of_guild(&domain, guild, &[both]).await.unwrap();
    assert!(running(&domain, &testing::root(), person(2)).await.unwrap().is_none());
}
