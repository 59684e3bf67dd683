//! Who may call what: every operation of the description with every kind of key, and what is decided before a handler.

mod applications;
mod people;

use std::collections::BTreeSet;

use axum::routing::get;
use chrono::TimeDelta;
use entity::{
    api_key::{KeyState, Preset},
    id::GuildId,
    user::{Model as User, Role},
};
use serde_json::{Value, json};

use super::{Answer, Choice, KEY, Server, app};
use crate::{
    domain::{
        sign_in,
        testing::{self, keys::TestKey},
        user,
    },
    http::{
        HttpSettings,
        access::{Access, Table},
        guard::Guard,
        openapi, routes,
    },
};

/// The guild of every row that the matrix touches; the bound keys are of it and of another one.
const HERE: &str = "42";
const ELSEWHERE: u64 = 43;

/// A request that whoever may do everything is answered 2xx or 3xx, by operation. An operation that is missing here
/// fails the matrix: give it a line. `$KEY` stands for the id of a fresh key, `$SECRET` for the key itself, `$USER` and
/// `$OTHER` for fresh people, of whom the first has an account `$N` on every platform.
fn sample(operation: &str) -> Option<(&'static str, Option<Value>)> {
    let rule = json!({"channelId": "1001", "guildId": HERE, "duration": 3600});
    let slot = json!({"channelId": "1001"});
    let session = json!({"discordId": "7", "guildId": HERE});
    Some(match operation {
        "health" => ("/health", None),
        "ready" => ("/ready", None),
        "index" => ("/", None),
        "openapi" => ("/openapi.json", None),
        "llms" => ("/llms.txt", None),
        "docs" => ("/docs", None),
        "explainError" => ("/errors/not_found", None),
        "reference" => ("/reference", None),
        "referenceInit" => ("/reference/init.js", None),
        "referenceScript" => ("/reference/scalar.js", None),
        "claimPage" | "claimReveal" => ("/claim/none", None),
        "listVanish" => ("/api/discord/vanish?guildId=42", None),
        "setVanish" => ("/api/discord/vanish", Some(rule)),
        "getVanish" | "removeVanish" => ("/api/discord/vanish/1001", None),
        "addDeleted" => ("/api/discord/vanish/1001/stats", Some(json!({"deletedCount": 1}))),
        "listChannelSettings" | "clearChannelSettings" => ("/api/discord/channels/42", None),
        "getChannelSetting" | "clearChannelSetting" => ("/api/discord/channels/42/alerts", None),
        "setChannelSetting" => ("/api/discord/channels/42/alerts", Some(slot)),
        "setChannelSettingByBody" => {
            ("/api/discord/channels", Some(json!({"guildId": HERE, "key": "alerts", "channelId": "1001"})))
        }
        "startPractice" => ("/api/sessions/practice/start", Some(session)),
        "startPracticeAtRoot" => ("/api/sessions/practice", Some(session)),
        "stopPractice" => ("/api/sessions/practice/stop", Some(json!({"discordId": "7"}))),
        "getDailyPracticeOfDiscord" => ("/api/sessions/practice/stats/daily/discord/7?guildId=42", None),
        "getDailyPracticeOfUser" => ("/api/sessions/practice/stats/daily/user/$KEY?guildId=42", None),
        "getDailyPractice" => ("/api/sessions/practice/stats/daily/7?guildId=42", None),
        "getWeeklyPracticeOfDiscord" => ("/api/sessions/practice/stats/weekly/discord/7?guildId=42", None),
        "getWeeklyPracticeOfUser" => ("/api/sessions/practice/stats/weekly/user/$KEY?guildId=42", None),
        "getWeeklyPractice" => ("/api/sessions/practice/stats/weekly/$KEY?guildId=42", None),
        "getMonthlyPracticeOfDiscord" => ("/api/sessions/practice/stats/monthly/discord/7?guildId=42", None),
        "getMonthlyPracticeOfUser" => ("/api/sessions/practice/stats/monthly/user/$KEY?guildId=42", None),
        "getMonthlyPractice" => ("/api/sessions/practice/stats/monthly/7?guildId=42", None),
        "getPracticeLeaderboard" => ("/api/sessions/practice/leaderboard?guildId=42", None),
        "getPracticeTotalHours" => ("/api/sessions/practice/total-hours?guildId=42", None),
        "listKeys" => ("/api/admin/keys", None),
        "createKey" => ("/api/admin/keys", Some(json!({"name": "made"}))),
        "getKey" | "revokeKey" => ("/api/admin/keys/$KEY", None),
        "changeKey" => ("/api/admin/keys/$KEY", Some(json!({"name": "changed"}))),
        "rotateKey" => ("/api/admin/keys/$KEY/rotate", None),
        "getKeyUsage" => ("/api/admin/keys/$KEY/usage", None),
        "getKeyCallers" => ("/api/admin/keys/$KEY/callers", None),
        "getUsage" => ("/api/admin/usage", None),
        "listTypedKeys" => ("/api/admin/api-keys", None),
        "createTypedKey" => ("/api/admin/api-keys", Some(json!({"name": "made", "type": "discord_bot"}))),
        "getTypedKey" | "revokeTypedKey" => ("/api/admin/api-keys/$KEY", None),
        "createNonce" => ("/api/auth/nonce", Some(json!({}))),
        "verifyWallet" => ("/api/auth/verify", Some(json!({"message": "no message", "signature": "0x"}))),
        "refreshTokens" => ("/api/auth/refresh", Some(json!({"refreshToken": "crt_ref_none"}))),
        "getSignedIn" => ("/api/auth/me", None),
        "revokeTokens" => ("/api/auth/revoke", None),
        "beginDiscord" => ("/api/auth/discord", None),
        "returnFromDiscord" => ("/api/auth/discord/callback", None),
        "register" => ("/v1/auth/register", Some(json!({"email": "nobody", "password": "short"}))),
        "login" => ("/v1/auth/login", Some(json!({"email": "nobody", "password": "short"}))),
        "reportLeakedKey" => ("/api/keys/report-leak", Some(json!({"key": "$SECRET"}))),
        other => {
            return people::sample(other).or_else(|| applications::sample(other)).or_else(|| sample_of_projects(other));
        }
    })
}

