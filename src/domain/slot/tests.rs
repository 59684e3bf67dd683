use entity::event;

use super::*;
use crate::domain::{
    guild,
    testing::{self, TestDomain, admin, channel, guild, member, root},
};

fn key(text: &str) -> SlotKey {
    text.parse().unwrap()
}

fn facts(id: u64, slot_type: SlotType) -> ChannelFacts {
    ChannelFacts { channel_id: channel(id), guild_id: guild(), slot_type, missing_permissions: 0 }
}

async fn kinds(domain: &TestDomain) -> Vec<String> {
    let events = crate::domain::event::events_after(domain, 0, 1000).await.unwrap();
    events.into_iter().map(|event: event::Model| event.kind).collect()
}

async fn state_of(domain: &TestDomain, name: &str) -> (SlotState, Option<SlotProblem>) {
    let view = view(domain, &admin(), guild(), &key(name)).await.unwrap();
    (view.state, view.problem)
}

#[tokio::test]
async fn over_http_a_slot_is_made_changed_read_and_deleted() {
    let domain = testing::domain().await;
    let missing = slot(&domain, &root(), guild(), &key("welcome")).await.unwrap_err();
    assert_eq!((missing.code(), missing.to_string().as_str()), (Some("slot.not_found"), "Channel setting not found"));

    let made = set_over_http(&domain, &root(), guild(), &key("welcome"), channel(1)).await.unwrap();
    assert_eq!((made.slot_type, made.state), (SlotType::Any, SlotState::Unconfirmed));
    domain.advance(chrono::TimeDelta::seconds(5));
    let again = set_over_http(&domain, &root(), guild(), &key("welcome"), channel(1)).await.unwrap();
    assert_eq!(made, again);
    let moved = set_over_http(&domain, &root(), guild(), &key("welcome"), channel(2)).await.unwrap();
    assert_eq!((moved.id, moved.created_at), (made.id, made.created_at));
    assert!(moved.updated_at > made.updated_at);
    let known = set_over_http(&domain, &root(), guild(), &key("voice"), channel(3)).await.unwrap();
    assert_eq!(known.slot_type, SlotType::Voice);

    let rows = slots(&domain, &root(), guild()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["voice", "welcome"]);
    clear(&domain, &root(), guild(), &key("welcome")).await.unwrap();
    let gone = clear(&domain, &root(), guild(), &key("welcome")).await.unwrap_err();
    assert_eq!(gone.code(), Some("slot.not_found"));
    assert_eq!(clear_all(&domain, &root(), guild()).await.unwrap(), 1);
    assert_eq!(clear_all(&domain, &root(), guild()).await.unwrap(), 0);
    assert_eq!(kinds(&domain).await, ["slot.set", "slot.set", "slot.set", "slot.cleared", "slot.cleared"]);
}

#[tokio::test]
async fn from_discord_a_channel_must_fit() {
    let domain = testing::domain().await;
    let set = |name: &'static str, facts| {
        let domain = &domain;
        async move { set_confirmed(domain, &admin(), guild(), &key(name), facts).await }
    };
    let wrong = set("alerts", facts(1, SlotType::Voice)).await.unwrap_err();
    assert_eq!(wrong.code(), Some("slot.wrong_type"));
    assert!(wrong.to_string().contains("needs a text channel, and <#1> is a voice channel"), "{wrong}");

    let blind =
        ChannelFacts { missing_permissions: permission::EMBED_LINKS | permission::CONNECT, ..facts(1, SlotType::Text) };
    let closed = set("alerts", blind).await.unwrap_err();
    assert_eq!(closed.code(), Some("slot.missing_permissions"));
    assert!(closed.to_string().contains("I lack Embed Links there"), "{closed}");

    let abroad = ChannelFacts { guild_id: entity::id::GuildId::new(9).unwrap(), ..facts(1, SlotType::Text) };
    assert_eq!(set("alerts", abroad).await.unwrap_err().code(), Some("slot.other_guild"));
    let typo = set("alrets", facts(1, SlotType::Text)).await.unwrap_err();
    assert!(typo.to_string().contains("did you mean alerts?"), "{typo}");
    assert!(slots(&domain, &admin(), guild()).await.unwrap().is_empty(), "a refusal leaves nothing behind");

    let unneeded = ChannelFacts { missing_permissions: permission::CONNECT, ..facts(1, SlotType::Text) };
    let row = set("alerts", unneeded).await.unwrap();
    assert_eq!((row.state, row.channel_id), (SlotState::Ready, Some(channel(1))));
    assert_eq!(kinds(&domain).await, ["slot.set"]);
}

