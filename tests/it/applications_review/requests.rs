//! Discord's own join requests, voted on as applications.

use chrono::TimeDelta;
use entity::{
    application::{ApplicationStatus, DecidedHow},
    application_step::{StepKind, StepState},
    id::{DiscordUserId, GuildId},
};
use fake_discord::{Failure, permission};
use guildhall::domain::{
    application::{self, ApplicationFilter},
    vanish::PageRequest,
};
use serde_json::json;

use super::{Hall, ROOT, assert_says};
use crate::{harness::Bot, on_both_stores};

/// A hall that mirrors join requests, one vote of whose owner decides.
async fn linked(bot: &Bot) -> Hall {
    let hall = Hall::open(bot).await;
    hall.discord.set_bot_permissions(hall.guild, permission::BOT_DEFAULT | permission::KICK_MEMBERS);
    hall.run(hall.owner, "forms create", json!({ "name": "Door" })).await;
    hall.run(hall.owner, "forms policy", json!({ "form": "Door", "quorum": "1" })).await;
    let on = json!({ "state": 0, "form": "Door" });
    let said = hall.run(hall.owner, "forms link-native", on).await.text();
    assert_says(&said, &["is now voted on as an applicant of **Door**", "0 requests wait"]);
    hall
}

async fn all(hall: &Hall) -> Vec<entity::application::Model> {
    let page = PageRequest { limit: 100, offset: 0 };
    let filter = ApplicationFilter { guild_id: GuildId::new(hall.guild), ..ApplicationFilter::all(page) };
    application::list(&hall.domain, &ROOT, filter).await.expect("the store answers").rows
}