/// `$PROJECT` stands for a fresh project, `$OWNER` for whose it is.
fn sample_of_projects(operation: &str) -> Option<(&'static str, Option<Value>)> {
    Some(match operation {
        "listProjects" => ("/api/projects?public=all", None),
        "createProject" => ("/api/projects", Some(json!({"title": "Made", "description": "It works"}))),
        "getProject" | "deleteProject" => ("/api/projects/$PROJECT", None),
        "changeProject" => ("/api/projects/$PROJECT", Some(json!({"title": "Changed"}))),
        "listProjectsOfUser" => ("/api/projects/user/$OWNER", None),
        "listPopularTags" => ("/api/projects/tags/popular", None),
        _ => return None,
    })
}

/// What the rows must be before each request, so that it finds what it is about.
async fn prepare(server: &Server) -> TestKey {
    for (path, body) in [
        ("/api/discord/vanish", json!({"channelId": "1001", "guildId": HERE, "duration": 60})),
        ("/api/discord/channels", json!({"guildId": HERE, "key": "alerts", "channelId": "1001"})),
        ("/api/sessions/practice/start", json!({"discordId": "7", "guildId": HERE})),
    ] {
        assert_eq!(server.json("POST", path, body).await.status, 200, "{path}");
    }
    testing::keys::insert(server.app.domain(), &["read"], |row| row.preset = Some(Preset::DiscordBot)).await
}

async fn ask(server: &Server, key: Option<&str>, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let mut request = server.request(method, path);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    server.send(request).await
}

