//! What people do with `/my`, in a server and in direct messages.

mod vanishing;

use chrono::TimeDelta;
use fake_discord::{ChannelKind, FakeDiscord, FakeMessage, Interaction};
use guildhall::domain::{Actor, Source, user};
use serde_json::{Value, json};

use crate::{harness::Bot, on_both_stores};

/// Somebody who uses commands in a server and in direct messages.
struct Stage {
    discord: FakeDiscord,
    mona: u64,
    places: [u64; 2],
}

impl Stage {
    async fn of(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        let guild = discord.add_guild("Northwind");
        let chat = discord.add_channel(guild, "chat", ChannelKind::Text);
        let mona = discord.add_member(guild, "mona");
        discord.wait_command("my").await;
        Self { places: [chat, discord.dm(mona)], discord, mona }
    }

    async fn run(&self, place: usize, path: &str, options: Value) -> Interaction {
        let asked = self.discord.command(self.mona, self.places[place], path, options);
        let reply = asked.reply().await;
        assert!(reply.is_ephemeral(), "/{path} answered in public: {}", reply.text());
        asked
    }

    /// Types a word into the form that the preview opens.
    async fn confirm(&self, preview: &Interaction, word: &str) -> FakeMessage {
        let form = self.discord.press_label(self.mona, preview, "Forget…");
        assert!(form.modal().await.to_string().contains("Type mona"));
        self.discord.submit_modal(self.mona, &form, json!({ "word": word })).reply().await
    }

    /// All that is held about Mona, as she would get it over HTTP.
    async fn exported(&self, bot: &Bot) -> Value {
        let root = Actor::Root { source: Source::Cli };
        let domain = bot.running().app().domain();
        let account = self.mona.to_string();
        let found =
            user::find(domain, &root, entity::identity::Platform::Discord, &account).await.expect("she is known");
        user::export(domain, &root, found.user.row.id).await.expect("the store answers")
    }

    async fn says(&self, place: usize, path: &str, options: Value) -> String {
        self.run(place, path, options).await.text()
    }
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in:\n{said}");
    }
}

