//! Who may do what where, and what happens twice or from elsewhere.

use chrono::TimeDelta;
use entity::id::{DiscordUserId, GuildId};
use fake_discord::{BOT_USER_ID, ChannelKind, permission};
use guildhall::domain::{Actor, Member, proposal};
use serde_json::json;

use super::{Stage, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// The asker's rights count in the channel that the command names, not where it was typed.
    async fn rights_are_those_of_the_named_channel(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let vault = stage.discord.add_channel(stage.guild, "vault", ChannelKind::Text);
        stage.discord.set_overwrite(vault, stage.mona, 0, permission::MANAGE_MESSAGES);
        let there = json!({ "after": "1h", "channel": vault.to_string() });
        for (path, options) in [
            ("vanish set", there.clone()),
            ("vanish pause", json!({ "channel": vault.to_string() })),
            ("vanish resume", json!({ "channel": vault.to_string() })),
            ("vanish run", json!({ "channel": vault.to_string() })),
            ("vanish off", json!({ "channel": vault.to_string() })),
            ("vanish exempt add", json!({ "channel": vault.to_string(), "kind": 0 })),
        ] {
            let refused = stage.discord.command(stage.mona, stage.lobby, path, options).reply().await;
            assert_says(&refused, &["Manage Messages in that channel", "E-PERM-USER"]);
        }
        let own = stage.discord.add_channel(stage.guild, "own", ChannelKind::Text);
        stage.discord.set_overwrite(own, stage.ada, permission::MANAGE_MESSAGES, 0);
        stage.discord.command_as_admin_override(true);
        let options = json!({ "after": "1h", "channel": own.to_string() });
        let preview = stage.run(stage.ada, "set", options);
        assert_says(&preview.reply().await, &["nothing has changed yet"]);
        // The button is pressed in the lobby, where ada may nothing.
        let applied = stage.discord.press_label(stage.ada, &preview, "Apply").reply().await;
        assert_says(&applied, &["✅ The rule is set"]);
        let refused = stage.run(stage.ada, "set", json!({ "after": "1h" })).reply().await;
        assert_says(&refused, &["E-PERM-USER"]);
        bot.finish().await;
    }

    /// A right lost between preview and [Apply] is noticed; the preview stays and may be used once the right is back.
    async fn rights_are_checked_again_when_the_button_is_pressed(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let vault = stage.discord.add_channel(stage.guild, "vault", ChannelKind::Text);
        let options = json!({ "after": "1h", "channel": vault.to_string() });
        let preview = stage.run(stage.mona, "set", options);
        preview.reply().await;
        stage.discord.set_overwrite(vault, stage.mona, 0, permission::MANAGE_MESSAGES);
        bot.drain().await;
        let refused = stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        assert_says(&refused, &["E-PERM-USER"]);
        assert_eq!(bot.get(&format!("/api/discord/vanish/{vault}")).await.status, 404);
        bot.finish().await;
    }

    /// Without its own rights the bot names them and the channel, and sets nothing.
    async fn the_bots_missing_rights_are_named(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.discord.set_overwrite(stage.lobby, BOT_USER_ID, 0, permission::MANAGE_MESSAGES);
        bot.drain().await;
        let refused = stage.run(stage.mona, "set", json!({ "after": "1h" })).reply().await;
        assert_says(&refused, &["**Manage Messages**", &format!("<#{}>", stage.lobby), "E-PERM-BOT"]);
        stage.discord.set_overwrite(stage.lobby, BOT_USER_ID, 0, permission::READ_MESSAGE_HISTORY);
        bot.drain().await;
        let refused = stage.run(stage.mona, "set", json!({ "after": "1h" })).reply().await;
        assert_says(&refused, &["**Read Message History**", "E-PERM-BOT"]);
        bot.finish().await;
    }

    /// The chat of a voice channel takes Connect: it is named before a rule, and its loss holds the rule until it is back.
    async fn a_voice_chat_takes_connect(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let voice = stage.discord.add_channel(stage.guild, "talk", ChannelKind::Voice);
        stage.discord.set_overwrite(voice, BOT_USER_ID, 0, permission::CONNECT);
        bot.drain().await;
        let options = json!({ "after": "1m", "channel": voice.to_string() });
        let refused = stage.run(stage.mona, "set", options.clone()).reply().await;
        assert_says(&refused, &["**Connect**", &format!("<#{voice}>"), "E-PERM-BOT"]);
        stage.discord.set_overwrite(voice, BOT_USER_ID, 0, 0);
        bot.drain().await;
        stage.set(options).await;
        stage.discord.set_overwrite(voice, BOT_USER_ID, 0, permission::CONNECT);
        let message = stage.discord.send(voice, stage.ada, "goes once the bot may connect again");
        bot.live_through(TimeDelta::minutes(2), TimeDelta::seconds(20)).await;
        let shown = stage.run(stage.mona, "show", json!({ "channel": voice.to_string() })).reply().await;
        assert_says(&shown, &["🔴 stopped", "I lack **Connect** there"]);
        let doctor = stage.discord.command(stage.owner, stage.lobby, "settings doctor", json!({})).reply().await;
        assert_says(&doctor, &["lacks Connect"]);
        stage.discord.set_overwrite(voice, BOT_USER_ID, 0, 0);
        bot.eventually("the message is gone", async |bot| {
            bot.drain().await;
            stage.discord.message(voice, message).is_none()
        })
        .await;
        bot.finish().await;
    }

    /// A preview belongs to who asked for it; somebody else cannot use it, even with its id.
    async fn a_preview_is_its_askers_alone(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let preview = stage.run(stage.mona, "set", json!({ "after": "1h" }));
        let shown = preview.reply().await;
        assert!(shown.is_ephemeral());
        let apply = shown.buttons().into_iter().find(|button| button.label == "Apply");
        let apply = apply.and_then(|button| button.custom_id).expect("the preview has an Apply button");
        let id = apply.rsplit('|').next().and_then(|id| id.parse().ok()).expect("the button holds the proposal's id");
        let thief = Actor::Member(Member {
            user_id: DiscordUserId::new(stage.owner).expect("not zero"),
            guild_id: GuildId::new(stage.guild).expect("not zero"),
            permissions: u64::MAX,
            channel: None,
            roles: Vec::new(),
            given: guildhall::domain::guild::role::GivenRights::default(),
            is_bot_admin: false,
        });
        let refused = proposal::take(bot.running().app().domain(), &thief, id).await;
        assert_eq!(refused.err().and_then(|error| error.code()), Some("not_yours"));
        let applied = stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        assert_says(&applied, &["✅ The rule is set"]);
        bot.finish().await;
    }

    /// Discord may deliver an interaction twice: it has one effect and one answer (D42).
    async fn an_interaction_delivered_twice_has_one_effect(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.discord.set_duplicate_events(true);
        stage.discord.clear_journal();
        let preview = stage.run(stage.mona, "set", json!({ "after": "1h" }));
        preview.reply().await;
        let applied = stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        assert_says(&applied, &["✅ The rule is set"]);
        bot.drain().await;
        assert_eq!(stage.discord.count("POST", "/interactions/{interaction}/{token}/callback"), 2);
        stage.discord.set_duplicate_events(false);
        bot.finish().await;
    }

    /// Two presses of one button: the second finds the proposal used up.
    async fn a_second_press_finds_nothing(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let preview = stage.run(stage.mona, "set", json!({ "after": "1h" }));
        preview.reply().await;
        let one = stage.discord.press_label(stage.mona, &preview, "Apply");
        let two = stage.discord.press_label(stage.mona, &preview, "Apply");
        let callbacks = [one.first_callback().await.kind, two.first_callback().await.kind];
        assert!(callbacks.contains(&7) && callbacks.contains(&4), "one applies, one is told: {callbacks:?}");
        bot.finish().await;
    }

    /// After fifteen minutes a preview is over.
    async fn an_old_preview_has_ended(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let preview = stage.run(stage.mona, "set", json!({ "after": "1h" }));
        preview.reply().await;
        bot.advance(TimeDelta::minutes(16));
        let late = stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        assert_says(&late, &["This confirmation has ended", "E-GONE"]);
        bot.finish().await;
    }
}