/// The keys of the matrix, and the scopes that each is good for, everywhere or in its guild.
async fn kinds(server: &Server) -> Vec<(&'static str, Option<String>)> {
    let domain = server.app.domain();
    let now = domain.now();
    let insert = async |scopes: &[&str], change: fn(&mut entity::api_key::Model)| {
        Some(testing::keys::insert(domain, scopes, change).await.secret)
    };
    let expired = testing::keys::insert(domain, &["admin"], |row| row.expires_at = Some(now)).await;
    let grace_over = testing::keys::insert(domain, &["admin"], |row| {
        row.state = KeyState::Retiring;
        row.grace_ends_at = Some(now - TimeDelta::milliseconds(1));
    })
    .await;
    vec![
        ("none", None),
        ("root", Some(KEY.to_owned())),
        ("read", insert(&["read"], |_| {}).await),
        ("write", insert(&["write"], |_| {}).await),
        ("admin", insert(&["admin"], |_| {}).await),
        ("nothing", insert(&[], |_| {}).await),
        ("expired", Some(expired.secret)),
        ("grace over", Some(grace_over.secret)),
        ("revoked", insert(&["admin"], |row| row.state = KeyState::Revoked).await),
        ("disabled", insert(&["admin"], |row| row.state = KeyState::Disabled).await),
        ("delivering", insert(&["admin"], |row| row.state = KeyState::Delivering).await),
        ("admin here", insert(&["admin"], |row| row.guild_id = GuildId::new(42)).await),
        ("read here", insert(&["read"], |row| row.guild_id = GuildId::new(42)).await),
        ("admin elsewhere", insert(&["admin"], |row| row.guild_id = GuildId::new(ELSEWHERE)).await),
        ("scope here", insert(&["guild:42:discord:vanish:read"], |_| {}).await),
    ]
}

/// What the matrix says: the statuses that a kind of key may be answered.
fn expected(kind: &str, access: &Access, is_of_guild: bool, operation: &str) -> &'static [u16] {
    const SERVED: &[u16] = &[200, 201, 308];
    if sample_of_projects(operation).is_some() && *access != Access::Public {
        return expected_of_project(kind, access, operation);
    }
    let Access::Scope(scope) = access else {
        let is_good = !matches!(kind, "none" | "expired" | "grace over" | "revoked" | "disabled" | "delivering");
        let is_bound = matches!(kind, "admin here" | "read here" | "admin elsewhere");
        return match (access, kind) {
            (Access::Public, _) if operation == "refreshTokens" || operation == "login" => &[401],
            (Access::Public, _) if operation == "register" => &[422],
            // Discord is not set up.
            (Access::Public, _) if operation == "returnFromDiscord" => &[404],
            (Access::Optional, _) if is_bound => &[403],
            (Access::Optional, _) if (is_good || kind == "none") && operation == "beginDiscord" => &[404],
            (Access::Optional | Access::Key, _) if !is_good => &[401],
            (Access::Key, _) if is_bound => &[403],
            // It is no message.
            (Access::Key, _) if operation == "verifyWallet" => &[400],
            // No key is a person.
            (Access::User, _) => &[401],
            // No such link; and no form.
            (Access::Public, _) if operation.starts_with("claim") => &[410, 415],
            (Access::Public, _) => SERVED,
            _ => unreachable!("the matrix has no line for {access:?} yet: {operation}"),
        };
    };
    // Whose rows they are not, for them they are not there; what is not there can be removed.
    let absent: &[u16] = match operation {
        "removeVanish" => SERVED,
        "getVanish" | "addDeleted" | "stopPractice" => &[404],
        one if applications::is_about_one(one) => &[404],
        _ => &[403],
    };
    match kind {
        "none" | "expired" | "grace over" | "revoked" | "disabled" | "delivering" => &[401],
        "root" | "admin" => SERVED,
        "read" if scope.ends_with(":read") => SERVED,
        "write" if [":write", ":vote", ":decide"].iter().any(|end| scope.ends_with(end)) => SERVED,
        "admin here" if is_of_guild => SERVED,
        "read here" if is_of_guild && scope.ends_with(":read") => SERVED,
        "admin elsewhere" if is_of_guild => absent,
        "scope here" if *scope == "discord:vanish:read" => SERVED,
        _ => &[403],
    }
}

