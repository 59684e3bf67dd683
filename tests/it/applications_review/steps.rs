//! What follows a decision: carried out once, retried, or visible.

use chrono::TimeDelta;
use entity::{
    application::Model,
    application_step::{StepKind, StepState},
    id::RoleId,
};
use fake_discord::Failure;
use guildhall::domain::application::{self, Invite, Policy, Quorum, Verdict};

use super::{Hall, ROOT, assert_says};
use crate::on_both_stores;

const ROLE: &str = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}";

async fn approve(hall: &Hall, row: &entity::application::Model) {
    let status = entity::application::ApplicationStatus::Approved;
    application::decide(&hall.domain, &ROOT, row.id, Verdict { status, reason: None }).await.expect("it is open");
}

on_both_stores! {
    /// A role above ours waits visibly with the names of both, and is given when ours is moved up.
    async fn a_role_above_ours_waits(bot: Bot) {
        let hall = Hall::open(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        let row = hall.apply(ada, hall.policy()).await;
        hall.post().await;
        hall.discord.move_role(hall.guild, hall.member, 200);
        bot.drain().await;
        approve(&hall, &row).await;
        bot.drain().await;
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        assert_eq!(hall.step(&row, StepKind::RoleAdd).await.0, StepState::Failed);
        let ours = format!("<@&{}>", hall.discord.bot_role(hall.guild));
        assert_says(&hall.posts()[0].text(), &["E-ROLE-ORDER", &ours, &format!("<@&{}>", hall.member)]);
        assert_eq!(hall.discord.count("PUT", ROLE), 0, "a call that would be refused is not made");
        hall.discord.move_role(hall.guild, hall.member, 1);
        bot.eventually("the role is given", async |_| hall.has_role(ada)).await;
        bot.finish().await;
    }

    /// A closed direct message is a visible state with Retry; everything else is done.
    async fn a_closed_direct_message_is_shown(bot: Bot) {
        let hall = Hall::open(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        hall.discord.set_dms_open(ada, false);
        let row = hall.apply(ada, hall.policy()).await;
        let post = hall.post().await;
        approve(&hall, &row).await;
        bot.drain().await;
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        assert_says(&hall.posts()[0].text(), &["they take no direct messages from me", "/my applications"]);
        assert!(hall.has_role(ada));
        hall.discord.set_dms_open(ada, true);
        let pressed = hall.press(hall.owner, &post, "Retry: direct message");
        assert_says(&pressed.reply().await.text(), &["I try that again"]);
        bot.drain().await;
        assert_eq!(hall.step(&row, StepKind::DirectMessage).await.0, StepState::Done);
        bot.finish().await;
    }

    /// Each call after a decision fails once; a restart in between loses nothing and does nothing twice.
    async fn steps_are_retried_over_a_restart(bot: Bot) {
        let mut bot = bot;
        let mut hall = Hall::open(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        let row = hall.apply(ada, Policy { quorum: Quorum::Count(1), ..hall.policy() }).await;
        hall.post().await;
        bot.drain().await;
        for (method, route) in [("PUT", ROLE), ("POST", "/users/@me/channels"), ("PATCH", "/channels/{channel_id}")] {
            hall.discord.fail_next(method, route, Failure::discord(400, 99_999, "not now"), 1);
        }
        approve(&hall, &row).await;
        bot.drain().await;
        for kind in [StepKind::RoleAdd, StepKind::DirectMessage, StepKind::ThreadLock] {
            assert_eq!(hall.step(&row, kind).await, (StepState::Waiting, Some("discord".to_owned())), "{kind:?}");
        }
        bot.restart().await;
        hall.domain = bot.running().app().domain().clone();
        bot.advance(TimeDelta::minutes(2));
        bot.drain().await;
        for kind in [StepKind::RoleAdd, StepKind::DirectMessage, StepKind::ThreadLock] {
            assert_eq!(hall.step(&row, kind).await.0, StepState::Done, "{kind:?}");
        }
        assert!(hall.has_role(ada));
        let told = hall.discord.messages(hall.discord.dm(ada));
        assert_eq!(told.iter().filter(|one| one.text().contains("was approved")).count(), 1);
        bot.finish().await;
    }

    /// Roles that are taken, invites, and threads that are opened again: each fails once, waits, and happens on its next
    /// try.
    async fn the_other_steps_are_retried_too(bot: Bot) {
        let hall = Hall::open(&bot).await;
        hall.discord.set_bot_permissions(hall.guild, 1 << 3);
        let ada = hall.discord.add_member(hall.guild, "ada");
        let guest = hall.discord.add_role(hall.guild, "Guest", 0);
        hall.discord.give_role(hall.guild, ada, guest);
        let mut policy = hall.policy();
        policy.follow_up.roles_remove = vec![RoleId::new(guest).expect("no id is zero")];
        let row = hall.apply(ada, policy).await;
        hall.post().await;
        bot.drain().await;
        let fail = |method: &str, route: &str| {
            hall.discord.fail_next(method, route, Failure::discord(400, 99_999, "not now"), 1);
        };
        let tried_again = async |row: &Model, kind: StepKind| {
            bot.drain().await;
            assert_eq!(hall.step(row, kind).await, (StepState::Waiting, Some("discord".to_owned())), "{kind:?}");
            bot.advance(TimeDelta::minutes(2));
            bot.drain().await;
            hall.step(row, kind).await.0
        };
        fail("DELETE", ROLE);
        approve(&hall, &row).await;
        assert_eq!(tried_again(&row, StepKind::RoleRemove).await, StepState::Done);
        assert_eq!(hall.discord.roles_of(hall.guild, ada), Some(vec![hall.member]));

        fail("PATCH", "/channels/{channel_id}");
        application::reopen(&hall.domain, &ROOT, row.id, None).await.expect("it is decided");
        assert_eq!(tried_again(&row, StepKind::ThreadUnlock).await, StepState::Done);

        let ben = hall.discord.add_user("ben");
        let mut policy = hall.policy();
        policy.follow_up.invite = Invite::Targeted;
        let row = hall.apply(ben, policy).await;
        bot.eventually("a second post", async |_| hall.posts().len() == 2).await;
        fail("POST", "/channels/{channel_id}/invites");
        approve(&hall, &row).await;
        // It is made, and as they share no server with the bot, reviewers hand it over.
        assert_eq!(tried_again(&row, StepKind::Invite).await, StepState::Failed);
        assert_eq!(hall.discord.invites(hall.guild).len(), 1);
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        assert_says(&hall.posts()[1].text(), &["https://discord.gg/", &hall.discord.invites(hall.guild)[0].0]);
        bot.finish().await;
    }

    /// Who is not in the server receives an invite of their own; where they take no message, reviewers see it.
    async fn who_is_not_here_is_invited(bot: Bot) {
        let hall = Hall::open(&bot).await;
        hall.discord.set_bot_permissions(hall.guild, 1 << 3);
        let ada = hall.discord.add_user("ada");
        let mut policy = hall.policy();
        policy.follow_up.invite = Invite::Targeted;
        let row = hall.apply(ada, policy).await;
        hall.post().await;
        hall.discord.set_dms_open(ada, false);
        approve(&hall, &row).await;
        bot.drain().await;
        bot.advance(TimeDelta::seconds(4));
        bot.drain().await;
        let invites = hall.discord.invites(hall.guild);
        assert_eq!(invites.len(), 1);
        assert_eq!((&invites[0].1, &invites[0].2), (&vec![ada], &vec![hall.member]));
        assert_says(&hall.posts()[0].text(), &["https://discord.gg/", &invites[0].0]);
        bot.finish().await;
    }
}