#[tokio::test]
async fn rights_are_asked_for() {
    let domain = testing::domain().await;
    let nobody = member(0);
    let refused = set_over_http(&domain, &nobody, guild(), &key("alerts"), channel(1)).await.unwrap_err();
    assert_eq!(refused.code(), Some("forbidden"));
    let refused = clear_all(&domain, &nobody, guild()).await.unwrap_err();
    assert_eq!(refused.code(), Some("forbidden"));
    assert!(all_slots(&domain, &nobody, guild()).await.is_ok());
    let elsewhere = entity::id::GuildId::new(9).unwrap();
    assert!(all_slots(&domain, &nobody, elsewhere).await.is_err());
}

#[tokio::test]
async fn a_created_slot_keeps_type_and_purpose_until_it_is_removed() {
    let domain = testing::domain().await;
    let music = key("music");
    let row = create(&domain, &admin(), guild(), &music, SlotType::Voice, " Where we listen ").await.unwrap();
    assert_eq!((row.state, row.purpose.as_deref()), (SlotState::Empty, Some("Where we listen")));
    let twice = create(&domain, &admin(), guild(), &music, SlotType::Text, "x").await.unwrap_err();
    assert_eq!(twice.code(), Some("slot.exists"));
    let ours = create(&domain, &admin(), guild(), &key("alerts"), SlotType::Text, "x").await.unwrap_err();
    assert_eq!(ours.code(), Some("slot.built_in"));
    for bad in ["", "  ", "two\nlines", &"x".repeat(201)] {
        assert!(create(&domain, &admin(), guild(), &key("b"), SlotType::Text, bad).await.is_err());
    }
    let wrong = set_confirmed(&domain, &admin(), guild(), &music, facts(1, SlotType::Text)).await.unwrap_err();
    assert_eq!(wrong.code(), Some("slot.wrong_type"));
    let over_http = set_over_http(&domain, &root(), guild(), &music, channel(1)).await.unwrap();
    assert_eq!(over_http.slot_type, SlotType::Voice);

    clear(&domain, &admin(), guild(), &music).await.unwrap();
    let views = all_slots(&domain, &admin(), guild()).await.unwrap();
    assert_eq!(views.len(), KNOWN.len() + 1);
    let own = views.last().unwrap();
    assert_eq!((own.key.as_str(), own.known, own.state), ("music", false, SlotState::Empty));
    remove(&domain, &admin(), guild(), &music).await.unwrap();
    assert_eq!(all_slots(&domain, &admin(), guild()).await.unwrap().len(), KNOWN.len());
    assert_eq!(view(&domain, &admin(), guild(), &music).await.unwrap_err().code(), Some("slot.unknown"));
}