/// A key stands for nobody: it sees what everybody sees and makes nothing; that of an administrator changes all.
fn expected_of_project(kind: &str, access: &Access, operation: &str) -> &'static [u16] {
    let is_bad = matches!(kind, "expired" | "grace over" | "revoked" | "disabled" | "delivering");
    let is_bound = matches!(kind, "admin here" | "read here" | "admin elsewhere");
    match (access, kind, operation) {
        (Access::User, ..) => &[401],
        _ if is_bad => &[401],
        (Access::Authenticated, "none", _) => &[401],
        _ if is_bound => &[403],
        (Access::Optional, ..) | (_, "root" | "admin", _) => &[200],
        _ => &[404],
    }
}

/// D03: exactly 401, 403 or 2xx for every operation and every kind of key.
#[tokio::test]
async fn the_matrix() {
    let server = Server::start().await;
    let kinds = kinds(&server).await;
    let document = openapi::document();
    let mut cells = 0;
    for (path, method, operation) in openapi::operations(&document) {
        let id = operation["operationId"].as_str().expect("an id");
        let own = id.strip_suffix("Alias").unwrap_or(id);
        let (target, body) = sample(own).unwrap_or_else(|| panic!("{id} has no line in the matrix"));
        let target = match openapi::ALIASES.iter().find(|(alias, _)| path.starts_with(alias)) {
            Some((alias, own)) => target.replace(own, alias),
            None => target.to_owned(),
        };
        let scope = operation["x-scope"].as_str().unwrap_or_else(|| panic!("{id} has no x-scope"));
        let access = Access::of(scope).unwrap_or_else(|| panic!("{id}: x-scope {scope} means nothing"));
        let is_of_guild = operation["x-guild"] == true;
        for (kind, key) in &kinds {
            let fresh = prepare(&server).await;
            let fill = |text: &str| text.replace("$KEY", &fresh.id.to_string()).replace("$SECRET", &fresh.secret);
            let people = match people::sample(own) {
                Some(_) => people::fresh(&server, cells).await.to_vec(),
                None if applications::sample(own).is_some() => applications::fresh(&server, cells).await.to_vec(),
                None => Vec::new(),
            };
            let project = match sample_of_projects(own) {
                Some(_) => Some(testing::project(server.app.domain()).await),
                None => None,
            };
            let fill = |text: &str| {
                let mut text = people.iter().fold(fill(text), |text, (name, value)| text.replace(name, value));
                if let Some(row) = &project {
                    text = text.replace("$PROJECT", &row.id.to_string()).replace("$OWNER", &row.user_id.to_string());
                }
                text
            };
            let body = body.as_ref().map(|body| fill(&body.to_string()).parse::<Value>().expect("JSON"));
            let (method, target) = (method.to_uppercase(), fill(&target));
            let answer = ask(&server, key.as_deref(), &method, &target, body.as_ref()).await;
            let expected = expected(kind, &access, is_of_guild, own);
            let status = answer.status.as_u16();
            assert!(
                expected.contains(&status),
                "{method} {target}, key {kind}: {status}, not {expected:?}: {}",
                answer.body
            );
            if path.starts_with("/api/admin/api-keys") {
                assert_eq!(answer.json()["success"], status < 300, "{}", answer.body);
            } else if status == 403 {
                let problem = answer.problem(403, "forbidden");
                let required = if matches!(access, Access::Scope(_)) { scope } else { "authenticated" };
                assert_eq!(problem["required"], json!([required]), "{method} {target}, key {kind}");
                assert!(problem["available"].is_array(), "{problem}");
            }
            cells += 1;
        }
    }
    assert_eq!(cells, kinds.len() * openapi::operations(&document).count());
}

