//! Times that members choose for their own messages.

use chrono::TimeDelta;
use fake_discord::{BOT_USER_ID, ChannelKind, permission};
use serde_json::json;

use super::assert_says;
use crate::{on_both_stores, vanish_commands::Stage};

/// Choice of `where`: the whole server.
const EVERYWHERE: u8 = 1;
/// Choice of `scope`: vanishing messages.
const VANISH: u8 = 7;

impl Stage {
    /// What somebody reads after `/my vanish` in the lobby.
    async fn choose(&self, user: u64, options: serde_json::Value) -> String {
        let reply = self.discord.command(user, self.lobby, "my vanish", options).reply().await;
        assert!(reply.is_ephemeral(), "{}", reply.text());
        reply.text()
    }

    /// The owner lets members choose.
    async fn allow(&self, min: &str, max: &str) {
        let preview = self.run(self.owner, "default", json!({ "own_min": min, "own_max": max }));
        assert_says(&preview.reply().await.text(), &["Change the server default?", &format!("{min} to {max}")]);
        let applied = self.discord.press_label(self.owner, &preview, "Apply").reply().await;
        assert_says(&applied.text(), &["✅ The server default is set", &format!("{min} to {max}")]);
    }
}

on_both_stores! {
    /// A member's messages go at their time and not before, also over a restart; nobody else's do.
    async fn a_member_chooses_within_what_the_server_allows(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        let said = stage.choose(stage.ada, json!({ "after": "30m" })).await;
        assert_says(&said, &["does not let members choose", "/vanish default", "E-STATE"]);
        assert_says(&stage.choose(stage.ada, json!({})).await, &["None.", "can turn it on"]);
        let refused = stage.run(stage.mona, "default", json!({ "own_min": "10m" })).reply().await;
        assert_says(&refused.text(), &["Manage Server", "E-PERM-USER"]);
        let crossed = stage.run(stage.owner, "default", json!({ "own_min": "1h", "own_max": "10m" })).reply().await;
        assert_says(&crossed.text(), &["must not be longer", "E-INPUT"]);
        stage.allow("10m", "1d").await;
        for after in ["5m", "2d"] {
            let said = stage.choose(stage.ada, json!({ "after": after })).await;
            assert_says(&said, &["between 10m and 1d", "E-INPUT"]);
        }
        let said = stage.choose(stage.ada, json!({ "after": "soon" })).await;
        assert_says(&said, &["not a duration", "E-INPUT"]);
        let offered =
            stage.discord.autocomplete(stage.ada, stage.lobby, "my vanish", json!({ "after": "" }), "after").await;
        let offered: Vec<_> = offered.iter().map(|choice| choice.name.as_str()).collect();
        assert_eq!(offered, ["10m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "off"]);

        let earlier = stage.discord.send(stage.lobby, stage.ada, "from before");
        bot.drain().await;
        let said = stage.choose(stage.ada, json!({ "after": "30m" })).await;
        assert_says(&said, &["✅ From now on", "vanish 30m after", &format!("30m in <#{}>", stage.lobby)]);
        let own = stage.discord.send(stage.lobby, stage.ada, "for half an hour");
        let others = stage.discord.send(stage.lobby, stage.bob, "for ever");
        bot.live_through(TimeDelta::minutes(15), TimeDelta::minutes(5)).await;
        bot.restart().await;
        bot.live_through(TimeDelta::minutes(14), TimeDelta::minutes(2)).await;
        assert!(stage.lives(own), "a minute too early");
        bot.live_through(TimeDelta::minutes(2), TimeDelta::minutes(1)).await;
        assert!(!stage.lives(own));
        assert!(stage.lives(earlier) && stage.lives(others));

        let hall = stage.discord.add_channel(stage.guild, "hall", ChannelKind::Text);
        let said = stage.choose(stage.ada, json!({ "after": "1h", "where": EVERYWHERE })).await;
        assert_says(&said, &["1h in the whole server", "30m in"]);
        let far = stage.discord.send(hall, stage.ada, "for an hour");
        let said = stage.choose(stage.ada, json!({ "after": "OFF" })).await;
        assert_says(&said, &["No time of yours holds", "1h in the whole server"]);
        stage.choose(stage.ada, json!({ "after": "off", "where": EVERYWHERE })).await;
        let free = stage.discord.send(stage.lobby, stage.ada, "for ever again");
        bot.live_through(TimeDelta::minutes(62), TimeDelta::minutes(10)).await;
        assert!(stage.discord.message(hall, far).is_none(), "it had its time already");
        assert!(stage.lives(free));
        let direct = stage.discord.command(stage.ada, stage.discord.dm(stage.ada), "my vanish", json!({})).reply().await;
        assert_says(&direct.text(), &["only in a server"]);
        bot.finish().await;
    }

    /// Of the channel's rule and the member's time, the earlier one counts.
    async fn the_earlier_of_rule_and_own_time_counts(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.allow("10m", "1d").await;
        stage.set(json!({ "after": "20m" })).await;
        stage.choose(stage.ada, json!({ "after": "10m" })).await;
        stage.choose(stage.bob, json!({ "after": "1h" })).await;
        let short = stage.discord.send(stage.lobby, stage.ada, "for ten minutes");
        let long = stage.discord.send(stage.lobby, stage.bob, "for an hour, as far as I am concerned");
        bot.live_through(TimeDelta::minutes(12), TimeDelta::minutes(1)).await;
        assert!(!stage.lives(short) && stage.lives(long));
        bot.live_through(TimeDelta::minutes(10), TimeDelta::minutes(1)).await;
        assert!(!stage.lives(long));
        bot.live_through(TimeDelta::minutes(60), TimeDelta::minutes(10)).await;
        bot.finish().await;
    }

    /// What the bot cannot do is not promised; where it loses its right later, nothing is tried until it is back.
    async fn the_bots_missing_right_is_told(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.allow("10m", "1d").await;
        stage.choose(stage.ada, json!({ "after": "10m" })).await;
        let message = stage.discord.send(stage.lobby, stage.ada, "hello");
        bot.drain().await;
        stage.discord.set_overwrite(stage.lobby, BOT_USER_ID, 0, permission::MANAGE_MESSAGES);
        let said = stage.choose(stage.bob, json!({ "after": "10m" })).await;
        assert_says(&said, &["**Manage Messages**", "E-PERM-BOT"]);
        bot.live_through(TimeDelta::minutes(11), TimeDelta::minutes(1)).await;
        assert!(stage.lives(message));
        let path = format!("/channels/{}/messages/{message}", stage.lobby);
        assert_eq!(stage.discord.count("DELETE", &path), 0, "a refused call costs the bot's standing");
        stage.discord.set_overwrite(stage.lobby, BOT_USER_ID, 0, 0);
        bot.live_through(TimeDelta::minutes(30), TimeDelta::minutes(1)).await;
        assert!(!stage.lives(message));
        bot.finish().await;
    }

    /// A member sees their times in their data, and can have them forgotten alone.
    async fn own_times_are_forgotten_alone(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.allow("10m", "1d").await;
        stage.choose(stage.ada, json!({ "after": "10m", "where": EVERYWHERE })).await;
        let preview = stage.discord.command(stage.ada, stage.lobby, "my data erase", json!({ "scope": VANISH }));
        assert_says(&preview.reply().await.text(), &["times for your own messages: **1**", "type `ada`"]);
        let form = stage.discord.press_label(stage.ada, &preview, "Forget…");
        form.modal().await;
        let done = stage.discord.submit_modal(stage.ada, &form, json!({ "word": "ada" })).reply().await;
        assert_says(&done.text(), &["✅ Your vanishing messages are forgotten"]);
        let message = stage.discord.send(stage.lobby, stage.ada, "hello");
        assert_says(&stage.choose(stage.ada, json!({})).await, &["None.", "10m to 1d"]);
        bot.live_through(TimeDelta::minutes(12), TimeDelta::minutes(2)).await;
        assert!(stage.lives(message));
        bot.finish().await;
    }
}
