//! Posts and votes.

use chrono::TimeDelta;
use entity::application::ApplicationStatus;
use guildhall::domain::application::{Policy, Quorum, Reasons, Tie};
use serde_json::json;

use super::{Hall, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// Ten members at once around the threshold, and one who clicks thirty times: one decision, one post, one role.
    async fn a_storm_of_votes_decides_once(bot: Bot) {
        let hall = Hall::open(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        let row = hall.apply(ada, Policy { quorum: Quorum::Count(6), ..hall.policy() }).await;
        let post = hall.post().await;
        bot.drain().await;
        let voters: Vec<_> = (0..10).map(|n| hall.voter(&format!("voter {n}"))).collect();
        let clicks: Vec<_> = (0..30).map(|_| hall.press(voters[0], &post, "Approve")).collect();
        for click in clicks {
            assert!(click.reply().await.is_ephemeral());
        }
        assert_eq!(hall.now(&row).await.status, ApplicationStatus::Pending);
        let clicks: Vec<_> = voters.iter().map(|voter| hall.press(*voter, &post, "Approve")).collect();
        for click in &clicks {
            click.reply().await;
        }
        for _ in 0..2 {
            bot.advance(TimeDelta::seconds(4));
            bot.drain().await;
        }
        let now = hall.now(&row).await;
        assert_eq!((now.status, now.decision), (ApplicationStatus::Approved, 1));
        assert_eq!(hall.posts().len(), 1);
        assert_says(&hall.posts()[0].text(), &["approved by vote", "6 of 6 needed", "done"]);
        assert!(hall.has_role(ada));
        assert_eq!(hall.discord.count("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"), 1);
        let told = hall.discord.messages(hall.discord.dm(ada));
        assert_eq!(told.iter().filter(|one| one.text().contains("was approved")).count(), 1);
        let late = hall.run(voters[9], "applications vote", json!({ "number": 1, "choice": 1 })).await;
        assert_says(&late.text(), &["E-STATE"]);
        bot.finish().await;
    }

    /// Without a channel the state is visible and told once; with one the post comes, once, also after a restart.
    async fn a_post_waits_for_its_channel(bot: Bot) {
        let mut bot = bot;
        let mut hall = Hall::of(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        hall.apply(ada, hall.policy()).await;
        bot.drain().await;
        assert_says(&hall.run(hall.owner, "applications view", json!({ "number": 1 })).await.text(), &["leads to no channel"]);
        bot.restart().await;
        hall.domain = bot.running().app().domain().clone();
        hall.lead("applications").await;
        let post = hall.post().await;
        bot.drain().await;
        bot.restart().await;
        bot.advance(TimeDelta::minutes(2));
        bot.drain().await;
        assert_eq!(hall.posts().len(), 1);
        assert!(!post.text().contains("@everyone"), "text of people is inert: {}", post.text());
        let thread: Vec<_> = hall.discord.messages(post.id).iter().map(fake_discord::FakeMessage::text).collect();
        let whole = thread.concat();
        assert_eq!(whole.matches("**Why?**").count(), 1, "the thread has it once: {thread:?}");
        assert_eq!(whole.matches("long").count(), 200, "the thread has the whole: {thread:?}");
        bot.finish().await;
    }

    /// A blind vote shows no counts; a reason is asked for; strangers and the applicant do not vote.
    async fn a_blind_vote_hides_its_counts(bot: Bot) {
        let hall = Hall::open(&bot).await;
        let ada = hall.voter("ada");
        let policy = Policy { blind: true, reasons: Reasons::Rejection, quorum: Quorum::Count(2), ..hall.policy() };
        let row = hall.apply(ada, policy).await;
        let post = hall.post().await;
        let (ben, cas) = (hall.voter("ben"), hall.voter("cas"));
        let stranger = hall.discord.add_member(hall.guild, "stranger");
        assert_says(&hall.press(ada, &post, "Approve").reply().await.text(), &["own application", "E-PERM-USER"]);
        assert_says(&hall.press(stranger, &post, "Approve").reply().await.text(), &["E-PERM-USER"]);
        let form = hall.press(ben, &post, "Reject");
        form.modal().await;
        let sent = hall.discord.submit_modal(ben, &form, json!({ "reason": "too soon" }));
        assert_says(&sent.reply().await.text(), &["reject", "1 of 2 votes", "1 still missing"]);
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        assert_says(&hall.posts()[0].text(), &["hidden until the vote ends", "1 of 2 needed"]);
        assert!(!hall.posts()[0].text().contains("⛔ 1"));
        let without = hall.run(cas, "applications vote", json!({ "number": 1, "choice": 1 })).await.text();
        assert_says(&without, &["needs a reason", "E-INPUT"]);
        let options = json!({ "number": 1, "choice": 1, "reason": "me too" });
        assert_says(&hall.run(cas, "applications vote", options).await.text(), &["rejected", "by vote"]);
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        assert_says(&hall.posts()[0].text(), &["rejected by vote", "⛔ 2"]);
        assert_eq!(hall.now(&row).await.status, ApplicationStatus::Rejected);
        bot.finish().await;
    }

    /// A tie at the deadline waits for whoever may decide; that decision is marked, and can be taken back.
    async fn a_tie_is_decided_by_override_and_opened_again(bot: Bot) {
        let hall = Hall::open(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        let policy = Policy { tie: Tie::Owner, quorum: Quorum::Count(2), early_close: false, ..hall.policy() };
        let row = hall.apply(ada, policy).await;
        let post = hall.post().await;
        let (ben, cas) = (hall.voter("ben"), hall.voter("cas"));
        hall.press(ben, &post, "Approve").reply().await;
        hall.press(cas, &post, "Reject").reply().await;
        bot.advance(TimeDelta::hours(73));
        bot.drain().await;
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        assert_says(&hall.posts()[0].text(), &["ended in a tie"]);
        let form = hall.discord.command(hall.owner, hall.chat, "applications decide", json!({ "number": 1, "outcome": 0 }));
        form.modal().await;
        let sent = hall.discord.submit_modal(hall.owner, &form, json!({ "reason": "welcome" }));
        assert_says(&sent.reply().await.text(), &["approved", "by override"]);
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        assert_says(&hall.posts()[0].text(), &["approved by override", &format!("<@{}>", hall.owner), "welcome"]);
        assert!(hall.has_role(ada));
        let options = json!({ "number": 1, "reason": "a mistake" });
        assert_says(&hall.run(hall.owner, "applications reopen", options).await.text(), &["open again"]);
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        assert!(!hall.has_role(ada), "the role of the decision is taken back");
        assert_eq!(hall.now(&row).await.status, ApplicationStatus::Pending);
        bot.finish().await;
    }

    /// Only those who are known to owe a vote are pinged, at most every twelve hours.
    async fn reminders_reach_those_who_owe_a_vote(bot: Bot) {
        let hall = Hall::open(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        let ben = hall.voter("ben");
        let mut policy = hall.policy();
        policy.voters.members = vec![entity::id::DiscordUserId::new(ben).expect("no id is zero")];
        hall.apply(ada, policy).await;
        hall.post().await;
        bot.drain().await;
        let remind = async || hall.run(hall.owner, "applications remind", json!({ "number": 1 })).await.text();
        assert_says(&remind().await, &["I remind 1 member"]);
        hall.discord.wait_message(hall.review, |one| one.text().contains(&format!("🔔 <@{ben}>"))).await;
        assert_says(&remind().await, &["E-LIMIT"]);
        let who = json!({ "user": ada.to_string(), "until": "30d", "reason": "spam" });
        assert_says(&hall.run(hall.owner, "applications block add", who).await.text(), &["may not apply here until"]);
        assert_says(&hall.run(hall.owner, "applications block list", json!({})).await.text(), &["spam"]);
        assert_says(&hall.run(hall.owner, "applications queue", json!({})).await.text(), &["#1", "ends"]);
        assert_says(&hall.run(hall.owner, "applications stats", json!({})).await.text(), &["1", "open"]);
        let menu = hall.discord.user_menu(hall.owner, hall.chat, "Applications", ada);
        assert_says(&menu.reply().await.text(), &["#1"]);
        bot.finish().await;
    }
}