#[tokio::test]
async fn what_is_not_in_the_table_is_refused() {
    let (app, folder) = app(HttpSettings::default()).await;
    let (router, api) = routes().split_for_parts();
    let router = router.route("/forgotten", get(|| async { "secret" }));
    let router = router.layer(Guard::new(app.clone(), Table::of(&api))).with_state(app.clone());
    let server = Server::start_router(app, folder, router).await;
    for method in ["GET", "POST"] {
        let answer = server.call(method, "/forgotten").await;
        assert_eq!(answer.status, 403, "{method}");
        assert!(!answer.body.contains("secret"));
    }
    assert_eq!(server.call("GET", "/api/discord/vanish").await.status, 200);
}

#[tokio::test]
async fn every_operation_says_who_may_call_it() {
    let document = openapi::document();
    for (path, method, operation) in openapi::operations(&document) {
        let scope = operation["x-scope"].as_str().unwrap_or_else(|| panic!("{method} {path} has no x-scope"));
        let access = Access::of(scope).unwrap_or_else(|| panic!("{method} {path}: x-scope {scope} means nothing"));
        let limit = operation["x-limit"].as_str();
        assert!(matches!(limit, None | Some("documents" | "none")), "{method} {path}: x-limit {limit:?}");
        assert!(limit.is_none() || access == Access::Public, "{method} {path}: keys are not looked at here");
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let takes_key = parameters.iter().any(|one| one["$ref"] == "#/components/parameters/IdempotencyKey");
        assert_eq!(takes_key, matches!(method, "post" | "patch") && access != Access::Public, "{method} {path}");
    }
}

/// A bound key sees its own guild's rows in lists that name no guild.
#[tokio::test]
async fn a_list_without_a_guild_gives_a_bound_key_its_own() {
    let server = Server::start().await;
    for (channel, guild) in [("1", HERE), ("2", "43"), ("3", HERE)] {
        let body = json!({"channelId": channel, "guildId": guild, "duration": 60});
        assert_eq!(server.json("POST", "/api/discord/vanish", body).await.status, 200);
    }
    let key = testing::keys::insert(server.app.domain(), &["read"], |row| row.guild_id = GuildId::new(42)).await;
    for query in ["", "?guildId=42", "?limit=10"] {
        let answer = server.call_with(&key.secret, "GET", &format!("/api/discord/vanish{query}")).await;
        let channels: Vec<_> =
            answer.json().as_array().expect("a list").iter().map(|rule| rule["channelId"].clone()).collect();
        assert_eq!(channels, ["1", "3"], "{query}");
    }
    let other = server.call_with(&key.secret, "GET", "/api/discord/vanish?guildId=43").await;
    assert_eq!(other.problem(403, "forbidden")["available"], json!(["read"]));
    // Whether a channel has a rule elsewhere is not told.
    for channel in ["2", "999"] {
        let answer = server.call_with(&key.secret, "GET", &format!("/api/discord/vanish/{channel}")).await;
        answer.problem(404, "vanish.no_rule");
    }
    let writer = testing::keys::insert(server.app.domain(), &["write"], |row| row.guild_id = GuildId::new(42)).await;
    let answer = server.call_with(&writer.secret, "DELETE", "/api/discord/vanish/2").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"success": true})));
    assert_eq!(server.call("GET", "/api/discord/vanish/2").await.status, 200, "it is still there");
}

pub(super) async fn token(server: &Server, role: Role) -> (User, String) {
    let domain = server.app.domain();
    let new = user::NewUser { role, discord_user_id: None };
    let row = user::create(domain, &testing::root(), new).await.expect("a user");
    let token = sign_in::issue_access_token(domain, &testing::root(), row.id, 900, Some("panel".to_owned()))
        .await
        .expect("a token");
    (row, format!("Bearer {}", token.expose()))
}

