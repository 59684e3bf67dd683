//! Signing in, on both stores, by one process and by two.

mod command_line;
mod discord;
mod races;
mod wallet;

use chrono::TimeDelta;
use entity::{id::UserId, session, user::Role};
use guildhall::domain::{Actor, Domain, Source, sign_in, user};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Bot, answer},
    on_both_stores,
};
use wallet::Wallet;

/// A key that signs people in for `app.example.org`.
async fn panel(bot: &Bot) -> String {
    let body = json!({"name": "panel", "clientName": "panel", "allowedOrigins": ["app.example.org", "*.x.org"]});
    let made = bot.post("/api/admin/keys", body).await;
    assert_eq!(made.status, 200, "{:?}", made.body);
    made.body["apiKey"].as_str().expect("the key").to_owned()
}

fn domain(bot: &Bot) -> &Domain {
    bot.running().app().domain()
}

async fn post(bot: &Bot, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let request = bot.client().post(bot.url(path)).json(body);
    answer(key.iter().fold(request, |request, key| request.header("X-API-Key", *key)).send()).await
}

async fn verify(bot: &Bot, key: &str, wallet: &Wallet, nonce: &str) -> Answer {
    let body = wallet.signed(nonce, bot.clock().now());
    post(bot, "/api/auth/verify", Some(key), &body).await
}

async fn refresh(bot: &Bot, token: &Value) -> Answer {
    post(bot, "/api/auth/refresh", None, &json!({"refreshToken": token})).await
}

/// What the access token is answered at `/api/auth/me`.
async fn me(bot: &Bot, tokens: &Value) -> Answer {
    let token = tokens["accessToken"].as_str().expect("a token");
    answer(bot.client().get(bot.url("/api/auth/me")).bearer_auth(token).send()).await
}

async fn kinds(bot: &Bot) -> Vec<String> {
    let events = entity::event::Entity::find().all(domain(bot).store().reader()).await.expect("a read");
    events.into_iter().map(|event| event.kind).collect()
}

fn root() -> Actor {
    Actor::Root { source: Source::Cli }
}

/// Stories are not about limits.
const LIFTED: &[(&str, &str)] =
    &[("GUILDHALL_LIMITS__SIGN_IN_PER_15_MINUTES", "1000"), ("GUILDHALL_LIMITS__REFRESH_PER_15_MINUTES", "1000")];