on_both_stores! {
    /// A request becomes one application, whose vote lets in or turns down, once.
    async fn a_join_request_is_voted_on(bot: Bot) {
        let hall = linked(&bot).await;
        let [ada, ben] = ["ada", "ben"].map(|name| hall.discord.add_user(name));
        let asks = hall.discord.submit_join_request(hall.guild, ada, &[("Why?", "To play @everyone")]);
        let post = hall.post().await;
        assert_says(&post.text(), &["asks to join this server", "Why?", "To play"]);
        assert_says(&hall.press(hall.owner, &post, "Approve").reply().await.text(), &["approve"]);
        bot.eventually("she is let in", async |_| hall.discord.roles_of(hall.guild, ada).is_some()).await;
        let request = hall.discord.join_request(hall.guild, asks).expect("it is there");
        assert_eq!(request["application_status"], "APPROVED");
        bot.drain().await;

        let asks = hall.discord.submit_join_request(hall.guild, ben, &[]);
        bot.eventually("a second post", async |_| hall.posts().len() == 2).await;
        let post = hall.posts().pop().expect("two posts");
        hall.press(hall.owner, &post, "Reject").reply().await;
        bot.eventually("it is turned down", async |_| {
            let request = hall.discord.join_request(hall.guild, asks).expect("it is there");
            request["application_status"] == "REJECTED"
        })
        .await;
        bot.drain().await;
        assert!(hall.discord.roles_of(hall.guild, ben).is_none());
        let rows = all(&hall).await;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.decided_how == Some(DecidedHow::Vote) && row.decision == 1));
        bot.finish().await;
    }

    /// A moderator who decides in Discord's own list closes the vote; who takes the request back withdraws.
    async fn what_is_decided_in_discord_closes_the_vote(bot: Bot) {
        let hall = linked(&bot).await;
        let [ada, ben] = ["ada", "ben"].map(|name| hall.discord.add_user(name));
        let [first, second] = [ada, ben].map(|who| hall.discord.submit_join_request(hall.guild, who, &[]));
        bot.eventually("two posts", async |_| hall.posts().len() == 2).await;
        hall.discord.decide_join_request(hall.guild, first, true, hall.owner);
        hall.discord.withdraw_join_request(hall.guild, second);
        bot.eventually("both are closed", async |_| {
            all(&hall).await.iter().all(|row| row.status != ApplicationStatus::Pending)
        })
        .await;
        bot.drain().await;
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        for (who, status) in [(ada, ApplicationStatus::Approved), (ben, ApplicationStatus::Withdrawn)] {
            let rows = all(&hall).await;
            let row = rows.iter().find(|row| row.discord_user_id == DiscordUserId::new(who)).expect("it was mirrored");
            assert_eq!((row.status, row.decided_how), (status, Some(DecidedHow::Native)));
        }
        assert_eq!(hall.discord.count("PATCH", "/guilds/{guild_id}/requests/{request_id}"), 0, "nothing is sent back");
        bot.finish().await;
    }

    /// An answer that Discord does not take is tried again, and the person is let in once.
    async fn an_answer_that_fails_is_tried_again(bot: Bot) {
        let hall = linked(&bot).await;
        let ada = hall.discord.add_user("ada");
        let asks = hall.discord.submit_join_request(hall.guild, ada, &[]);
        let post = hall.post().await;
        bot.drain().await;
        let route = "/guilds/{guild_id}/requests/{request_id}";
        hall.discord.fail_next("PATCH", route, Failure::discord(400, 99_999, "not now"), 1);
        hall.press(hall.owner, &post, "Approve").reply().await;
        bot.drain().await;
        let row = all(&hall).await.pop().expect("it was mirrored");
        assert_eq!(hall.step(&row, StepKind::NativeRequest).await, (StepState::Waiting, Some("discord".to_owned())));
        assert!(hall.discord.roles_of(hall.guild, ada).is_none());
        bot.advance(TimeDelta::minutes(2));
        bot.drain().await;
        assert_eq!(hall.step(&row, StepKind::NativeRequest).await.0, StepState::Done);
        assert!(hall.discord.roles_of(hall.guild, ada).is_some());
        assert_eq!(hall.discord.join_request(hall.guild, asks).expect("it is there")["application_status"], "APPROVED");
        bot.finish().await;
    }

    /// What was asked while the bot was away is read when it is back, once.
    async fn who_waited_while_the_bot_was_away_is_mirrored_once(bot: Bot) {
        let mut bot = bot;
        let mut hall = linked(&bot).await;
        bot.stop().await;
        let users: Vec<u64> = (0..3).map(|number| hall.discord.add_user(&format!("guest-{number}"))).collect();
        for user in &users {
            hall.discord.submit_join_request(hall.guild, *user, &[]);
        }
        bot.start_again().await;
        hall.domain = bot.running().app().domain().clone();
        bot.eventually("three posts", async |_| hall.posts().len() == 3).await;
        bot.restart().await;
        hall.domain = bot.running().app().domain().clone();
        bot.drain().await;
        assert_eq!(all(&hall).await.len(), 3);
        assert_eq!(hall.posts().len(), 3);
        bot.finish().await;
    }

    /// Off, nothing comes in; without Kick Members it cannot be switched on.
    async fn it_is_off_until_somebody_turns_it_on(bot: Bot) {
        let hall = Hall::open(&bot).await;
        let ada = hall.discord.add_user("ada");
        hall.discord.submit_join_request(hall.guild, ada, &[]);
        hall.run(hall.owner, "forms create", json!({ "name": "Door" })).await;
        let on = json!({ "state": 0, "form": "Door" });
        assert_says(&hall.run(hall.owner, "forms link-native", on.clone()).await.text(), &["Kick Members", "E-PERM-BOT"]);
        bot.drain().await;
        assert!(all(&hall).await.is_empty());
        hall.discord.set_bot_permissions(hall.guild, permission::BOT_DEFAULT | permission::KICK_MEMBERS);
        bot.drain().await;
        let said = hall.run(hall.owner, "forms link-native", on).await.text();
        assert_says(&said, &["1 request waits"]);
        let off = json!({ "state": 1, "form": "Door" });
        assert_says(&hall.run(hall.owner, "forms link-native", off.clone()).await.text(), &["any more. Open votes go on"]);
        assert_says(&hall.run(hall.owner, "forms link-native", off).await.text(), &["as it is"]);
        let ben = hall.discord.add_user("ben");
        hall.discord.submit_join_request(hall.guild, ben, &[]);
        bot.drain().await;
        assert_eq!(all(&hall).await.len(), 1);
        bot.finish().await;
    }
}
