//! People and their accounts over HTTP: what existing clients expect, and what they must not get.

use entity::{
    id::{DiscordUserId, UserId},
    user::Role,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Choice, Server};
use crate::domain::{
    sign_in,
    testing::{
        self,
        keys::TestKey,
        wallet::{Draft, Wallet},
    },
    user::{self, NewUser},
};

/// A person who can sign in.
struct Somebody {
    id: UserId,
    token: String,
}

async fn somebody(server: &Server, role: Role, discord: Option<u64>) -> Somebody {
    let domain = server.app.domain();
    let new = NewUser { role, discord_user_id: discord.and_then(DiscordUserId::new) };
    let row = user::create(domain, &testing::root(), new).await.expect("a user");
    let token = sign_in::issue_access_token(domain, &testing::root(), row.id, 900, None).await.expect("a token");
    Somebody { id: row.id, token: format!("Bearer {}", token.expose()) }
}

async fn ask(server: &Server, who: &Somebody, method: &str, path: &str, body: Option<Value>) -> Answer {
    let request = server.request(method, path).header("authorization", &who.token);
    server
        .send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
}

async fn key(server: &Server, scopes: &[&str]) -> TestKey {
    testing::keys::insert(server.app.domain(), scopes, |_| {}).await
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

const ADDRESS: &str = "0x00000000000000000000000000000000000000aB";

#[tokio::test]
async fn users_as_clients_know_them() {
    let server = Server::start().await;
    let made = server.json("POST", "/api/users/id", json!({"platform": "evm", "identity": ADDRESS})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let body = made.json();
    assert_eq!(names(&body), ["created", "id", "identity", "user", "userId"]);
    assert_eq!(names(&body["identity"]), ["createdAt", "identity", "isPrimary", "platform", "updatedAt", "userId"]);
    assert_eq!(names(&body["user"]), ["createdAt", "id", "updatedAt"]);
    let lower = ADDRESS.to_ascii_lowercase();
    assert_eq!((&body["created"], &body["identity"]["identity"]), (&json!(true), &json!(lower)));
    let id = body["userId"].as_str().expect("an id").to_owned();
    let again = server.json("POST", "/api/users/id", json!({"platform": "evm", "identity": lower})).await;
    assert_eq!((again.status.as_u16(), &again.json()["created"]), (200, &json!(false)));
    assert_eq!(again.json()["userId"], id.as_str());

    let listed = server.call("GET", "/api/users?includeIdentities=true").await.json();
    assert_eq!((&listed["total"], &listed["limit"], &listed["offset"]), (&json!(1), &json!(50), &json!(0)));
    let row = &listed["users"][0];
    assert_eq!(names(row), ["address", "createdAt", "ensAvatar", "ensName", "id", "identities", "role", "updatedAt"]);
    assert_eq!((&row["address"], &row["role"]), (&json!(lower), &json!("authenticated")));
    let masked = json!([{"platform": "evm", "identity": "***masked***", "isPrimary": true}]);
    assert_eq!(row["identities"], masked);

    let one = server.call("GET", &format!("/api/users/{id}")).await.json();
    assert_eq!(one["identities"][0]["identity"], lower);
    let made = server.json("POST", "/api/users", json!({"discordId": "123"})).await;
    assert_eq!((made.status.as_u16(), &made.json()["identities"][0]["identity"]), (201, &json!("123")));
    assert_eq!(server.json("POST", "/api/users", json!({"discordId": "123"})).await.status, 200);
    for (body, pointer) in [
        (json!({}), "/discordId"),
        (json!({"discordId": 123}), "/discordId"),
        (json!({"discordId": "007"}), "/discordId"),
        (json!({"platform": "evm"}), "/identity"),
        (json!({"identity": "1"}), "/platform"),
        (json!({"platform": "evm", "identity": "0x12"}), "/identity"),
        (json!({"platform": "icq", "identity": "1"}), "/platform"),
        (json!({"platform": "discord", "identity": "1", "discordId": "1"}), "/discordId"),
    ] {
        let refused = server.json("POST", "/api/users", body.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{body}"
        );
    }
    for path in ["/api/users/nobody", "/api/users/00000000-0000-0000-0000-000000000000"] {
        assert_eq!(server.call("GET", path).await.status, 404, "{path}");
    }
    assert_eq!(server.call("DELETE", &format!("/api/users/{id}")).await.json(), json!({"success": true}));
    assert_eq!(server.call("DELETE", &format!("/api/users/{id}")).await.status, 404);
    assert_eq!(server.call("GET", &format!("/api/users/{id}")).await.json()["error"], "User not found");
    assert_eq!(server.call("GET", "/api/users").await.json()["total"], 1);
    // Their account is not free: they may be brought back.
    let taken = server.json("POST", "/api/users/id", json!({"platform": "evm", "identity": ADDRESS})).await;
    taken.problem(403, "user.deleted");
}

/// The peer's defect 20: one table says whose an account is, whoever has written it, in every spelling.
#[tokio::test]
async fn a_wallet_that_was_made_just_now_is_found() {
    let server = Server::start().await;
    let made = server.json("POST", "/api/users/id", json!({"platform": "evm", "identity": ADDRESS})).await.json();
    for spelled in [ADDRESS.to_owned(), ADDRESS.to_ascii_lowercase()] {
        let found = server.call("GET", &format!("/api/users/id/by-evm/{spelled}")).await.json();
        assert_eq!(names(&found), ["id", "identity", "user", "userId"]);
        assert_eq!((&found["userId"], &found["id"]), (&made["userId"], &made["userId"]));
        let identity = json!({"platform": "evm", "identity": ADDRESS.to_ascii_lowercase(), "isPrimary": true});
        assert_eq!(found["identity"], identity);
    }
    let looked_up =
        server.json("POST", "/api/users/identities/lookup", json!({"lens": "no.lens", "evm": ADDRESS})).await;
    assert_eq!((looked_up.status.as_u16(), &looked_up.json()["id"]), (200, &made["userId"]));
    assert_eq!(looked_up.json()["address"], ADDRESS.to_ascii_lowercase());
    for path in ["/api/users/id/by-evm/0x12", "/api/users/id/by-discord/123", "/api/users/id/discord/x"] {
        assert_eq!(server.call("GET", path).await.problem(404, "user.not_found")["error"], "User not found", "{path}");
    }
    server.json("POST", "/api/users/identities/lookup", json!({"discord": "5"})).await.problem(404, "user.not_found");
}

/// The peer's defect 21: the first account is the primary one, asked for or not; of all, one is.
#[tokio::test]
async fn the_first_account_is_the_primary_one() {
    let server = Server::start().await;
    for (n, wanted) in [(1, json!({})), (2, json!({"isPrimary": false})), (3, json!({"isPrimary": true}))] {
        let mut body = json!({"platform": "discord", "identity": n.to_string()});
        body.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
        let made = server.json("POST", "/api/users/id", body).await.json();
        assert_eq!(made["identity"]["isPrimary"], true, "{n}");
        let id = &made["userId"];
        let path = "/api/admin/identities/connect";
        let second = json!({"userId": id, "platform": "github", "identity": format!("g{n}")});
        let second = server.json("POST", path, second).await;
        assert_eq!((second.status.as_u16(), &second.json()["identity"]["isPrimary"]), (201, &json!(false)));
        let third = json!({"userId": id, "platform": "lens", "identity": format!("L{n}"), "isPrimary": true});
        assert_eq!(server.json("POST", path, third).await.json()["identity"]["isPrimary"], true);
        let list = server.call("GET", &format!("/api/users/identities/{}", id.as_str().unwrap())).await.json();
        let primary: Vec<_> =
            list["identities"].as_array().unwrap().iter().map(|row| row["isPrimary"] == true).collect();
        assert_eq!(primary, [true, false, false], "the primary one first");
        assert_eq!(list["identities"][0]["identity"], format!("l{n}"));
    }
}

/// The peer's defect 23: `false` is false, totals are counted, and what is no boolean is refused.
#[tokio::test]
async fn queries_mean_what_they_say() {
    let server = Server::start().await;
    for n in 1..=7 {
        let role = if n > 4 { Role::Member } else { Role::Authenticated };
        somebody(&server, role, Some(n)).await;
    }
    for (query, shown, total) in [
        ("", 7, 7),
        ("?includeIdentities=false", 7, 7),
        ("?limit=2", 2, 7),
        ("?limit=2&offset=6", 1, 7),
        ("?offset=9", 0, 7),
        ("?role=member", 3, 3),
        ("?role=admin", 0, 0),
    ] {
        let list = server.call("GET", &format!("/api/users{query}")).await.json();
        assert_eq!((list["users"].as_array().map(Vec::len), &list["total"]), (Some(shown), &json!(total)), "{query}");
        assert!(list["users"].as_array().unwrap().iter().all(|row| row.get("identities").is_none()), "{query}");
    }
    let members = server.call("GET", "/api/users/members?limit=2&includeIdentities=true").await.json();
    assert_eq!((members["members"].as_array().map(Vec::len), &members["total"]), (Some(2), &json!(3)));
    assert_eq!(members["members"][0]["identities"][0]["identity"], "7", "newest first, and not masked");
    for query in
        ["includeIdentities=0", "includeIdentities=yes", "limit=0", "limit=101", "limit=x", "offset=-1", "role=root"]
    {
        assert_eq!(server.call("GET", &format!("/api/users?{query}")).await.status, 400, "{query}");
    }
}

/// Keys by their scope, people by their role as it is now; never a 500.
#[tokio::test]
async fn who_may_list_people() {
    let server = Server::start().await;
    let (member, stranger) =
        (somebody(&server, Role::Member, None).await, somebody(&server, Role::Authenticated, None).await);
    assert_eq!(ask(&server, &member, "GET", "/api/users", None).await.status, 200);
    let refused = ask(&server, &stranger, "GET", "/api/users", None).await.problem(403, "forbidden");
    assert_eq!(refused["required"], json!(["users:read"]));
    assert_eq!(ask(&server, &stranger, "GET", &format!("/api/users/{}", stranger.id), None).await.status, 200);
    for path in [format!("/api/users/{}", member.id), "/api/users/00000000-0000-0000-0000-000000000000".to_owned()] {
        ask(&server, &stranger, "GET", &path, None).await.problem(403, "forbidden");
    }
    assert_eq!(ask(&server, &member, "DELETE", &format!("/api/users/{}", stranger.id), None).await.status, 403);
    let reader = key(&server, &["users:read"]).await;
    assert_eq!(server.call_with(&reader.secret, "GET", "/api/users").await.status, 200);
    // D27: a role counts from the next request on.
    user::set_role(server.app.domain(), &testing::root(), member.id, Role::Authenticated).await.expect("lowered");
    assert_eq!(ask(&server, &member, "GET", "/api/users", None).await.status, 403);
    user::set_role(server.app.domain(), &testing::root(), member.id, Role::Admin).await.expect("raised");
    assert_eq!(ask(&server, &member, "DELETE", &format!("/api/users/{}", stranger.id), None).await.status, 200);
    assert_eq!(ask(&server, &stranger, "GET", "/api/users/me/identities", None).await.status, 401, "deleted");
}

#[tokio::test]
async fn a_read_makes_nobody_but_where_clients_count_on_it() {
    let server = Server::start().await;
    let (reader, maker) = (key(&server, &["users:read"]).await, key(&server, &["users:read", "users:write"]).await);
    for path in ["/api/users/id/by-discord/77", "/api/users/id/discord/77", "/api/users/by-discord/77?create=false"] {
        assert_eq!(server.call_with(&maker.secret, "GET", path).await.status, 404, "{path}");
    }
    assert_eq!(server.call_with(&reader.secret, "GET", "/api/users/by-discord/77").await.status, 404);
    assert_eq!(server.call_with(&maker.secret, "HEAD", "/api/users/by-discord/77").await.status, 404);
    assert_eq!(server.call("GET", "/api/users").await.json()["total"], 0);
    let made = server.call_with(&maker.secret, "GET", "/api/users/by-discord/77").await;
    assert_eq!(made.status, 200);
    let again = server.call_with(&reader.secret, "GET", "/api/users/by-discord/77").await;
    assert_eq!(again.json()["userId"], made.json()["userId"]);
    assert_eq!(server.call_with(&maker.secret, "GET", "/api/users/by-discord/007").await.status, 404);

    let (server, _clock) = Server::start_as(Choice { creates_users_on_read: false, ..Choice::default() }).await;
    assert_eq!(server.call("GET", "/api/users/by-discord/77").await.status, 404);
    assert_eq!(server.call("GET", "/api/users").await.json()["total"], 0);
}

/// The peer's defect 8: nobody gets an account by saying that it is theirs.
#[tokio::test]
async fn a_claim_takes_nothing() {
    let server = Server::start().await;
    let victim = somebody(&server, Role::Member, Some(1)).await;
    let thief = somebody(&server, Role::Member, Some(2)).await;
    let path = "/api/users/me/identities/connect";
    for (platform, identity) in [("discord", "1"), ("discord", "3"), ("evm", ADDRESS), ("email", "a@example.org")] {
        let body = json!({"platform": platform, "identity": identity, "verifiedAt": "2026-01-01T00:00:00.000Z"});
        ask(&server, &thief, "POST", path, Some(body)).await.problem(422, "identity.proof_required");
    }
    let of = async |who: &Somebody| ask(&server, who, "GET", "/api/users/me/identities", None).await.json();
    assert_eq!(of(&victim).await[0]["identity"], "1");
    assert_eq!(of(&thief).await.as_array().map(Vec::len), Some(1));
    assert_eq!(server.call("GET", &format!("/api/users/{}", victim.id)).await.status, 200);
    for path in ["/api/users/me/identities/discord/1", &format!("/api/users/identities/{}/discord/1", victim.id)] {
        let refused = ask(&server, &thief, "DELETE", path, None).await;
        assert!(matches!(refused.status.as_u16(), 403 | 404), "{path}: {}", refused.body);
    }
    assert_eq!(
        ask(
            &server,
            &thief,
            "PUT",
            "/api/users/me/identities/primary",
            Some(json!({"platform": "discord", "identity": "1"}))
        )
        .await
        .status,
        404
    );
}

/// A wallet that signs is its owner's proof; whoever had nothing else is the same person afterwards.
#[tokio::test]
async fn a_signed_message_connects_a_wallet() {
    let server = Server::start().await;
    let domain = server.app.domain();
    let origins = |row: &mut entity::api_key::Model| row.allowed_origins = json!(["app.example.org"]);
    let key = testing::keys::insert(domain, &[], origins).await;
    let ada = somebody(&server, Role::Member, Some(1)).await;
    let wallet = Wallet::of(7);
    let address = wallet.address().lower_case();
    let connect = async |nonce: &str, address: &str| {
        let message = wallet.message(&Draft::new(nonce, domain.now()));
        let signature = wallet.sign(&message);
        let body = json!({"platform": "evm", "identity": address, "message": message, "signature": signature});
        let request = server.request("POST", "/api/users/me/identities/connect").header("authorization", &ada.token);
        server.send(request.header("x-api-key", &key.secret).json(&body)).await
    };
    // Another address than the one that has signed, and the nonce is still good.
    connect("nonce0001", ADDRESS).await.problem(422, "identity.proof_required");
    let first = server.json("POST", "/api/users/id", json!({"platform": "evm", "identity": address})).await.json();
    let connected = connect("nonce0001", &address).await;
    assert_eq!(connected.status, 201, "{}", connected.body);
    let body = connected.json();
    assert_eq!((&body["reassigned"], &body["previousUserId"]), (&json!(true), &first["userId"]));
    assert!(body["identity"]["verifiedAt"].is_string() && body["identity"]["isPrimary"] == false);
    let found = server.call("GET", &format!("/api/users/id/by-evm/{address}")).await.json();
    assert_eq!(found["userId"], json!(ada.id));
    assert_eq!(connect("nonce0001", &address).await.status, 401, "a nonce is good once");
    assert_eq!(connect("nonce0002", &address).await.json()["reassigned"], false);
    // Without a key that names origins there is nobody to sign for.
    let message = wallet.message(&Draft::new("nonce0003", domain.now()));
    let body = json!({"platform": "evm", "identity": address, "signature": wallet.sign(&message), "message": message});
    assert_eq!(ask(&server, &ada, "POST", "/api/users/me/identities/connect", Some(body)).await.status, 403);
}

/// The peer's defect 9: tokens of a platform are neither kept nor shown, to anybody.
#[tokio::test]
async fn tokens_of_platforms_are_nowhere() {
    let server = Server::start().await;
    let ada = somebody(&server, Role::Member, Some(1)).await;
    let body = json!({
        "platform": "discord", "identity": "1", "metadata": {"username": "ada", "token": "canary-metadata"},
        "oauthAccessToken": "canary-access", "oauthRefreshToken": "canary-refresh",
        "oauthTokenExpiresAt": "2027-01-01T00:00:00.000Z", "verifiedAt": "2020-01-01T00:00:00.000Z",
    });
    let own = ask(&server, &ada, "POST", "/api/users/me/identities/connect", Some(body)).await;
    assert_eq!(own.status, 201, "{}", own.body);
    assert_eq!(own.json()["identity"]["metadata"], json!({"username": "ada"}));
    let row = ["createdAt", "identity", "isPrimary", "metadata", "platform", "updatedAt", "userId", "verifiedAt"];
    assert_eq!(names(&own.json()["identity"]), row);
    assert_ne!(own.json()["identity"]["verifiedAt"], "2020-01-01T00:00:00.000Z", "when it was proved is ours to say");
    let list = server.call("GET", &format!("/api/users/identities/{}", ada.id)).await;
    assert_eq!(names(&list.json()["identities"][0]), row);
    let export = ask(&server, &ada, "GET", "/api/users/me/data", None).await;
    for text in [own.body, list.body, export.body] {
        assert!(!text.contains("canary"), "{text}");
    }
}

/// The peer's defect 11: the last account stays, however many try at once.
#[tokio::test]
async fn the_only_account_stays() {
    let server = Server::start().await;
    let ada = somebody(&server, Role::Member, Some(1)).await;
    let only = json!({"platform": "discord", "identity": "1"});
    let refused = server.json("DELETE", "/api/admin/identities/disconnect", only.clone()).await;
    refused.problem(400, "identity.only_one");
    ask(&server, &ada, "DELETE", "/api/users/me/identities/discord/1", None).await.problem(400, "identity.only_one");
    let alias = format!("/api/users/identities/{}/discord/1", ada.id);
    ask(&server, &ada, "DELETE", &alias, None).await.problem(409, "identity.only_one");

    let path = "/api/admin/identities/connect";
    let second = json!({"userId": ada.id, "platform": "github", "identity": "Ada"});
    assert_eq!(server.json("POST", path, second.clone()).await.status, 201);
    assert_eq!(server.json("POST", path, second).await.problem(400, "identity.already_connected")["status"], 400);
    let other = somebody(&server, Role::Member, Some(2)).await;
    let taken = json!({"userId": other.id, "platform": "github", "identity": "ada"});
    server.json("POST", path, taken.clone()).await.problem(400, "identity.taken");
    server.json("POST", "/api/users/identities", taken).await.problem(409, "identity.taken");
    let nobody = json!({"userId": Uuid::nil(), "platform": "github", "identity": "new"});
    server.json("POST", path, nobody).await.problem(404, "user.not_found");

    let gone = server.json("DELETE", "/api/admin/identities/disconnect", only.clone()).await;
    assert_eq!(gone.json(), json!({"message": "Identity disconnected successfully", "userId": ada.id}));
    server.json("DELETE", "/api/admin/identities/disconnect", only).await.problem(404, "identity.not_found");
    let left = ask(&server, &ada, "GET", "/api/users/me/identities", None).await.json();
    assert_eq!((left[0]["identity"].as_str(), left[0]["isPrimary"].as_bool()), (Some("ada"), Some(true)));
    let primary = json!({"platform": "github", "identity": "ada"});
    let already = server.json("PUT", "/api/admin/identities/set-primary", primary).await;
    assert_eq!(already.json(), json!({"message": "Identity is already primary"}));
}

#[tokio::test]
async fn merged_people_answer_to_both_ids() {
    let server = Server::start().await;
    let (one, two) =
        (somebody(&server, Role::Member, Some(1)).await, somebody(&server, Role::Authenticated, Some(2)).await);
    let owned = testing::keys::insert(server.app.domain(), &["read"], |row| row.user_id = Some(one.id)).await;
    let merge = |source: UserId, target: UserId| json!({"sourceUserId": source, "targetUserId": target});
    let path = "/api/admin/identities/merge-users";
    server.json("POST", path, merge(one.id, one.id)).await.problem(400, "user.merge_same");
    server.json("POST", path, merge(one.id, UserId(Uuid::max()))).await.problem(404, "user.not_found");
    let empty = somebody(&server, Role::Member, None).await;
    server.json("POST", path, merge(empty.id, one.id)).await.problem(400, "user.merge_none");
    let merged = server.json("POST", path, merge(one.id, two.id)).await;
    let told = json!({"message": "Users merged successfully", "targetUserId": two.id, "mergedIdentities": 1});
    assert_eq!((merged.status.as_u16(), merged.json()), (200, told));
    server.json("POST", "/api/admin/identities/merge", merge(one.id, two.id)).await.problem(400, "user.merge_same");
    for id in [one.id, two.id] {
        let seen = server.call("GET", &format!("/api/users/{id}")).await.json();
        assert_eq!(seen["id"], json!(two.id));
        assert_eq!(seen["identities"].as_array().map(Vec::len), Some(2));
        assert_eq!(seen["identities"][0]["identity"], "2", "the target is shown as before");
    }
    assert_eq!(server.call("GET", "/api/users/id/by-discord/1").await.json()["userId"], json!(two.id));
    assert_eq!(server.call("GET", "/api/users").await.json()["total"], 2);
    // What either was let in with lets the one person in, with the rights of the target.
    let own = ask(&server, &one, "GET", "/api/users/me/identities", None).await;
    assert_eq!((own.status.as_u16(), &own.json()[0]["userId"]), (200, &json!(two.id)));
    assert_eq!(ask(&server, &one, "GET", "/api/users", None).await.status, 403);
    assert_eq!(server.call_with(&owned.secret, "GET", "/api/discord/vanish").await.status, 200);
    user::set_disabled(server.app.domain(), &testing::root(), one.id, true).await.expect("the old id does");
    assert_eq!(ask(&server, &two, "GET", "/api/users/me/identities", None).await.status, 401);
    assert_eq!(server.call_with(&owned.secret, "GET", "/api/discord/vanish").await.status, 401);
}

#[tokio::test]
async fn ones_own_settings_and_data() {
    let server = Server::start().await;
    let ada = somebody(&server, Role::Authenticated, Some(1)).await;
    let peer = somebody(&server, Role::Member, Some(2)).await;
    let profile = ask(&server, &ada, "GET", "/api/users/me/profile", None).await.json();
    assert_eq!(profile, json!({"timeZone": null, "language": null, "privacy": "members", "directMessages": "all"}));
    let change = json!({"timeZone": "europe/berlin", "privacy": "private", "directMessages": "decisions"});
    let changed = ask(&server, &ada, "PATCH", "/api/users/me/profile", Some(change)).await;
    let expected =
        json!({"timeZone": "Europe/Berlin", "language": null, "privacy": "private", "directMessages": "decisions"});
    assert_eq!(changed.json(), expected);
    let back =
        ask(&server, &ada, "PATCH", "/api/users/me/profile", Some(json!({"timeZone": null, "directMessages": null})))
            .await;
    let expected = json!({"timeZone": null, "language": null, "privacy": "private", "directMessages": "all"});
    assert_eq!(back.json(), expected);
    for (body, pointer) in [
        (json!({"timeZone": "Berlin/Europe"}), "/timeZone"),
        (json!({"language": "klingon"}), "/language"),
        (json!({"privacy": "secret"}), "/privacy"),
        (json!({"directMessages": "some"}), "/directMessages"),
    ] {
        let refused = ask(&server, &ada, "PATCH", "/api/users/me/profile", Some(body)).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    // What is private is seen by oneself and by administrators.
    let path = format!("/api/users/identities/{}", ada.id);
    ask(&server, &peer, "GET", &path, None).await.problem(404, "identity.none");
    assert_eq!(server.call("GET", &path).await.status, 200);
    ask(&server, &ada, "PATCH", "/api/users/me/profile", Some(json!({"privacy": "public"}))).await;
    assert_eq!(ask(&server, &peer, "GET", &path, None).await.status, 200);

    let owned = testing::keys::insert(server.app.domain(), &["read"], |row| row.user_id = Some(ada.id)).await;
    let data = ask(&server, &ada, "GET", "/api/users/me/data", None).await;
    let tables = &data.json()["tables"];
    assert_eq!(tables["identity"][0]["identity"], "1");
    assert_eq!(tables["user_account"][0]["privacy"], "public");
    assert_eq!(tables["api_key"][0]["id"], json!(owned.id));
    assert!(!data.body.contains(&owned.secret) && !data.body.contains("digest"));
    assert!(tables["event"].as_array().is_some_and(|events| !events.is_empty()));

    for body in [json!({}), json!({"confirm": true}), json!({"confirm": "yes"})] {
        let refused = ask(&server, &ada, "DELETE", "/api/users/me/data", Some(body)).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/confirm")));
    }
    let part = json!({"confirm": "erase", "scope": "galaxy"});
    let refused = ask(&server, &ada, "DELETE", "/api/users/me/data", Some(part)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/scope")));
    let part = json!({"confirm": "erase", "scope": "profile"});
    let erased = ask(&server, &ada, "DELETE", "/api/users/me/data", Some(part)).await;
    assert_eq!((erased.status.as_u16(), erased.json()), (200, json!({"success": true})));
    let profile = ask(&server, &ada, "GET", "/api/users/me/profile", None).await.json();
    assert_eq!(profile["privacy"], "members", "one is still who one was, with the defaults");
    assert_eq!(server.call_with(&owned.secret, "GET", "/api/discord/vanish").await.status, 200);

    let erased = ask(&server, &ada, "DELETE", "/api/users/me/data", Some(json!({"confirm": "erase"}))).await;
    assert_eq!((erased.status.as_u16(), erased.json()), (200, json!({"success": true})));
    assert_eq!(ask(&server, &ada, "GET", "/api/users/me/profile", None).await.status, 401);
    assert_eq!(server.call_with(&owned.secret, "GET", "/api/discord/vanish").await.status, 401);
    assert_eq!(server.call("GET", &format!("/api/users/{}", ada.id)).await.status, 404);
    // The account is free, and whoever comes with it is somebody new.
    let again = server.json("POST", "/api/users", json!({"discordId": "1"})).await;
    assert_eq!(again.status, 201);
    assert_ne!(again.json()["id"], json!(ada.id));
}

/// An e-mail address is shown to nobody but its owner and administrators, and leads nobody else to them.
#[tokio::test]
async fn an_e_mail_address_is_not_told() {
    let server = Server::start().await;
    let ada = somebody(&server, Role::Member, Some(1)).await;
    let peer = somebody(&server, Role::Member, Some(2)).await;
    let email = json!({"userId": ada.id, "platform": "email", "identity": "Ada@Example.org"});
    assert_eq!(server.json("POST", "/api/admin/identities/connect", email).await.status, 201);
    let path = format!("/api/users/identities/{}", ada.id);
    let shown = async |who: &Somebody| {
        ask(&server, who, "GET", &path, None).await.json()["identities"].as_array().map(Vec::len)
    };
    assert_eq!((shown(&peer).await, shown(&ada).await), (Some(1), Some(2)));
    let list = ask(&server, &peer, "GET", "/api/users?includeIdentities=true", None).await;
    assert!(!list.body.contains("xample"), "{}", list.body);
}