on_both_stores! {
    with LIFTED;
    /// D21: a nonce of ours is good once, for whom it was made, for five minutes; and then it is gone.
    async fn a_nonce_is_burnt(bot: Bot) {
        let (key, other) = (panel(&bot).await, panel(&bot).await);
        let wallet = Wallet::of(1);
        let ask = async || {
            let answer = post(&bot, "/api/auth/nonce", Some(&key), &json!({"address": wallet.address()})).await;
            answer.body["nonce"].as_str().expect("a nonce").to_owned()
        };
        let nonce = ask().await;
        let body = wallet.signed(&nonce, bot.clock().now());
        let refused = post(&bot, "/api/auth/verify", Some(&other), &body).await;
        assert_eq!((refused.status, &refused.body["code"]), (401, &json!("siwe.wrong_nonce")));
        assert_eq!(post(&bot, "/api/auth/verify", Some(&key), &body).await.status, 200);
        let again = post(&bot, "/api/auth/verify", Some(&key), &body).await;
        assert_eq!((again.status, &again.body["code"]), (401, &json!("siwe.wrong_nonce")));
        let left = entity::auth_nonce::Entity::find().count(domain(&bot).store().reader()).await.expect("a count");
        assert_eq!(left, 0, "it is still in the store");
        let old = ask().await;
        bot.advance(TimeDelta::minutes(6));
        assert_eq!(verify(&bot, &key, &wallet, &old).await.status, 401);
        // A client's own is remembered for as long as a message with it could be good.
        assert_eq!(verify(&bot, &key, &wallet, "clientmade").await.status, 200);
        bot.advance(TimeDelta::minutes(9));
        while sign_in::clear(domain(&bot)).await.expect("cleared") {}
        assert_eq!(verify(&bot, &key, &wallet, "clientmade").await.status, 401);
        assert_eq!(verify(&bot, &key, &Wallet::of(2), "clientmade").await.status, 200, "another one's is another one");
        bot.finish().await;
    }

    /// D25: a token that was replaced and comes back after the grace ends its family, refresh and access tokens alike.
    async fn a_token_that_comes_back_ends_its_family(bot: Bot) {
        let key = panel(&bot).await;
        let first = verify(&bot, &key, &Wallet::of(1), "abcdefgh").await.body;
        let beside = verify(&bot, &key, &Wallet::of(1), "abcdefgi").await.body;
        let second = refresh(&bot, &first["refreshToken"]).await.body;
        bot.advance(TimeDelta::seconds(10));
        let same = refresh(&bot, &first["refreshToken"]).await;
        assert_eq!((same.status, &same.body["refreshToken"]), (200, &second["refreshToken"]), "within the grace");
        assert_eq!(me(&bot, &second).await.status, 200);
        bot.advance(TimeDelta::milliseconds(1));
        let refused = refresh(&bot, &first["refreshToken"]).await;
        assert_eq!((refused.status, &refused.body["error"]), (401, &json!("Invalid or expired refresh token")));
        assert_eq!(refresh(&bot, &second["refreshToken"]).await.status, 401);
        for tokens in [&first, &second, &same.body] {
            assert_eq!(me(&bot, tokens).await.status, 401, "of the family");
        }
        assert_eq!(me(&bot, &beside).await.status, 200, "another sign-in of the same person");
        assert_eq!(refresh(&bot, &beside["refreshToken"]).await.status, 200);
        let kinds = kinds(&bot).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "session.reuse_detected").count(), 1, "{kinds:?}");
        bot.finish().await;
    }

    /// The grace is for the immediate predecessor: whoever shows an older one has stolen it.
    async fn the_grace_is_for_the_last_one_only(bot: Bot) {
        let key = panel(&bot).await;
        let first = verify(&bot, &key, &Wallet::of(1), "abcdefgh").await.body;
        let second = refresh(&bot, &first["refreshToken"]).await.body;
        let third = refresh(&bot, &second["refreshToken"]).await.body;
        assert_eq!(refresh(&bot, &first["refreshToken"]).await.status, 401, "one second has not passed");
        assert_eq!(refresh(&bot, &third["refreshToken"]).await.status, 401);
        bot.finish().await;
    }

    /// A token lives for 30 days unused, a session for 90 days however it is used.
    async fn sessions_end(bot: Bot) {
        let key = panel(&bot).await;
        let idle = verify(&bot, &key, &Wallet::of(1), "abcdefgh").await.body;
        let mut used = verify(&bot, &key, &Wallet::of(1), "abcdefgi").await.body;
        bot.advance(TimeDelta::days(30));
        assert_eq!(refresh(&bot, &idle["refreshToken"]).await.status, 401);
        bot.advance(TimeDelta::days(-1));
        for _ in 0..3 {
            used = refresh(&bot, &used["refreshToken"]).await.body;
            assert_eq!(me(&bot, &used).await.status, 200);
            bot.advance(TimeDelta::days(20));
        }
        used = refresh(&bot, &used["refreshToken"]).await.body;
        bot.advance(TimeDelta::hours(24) - TimeDelta::minutes(5));
        let last = refresh(&bot, &used["refreshToken"]).await;
        assert_eq!((last.status, &last.body["expiresIn"]), (200, &json!(300)), "{:?}", last.body);
        bot.advance(TimeDelta::minutes(5));
        assert_eq!(me(&bot, &last.body).await.status, 401);
        assert_eq!(refresh(&bot, &last.body["refreshToken"]).await.status, 401);
        bot.finish().await;
    }

    /// D27 and the peer's defect 25: signing out, a switch and a role count from the next call on.
    async fn what_changes_counts_at_once(bot: Bot) {
        let key = panel(&bot).await;
        let wallet = Wallet::of(1);
        let tokens = verify(&bot, &key, &wallet, "abcdefgh").await.body;
        let id: UserId = tokens["userId"].as_str().expect("an id").parse().expect("an id");
        let role = async || me(&bot, &tokens).await.body["user"]["role"].clone();
        assert_eq!(role().await, "authenticated");
        let list = async || {
            let token = tokens["accessToken"].as_str().expect("a token");
            answer(bot.client().get(bot.url("/api/admin/keys")).bearer_auth(token).send()).await.status
        };
        assert_eq!(list().await, 403);
        user::set_role(domain(&bot), &root(), id, Role::Admin).await.expect("raised");
        assert_eq!((role().await, list().await), (json!("admin"), 200));
        user::set_role(domain(&bot), &root(), id, Role::Member).await.expect("lowered");
        assert_eq!((role().await, list().await), (json!("member"), 403));
        user::set_disabled(domain(&bot), &root(), id, true).await.expect("switched off");
        assert_eq!(me(&bot, &tokens).await.status, 401);
        assert_eq!(refresh(&bot, &tokens["refreshToken"]).await.status, 401);
        let refused = verify(&bot, &key, &wallet, "abcdefgi").await;
        assert_eq!((refused.status, &refused.body["code"]), (401, &json!("user.disabled")));
        user::set_disabled(domain(&bot), &root(), id, false).await.expect("switched on");
        let (one, two) = (refresh(&bot, &tokens["refreshToken"]).await.body, verify(&bot, &key, &wallet, "abcdefgj").await.body);
        let token = one["accessToken"].as_str().expect("a token");
        let out = answer(bot.client().post(bot.url("/api/auth/revoke")).bearer_auth(token).send()).await;
        assert_eq!(out.body, json!({"message": "All tokens revoked successfully", "success": true}));
        for tokens in [&one, &two] {
            assert_eq!(me(&bot, tokens).await.status, 401);
            assert_eq!(refresh(&bot, &tokens["refreshToken"]).await.status, 401);
        }
        bot.finish().await;
    }

    /// D28 and the peer's defect 13: of tokens that ended 91 days ago, one day ago, and not yet, only the first goes.
    async fn only_what_is_long_over_is_forgotten(bot: Bot) {
        let key = panel(&bot).await;
        let wallet = Wallet::of(1);
        assert_eq!(verify(&bot, &key, &wallet, "abcdefgh").await.status, 200);
        bot.advance(TimeDelta::days(90));
        assert_eq!(verify(&bot, &key, &wallet, "abcdefgi").await.status, 200);
        bot.advance(TimeDelta::days(31));
        let live = verify(&bot, &key, &wallet, "abcdefgj").await.body;
        let reader = domain(&bot).store().reader();
        let tokens = async || entity::refresh_token::Entity::find().count(reader).await.expect("a count");
        assert_eq!(tokens().await, 3);
        while sign_in::clear(domain(&bot)).await.expect("cleared") {}
        assert_eq!(tokens().await, 2);
        assert_eq!(session::Entity::find().count(reader).await.expect("a count"), 3, "the first one ended 31 days ago");
        assert_eq!(refresh(&bot, &live["refreshToken"]).await.status, 200);
        bot.advance(TimeDelta::days(60));
        while sign_in::clear(domain(&bot)).await.expect("cleared") {}
        assert_eq!(session::Entity::find().count(reader).await.expect("a count"), 2);
        bot.finish().await;
    }

    /// A new password ends what the old one has opened.
    async fn a_new_password_ends_all_sessions(bot: Bot) {
        let account = json!({"email": "ada@example.org", "password": "correct horse battery"});
        let made = post(&bot, "/v1/auth/register", None, &account).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let again = post(&bot, "/v1/auth/register", None, &account).await;
        assert_eq!((again.status, &again.body["code"]), (409, &json!("sign_in.not_registrable")));
        let secret = sign_in::generate_password();
        let text = secret.expose().to_owned();
        let set = sign_in::set_password(domain(&bot), &root(), "Ada@example.org", secret).await.expect("set");
        assert_eq!(set.email, "ada@example.org");
        assert_eq!(refresh(&bot, &made.body["refresh_token"]).await.status, 401);
        assert_eq!(post(&bot, "/v1/auth/login", None, &account).await.status, 401);
        let account = json!({"email": "ada@example.org", "password": text});
        let tokens = post(&bot, "/v1/auth/login", None, &account).await;
        assert_eq!(tokens.status, 200, "{:?}", tokens.body);
        // Nothing of it is in the log.
        let events = entity::event::Entity::find().all(domain(&bot).store().reader()).await.expect("a read");
        let log = format!("{events:?}");
        assert!(!log.contains(&text) && !log.contains("ada@example.org") && !log.contains("crt_ref_"));
        for who in ["nobody@example.org", "00000000-0000-7000-8000-000000000000"] {
            let refused = sign_in::set_password(domain(&bot), &root(), who, sign_in::generate_password()).await;
            assert!(refused.is_err(), "{who}");
        }
        bot.finish().await;
    }
}
