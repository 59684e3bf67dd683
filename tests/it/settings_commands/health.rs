//! `/settings doctor`, and slots whose channels change.

use fake_discord::permission;
use guildhall::domain::{Actor, guild};
use serde_json::json;

use super::{Town, assert_says};
use crate::{harness::Bot, on_both_stores};

on_both_stores! {
    /// A deleted channel breaks its slot, and the people who run the server are told once.
    async fn a_deleted_channel_breaks_its_slot(bot: Bot) {
        let town = Town::of(&bot).await;
        let records = town.discord.add_channel(town.guild, "records", fake_discord::ChannelKind::Text);
        town.set("alerts", town.staff).await;
        town.set("ledger", records).await;
        bot.drain().await;
        town.discord.set_duplicate_events(true);
        town.discord.delete_channel(records);
        town.until(&bot, "settings slot show", json!({ "name": "ledger" }), "❌ broken: its channel was deleted").await;
        town.discord.wait_message(town.staff, |post| post.text().contains("slot `ledger` is broken")).await;
        bot.drain().await;
        assert_eq!(town.discord.messages(town.staff).len(), 1);

        let doctor = town.run("settings doctor", json!({})).await;
        assert_says(&doctor.text(), &["❌ 1 thing needs you", "❌ Slot `ledger` · its channel is gone", "Mend a slot"]);
        let slot = town.choose(&doctor, "v1|slot|open|", "ledger").await;
        let mended = town.choose(&slot, "v1|slot|pick|ledger", &town.chat.to_string()).await;
        assert_says(&mended.text(), &["✅ ready"]);
        assert_says(&town.says("settings doctor", json!({})).await, &["✅ All is well"]);
        bot.finish().await;
    }

    /// A lost permission shows in slot and report, and heals by itself when it comes back.
    async fn a_lost_permission_heals_by_itself(bot: Bot) {
        let town = Town::of(&bot).await;
        town.set("ledger", town.staff).await;
        let bot_user = fake_discord::BOT_USER_ID;
        town.discord.set_overwrite(town.staff, bot_user, 0, permission::SEND_MESSAGES);
        town.until(&bot, "settings slot show", json!({ "name": "ledger" }), "❌ broken: I lack permissions").await;
        let doctor = town.run("settings doctor", json!({})).await;
        assert_says(&doctor.text(), &[
            &format!("❌ Slot `ledger` → <#{}>", town.staff),
            "lacks Send Messages",
            "✅ has View Channel",
            "Open channel 1",
            "Copy invite link",
        ]);
        let links = doctor.message().buttons().into_iter().filter_map(|button| button.url).collect::<Vec<_>>();
        assert_eq!(links, [format!("https://discord.com/channels/{}/{}", town.guild, town.staff)]);

        town.discord.set_overwrite(town.staff, bot_user, 0, 0);
        town.until(&bot, "settings slot show", json!({ "name": "ledger" }), "✅ ready").await;
        let again = town.press(&doctor, "Recheck").await;
        assert_says(&again.text(), &["✅ All is well", "✅ Slot `ledger`"]);
        assert_eq!(town.discord.invalid_count(), 0);
        bot.finish().await;
    }

    /// Vanish rules are looked at too: what they lack, and that a person paused them.
    async fn the_doctor_looks_at_vanish_rules(bot: Bot) {
        let town = Town::of(&bot).await;
        let body = |channel: u64| {
            json!({ "channelId": channel.to_string(), "guildId": town.guild.to_string(), "duration": 60 })
        };
        for channel in [town.chat, town.staff] {
            assert_eq!(bot.post("/api/discord/vanish", body(channel)).await.status, 200);
        }
        bot.drain().await;
        let said = town.says("settings doctor", json!({})).await;
        assert_says(&said, &["✅ All is well", &format!("<#{}> · active", town.staff), "Manage Messages"]);
        let deny = permission::MANAGE_MESSAGES;
        town.discord.set_overwrite(town.staff, fake_discord::BOT_USER_ID, 0, deny);
        let doctor = town.until(&bot, "settings doctor", json!({}), "lacks Manage Messages").await;
        assert_says(&doctor.text(), &["❌ 1 thing needs you", &format!("❌ <#{}>", town.staff)]);

        town.discord.set_bot_permissions(town.guild, permission::EVERYONE_DEFAULT);
        let doctor = town.until(&bot, "settings doctor", json!({}), "My role lacks").await;
        assert_says(&doctor.text(), &["**Manage Messages, Manage Roles, Manage Threads**"]);
        bot.finish().await;
    }

    /// A permission that was lost while the bot was away is found at its return.
    async fn what_happened_meanwhile_is_found(bot: Bot) {
        let mut bot = bot;
        let town = Town::of(&bot).await;
        let records = town.discord.add_channel(town.guild, "records", fake_discord::ChannelKind::Text);
        town.set("ledger", records).await;
        town.set("practice", town.staff).await;
        bot.stop().await;
        town.discord.delete_channel(records);
        town.discord.set_overwrite(town.staff, fake_discord::BOT_USER_ID, 0, permission::SEND_MESSAGES);
        bot.start_again().await;
        town.discord.wait_connected().await;
        town.until(&bot, "settings slot show", json!({ "name": "ledger" }), "its channel was deleted").await;
        town.until(&bot, "settings slot show", json!({ "name": "practice" }), "I lack permissions").await;
        bot.finish().await;
    }

    /// A server that is out of order for a while was not left; one that removed the bot was.
    async fn leaving_a_server_is_noticed(bot: Bot) {
        let town = Town::of(&bot).await;
        let id = town.guild.to_string().parse().expect("an id");
        let present = async |bot: &Bot| {
            let general = guild::general(bot.running().app().domain(), &Actor::System, id).await;
            general.expect("the store answers").present
        };
        bot.eventually("the bot knows that it is a member", present).await;
        town.discord.set_guild_available(town.guild, false);
        town.discord.set_guild_available(town.guild, true);
        town.says("settings general", json!({})).await;
        assert!(present(&bot).await);
        town.discord.remove_guild(town.guild);
        bot.eventually("the bot knows that it was removed", async |bot| !present(bot).await).await;
        town.discord.add_bot(town.guild);
        bot.eventually("the bot knows that it is back", present).await;
        bot.finish().await;
    }
}