on_both_stores! {
    /// What is set in one place is shown in the other; the server's counts again when one's own is taken away.
    async fn a_profile_is_shown_and_set_everywhere(bot: Bot) {
        let stage = Stage::of(&bot).await;
        for place in [0, 1] {
            let said = stage.says(place, "my profile", json!({})).await;
            assert_says(&said, &["Your profile", "the server's", "members and administrators", "Direct messages", "all"]);
        }
        let set = json!({ "timezone": "europe/berlin", "language": "PT-br", "privacy": 2, "dm": 1 });
        let said = stage.says(1, "my profile", set).await;
        let expected =
            ["✅ Saved", "Europe/Berlin", "pt-BR", "administrators only", "decisions about what you asked for"];
        assert_says(&said, &expected);
        let said = stage.says(0, "my profile", json!({ "dm": 2 })).await;
        assert_says(&said, &["✅ Saved", "Europe/Berlin", "warnings about your keys only"]);
        assert!(stage.exported(&bot).await["tables"]["user_account"][0]["directMessages"] == "none");
        assert_says(&stage.says(0, "my profile", json!({})).await, &["Europe/Berlin", "administrators only"]);
        let said = stage.says(0, "my profile", json!({ "timezone": "server" })).await;
        assert_says(&said, &["✅ Saved", "the server's", "pt-BR"]);
        let said = stage.says(0, "my profile", json!({ "timezone": "`@everyone`" })).await;
        assert_says(&said, &["There is no time zone `everyone`", "E-INPUT"]);
        for (typed, first) in [("", "server"), ("berl", "Europe/Berlin"), ("ser", "server")] {
            let options = json!({ "timezone": typed });
            let offered =
                stage.discord.autocomplete(stage.mona, stage.places[1], "my profile", options, "timezone").await;
            assert_eq!(offered[0].name, first, "{typed:?}");
            assert!(offered.len() <= 25);
        }
        bot.finish().await;
    }

    /// A person gets all that is held about them, and is forgotten when they say so, once.
    async fn a_person_takes_their_data_and_is_forgotten(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.says(0, "my profile", json!({ "timezone": "Europe/Berlin" })).await;
        let export = stage.run(0, "my data export", json!({})).await;
        assert_says(&export.text(), &["my-data.json", "Everything that I hold about you"]);

        let root = Actor::Root { source: Source::Cli };
        let domain = bot.running().app().domain();
        let found = async || {
            let account = stage.mona.to_string();
            user::find(domain, &root, entity::identity::Platform::Discord, &account).await
        };
        let person = found().await.expect("they have used a command").user.row;
        assert_eq!(person.time_zone.as_deref(), Some("Europe/Berlin"));
        let preview = stage.run(1, "my data erase", json!({})).await;
        let expected = ["Shall I forget you?", "your profile: **1**", "your accounts: **1**", "type `mona`", "What stays"];
        assert_says(&preview.text(), &expected);
        let kept = stage.run(1, "my data erase", json!({})).await;
        let kept = stage.discord.press_label(stage.mona, &kept, "Cancel").reply().await;
        assert_says(&kept.text(), &["Nothing was changed"]);
        assert!(found().await.is_ok());

        let late = stage.run(0, "my data erase", json!({})).await;
        bot.advance(TimeDelta::minutes(16));
        let refused = stage.discord.press_label(stage.mona, &late, "Forget…").reply().await;
        assert_says(&refused.text(), &["This confirmation has ended"]);
        assert!(found().await.is_ok());

        let preview = stage.run(1, "my data erase", json!({})).await;
        for wrong in ["yes", "mon a", "forget"] {
            let refused = stage.confirm(&preview, wrong).await;
            assert_says(&refused.text(), &["Nothing was erased: the word is `mona`", "E-INPUT"]);
            assert!(found().await.is_ok(), "{wrong:?}");
        }
        let slow = stage.discord.press_label(stage.mona, &preview, "Forget…");
        slow.modal().await;
        bot.advance(TimeDelta::minutes(16));
        let refused = stage.discord.submit_modal(stage.mona, &slow, json!({ "word": "mona" })).reply().await;
        assert_says(&refused.text(), &["This confirmation has ended"]);
        assert!(found().await.is_ok());

        let preview = stage.run(1, "my data erase", json!({})).await;
        let done = stage.confirm(&preview, " Mona ").await;
        assert_says(&done.text(), &["✅ You are forgotten"]);
        assert!(done.buttons().is_empty(), "it can be pressed again");
        assert!(found().await.is_err());
        let said = stage.says(1, "my profile", json!({ "language": "de" })).await;
        assert_says(&said, &["✅ Saved", "the server's"]);
        let new = found().await.expect("somebody new").user.row;
        assert_ne!(new.id, person.id);
        bot.finish().await;
    }

    /// A part is shown with what stays, and goes alone; the buttons work after a restart.
    async fn a_part_is_forgotten_and_nothing_else(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::of(&bot).await;
        stage.says(0, "my profile", json!({ "timezone": "Europe/Berlin" })).await;
        let held = stage.exported(&bot).await;
        let account = json!({ "userId": held["userId"], "platform": "github", "identity": "mona" });
        assert_eq!(bot.post("/api/admin/identities/connect", account).await.status, 201);
        let preview = stage.run(0, "my data erase", json!({ "scope": 2 })).await;
        let said = preview.text();
        assert_says(&said, &["your other accounts?", "your accounts: **2**", "This account in Discord"]);
        assert!(!said.contains("entries of the log") && !said.contains("your profile:"), "{said}");
        bot.restart().await;
        let done = stage.confirm(&preview, "mona").await;
        assert_says(&done.text(), &["✅ Your other accounts are forgotten", "The rest is as it was"]);
        let held = stage.exported(&bot).await;
        assert_eq!(held["tables"]["identity"].as_array().map(Vec::len), Some(1), "{held}");
        assert_eq!(held["tables"]["identity"][0]["platform"], "discord");
        assert_eq!(held["tables"]["user_account"][0]["timeZone"], "Europe/Berlin");
        let preview = stage.run(1, "my data erase", json!({ "scope": 1 })).await;
        assert_says(&stage.confirm(&preview, "mona").await.text(), &["✅ Your profile is forgotten"]);
        assert_says(&stage.says(0, "my profile", json!({})).await, &["the server's"]);
        let none = stage.run(1, "my data erase", json!({ "scope": 5 })).await;
        assert_says(&none.text(), &["Nothing."]);
        bot.finish().await;
    }
}