#[tokio::test]
async fn a_token_wins_over_a_key_if_it_is_good() {
    let (server, _clock) = Server::start_as(Choice::default()).await;
    let path = "/api/discord/vanish";
    let (admin, admin_token) = token(&server, Role::Admin).await;
    let (_, member_token) = token(&server, Role::Member).await;
    let reader = testing::keys::insert(server.app.domain(), &["read"], |_| {}).await;
    let writer = testing::keys::insert(server.app.domain(), &["write"], |_| {}).await;
    let send = async |key: Option<&TestKey>, token: Option<&str>| {
        let mut request = server.request("GET", path);
        if let Some(key) = key {
            request = request.header("x-api-key", &key.secret);
        }
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        server.send(request).await.status.as_u16()
    };
    assert_eq!(send(None, Some(&admin_token)).await, 200);
    assert_eq!(send(Some(&writer), Some(&admin_token)).await, 200, "the token has the right, the key has not");
    assert_eq!(send(Some(&reader), Some(&member_token)).await, 403, "the key has the right, the token has not");
    assert_eq!(send(Some(&reader), Some("Bearer wrong")).await, 200, "a bad token leaves the key");
    assert_eq!(send(None, Some("Bearer wrong")).await, 401);
    user::set_disabled(server.app.domain(), &testing::root(), admin.id, true).await.expect("switched off");
    assert_eq!(send(None, Some(&admin_token)).await, 401, "it counts from the next request on");
}

#[tokio::test]
async fn allowed_networks_are_looked_at_behind_a_proxy() {
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let server = Server::start_with(HttpSettings { trusted_proxies, ..HttpSettings::default() }).await;
    let change = |row: &mut entity::api_key::Model| row.ip_allowlist = json!(["203.0.113.0/24", "2001:db8::/32"]);
    let key = testing::keys::insert(server.app.domain(), &["read"], change).await;
    for (from, status) in [
        ("203.0.113.9", 200),
        ("198.51.100.1, 203.0.113.9", 200),
        ("203.0.113.9, 198.51.100.1", 403),
        ("::ffff:203.0.113.9", 200),
        ("[2001:db8::7]:443", 200),
        ("2001:db9::7", 403),
        ("garbage", 403),
    ] {
        let request = server.request("GET", "/api/discord/vanish").header("x-api-key", &key.secret);
        let answer = server.send(request.header("x-forwarded-for", from)).await;
        assert_eq!(answer.status, status, "{from}: {}", answer.body);
    }
    let direct = server.call_with(&key.secret, "GET", "/api/discord/vanish").await;
    assert_eq!(direct.json()["code"], "key.address_not_allowed");
}

/// D04 and the peer's defect 1: the first request after a revocation is refused, however warm the copy is.
#[tokio::test]
async fn a_revoked_key_is_dead_for_the_next_request() {
    let server = Server::start().await;
    let key = testing::keys::insert(server.app.domain(), &["read"], |_| {}).await;
    for _ in 0..50 {
        assert_eq!(server.call_with(&key.secret, "GET", "/api/discord/vanish").await.status, 200);
    }
    testing::keys::change(server.app.domain(), key.id, |row| row.state = KeyState::Revoked).await;
    for _ in 0..100 {
        let answer = server.call_with(&key.secret, "GET", "/api/discord/vanish").await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (401, &json!("key.revoked")));
    }
}

