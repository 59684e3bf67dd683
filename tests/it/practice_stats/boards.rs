//! The board: pages, ties, one's own place, and who is not on it.

use chrono::TimeDelta;
use entity::practice_session::SessionSource;
use serde_json::json;

use fake_discord::{FakeDiscord, GUILD_MEMBERS, GatewayAction};
use guildhall::app::PrivilegedIntent;

use super::{ALL, MONTH, Stage, assert_says};
use crate::{
    harness::{Bot, Database, beginning},
    on_both_stores,
};

/// With the switch for the intent Server Members.
const SEEING_MEMBERS: &[(&str, &str)] = &[("GUILDHALL_DISCORD__MEMBERS", "true")];

/// Whether Discord was told of a board's option `role`.
fn offers_role(discord: &FakeDiscord) -> bool {
    let commands = discord.registered_commands(None);
    let practice = commands.iter().find(|command| command["name"] == "practice").expect("the command is registered");
    let options = practice["options"].as_array().expect("subcommands");
    let board = options.iter().find(|one| one["name"] == "leaderboard").expect("the board");
    board["options"].as_array().expect("options").iter().any(|option| option["name"] == "role")
}

/// A bot that sees members can narrow a board to those with a role; its pages work after a restart, ranks are those of
/// the narrowed board, and who leaves is off every board at once, with no look at their membership.
async fn a_board_of_a_role(database: Database) {
    let discord = FakeDiscord::start().await;
    discord.set_now(beginning());
    discord.declare_intents(GUILD_MEMBERS);
    let Some(mut bot) = Bot::start_against(discord, database, SEEING_MEMBERS).await else { return };
    let stage = Stage::build(&bot).await;
    assert!(offers_role(&stage.discord));
    assert_eq!(bot.running().app().readiness().members(), PrivilegedIntent::Granted);
    let members = twelve(&bot, &stage).await;
    let role = stage.discord.add_role(stage.guild, "violins", 0);
    for member in &members[1..] {
        stage.discord.give_role(stage.guild, *member, role);
    }
    stage.discord.take_role(stage.guild, members[11], role);
    stage.discord.give_role(stage.guild, members[0], role);
    let options = json!({ "period": ALL, "role": role.to_string() });
    let asked = stage.run(stage.ada, "practice leaderboard", options.clone());
    let first = asked.reply().await;
    assert_says(&first, &[&format!("only <@&{role}>"), &format!("🥇 **#1** <@{}> · 10m", members[10])]);
    assert!(!first.text().contains(&format!("<@{}>", members[11])));
    bot.restart().await;
    let second = stage.discord.press_label(stage.bob, &asked, "▶").reply().await;
    assert_says(&second, &[&format!("only <@&{role}>"), "**#10** <@", "· 1m"]);
    assert_eq!(second.text().matches("<@1").count(), 1, "eleven have the role");
    let own = stage.discord.press_label(members[11], &second, "My rank").reply().await;
    assert_says(&own, &["You are not on this board"]);
    let nobody = stage.discord.add_role(stage.guild, "harps", 0);
    let empty = json!({ "period": ALL, "role": nobody.to_string() });
    assert_says(&stage.run(stage.ada, "practice leaderboard", empty).reply().await, &["Nobody has practised"]);
    let everyone = json!({ "period": ALL, "role": stage.guild.to_string() });
    let everyone = stage.run(stage.ada, "practice leaderboard", everyone).reply().await;
    assert_says(&everyone, &[&format!("🥇 **#1** <@{}> · 11m", members[11])]);
    stage.discord.remove_member(stage.guild, members[11]);
    bot.drain().await;
    let looks = stage.discord.count("GET", "/guilds/{guild_id}/members/{user_id}");
    let without = stage.run(stage.ada, "practice leaderboard", json!({ "period": ALL })).reply().await;
    assert_says(&without, &[&format!("🥇 **#1** <@{}> · 10m", members[10])]);
    assert!(stage.discord.count("GET", "/guilds/{guild_id}/members/{user_id}") <= looks + 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_of_a_role_on_sqlite() {
    a_board_of_a_role(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_of_a_role_on_postgres() {
    a_board_of_a_role(Database::Postgres).await;
}

/// Without the setting there is no such option and no such intent; with it, but not at Discord, `doctor` says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_members_intent_there_is_no_role_filter() {
    for (settings, state) in [(&[][..], PrivilegedIntent::Off), (SEEING_MEMBERS, PrivilegedIntent::Refused)] {
        let bot = Bot::start_with(Database::Sqlite, settings).await.expect("SQLite is built in");
        let stage = Stage::build(&bot).await;
        assert!(!offers_role(&stage.discord));
        assert_eq!(bot.running().app().readiness().members(), state);
        let asked = stage.discord.identifies();
        assert!(!asked.is_empty());
        for one in asked {
            assert!(matches!(one.action, GatewayAction::Identify { intents, .. } if intents & GUILD_MEMBERS == 0));
        }
        let owner = stage.discord.owner(stage.guild);
        let doctor = stage.discord.command(owner, stage.chat, "settings doctor", json!({})).reply().await;
        assert_eq!(doctor.text().contains("Server Members Intent"), state == PrivilegedIntent::Refused);
        bot.finish().await;
    }
}

/// Twelve members who began at once; the first two stopped together after one minute, each of the others a minute later.
async fn twelve(bot: &Bot, stage: &Stage) -> Vec<u64> {
    let members: Vec<u64> =
        (0..12).map(|number| stage.discord.add_member(stage.guild, &format!("member-{number}"))).collect();
    for member in &members {
        stage.begin(bot, *member, SessionSource::Http, None).await;
    }
    bot.advance(TimeDelta::seconds(60));
    stage.end(bot, members[0]).await;
    for member in &members[1..] {
        stage.end(bot, *member).await;
        bot.advance(TimeDelta::seconds(60));
    }
    members
}

on_both_stores! {
    /// Ten to a page for everybody to see; equals share a rank; the pages work after a restart.
    async fn a_board_has_pages_and_equals_share_a_rank(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        let nobody = stage.run(stage.ada, "practice leaderboard", json!({ "period": MONTH })).reply().await;
        assert_says(&nobody, &["Nobody has practised in this time yet"]);
        let members = twelve(&bot, &stage).await;
        let asked = stage.run(stage.ada, "practice leaderboard", json!({ "period": MONTH }));
        let first = asked.reply().await;
        assert!(!first.is_ephemeral());
        assert_says(&first, &[&format!("🥇 **#1** <@{}> · 11m", members[11]), "page 1", "1 to 30 Nov 2026"]);
        assert_eq!(first.text().matches("<@").count(), 10);
        bot.restart().await;
        let second = stage.discord.press_label(stage.bob, &asked, "▶").reply().await;
        for member in &members[..2] {
            assert_says(&second, &[&format!("**#11** <@{member}> · 1m")]);
        }
        assert_says(&second, &["page 2"]);
        assert!(second.buttons().iter().any(|button| button.label == "▶" && button.disabled));
        let rank = stage.discord.press_label(members[1], &second, "My rank").reply().await;
        assert!(rank.is_ephemeral() && rank.id != second.id);
        assert_says(&rank, &["You are **#11** with **1m**"]);
        let rank = stage.discord.press_label(stage.ada, &second, "My rank").reply().await;
        assert_says(&rank, &["You are not on this board"]);
        let voice = stage.run(stage.ada, "practice leaderboard", json!({ "period": MONTH, "metric": 1 })).reply().await;
        assert_says(&voice, &["in voice channels", "Nobody has practised"]);
        let timer = stage.run(stage.ada, "practice leaderboard", json!({ "period": MONTH, "metric": 2 })).reply().await;
        assert_eq!(timer.text().matches("<@").count(), 10);
        bot.finish().await;
    }

    /// Whoever has left is found out by the page that would show them, and is on no board until they are back.
    async fn who_has_left_is_not_on_the_board(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let members = twelve(&bot, &stage).await;
        stage.discord.remove_member(stage.guild, members[11]);
        stage.discord.remove_member(stage.guild, members[10]);
        let board = stage.run(stage.ada, "practice leaderboard", json!({ "period": MONTH })).reply().await;
        assert_says(&board, &[&format!("🥇 **#1** <@{}> · 9m", members[9])]);
        assert_eq!(board.text().matches("<@").count(), 10);
        let looks = stage.discord.count("GET", "/guilds/{guild_id}/members/{user_id}");
        let again = stage.run(stage.ada, "practice leaderboard", json!({ "period": MONTH })).reply().await;
        assert_eq!(again.text(), board.text());
        let since = stage.discord.count("GET", "/guilds/{guild_id}/members/{user_id}");
        assert_eq!(since, looks, "who is there is looked up for each page");
        stage.discord.join_guild(stage.guild, members[11]);
        let own = stage.discord.command(members[11], stage.chat, "practice stats", json!({ "period": MONTH }));
        assert_says(&own.reply().await, &["**11m**", "Rank\n#1"]);
        let back = stage.run(stage.ada, "practice leaderboard", json!({ "period": MONTH })).reply().await;
        assert_says(&back, &[&format!("🥇 **#1** <@{}> · 11m", members[11])]);
        bot.finish().await;
    }

    /// A board of one activity ranks its time alone, and says its name without its formatting.
    async fn a_board_of_an_activity(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.practise(&bot, stage.ada, 600, Some("*bach*")).await;
        stage.practise(&bot, stage.bob, 900, Some("other")).await;
        stage.practise(&bot, stage.bob, 120, Some("*bach*")).await;
        let options = json!({ "period": MONTH, "activity": "*bach*" });
        let board = stage.run(stage.bob, "practice leaderboard", options).reply().await;
        assert_says(&board, &["\\*bach\\*", &format!("**#1** <@{}> · 10m", stage.ada), &format!("**#2** <@{}> · 2m", stage.bob)]);
        bot.finish().await;
    }
}
