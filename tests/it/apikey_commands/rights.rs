//! Who may do what: administrators in their server, bot admins everywhere, everybody else nothing.

use fake_discord::{FakeMessage, HOST_USER_ID, Interaction, permission};
use serde_json::{Value, json};

use super::{ADMIN, BOT, EVERYWHERE, HERE, READ_ONLY, Stage, assert_says, id_of, key_in, labels, with_key};
use crate::{
    harness::{Bot, Database},
    on_both_stores,
};

/// Every command, as somebody without rights would try it.
fn everything(id: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("create", json!({ "name": "x", "preset": READ_ONLY, "delivery": HERE })),
        ("create", json!({ "name": "x", "preset": ADMIN })),
        ("list", json!({})),
        ("rotate", json!({ "key": id })),
        ("revoke", json!({ "key": id })),
        ("log", json!({ "key": id })),
        ("panic", json!({})),
    ]
}

async fn refused(asked: &Interaction) -> FakeMessage {
    let callback = asked.first_callback().await;
    assert_ne!(callback.kind, 9, "a form was opened");
    asked.reply().await
}

on_both_stores! {
    /// Discord hides the command from all but administrators; an administrator may show it to everybody, which gives
    /// nobody a right.
    async fn only_administrators_may(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let key = stage.issue(&bot, "site", BOT).await;
        let id = id_of(&stage, "site").await;
        let command = stage.discord.registered_commands(None).into_iter().find(|one| one["name"] == "apikey");
        let needs = permission::ADMINISTRATOR.to_string();
        assert_eq!(command.expect("the command")["default_member_permissions"], needs);
        stage.discord.command_as_admin_override(true);
        for user in [stage.bob, stage.mona] {
            for (command, options) in everything(&id) {
                let asked = stage.discord.command(user, stage.lobby, &format!("apikey {command}"), options);
                let said = refused(&asked).await;
                assert!(said.text().contains("E-PERM-USER"), "/apikey {command}: {}", said.text());
                assert!(!said.text().contains("site") && key_in(&said).is_none(), "{}", said.text());
            }
            let path = "apikey revoke";
            let offered = stage.discord.autocomplete(user, stage.lobby, path, json!({ "key": "s" }), "key").await;
            assert!(offered.is_empty(), "{offered:?}");
        }
        stage.becomes_good(&bot, &key).await;
        bot.finish().await;
    }

    /// What was offered to an administrator is gone with the role, also from direct messages.
    async fn rights_are_looked_at_when_a_button_is_pressed(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let administrators = stage.discord.roles_of(stage.guild, stage.ada).expect("a member")[0];
        stage.discord.command(stage.ada, stage.lobby, "apikey create", json!({ "name": "site", "preset": BOT })).reply().await;
        let letter = stage.letters(stage.ada).pop().expect("the key's message");
        let key = key_in(&letter).expect("the key");
        stage.discord.set_dms_open(stage.ada, false);
        let offer = stage.run("create", json!({ "name": "more", "preset": BOT }));
        assert_eq!(labels(&offer.reply().await), ["Show it here", "Cancel"]);
        stage.discord.take_role(stage.guild, stage.ada, administrators);
        let late = stage.discord.press_label(stage.ada, &offer, "Show it here").reply().await;
        assert_says(&late, &["E-PERM-USER"]);
        let form = stage.discord.press_label(stage.ada, &letter, "Revoke…");
        assert!(refused(&form).await.text().contains("E-PERM-USER"));
        assert!(stage.opens(&bot, &key).await);
        // Given back, the same button works, from the direct message.
        stage.discord.give_role(stage.guild, stage.ada, administrators);
        let form = stage.discord.press_label(stage.ada, &letter, "Revoke…");
        form.modal().await;
        stage.discord.submit_modal(stage.ada, &form, json!({})).reply().await;
        assert!(!stage.opens(&bot, &key).await);
        bot.finish().await;
    }

    /// An administrator of one server can neither see nor touch the keys of another, and issues none for all.
    async fn a_server_s_administrators_stay_inside_it(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let key = stage.issue(&bot, "site", ADMIN).await;
        let id = id_of(&stage, "site").await;
        let south = stage.discord.add_guild("Southwind");
        let square = stage.discord.add_channel(south, "square", fake_discord::ChannelKind::Text);
        let zoe = stage.discord.owner(south);
        bot.drain().await;
        for (command, options) in [
            ("rotate", json!({ "key": id })),
            ("revoke", json!({ "key": id })),
            ("log", json!({ "key": id })),
        ] {
            let asked = stage.discord.command(zoe, square, &format!("apikey {command}"), options);
            assert!(refused(&asked).await.text().contains("API key not found"));
        }
        let listed = stage.discord.command(zoe, square, "apikey list", json!({})).reply().await;
        assert_says(&listed, &["There are no keys yet"]);
        let options = json!({ "name": "all", "preset": ADMIN, "reach": EVERYWHERE, "delivery": HERE });
        let all = stage.discord.command(zoe, square, "apikey create", options).reply().await;
        assert_says(&all, &["E-PERM-USER"]);
        // Even a key that may do everything does so in its server alone.
        stage.becomes_good(&bot, &key).await;
        assert_eq!(with_key(&bot, &key, &format!("/api/discord/channels/{south}")).await.status, 403);
        assert_eq!(with_key(&bot, &key, "/api/admin/keys").await.status, 403, "it is about no server");
        // Of a list that is about servers it sees the rules of its own.
        for (guild, channel) in [(stage.guild, stage.lobby), (south, square)] {
            let rule = json!({ "guildId": guild.to_string(), "channelId": channel.to_string(), "duration": 3600 });
            assert_eq!(bot.post("/api/discord/vanish", rule).await.status, 200);
        }
        let seen = with_key(&bot, &key, "/api/discord/vanish").await;
        assert_eq!((seen.status, seen.body.as_array().map(Vec::len)), (200, Some(1)), "{}", seen.body);
        assert_eq!(seen.body[0]["channelId"], stage.lobby.to_string());
        let path = format!("/api/discord/vanish/{square}");
        assert_eq!(with_key(&bot, &key, &path).await.status, 404, "it may not know that the rule is there");
        bot.finish().await;
    }

    /// In a direct message: nothing for strangers and for servers' administrators, everything for the application's owner.
    async fn the_owner_of_the_application_issues_keys_for_all_servers(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.discord.join_guild(stage.guild, HOST_USER_ID);
        let key = stage.issue(&bot, "site", BOT).await;
        let id = id_of(&stage, "site").await;
        for user in [stage.bob, stage.ada] {
            let dm = stage.discord.dm(user);
            for (command, options) in everything(&id) {
                let asked = stage.discord.command(user, dm, &format!("apikey {command}"), options);
                let said = refused(&asked).await;
                // Ada may manage the key of her server from wherever she is.
                let hers = user == stage.ada && matches!(command, "rotate" | "revoke" | "log");
                assert!(hers || said.text().contains("E-PERM-USER"), "/apikey {command}: {}", said.text());
                if hers {
                    break;
                }
            }
        }
        let dm = stage.discord.dm(HOST_USER_ID);
        let options = json!({ "name": "everything", "preset": ADMIN });
        let shown = stage.discord.command(HOST_USER_ID, dm, "apikey create", options).reply().await;
        let everywhere = key_in(&shown).expect("without links, in a direct message the answer holds the key");
        bot.eventually("the key is good", async |bot| {
            with_key(bot, &everywhere, "/api/discord/vanish").await.status == 200
        })
        .await;
        let listed = stage.discord.command(HOST_USER_ID, dm, "apikey list", json!({})).reply().await;
        assert_says(&listed, &["everything", "site"]);
        let form = stage.discord.command(HOST_USER_ID, dm, "apikey panic", json!({}));
        assert!(form.modal().await["title"].as_str().unwrap_or_default().contains("EVERY key"));
        stage.discord.submit_modal(HOST_USER_ID, &form, json!({ "word": "REVOKE" })).reply().await;
        assert!(!stage.opens(&bot, &key).await);
        assert_eq!(with_key(&bot, &everywhere, "/api/discord/vanish").await.status, 401);
        bot.finish().await;
    }
}