/// A store that does not answer is 503: neither yes nor no.
#[tokio::test]
async fn who_cannot_be_checked_is_neither_refused_nor_let_in() {
    let server = Server::start().await;
    let key = testing::keys::insert(server.app.domain(), &["read"], |_| {}).await;
    server.app.domain().store().close().await;
    for (name, value) in [("x-api-key", key.secret.as_str()), ("authorization", "ApiKey unknown-key-of-nobody")] {
        let answer = server.send(server.request("GET", "/api/discord/vanish").header(name, value)).await;
        assert_eq!(answer.status, 503, "{name}: {}", answer.body);
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(server.anonymous("GET", "/api/discord/vanish").await.status, 401, "who shows nothing needs no store");
    assert_eq!(server.anonymous("GET", "/health").await.status, 200);
}

#[tokio::test]
async fn keys_that_end_tell_so() {
    let server = Server::start().await;
    let domain = server.app.domain();
    let now = domain.now();
    let ask = async |key: &TestKey| {
        let answer = server.call_with(&key.secret, "GET", "/api/discord/vanish").await;
        (answer.header("sunset").to_owned(), answer.header("deprecation").to_owned())
    };
    let lasting =
        testing::keys::insert(domain, &["read"], |row| row.expires_at = Some(now + TimeDelta::days(15))).await;
    assert_eq!(ask(&lasting).await, (String::new(), String::new()));
    let ending = testing::keys::insert(domain, &["read"], |row| row.expires_at = Some(now + TimeDelta::days(14))).await;
    let sunset = "Sat, 05 Dec 2026 23:37:29 GMT".to_owned();
    assert_eq!(ask(&ending).await, (sunset.clone(), format!("@{}", now.timestamp())));
    let retiring = testing::keys::insert(domain, &["read"], |row| {
        row.state = KeyState::Retiring;
        row.state_at = now - TimeDelta::hours(1);
        row.grace_ends_at = Some(now + TimeDelta::days(14));
        row.expires_at = Some(now + TimeDelta::days(90));
    })
    .await;
    assert_eq!(ask(&retiring).await, (sunset, format!("@{}", (now - TimeDelta::hours(1)).timestamp())));
    // Refused answers tell as well.
    let answer = server.call_with(&ending.secret, "DELETE", "/api/discord/vanish/1").await;
    assert!(answer.status == 403 && !answer.header("sunset").is_empty());
}

#[tokio::test]
async fn uses_of_keys_are_counted_once_each() {
    let server = Server::start().await;
    let key = testing::keys::insert(server.app.domain(), &["read"], |_| {}).await;
    server.call_with(&key.secret, "GET", "/api/discord/vanish?guildId=1").await;
    server.call_with(&key.secret, "GET", "/api/discord/vanish/77").await;
    server.call_with(&key.secret, "DELETE", "/api/discord/vanish/77").await;
    server.call_with(&key.secret, "GET", "/nowhere").await;
    server.call("GET", "/api/discord/vanish").await;
    server.call_with(&key.secret, "GET", "/health").await;
    let counts = async |group: &str| {
        let usage = server.call("GET", &format!("/api/admin/keys/{}/usage?groupBy={group}", key.id)).await.json();
        let rows = usage["rows"].as_array().expect("rows").clone();
        let count = |row: &Value| (row[group].as_str().unwrap_or_default().to_owned(), row["requests"].as_i64());
        rows.iter().map(count).collect::<BTreeSet<_>>()
    };
    let expected = |list: &[(&str, i64)]| list.iter().map(|(name, n)| ((*name).to_owned(), Some(*n))).collect();
    let routes: BTreeSet<_> = expected(&[
        ("GET /api/discord/vanish", 1),
        ("GET /api/discord/vanish/{channelId}", 1),
        ("DELETE /api/discord/vanish/{channelId}", 1),
        ("unmatched", 1),
    ]);
    assert_eq!(counts("route").await, routes);
    let outcomes: BTreeSet<_> = expected(&[("ok", 1), ("client_error", 2), ("forbidden", 1)]);
    assert_eq!(counts("outcome").await, outcomes);
    let callers = server.call("GET", &format!("/api/admin/keys/{}/callers", key.id)).await.json();
    assert_eq!(callers[0]["address"], "127.0.0.1");
}
