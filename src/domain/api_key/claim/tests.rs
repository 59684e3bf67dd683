//! Handing keys over, by the rules and without a face.

use std::net::IpAddr;

use sea_orm::EntityTrait as _;

use super::*;
use crate::domain::{
    Member,
    actor::permission,
    api_key::{Shape, activate_delivered, create, key, revoke_where, verify},
    guild::role::GivenRights,
    testing::{self, TestDomain, guild, root},
};

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

fn administrator(user: u64) -> Actor {
    Actor::Member(Member {
        user_id: DiscordUserId::new(user).unwrap(),
        guild_id: guild(),
        permissions: permission::ADMINISTRATOR,
        channel: None,
        roles: Vec::new(),
        given: GivenRights::default(),
        is_bot_admin: false,
    })
}

fn wanted() -> NewKey {
    NewKey { guild_id: Some(guild()), ..NewKey::named("website", Shape::Live) }
}

async fn link(domain: &Domain, actor: &Actor) -> ClaimLink {
    let id = order(domain, actor, Wanted::Key(wanted())).await.unwrap();
    link_order(domain, actor, id).await.unwrap()
}

fn code<T>(outcome: Result<T, Error>) -> &'static str {
    outcome.err().expect("a refusal").code().expect("no fault")
}

async fn opens(domain: &Domain, secret: &Secret) -> bool {
    verify(domain, secret.expose(), HOME).await.is_ok()
}

async fn keys(domain: &Domain) -> usize {
    api_key::Entity::find().all(domain.store().reader()).await.unwrap().len()
}

/// A code that is not this one.
fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[tokio::test]
async fn a_link_reveals_its_key_once_to_who_has_the_code() {
    let domain = testing::domain().await;
    let ada = administrator(42);
    let link = link(&domain, &ada).await;
    assert_eq!((link.token.expose().len(), link.code.len()), (64, 6));
    assert_eq!(link.expires_at, domain.now() + TimeDelta::minutes(10));
    for _ in 0..3 {
        view_link(&domain, link.token.expose()).await.expect("looking uses nothing up");
    }
    assert_eq!(keys(&domain).await, 0, "nothing is minted before the code");
    let issued = reveal(&domain, link.token.expose(), &link.code).await.unwrap();
    assert!(opens(&domain, &issued.secret).await);
    assert_eq!((issued.row.guild_id, issued.row.created_by.as_str()), (Some(guild()), "member:42"));
    let view = key(&domain, &root(), issued.row.id).await.unwrap();
    assert_eq!(view.identities[0].identity, "42", "it belongs to who asked");
    assert_eq!(code(reveal(&domain, link.token.expose(), &link.code).await), "claim.gone");
    assert_eq!(code(view_link(&domain, link.token.expose()).await), "claim.gone");
    let rows = api_key_claim::Entity::find().all(domain.store().reader()).await.unwrap();
    let text = format!("{rows:?}");
    assert!(!text.contains(link.token.expose()) && !text.contains(issued.secret.expose()));
}

#[tokio::test]
async fn five_wrong_codes_end_a_link() {
    let domain = testing::domain().await;
    let link = link(&domain, &administrator(42)).await;
    for left in (1..5).rev() {
        let refused = reveal(&domain, link.token.expose(), &other(&link.code)).await.err().expect("a refusal");
        assert!(refused.to_string().contains(&format!("{left} more")), "{refused}");
    }
    assert_eq!(code(reveal(&domain, link.token.expose(), &other(&link.code)).await), "claim.gone");
    assert_eq!(code(reveal(&domain, link.token.expose(), &link.code).await), "claim.gone");
    assert_eq!(keys(&domain).await, 0);
}

#[tokio::test]
async fn a_link_ends_after_its_time_and_with_the_next_one() {
    let domain = testing::domain().await;
    let ada = administrator(42);
    let late = link(&domain, &ada).await;
    domain.advance(TimeDelta::minutes(10));
    assert_eq!(code(reveal(&domain, late.token.expose(), &late.code).await), "claim.gone");
    let id = order(&domain, &ada, Wanted::Key(wanted())).await.unwrap();
    let first = link_order(&domain, &ada, id).await.unwrap();
    let second = link_order(&domain, &ada, id).await.unwrap();
    assert_eq!(code(reveal(&domain, first.token.expose(), &first.code).await), "claim.gone");
    assert!(reveal(&domain, second.token.expose(), &second.code).await.is_ok());
    for token in ["", "x", &"0".repeat(64), &"G".repeat(64)] {
        assert_eq!(code(view_link(&domain, token).await), "claim.gone", "{token}");
    }
}

#[tokio::test]
async fn of_readers_at_the_same_time_one_gets_the_key() {
    let domain = testing::domain().await;
    let link = link(&domain, &administrator(42)).await;
    let tries = (0..10).map(|_| reveal(&domain, link.token.expose(), &link.code));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(keys(&domain).await, 1);
}

