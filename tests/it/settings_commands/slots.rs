//! `/settings slot …`.

use std::time::Duration;

use chrono::TimeDelta;
use fake_discord::{ChannelKind, permission};
use serde_json::json;

use super::{Town, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// What is set in chat is there over HTTP, and what is set over HTTP shows up in chat.
    async fn chat_and_http_share_their_slots(bot: Bot) {
        let town = Town::of(&bot).await;
        let said = town.says("settings slot show", json!({})).await;
        assert_says(&said, &["`alerts`", "no channel", "page 1/1"]);
        town.set("alerts", town.staff).await;
        let answer = bot.get(&town.address("alerts")).await;
        assert_eq!(answer.body["channelId"], town.staff.to_string());

        let path = town.address("my-feed");
        let answer = bot.api("PUT", &path, Some(json!({ "channelId": town.staff.to_string() }))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let shown = town.until(&bot, "settings slot show", json!({ "name": "my-feed" }), "✅ ready").await;
        assert_says(&shown.text(), &["Slot my-feed", &format!("<#{}>", town.staff), "a text channel", "over the API"]);

        assert_eq!(bot.api("DELETE", &path, None).await.status, 200);
        let said = town.says("settings slot show", json!({ "name": "my-feed" })).await;
        assert_says(&said, &["There is no slot `my-feed`", "E-GONE"]);
        bot.finish().await;
    }

    /// What does not fit is refused with the reason, and nothing is stored.
    async fn what_does_not_fit_is_refused(bot: Bot) {
        let town = Town::of(&bot).await;
        let lounge = town.discord.add_channel(town.guild, "lounge", ChannelKind::Voice);
        let set = |name: &str, channel: u64| json!({ "name": name, "channel": channel.to_string() });
        let said = town.says("settings slot set", set("alerts", lounge)).await;
        assert_says(&said, &["needs a text channel", "is a voice channel", "E-INPUT"]);
        let said = town.says("settings slot set", set("alrts", town.staff)).await;
        assert_says(&said, &["no slot `alrts`", "did you mean alerts?", "E-GONE"]);
        let said = town.says("settings slot set", set("Not a name!", town.staff)).await;
        assert_says(&said, &["1 to 64 characters", "E-INPUT"]);
        let said = town.says("settings slot clear", json!({ "name": "alerts" })).await;
        assert_says(&said, &["has no channel yet", "settings slot set", "E-INPUT"]);
        let said = town.says("settings slot test", json!({ "name": "alerts" })).await;
        assert_says(&said, &["has no channel yet"]);
        assert_eq!(bot.get(&town.address("alerts")).await.status, 404);
        // An announcement channel is a text channel, a voice channel fits the slot of that name.
        let news = town.discord.add_channel(town.guild, "news", ChannelKind::Announcement);
        town.set("alerts", news).await;
        town.set("voice", lounge).await;
        bot.finish().await;
    }

    /// The missing permission is named, with a way to get it; no call is made that Discord would refuse.
    async fn a_missing_permission_is_named(bot: Bot) {
        let town = Town::of(&bot).await;
        let options = json!({ "name": "alerts", "channel": town.staff.to_string() });
        let bot_user = fake_discord::BOT_USER_ID;
        town.discord.set_overwrite(town.staff, bot_user, 0, permission::EMBED_LINKS);
        let refused = town.until(&bot, "settings slot set", options.clone(), "Embed Links").await;
        assert_says(&refused.text(), &["I cannot use", "E-PERM-BOT", "Copy invite link"]);
        let link = town.press(&refused, "Copy invite link").await;
        assert_says(&link.text(), &["https://discord.com/oauth2/authorize?client_id=", "permissions="]);
        assert!(refused.current().is_some_and(|reply| reply.text().contains("Embed Links")), "the refusal stays");

        town.discord.set_overwrite(town.staff, bot_user, 0, permission::VIEW_CHANNEL);
        let refused = town.until(&bot, "settings slot set", options.clone(), "View Channel").await;
        assert_says(&refused.text(), &["E-PERM-BOT"]);
        // Rights are looked at first; only a look from just before the change can cost one refused call.
        assert!(town.discord.invalid_count() <= 1, "{}", town.discord.invalid_count());

        town.discord.set_overwrite(town.staff, bot_user, 0, 0);
        town.until(&bot, "settings slot set", options, "leads to").await;
        bot.finish().await;
    }

    /// An administrator can show the command to everybody; the right to change settings stays with those who have it.
    async fn members_without_manage_server_change_nothing(bot: Bot) {
        let town = Town::of(&bot).await;
        town.set("alerts", town.staff).await;
        let ada = town.discord.add_member(town.guild, "ada");
        town.discord.command_as_admin_override(true);
        let channel = town.chat.to_string();
        for (path, options) in [
            ("settings slot set", json!({ "name": "alerts", "channel": channel })),
            ("settings slot clear", json!({ "name": "alerts" })),
            ("settings slot create", json!({ "name": "x", "type": 0, "purpose": "y" })),
            ("settings slot test", json!({ "name": "alerts" })),
            ("settings general", json!({ "timezone": "Europe/Berlin" })),
            ("settings history", json!({})),
            ("settings export", json!({})),
            ("settings import", json!({ "file": { "filename": "a.json", "url": "https://cdn.discordapp.com/a" } })),
        ] {
            let said = town.run_as(ada, path, options).await.text();
            assert_says(&said, &["Manage Server", "E-PERM-USER"]);
        }
        let answer = bot.get(&town.address("alerts")).await;
        assert_eq!(answer.body["channelId"], town.staff.to_string());
        assert!(town.discord.messages(town.staff).is_empty());
        bot.finish().await;
    }

    /// A purpose is shown as it was written, and does nothing (D43).
    async fn hostile_purposes_stay_words(bot: Bot) {
        let town = Town::of(&bot).await;
        let purpose = "@everyone <@&1> [free](https://evil.example) **`x` \u{202e}evil\u{200b}";
        let made =
            town.run("settings slot create", json!({ "name": "trap", "type": 0, "purpose": purpose })).await;
        let shown = town.run("settings slot show", json!({})).await;
        for said in [made.text(), shown.text()] {
            assert_says(&said, &["@\u{200b}everyone", "\\[free\\]\\(https\\://evil.example\\)", "\\*\\*\\`x\\`"]);
            assert!(!said.contains('\u{202e}') && !said.contains("[free]("), "{said}");
        }
        let choices =
            town.discord.autocomplete(town.owner, town.chat, "settings slot show", json!({ "name": "tra" }), "name").await;
        assert_eq!(choices.len(), 1);
        assert!(choices[0].name.chars().count() <= 100);
        let said = town
            .says("settings slot create", json!({ "name": "b", "type": 0, "purpose": "line\nbreak" }))
            .await;
        assert_says(&said, &["The purpose of a slot must have 1 to 200 characters"]);
        bot.finish().await;
    }

    /// A test post appears, leads there, and deletes itself after half a minute, not earlier.
    async fn a_test_post_deletes_itself(bot: Bot) {
        let town = Town::of(&bot).await;
        town.set("alerts", town.staff).await;
        let tested = town.run("settings slot test", json!({ "name": "alerts" })).await;
        let posts = town.discord.messages(town.staff);
        assert_eq!(posts.len(), 1);
        assert_says(&posts[0].text(), &["Test of the slot `alerts`"]);
        let link = format!("https://discord.com/channels/{}/{}/{}", town.guild, town.staff, posts[0].id);
        assert_says(&tested.text(), &["works", &link]);
        bot.live_through(TimeDelta::seconds(25), TimeDelta::seconds(5)).await;
        assert_eq!(town.discord.messages(town.staff).len(), 1, "nothing goes early");
        bot.live_through(TimeDelta::seconds(10), TimeDelta::seconds(5)).await;
        assert_eq!(town.discord.messages(town.staff), []);
        bot.finish().await;
    }

    /// A slot that needs no right to write is tested without a post.
    async fn a_voice_slot_needs_no_post(bot: Bot) {
        let town = Town::of(&bot).await;
        let voice = town.discord.add_channel(town.guild, "talk", ChannelKind::Voice);
        town.discord.set_overwrite(voice, fake_discord::BOT_USER_ID, 0, permission::SEND_MESSAGES);
        bot.drain().await;
        let set = town.says("settings slot set", json!({ "name": "voice", "channel": voice.to_string() })).await;
        assert_says(&set, &["✅ The slot `voice` leads to"]);
        let tested = town.says("settings slot test", json!({ "name": "voice" })).await;
        assert_says(&tested, &["✅ I can use", "I may not write there"]);
        assert!(town.discord.messages(voice).is_empty());
        assert_eq!(town.discord.invalid_count(), 0);
        bot.finish().await;
    }

    /// A test that cannot be done says why, and the slot's health is what the test found.
    async fn a_test_finds_what_is_missing(bot: Bot) {
        let town = Town::of(&bot).await;
        town.set("alerts", town.staff).await;
        let deny = permission::SEND_MESSAGES;
        town.discord.set_overwrite(town.staff, fake_discord::BOT_USER_ID, 0, deny);
        let tested = town.until(&bot, "settings slot test", json!({ "name": "alerts" }), "Send Messages").await;
        assert_says(&tested.text(), &["I lack", "E-PERM-BOT", "Copy invite link"]);
        let said = town.says("settings slot show", json!({ "name": "alerts" })).await;
        assert_says(&said, &["❌ broken: I lack permissions in its channel"]);
        // A look from just before the change can cost one refused post.
        assert!(town.discord.invalid_count() <= 1, "{}", town.discord.invalid_count());
        bot.finish().await;
    }

    /// What is cleared comes back with one press; what was created can be removed.
    async fn a_slot_comes_and_goes(bot: Bot) {
        let town = Town::of(&bot).await;
        town.set("alerts", town.staff).await;
        let cleared = town.run("settings slot clear", json!({ "name": "alerts" })).await;
        assert_says(&cleared.text(), &["no longer leads to"]);
        assert_eq!(bot.get(&town.address("alerts")).await.status, 404);
        town.press(&cleared, "Undo").await;
        assert_eq!(bot.get(&town.address("alerts")).await.body["channelId"], town.staff.to_string());

        let made = town.run("settings slot create", json!({ "name": "news", "type": 0, "purpose": "News" })).await;
        assert_says(&made.text(), &["There is a slot `news` now", "Choose its channel"]);
        let picked = town.choose(&made, "v1|slot|pick|news", &town.staff.to_string()).await;
        assert_says(&picked.text(), &["The slot `news` leads to", "✅ ready"]);
        let again = town.says("settings slot create", json!({ "name": "news", "type": 0, "purpose": "News" })).await;
        assert_says(&again, &["exists already", "E-STATE"]);
        let said = town.says("settings slot create", json!({ "name": "alerts", "type": 0, "purpose": "x" })).await;
        assert_says(&said, &["is built in"]);
        town.press(&picked, "Clear").await;
        let empty = town.run("settings slot show", json!({ "name": "news" })).await;
        town.press(&empty, "Remove this slot").await;
        let said = town.says("settings slot show", json!({ "name": "news" })).await;
        assert_says(&said, &["There is no slot `news`"]);
        bot.finish().await;
    }

    /// Names come with their purpose, the nearest first, and never more than Discord shows.
    async fn names_are_offered_while_typing(bot: Bot) {
        let town = Town::of(&bot).await;
        for number in 0..30 {
            let options = json!({ "name": format!("extra-{number}"), "type": 0, "purpose": "p" });
            town.run("settings slot create", options).await;
        }
        let offered = async |typed: &str| {
            let options = json!({ "name": typed });
            town.discord.autocomplete(town.owner, town.chat, "settings slot set", options, "name").await
        };
        let all = offered("").await;
        assert_eq!((all.len(), all[0].value.as_str()), (25, Some("alerts")));
        assert!(all[0].name.starts_with("alerts – "), "{}", all[0].name);
        let some = offered("tra-1").await;
        assert_eq!(some.len(), 11);
        assert_eq!(offered("zzz").await, []);
        let shown = town.run("settings slot show", json!({})).await;
        assert_says(&shown.text(), &["page 1/4", "Next ▶"]);
        let next = town.press(&shown, "Next ▶").await;
        assert_says(&next.text(), &["page 2/4", "extra-1"]);
        bot.finish().await;
    }

    /// Buttons hold their whole state.
    async fn buttons_survive_a_restart(bot: Bot) {
        let mut bot = bot;
        let town = Town::of(&bot).await;
        town.set("alerts", town.staff).await;
        let shown = town.run("settings slot show", json!({ "name": "alerts" })).await;
        let cleared = town.run("settings slot clear", json!({ "name": "alerts" })).await;
        bot.restart().await;
        town.discord.wait_connected().await;
        town.press(&cleared, "Undo").await;
        let tested = town.press(&shown, "Test").await;
        assert_says(&tested.text(), &["The slot `alerts` works"]);
        bot.finish().await;
    }

    /// The same interaction delivered twice has one effect.
    async fn a_command_delivered_twice_acts_once(bot: Bot) {
        let town = Town::of(&bot).await;
        town.discord.set_duplicate_events(true);
        town.set("alerts", town.staff).await;
        town.run("settings slot test", json!({ "name": "alerts" })).await;
        bot.drain().await;
        assert_eq!(town.discord.messages(town.staff).len(), 1);
        bot.finish().await;
    }

    /// While Discord is slow the person is told in time, and gets the result later.
    async fn a_slow_discord_is_waited_for(bot: Bot) {
        let town = Town::of(&bot).await;
        town.discord.slow_next("/channels/{channel_id}", Duration::from_secs(3));
        let options = json!({ "name": "alerts", "channel": town.staff.to_string() });
        let asked = town.discord.command(town.owner, town.chat, "settings slot set", options);
        let first = asked.first_callback().await;
        assert_eq!(first.kind, 5);
        assert!(first.after < Duration::from_millis(2_500), "{:?}", first.after);
        assert_says(&asked.reply().await.text(), &["The slot `alerts` leads to"]);
        bot.finish().await;
    }
}
