//! Who may manage which keys, and how much they may give away.

use entity::{api_key::Preset, id::GuildId};
use serde_json::json;

use super::*;
use crate::domain::{
    Actor,
    actor::permission,
    api_key::{KeyChange, KeyFilter, Panic, change, key, keys, revoke, revoke_where},
    testing::{guild, member},
};

fn administrator() -> Actor {
    member(permission::ADMINISTRATOR)
}

fn bound(scopes: &[&str]) -> NewKey {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    NewKey { guild_id: Some(guild()), scopes: Some(scopes), ..new() }
}

#[tokio::test]
async fn nobody_grants_more_than_they_have() {
    let domain = testing::domain().await;
    let inside = testing::key(&["guild:700:admin"], None);
    assert_eq!(code(create(&domain, &inside, bound(&["read"])).await), "forbidden", "a key manages all keys or none");
    for scopes in [&["read"][..], &["write"], &["discord:vanish:write"]] {
        assert_eq!(code(create(&domain, &testing::key(scopes, None), new()).await), "forbidden");
    }
    let admin = testing::key(&["admin"], None);
    let made = create(&domain, &admin, NewKey { preset: Some(Preset::Admin), ..new() }).await.unwrap();
    assert_eq!(made.row.scopes, json!(["admin"]));
    let bound_admin = testing::key(&["admin"], Some(guild()));
    assert_eq!(code(create(&domain, &bound_admin, bound(&["read"])).await), "forbidden");
    assert_eq!(code(keys(&domain, &bound_admin, KeyFilter::default(), None).await), "forbidden");
}

#[tokio::test]
async fn an_administrator_of_a_guild_gives_away_their_guild_only() {
    let domain = testing::domain().await;
    let admin = administrator();
    assert_eq!(code(create(&domain, &member(permission::MANAGE_GUILD), bound(&["read"])).await), "forbidden");
    assert_eq!(code(create(&domain, &admin, new()).await), "forbidden", "not for all servers");
    let other = NewKey { guild_id: GuildId::new(701), ..new() };
    assert_eq!(code(create(&domain, &admin, other.clone()).await), "forbidden");
    let made = create(&domain, &admin, bound(&["read", "guild:700:discord:vanish:write"])).await.unwrap().row;
    assert_eq!(made.scopes, json!(["guild:700:read", "guild:700:discord:vanish:write"]));
    assert_eq!(code(create(&domain, &admin, bound(&["guild:701:read"])).await), "key.scope_outside_guild");
    let preset = NewKey { guild_id: Some(guild()), preset: Some(Preset::Admin), ..new() };
    assert_eq!(create(&domain, &admin, preset).await.unwrap().row.scopes, json!(["guild:700:admin"]));
    let more = KeyChange { scopes: Some(vec!["admin".to_owned()]), ..KeyChange::default() };
    assert_eq!(change(&domain, &admin, made.id, more).await.unwrap().scopes, json!(["guild:700:admin"]));

    let foreign = create(&domain, &root(), other).await.unwrap().row.id;
    let free = create(&domain, &root(), new()).await.unwrap().row.id;
    for id in [foreign, free, entity::id::ApiKeyId(uuid::Uuid::nil())] {
        assert_eq!(code(key(&domain, &admin, id).await), "key.not_found");
        assert_eq!(code(revoke(&domain, &admin, id, None).await), "key.not_found");
        assert_eq!(code(change(&domain, &admin, id, KeyChange::default()).await), "key.not_found");
    }
    let filter = KeyFilter { guild_id: Some(guild()), ..KeyFilter::default() };
    assert_eq!(keys(&domain, &admin, filter, None).await.unwrap().rows.len(), 2);
    assert_eq!(code(keys(&domain, &admin, KeyFilter::default(), None).await), "forbidden");
    assert_eq!(code(key(&domain, &member(0), made.id).await), "forbidden");
}

#[tokio::test]
async fn a_panic_ends_all_keys_of_a_guild_or_all_there_are() {
    let domain = testing::domain().await;
    for _ in 0..3 {
        issue(&domain, bound(&["read"])).await;
    }
    let free = issue(&domain, new()).await;
    let admin = administrator();
    assert_eq!(code(revoke_where(&domain, &admin, Panic::Instance, None).await), "forbidden");
    let reason = Some("the bot's machine was stolen".to_owned());
    assert_eq!(revoke_where(&domain, &admin, Panic::Guild(guild()), reason.clone()).await.unwrap(), 3);
    assert_eq!(revoke_where(&domain, &admin, Panic::Guild(guild()), reason).await.unwrap(), 0);
    opens(&domain, &free).await.unwrap();
    assert_eq!(revoke_where(&domain, &root(), Panic::Instance, None).await.unwrap(), 1);
    assert_eq!(opens(&domain, &free).await.unwrap_err(), "key.revoked");
    assert_eq!(kinds(&domain).await.iter().filter(|kind| *kind == "api_key.revoked").count(), 4);
}

#[tokio::test]
async fn lists_are_filtered_and_come_newest_first() {
    let domain = testing::domain().await;
    let owner = person(&domain).await;
    let first = issue(&domain, NewKey { user_id: Some(owner), ..new() }).await.row.id;
    let second = issue(&domain, NewKey { preset: Some(Preset::Admin), ..new() }).await.row.id;
    let third = issue(&domain, bound(&["read"])).await.row.id;
    revoke(&domain, &root(), second, None).await.unwrap();
    let list = async |filter: KeyFilter| {
        let found = keys(&domain, &root(), filter, None).await.unwrap();
        found.rows.into_iter().map(|view| view.row.id).collect::<Vec<_>>()
    };
    let all = KeyFilter::default();
    assert_eq!(list(all).await, [third, second, first]);
    assert_eq!(list(KeyFilter { user_id: Some(owner), ..all }).await, [first]);
    assert_eq!(list(KeyFilter { guild_id: Some(guild()), ..all }).await, [third]);
    assert_eq!(list(KeyFilter { preset: Some(Preset::Admin), ..all }).await, [second]);
    assert_eq!(list(KeyFilter { revoked: Some(true), ..all }).await, [second]);
    assert_eq!(list(KeyFilter { revoked: Some(false), ..all }).await, [third, first]);
}