/// Of a team those who may change the application are bot admins; the invited and the read-only are not. The settings
/// name others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teams_and_settings_make_bot_admins() {
    let named = "1000000000000000099";
    let settings = [("GUILDHALL_DISCORD__BOT_ADMINS", "1000000000000000099")];
    let bot = Bot::start_with(Database::Sqlite, &settings).await.expect("SQLite is built in");
    let stage = Stage::build(&bot).await;
    let [head, developer, reader, invited] =
        ["head", "developer", "reader", "invited"].map(|name| stage.discord.add_member(stage.guild, name));
    stage.discord.set_application_team(&[
        (head, "admin", true),
        (developer, "developer", true),
        (reader, "read_only", true),
        (invited, "admin", false),
    ]);
    for (user, may) in [(head, true), (developer, true), (reader, false), (invited, false), (HOST_USER_ID, false)] {
        let dm = stage.discord.dm(user);
        let said = stage.discord.command(user, dm, "apikey list", json!({})).reply().await;
        assert_eq!(said.text().contains("There are no keys yet"), may, "{user}: {}", said.text());
        assert_eq!(said.text().contains("E-PERM-USER"), !may, "{user}");
    }
    let calls = stage.discord.count("GET", "/applications/@me");
    assert!(calls <= 2, "one at the start and one for all of them: {calls}");
    assert!(named.parse::<u64>().is_ok());
    bot.finish().await;
}
