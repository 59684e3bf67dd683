//! What the vanish engine promises: never early, never a pin, nothing lost, few calls.

use chrono::TimeDelta;
use serde_json::json;

use crate::on_both_stores;

on_both_stores! {
    /// A rule set over HTTP acts only on messages that come after Discord has confirmed the channel.
    async fn a_rule_made_over_http_is_confirmed_and_deletes_on_time(bot: Bot) {
        let discord = bot.discord().clone();
        let guild = discord.add_guild("Northwind");
        let channel = discord.add_channel(guild, "lobby", fake_discord::ChannelKind::Text);
        let ada = discord.add_member(guild, "ada");
        let before = discord.send(channel, ada, "from before the rule");
        bot.advance(TimeDelta::seconds(5));
        let answer = bot
            .post("/api/discord/vanish", json!({ "channelId": channel.to_string(), "guildId": guild.to_string(), "duration": 60 }))
            .await;
        assert_eq!((answer.status, &answer.body), (200, &json!({ "success": true })));
        bot.drain().await;
        bot.advance(TimeDelta::seconds(1));
        let message = discord.send(channel, ada, "goes after a minute");
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(55), TimeDelta::seconds(5)).await;
        assert!(discord.message(channel, message).is_some(), "nothing goes early");
        bot.live_through(TimeDelta::seconds(20), TimeDelta::seconds(5)).await;
        assert!(discord.message(channel, message).is_none(), "due at 60 s, gone within 30 s more");
        assert!(discord.message(channel, before).is_some(), "messages from before the rule are none of its business");
        let rule = bot.get(&format!("/api/discord/vanish/{channel}")).await;
        assert_eq!(rule.body["messagesDeleted"], 1);
        bot.finish().await;
    }
}