#[tokio::test]
async fn an_order_is_its_makers_alone_and_within_their_rights() {
    let domain = testing::domain().await;
    let (ada, bob) = (administrator(42), administrator(43));
    let id = order(&domain, &ada, Wanted::Key(wanted())).await.unwrap();
    assert_eq!(code(fill_order(&domain, &bob, id).await), "not_yours");
    assert_eq!(code(link_order(&domain, &bob, id).await), "not_yours");
    assert_eq!(code(cancel_order(&domain, &bob, id).await), "not_yours");
    let Actor::Member(member) = &ada else { unreachable!() };
    let demoted = Actor::Member(Member { permissions: 0, ..member.clone() });
    assert_eq!(code(fill_order(&domain, &demoted, id).await), "forbidden", "who lost the right meanwhile gets no key");
    assert_eq!(code(order(&domain, &demoted, Wanted::Key(wanted())).await), "forbidden");
    let everywhere = NewKey { guild_id: None, ..wanted() };
    assert_eq!(code(order(&domain, &ada, Wanted::Key(everywhere)).await), "forbidden");
    let beyond = vec!["guild:1:read".to_owned()];
    assert_eq!(code(choose_scopes(&domain, &ada, id, beyond).await), "key.scope_outside_guild");
    choose_scopes(&domain, &ada, id, vec!["discord:vanish:read".to_owned()]).await.unwrap();
    let issued = fill_order(&domain, &ada, id).await.unwrap();
    assert_eq!(issued.row.scopes, serde_json::json!([format!("guild:{}:discord:vanish:read", guild())]));
}

#[tokio::test]
async fn what_is_filled_opens_nothing_before_it_has_arrived() {
    let domain = testing::domain().await;
    let ada = administrator(42);
    let id = order(&domain, &ada, Wanted::Key(wanted())).await.unwrap();
    let lost = fill_order(&domain, &ada, id).await.unwrap();
    assert!(!opens(&domain, &lost.secret).await);
    assert_eq!(code(fill_order(&domain, &ada, id).await), "claim.gone");
    reopen_order(&domain, id, lost.row.id).await.unwrap();
    let row = key(&domain, &root(), lost.row.id).await.unwrap().row;
    assert_eq!(row.state, api_key::KeyState::Revoked);
    let arrived = fill_order(&domain, &ada, id).await.unwrap();
    activate_delivered(&domain, arrived.row.id).await.unwrap();
    assert!(opens(&domain, &arrived.secret).await && !opens(&domain, &lost.secret).await);
}

/// A rotation that is asked for in chat renews the life of the key, so that it helps against an end that is near.
#[tokio::test]
async fn a_rotation_renews_the_life_and_happens_when_it_is_taken() {
    let domain = testing::domain().await;
    let ada = administrator(42);
    let new = NewKey { expires_at: Some(domain.now() + TimeDelta::days(90)), ..wanted() };
    let old = create(&domain, &root(), new).await.unwrap();
    domain.advance(TimeDelta::days(80));
    let wanted = Wanted::Rotation { id: old.row.id, grace_seconds: 3_600 };
    let id = order(&domain, &ada, wanted.clone()).await.unwrap();
    let link = link_order(&domain, &ada, id).await.unwrap();
    let before = key(&domain, &root(), old.row.id).await.unwrap().row;
    assert_eq!((before.state, before.replaced_by), (api_key::KeyState::Active, None));
    let new = reveal(&domain, link.token.expose(), &link.code).await.unwrap();
    assert!(opens(&domain, &old.secret).await && opens(&domain, &new.secret).await);
    assert_eq!(new.row.expires_at, Some(domain.now() + TimeDelta::days(90)));
    domain.advance(TimeDelta::hours(1));
    assert!(!opens(&domain, &old.secret).await && opens(&domain, &new.secret).await);
    assert_eq!(code(order(&domain, &ada, wanted).await), "key.not_rotatable");
}

#[tokio::test]
async fn a_panic_ends_links_too() {
    let domain = testing::domain().await;
    let ada = administrator(42);
    let link = link(&domain, &ada).await;
    assert_eq!(code(end_orders(&domain, &ada, Panic::Instance).await), "forbidden");
    assert_eq!(end_orders(&domain, &ada, Panic::Guild(guild())).await.unwrap(), 1);
    revoke_where(&domain, &ada, Panic::Guild(guild()), None).await.unwrap();
    assert_eq!(code(reveal(&domain, link.token.expose(), &link.code).await), "claim.gone");
}

#[tokio::test]
async fn orders_that_wait_have_a_bound_and_an_end() {
    let domain: TestDomain = testing::domain().await;
    let ada = administrator(42);
    for _ in 0..OPEN_MAX {
        order(&domain, &ada, Wanted::Key(wanted())).await.unwrap();
    }
    assert_eq!(code(order(&domain, &ada, Wanted::Key(wanted())).await), "claim.too_many_open");
    domain.advance(TimeDelta::days(2));
    order(&domain, &ada, Wanted::Key(wanted())).await.unwrap();
    let rows = api_key_claim::Entity::find().all(domain.store().reader()).await.unwrap();
    assert_eq!(rows.len(), 1, "the dead are cleared by the living");
}
