//! From the making of a key to its end, as time passes.

use chrono::TimeDelta;
use guildhall::domain::api_key::{self, NewKey, Panic, Shape};
use serde_json::json;

use super::{KEYS, domain, make, make_plain, opens, root, text, with};
use crate::on_both_stores;

on_both_stores! {
    /// D05: the old key lives through its grace, 0 ends it at once, and no grace puts off its own end.
    async fn a_replaced_key_lives_through_its_grace(bot: Bot) {
        let old = make_plain(&bot).await;
        let new = bot.api("POST", &format!("{}/rotate?gracePeriod=3", old.path()), None).await.body;
        bot.advance(TimeDelta::milliseconds(2_900));
        assert_eq!((opens(&bot, &old.secret).await, opens(&bot, &text(&new["newApiKey"])).await), (200, 200));
        bot.advance(TimeDelta::milliseconds(600));
        let refused = with(&bot, &old.secret).await;
        assert_eq!((refused.status, &refused.body["code"]), (401, &json!("key.expired")));
        let rotate = format!("{KEYS}/{}/rotate?gracePeriod=0", text(&new["id"]));
        let newest = bot.api("POST", &rotate, None).await.body;
        assert_eq!((opens(&bot, &text(&new["newApiKey"])).await, opens(&bot, &text(&newest["newApiKey"])).await), (401, 200));

        let dying = make(&bot, json!({ "name": "dying", "expiresIn": 1 })).await;
        let answer = bot.api("POST", &format!("{}/rotate?gracePeriod=60", dying.path()), None).await.body;
        assert!(answer["expiresAt"].as_str() < answer["graceEndsAt"].as_str(), "{answer}");
        bot.advance(TimeDelta::seconds(1));
        assert_eq!(opens(&bot, &dying.secret).await, 401);
        bot.finish().await;
    }

    /// D06: an end that comes is seen by a key that was used a moment ago.
    async fn a_key_ends_at_its_end(bot: Bot) {
        let key = make(&bot, json!({ "name": "short", "expiresIn": 2 })).await;
        bot.advance(TimeDelta::seconds(1));
        assert_eq!(opens(&bot, &key.secret).await, 200);
        bot.advance(TimeDelta::milliseconds(1_500));
        assert_eq!(opens(&bot, &key.secret).await, 401);
        let shown = bot.get(&key.path()).await.body;
        assert_eq!((&shown["status"], &shown["isActive"]), (&json!("expired"), &json!(false)));
        let longer = bot.api("PATCH", &key.path(), Some(json!({ "expiresAt": null }))).await;
        assert_eq!((longer.status, &longer.body["expiresAt"], &longer.body["status"]), (200, &json!(null), &json!("active")));
        assert_eq!(opens(&bot, &key.secret).await, 200);
        bot.finish().await;
    }

    /// D02: a key with a wrong character is refused like an unknown one, and D07: a key cannot raise itself.
    async fn a_wrong_key_and_a_weak_key_get_nowhere(bot: Bot) {
        let key = make(&bot, json!({ "name": "writer", "scopes": ["write"] })).await;
        let last = if key.secret.ends_with('0') { "1" } else { "0" };
        let flipped = format!("{}{last}", &key.secret[..key.secret.len() - 1]);
        assert_eq!(with(&bot, &flipped).await.body["error"], "Invalid API key format");
        let asked = json!({ "name": "more", "type": "admin" });
        let more = bot.client().post(bot.url(KEYS)).header("X-API-Key", &key.secret).json(&asked);
        let refused = crate::harness::answer(more.send()).await;
        assert_eq!((refused.status, &refused.body["available"]), (403, &json!(["write"])));
        let wanted = json!({ "scopes": ["admin"] });
        let itself = bot.client().patch(bot.url(&key.path())).header("X-API-Key", &key.secret).json(&wanted);
        assert_eq!(crate::harness::answer(itself.send()).await.status, 403);
        assert_eq!(bot.get(&key.path()).await.body["scopes"], json!(["write"]));
        bot.finish().await;
    }

    /// A key that nobody says has arrived is revoked after a minute, by time alone.
    async fn a_key_that_never_arrives_is_revoked(bot: Bot) {
        let sent = NewKey { delivering: true, ..NewKey::named("sent", Shape::Live) };
        let lost = api_key::create(domain(&bot), &root(), sent.clone()).await.expect("a key");
        let arrived = api_key::create(domain(&bot), &root(), sent).await.expect("a key");
        assert_eq!(opens(&bot, arrived.secret.expose()).await, 401);
        api_key::activate_delivered(domain(&bot), arrived.row.id).await.expect("it arrives");
        assert_eq!(opens(&bot, arrived.secret.expose()).await, 200);
        bot.advance(TimeDelta::seconds(61));
        let path = format!("{KEYS}/{}", lost.row.id);
        bot.eventually("it is revoked", async |bot| bot.get(&path).await.body["status"] == "revoked").await;
        assert_eq!(bot.get(&path).await.body["revokedBy"], "system");
        assert_eq!(opens(&bot, arrived.secret.expose()).await, 200);
        bot.finish().await;
    }

    /// A rotation that has to be delivered leaves the old key alone until then.
    async fn a_rotation_waits_for_its_delivery(bot: Bot) {
        let old = make_plain(&bot).await;
        let id = old.id.parse().expect("an id");
        let grace = TimeDelta::seconds(60);
        let lost = api_key::rotate_for_delivery(domain(&bot), &root(), id, grace).await.expect("a rotation").new;
        api_key::abandon_delivery(domain(&bot), lost.row.id).await.expect("it fails");
        assert_eq!(bot.get(&old.path()).await.body["status"], "active");
        let new = api_key::rotate_for_delivery(domain(&bot), &root(), id, grace).await.expect("a rotation").new;
        assert_eq!((opens(&bot, &old.secret).await, opens(&bot, new.secret.expose()).await), (200, 401));
        api_key::activate_delivered(domain(&bot), new.row.id).await.expect("it arrives");
        assert_eq!(bot.get(&old.path()).await.body["status"], "retiring");
        assert_eq!((opens(&bot, &old.secret).await, opens(&bot, new.secret.expose()).await), (200, 200));
        bot.finish().await;
    }

    /// A panic ends every key of the installation, and root's stays.
    async fn a_panic_ends_every_key(bot: Bot) {
        let keys = [make_plain(&bot).await, make(&bot, json!({ "name": "bound", "guildId": "42" })).await];
        let reason = Some("stolen machine".to_owned());
        let count = api_key::revoke_where(domain(&bot), &root(), Panic::Instance, reason).await.expect("a panic");
        assert_eq!(count, 2);
        for key in &keys {
            assert_eq!(opens(&bot, &key.secret).await, 401);
            assert_eq!(bot.get(&key.path()).await.body["revokedReason"], "stolen machine");
        }
        bot.finish().await;
    }

    /// Everything a restart leaves behind is in the store.
    async fn keys_outlive_a_restart(bot: Bot) {
        let mut bot = bot;
        let (living, dead) = (make_plain(&bot).await, make_plain(&bot).await);
        bot.api("DELETE", &dead.path(), None).await;
        bot.restart().await;
        assert_eq!((opens(&bot, &living.secret).await, opens(&bot, &dead.secret).await), (200, 401));
        bot.finish().await;
    }
}
