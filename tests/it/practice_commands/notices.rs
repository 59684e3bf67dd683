//! What people are told about their timers, where, and whom it pings.

use chrono::TimeDelta;
use entity::practice_session::SessionState;
use fake_discord::FakeMessage;
use guildhall::domain::practice::RuleChange;
use serde_json::json;

use super::{PRIVATE, Stage, assert_says, labels, live, running};
use crate::{harness::Bot, on_both_stores};

impl Stage {
    /// What the bot has posted where the slot `practice` leads.
    fn posts(&self) -> Vec<FakeMessage> {
        self.discord.messages(self.practice)
    }

    /// What the bot has written to somebody.
    fn letters(&self, who: u64) -> Vec<FakeMessage> {
        let direct = self.discord.dm(who);
        self.discord.messages(direct)
    }
}

/// Whoever gives no sign for a quarter of an hour is asked.
async fn ask_soon(bot: &Bot, stage: &Stage) {
    stage.set_rule(bot, RuleChange { idle_check_seconds: Some(15 * 60), ..RuleChange::default() }).await;
}

async fn state(bot: &Bot, who: u64) -> SessionState {
    running(bot, who).await.expect("it runs").row.state
}

on_both_stores! {
    /// A forgotten timer is asked about in a direct message; an answer lets it go on, silence pauses it.
    async fn a_forgotten_timer_is_asked_about_and_paused(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::of(&bot).await;
        ask_soon(&bot, &stage).await;
        stage.run(stage.ann, "start", json!({})).await;
        live(&bot, 14).await;
        assert!(stage.letters(stage.ann).is_empty());
        live(&bot, 2).await;
        let asked = stage.letters(stage.ann);
        assert_says(&asked[0].text(), &["Do you still practise?", "I pause it <t:"]);
        assert_eq!(labels(&asked[0]), ["Still practising", "Stop"]);
        bot.restart().await;
        let answer = stage.discord.press_label(stage.ann, &asked[0], "Still practising").reply().await;
        assert_says(&answer.text(), &["Your timer goes on"]);
        live(&bot, 13).await;
        assert_eq!(state(&bot, stage.ann).await, SessionState::Open);
        live(&bot, 4).await;
        assert_eq!(stage.letters(stage.ann).len(), 2, "asked again after the same time");
        live(&bot, 16).await;
        assert_eq!(state(&bot, stage.ann).await, SessionState::Paused);
        bot.finish().await;
    }

    /// Who takes no direct messages is asked in the slot, pinged alone, and nobody else can answer.
    async fn closed_direct_messages_lead_to_the_slot(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.set_slot().await;
        ask_soon(&bot, &stage).await;
        stage.discord.set_dms_open(stage.ann, false);
        stage.run(stage.ann, "start", json!({ "note": "my own" })).await;
        live(&bot, 16).await;
        let posts = stage.posts();
        let asked = posts.last().expect("a post");
        assert_says(&asked.text(), &[&format!("<@{}>", stage.ann), "Do you still practise?"]);
        let pinged = &asked.allowed_mentions.as_ref().expect("it says whom it pings");
        assert_eq!(**pinged, json!({ "parse": [], "users": [stage.ann.to_string()] }));
        for (label, words) in [("Still practising", "Session not found"), ("Stop", "Session not found")] {
            for other in [stage.ben, stage.mona] {
                let refused = stage.discord.press_label(other, asked, label).reply().await;
                assert!(refused.is_ephemeral());
                assert_says(&refused.text(), &[words]);
            }
        }
        assert_eq!(state(&bot, stage.ann).await, SessionState::Open);
        let stopped = stage.discord.press_label(stage.ann, asked, "Stop").reply().await;
        assert!(stopped.is_ephemeral(), "her note is her own");
        assert_says(&stopped.text(), &["🏁 Done", "my own"]);
        assert_eq!(running(&bot, stage.ann).await, None);
        bot.finish().await;
    }

    /// Rounds and breaks are told in the slot, and ping only the person whose timer it is.
    async fn rounds_are_told_in_the_slot(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.set_slot().await;
        let before = stage.posts().len();
        stage.run(stage.ann, "start", json!({ "focus": "10m", "break": "5m", "rounds": 2, "note": "my own" })).await;
        live(&bot, 11).await;
        live(&bot, 5).await;
        live(&bot, 10).await;
        let posts = stage.posts().split_off(before);
        let said: Vec<_> = posts.iter().map(FakeMessage::text).collect();
        for (said, words) in said.iter().zip(["☕ That round is done. One round is left", "🎯 The break is over", "🏁 That was the last round. Your timer has stopped at **20m**"]) {
            assert_says(said, &[&format!("<@{}>", stage.ann), words]);
            assert!(!said.contains("my own"), "{said}");
        }
        assert_eq!(said.len(), 3, "{said:?}");
        for post in &posts {
            let pinged = post.allowed_mentions.as_ref().expect("it says whom it pings");
            assert_eq!(*pinged, json!({ "parse": [], "users": [stage.ann.to_string()] }));
        }
        assert!(stage.letters(stage.ann).is_empty());
        bot.finish().await;
    }

    /// A break is skipped from its post.
    async fn a_break_is_skipped_from_its_post(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::of(&bot).await;
        stage.set_slot().await;
        stage.run(stage.ann, "start", json!({ "focus": "10m", "rounds": 2 })).await;
        live(&bot, 11).await;
        let post = stage.posts().pop().expect("the break is told");
        bot.restart().await;
        let skipped = stage.discord.press_label(stage.ann, &post, "Skip the break").reply().await;
        assert!(skipped.is_ephemeral());
        assert_says(&skipped.text(), &["Your timer runs", "1 left"]);
        assert_eq!(stage.posts().pop().map(|post| post.edits), Some(0), "what everybody sees stays as it is");
        bot.finish().await;
    }

    /// What is private, and what a server has no place for, comes in a direct message.
    async fn what_is_private_is_told_to_its_person_alone(bot: Bot) {
        let stage = Stage::of(&bot).await;
        let rounds = json!({ "focus": "10m", "break": "5m", "rounds": 2 });
        stage.run(stage.ben, "start", rounds.clone()).await;
        live(&bot, 11).await;
        assert_says(&stage.letters(stage.ben)[0].text(), &["☕ That round is done"]);
        stage.run(stage.ben, "stop", json!({})).await;
        stage.set_slot().await;
        let before = stage.posts().len();
        let mut private = rounds;
        private["visibility"] = json!(PRIVATE);
        stage.run(stage.ann, "start", private).await;
        live(&bot, 11).await;
        assert_says(&stage.letters(stage.ann)[0].text(), &["☕ That round is done"]);
        assert_eq!(stage.posts().len(), before);
        stage.run(stage.ann, "stop", json!({})).await;
        ask_soon(&bot, &stage).await;
        stage.discord.set_dms_open(stage.ann, false);
        stage.run(stage.ann, "start", json!({ "visibility": PRIVATE })).await;
        live(&bot, 18).await;
        assert_eq!(stage.posts().len(), before, "a private timer is asked about nowhere else");
        bot.finish().await;
    }

    /// What has passed is not told afterwards.
    async fn what_has_passed_is_not_told(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::of(&bot).await;
        stage.set_slot().await;
        let before = stage.posts().len();
        stage.run(stage.ann, "start", json!({ "focus": "10m", "rounds": 2 })).await;
        live(&bot, 5).await;
        bot.stop().await;
        bot.advance(TimeDelta::hours(2));
        bot.start_again().await;
        live(&bot, 2).await;
        assert_eq!(stage.posts().len(), before, "the round goes on where it was interrupted");
        live(&bot, 5).await;
        assert_eq!(stage.posts().len(), before + 1);
        bot.finish().await;
    }
}