#[tokio::test]
async fn discord_confirms_or_breaks_what_came_over_http() {
    let domain = testing::domain().await;
    for (name, id) in [("hall", 1), ("voice", 2), ("alerts", 3), ("text", 4)] {
        set_over_http(&domain, &root(), guild(), &key(name), channel(id)).await.unwrap();
    }
    assert!(unconfirmed(&domain, 10).await.unwrap().is_empty(), "the bot is no member yet");
    guild::joined(&domain, guild()).await.unwrap();
    assert_eq!(unconfirmed(&domain, 10).await.unwrap().len(), 4);

    let say = |name: &'static str, id, verdict| {
        let domain = &domain;
        async move { confirm(domain, guild(), &key(name), channel(id), verdict).await.unwrap() }
    };
    let stale = say("hall", 77, Err(SlotProblem::ChannelDeleted)).await;
    assert!(stale.is_none(), "the answer is about a channel that the slot no longer has");
    let hall = say("hall", 1, Ok(facts(1, SlotType::Forum))).await.unwrap();
    assert_eq!((hall.slot_type, hall.state), (SlotType::Forum, SlotState::Ready));
    say("voice", 2, Ok(facts(2, SlotType::Text))).await;
    assert_eq!(state_of(&domain, "voice").await, (SlotState::Broken, Some(SlotProblem::WrongType)));
    say("alerts", 3, Err(SlotProblem::NoAccess)).await;
    say("alerts", 3, Err(SlotProblem::NoAccess)).await;
    assert_eq!(state_of(&domain, "alerts").await, (SlotState::Broken, Some(SlotProblem::NoAccess)));
    let abroad = ChannelFacts { guild_id: entity::id::GuildId::new(9).unwrap(), ..facts(4, SlotType::Text) };
    say("text", 4, Ok(abroad)).await;
    assert_eq!(state_of(&domain, "text").await, (SlotState::Broken, Some(SlotProblem::OtherGuild)));
    let events = kinds(&domain).await;
    assert_eq!(events[5..], ["slot.confirmed", "slot.broken", "slot.broken", "slot.broken"]);
    assert!(unconfirmed(&domain, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn permissions_break_and_mend_a_slot_once() {
    let domain = testing::domain().await;
    set_confirmed(&domain, &admin(), guild(), &key("alerts"), facts(1, SlotType::Text)).await.unwrap();
    let works = |missing| {
        let domain = &domain;
        async move { channel_works(domain, guild(), channel(1), missing).await.unwrap() }
    };
    assert!(works(permission::CONNECT).await.is_empty(), "nobody needs it");
    assert_eq!(works(permission::SEND_MESSAGES).await, [key("alerts")]);
    assert!(works(permission::VIEW_CHANNEL).await.is_empty(), "it is broken already");
    assert_eq!(state_of(&domain, "alerts").await, (SlotState::Broken, Some(SlotProblem::MissingPermissions)));
    assert_eq!(works(0).await, [key("alerts")]);
    assert!(works(0).await.is_empty());
    assert_eq!(kinds(&domain).await, ["slot.set", "slot.broken", "slot.repaired"]);
    assert_eq!(watched_channels(&domain, guild()).await.unwrap(), [channel(1)]);
}

#[tokio::test]
async fn a_deleted_channel_breaks_its_slots_and_the_fallback_takes_over() {
    let domain = testing::domain().await;
    for (name, id) in [("ledger", 1), ("applications", 1), ("alerts", 2)] {
        set_confirmed(&domain, &admin(), guild(), &key(name), facts(id, SlotType::Text)).await.unwrap();
    }
    let at = |id, via_fallback| Some(Resolved { channel_id: channel(id), via_fallback, confirmed: true });
    assert_eq!(resolve(&domain, guild(), &key("ledger")).await.unwrap(), at(1, false));
    let broken = channel_deleted(&domain, guild(), channel(1)).await.unwrap();
    assert_eq!(broken, [key("applications"), key("ledger")]);
    assert!(channel_deleted(&domain, guild(), channel(1)).await.unwrap().is_empty());
    assert_eq!(resolve(&domain, guild(), &key("ledger")).await.unwrap(), at(2, true));
    assert!(channel_works(&domain, guild(), channel(1), 0).await.unwrap().is_empty(), "it is still deleted");
    channel_deleted(&domain, guild(), channel(2)).await.unwrap();
    assert_eq!(resolve(&domain, guild(), &key("ledger")).await.unwrap(), None);

    set_over_http(&domain, &root(), guild(), &key("alerts"), channel(5)).await.unwrap();
    let unproven = resolve(&domain, guild(), &key("ledger")).await.unwrap().unwrap();
    assert_eq!((unproven.channel_id, unproven.confirmed), (channel(5), false));
}

#[tokio::test]
async fn events_hold_settings_before_and_after() {
    let domain = testing::domain().await;
    set_over_http(&domain, &root(), guild(), &key("alerts"), channel(u64::MAX)).await.unwrap();
    clear(&domain, &root(), guild(), &key("alerts")).await.unwrap();
    let events = crate::domain::event::events_after(&domain, 0, 10).await.unwrap();
    let expected = serde_json::json!({
        "guild_id": "700", "key": "alerts", "channel_id": "18446744073709551615", "slot_type": "text",
        "purpose": null, "state": "unconfirmed", "problem": null,
    });
    assert_eq!(events[0].data, serde_json::json!({ "before": null, "after": expected }));
    assert_eq!(events[1].data, serde_json::json!({ "before": expected, "after": null }));
    assert_eq!((events[0].subject.as_str(), events[0].actor.as_str()), ("slot/alerts", "root"));
}
