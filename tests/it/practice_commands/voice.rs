//! Voice channels: who counts where, whatever happens to the connection.

use std::time::Duration;

use chrono::TimeDelta;
use entity::{id::ChannelId, practice_session::SessionSource};
use fake_discord::ChannelKind;
use guildhall::domain::practice::RuleChange;
use serde_json::json;

use super::{Stage, assert_says, live, running, sessions, until_running};
use crate::{
    harness::{Bot, pause},
    on_both_stores,
};

/// The choice of `/settings role set kind:`, by its place in the list.
const NO_TRACK: u8 = 4;

impl Stage {
    fn room(&self, name: &str) -> u64 {
        self.discord.add_channel(self.guild, name, ChannelKind::Voice)
    }

    fn enter(&self, who: u64, room: u64) {
        self.discord.set_voice(self.guild, who, Some(room));
    }

    fn leave(&self, who: u64) {
        self.discord.set_voice(self.guild, who, None);
    }
}

/// What does not happen has had its time to happen.
async fn stays(bot: &Bot, account: u64, expected: bool) {
    pause(Duration::from_millis(300)).await;
    assert_eq!(running(bot, account).await.is_some(), expected);
}

on_both_stores! {
    /// Coming starts, moving keeps, leaving stops; a timer is not needed besides.
    async fn joining_starts_moving_keeps_and_leaving_stops(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.track_all(&bot).await;
        let [first, second] = ["first", "second"].map(|name| stage.room(name));
        stage.enter(stage.ann, first);
        stays(&bot, stage.ann, false).await;
        stage.enter(stage.ben, first);
        until_running(&bot, stage.ann, true).await;
        until_running(&bot, stage.ben, true).await;
        let begun = running(&bot, stage.ann).await.expect("it runs").row;
        assert_eq!((begun.source, begun.guild_id), (SessionSource::Voice, Some(stage.guild_id())));
        live(&bot, 5).await;
        let said = stage.says(stage.ann, "start", json!({})).await;
        assert_says(&said, &[&format!("Your time in <#{first}> counts already"), "Your time in voice counts"]);
        // Ben comes along before Ann goes, so that she is not alone in between.
        stage.enter(stage.mona, second);
        stage.enter(stage.ann, second);
        bot.eventually("Ann has moved", async |bot| {
            running(bot, stage.ann).await.and_then(|view| view.row.channel_id).is_some_and(|id| id.get() == second)
        }).await;
        until_running(&bot, stage.ben, false).await;
        live(&bot, 5).await;
        stage.leave(stage.ann);
        until_running(&bot, stage.ann, false).await;
        until_running(&bot, stage.mona, false).await;
        let ended: Vec<_> = sessions(&bot, stage.ann).await.iter().map(|view| (view.row.id, view.seconds)).collect();
        assert_eq!(ended, [(begun.id, 600)], "one session over two rooms");
        assert_eq!(sessions(&bot, stage.ben).await[0].seconds, 300);
        bot.finish().await;
    }

    /// Muted counts, deafened, alone, with a bot and in the channel for the absent do not, unless the server says so.
    async fn who_counts_is_the_servers_rule(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.track_all(&bot).await;
        let [room, away] = ["room", "away"].map(|name| stage.room(name));
        stage.discord.set_afk_channel(stage.guild, Some(away));
        let robot = stage.discord.add_other_bot(stage.guild, "robot");
        let (discord, guild) = (&stage.discord, stage.guild);
        stage.enter(stage.ben, room);
        discord.set_voice_with(guild, stage.ann, Some(room), true, false);
        until_running(&bot, stage.ann, true).await;
        discord.set_voice_with(guild, stage.ann, Some(room), true, true);
        until_running(&bot, stage.ann, false).await;
        stage.enter(stage.ann, room);
        until_running(&bot, stage.ann, true).await;
        stage.leave(stage.ben);
        until_running(&bot, stage.ann, false).await;
        stage.enter(robot, room);
        stays(&bot, stage.ann, false).await;
        assert_eq!(running(&bot, robot).await, None);
        stage.enter(stage.ben, room);
        until_running(&bot, stage.ann, true).await;
        for who in [stage.ann, stage.ben] {
            stage.enter(who, away);
            until_running(&bot, who, false).await;
        }
        let all = RuleChange {
            counts_deafened: Some(true),
            counts_alone: Some(true),
            counts_afk: Some(true),
            counts_muted: Some(false),
            ..RuleChange::default()
        };
        stage.set_rule(&bot, all).await;
        // Who is there already is looked at by the new rule.
        until_running(&bot, stage.ann, true).await;
        discord.set_voice_with(guild, stage.ann, Some(away), true, false);
        until_running(&bot, stage.ann, false).await;
        stage.leave(stage.ben);
        discord.set_voice_with(guild, stage.ann, Some(room), false, true);
        until_running(&bot, stage.ann, true).await;
        bot.finish().await;
    }

    /// Members with the role `no-track` are left alone, and count as company all the same.
    async fn a_role_is_not_tracked(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.track_all(&bot).await;
        let room = stage.room("room");
        let quiet = stage.discord.add_role(stage.guild, "Quiet", 0);
        stage.discord.give_role(stage.guild, stage.ann, quiet);
        for who in [stage.ann, stage.ben] {
            stage.enter(who, room);
        }
        until_running(&bot, stage.ann, true).await;
        until_running(&bot, stage.ben, true).await;
        let options = json!({ "kind": NO_TRACK, "role": quiet.to_string() });
        let said = stage.discord.command(stage.mona, stage.chat, "settings role set", options).reply().await.text();
        assert!(!said.contains("E-"), "{said}");
        until_running(&bot, stage.ann, false).await;
        stays(&bot, stage.ben, true).await;
        stage.leave(stage.ann);
        until_running(&bot, stage.ben, false).await;
        stage.enter(stage.ann, room);
        until_running(&bot, stage.ben, true).await;
        stays(&bot, stage.ann, false).await;
        assert_says(&stage.says(stage.ann, "start", json!({})).await, &["Your timer runs"]);
        bot.finish().await;
    }

    /// Who stops by hand and stays in the channel has stopped, whatever happens there; coming again starts again.
    async fn who_stops_by_hand_is_left_alone_until_they_come_again(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.track_all(&bot).await;
        let room = stage.room("room");
        for who in [stage.ann, stage.ben] {
            stage.enter(who, room);
        }
        until_running(&bot, stage.ann, true).await;
        until_running(&bot, stage.ben, true).await;
        live(&bot, 5).await;
        stage.run(stage.ann, "stop", json!({})).await.reply().await;
        until_running(&bot, stage.ann, false).await;
        stage.discord.set_voice_with(stage.guild, stage.ann, Some(room), true, false);
        stage.discord.set_voice_with(stage.guild, stage.ann, Some(room), false, false);
        stage.leave(stage.ben);
        until_running(&bot, stage.ben, false).await;
        stage.enter(stage.ben, room);
        until_running(&bot, stage.ben, true).await;
        stays(&bot, stage.ann, false).await;
        live(&bot, 1).await;
        stage.leave(stage.ann);
        stage.enter(stage.ann, room);
        until_running(&bot, stage.ann, true).await;
        bot.finish().await;
    }

    /// While Discord has a server out of order, nobody knows who is there: nothing counts, and what went on all the while
    /// is bridged when the server tells who is still there.
    async fn a_server_that_is_out_of_order_counts_nothing_until_it_is_back(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.track_all(&bot).await;
        let room = stage.room("room");
        for who in [stage.ann, stage.ben] {
            stage.enter(who, room);
        }
        until_running(&bot, stage.ann, true).await;
        until_running(&bot, stage.ben, true).await;
        live(&bot, 10).await;
        bot.advance(TimeDelta::seconds(1));
        stage.discord.set_guild_available(stage.guild, false);
        bot.eventually("it is missed", async |bot| {
            running(bot, stage.ann).await.is_some_and(|view| view.row.missed_at.is_some())
        })
        .await;
        live(&bot, 20).await;
        let before = running(&bot, stage.ann).await.expect("it waits").row.counted_milliseconds;
        stage.discord.set_guild_available(stage.guild, true);
        bot.eventually("it is seen again", async |bot| {
            running(bot, stage.ann).await.is_some_and(|view| view.row.missed_at.is_none())
        })
        .await;
        live(&bot, 2).await;
        stage.leave(stage.ann);
        until_running(&bot, stage.ann, false).await;
        assert!(before <= 600_000, "{before}");
        assert_eq!(sessions(&bot, stage.ann).await[0].seconds, 12 * 60, "twenty minutes that nobody saw");
        bot.finish().await;
    }

    /// A restart: who is still there goes on, who has gone has ended, who has come begins; and Discord is asked nothing.
    async fn a_restart_repairs_from_what_guilds_tell(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::of(&bot).await;
        stage.track_all(&bot).await;
        let room = stage.room("room");
        let cleo = stage.discord.add_member(stage.guild, "cleo");
        for who in [stage.ann, stage.ben] {
            stage.enter(who, room);
        }
        until_running(&bot, stage.ann, true).await;
        until_running(&bot, stage.ben, true).await;
        live(&bot, 10).await;
        bot.stop().await;
        bot.advance(TimeDelta::seconds(50));
        stage.leave(stage.ben);
        stage.enter(cleo, room);
        stage.discord.clear_journal();
        bot.start_again().await;
        until_running(&bot, cleo, true).await;
        until_running(&bot, stage.ben, false).await;
        live(&bot, 5).await;
        stage.leave(stage.ann);
        until_running(&bot, stage.ann, false).await;
        let ann: Vec<_> = sessions(&bot, stage.ann).await.iter().map(|view| view.seconds).collect();
        assert_eq!(ann, [15 * 60 + 50], "the same member in the same room is bridged");
        assert_eq!(sessions(&bot, stage.ben).await[0].seconds, 600);
        let asked = stage.discord.journal().into_iter().filter(|call| call.route.contains("voice-states")).count();
        assert_eq!(asked, 0);
        bot.finish().await;
    }

    /// A connection that breaks and goes on has missed nothing, in the order in which it happened.
    async fn a_resumed_connection_has_missed_nothing(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.track_all(&bot).await;
        let [first, second] = ["first", "second"].map(|name| stage.room(name));
        for who in [stage.ann, stage.ben] {
            stage.enter(who, first);
        }
        until_running(&bot, stage.ann, true).await;
        stage.discord.drop_sockets();
        // Many changes of the same people in a row: only the last ones count.
        for _ in 0..20 {
            for (who, room) in [(stage.ann, second), (stage.ben, second), (stage.ann, first), (stage.ben, first)] {
                stage.leave(who);
                stage.enter(who, room);
            }
        }
        stage.leave(stage.ben);
        stage.enter(stage.mona, first);
        stage.discord.wait_resumes(1).await;
        until_running(&bot, stage.mona, true).await;
        until_running(&bot, stage.ben, false).await;
        stays(&bot, stage.ann, true).await;
        let channel = running(&bot, stage.ann).await.and_then(|view| view.row.channel_id);
        assert_eq!(channel.map(ChannelId::get), Some(first));
        live(&bot, 3).await;
        assert!(running(&bot, stage.mona).await.expect("it runs").seconds >= 150);
        bot.finish().await;
    }
}
