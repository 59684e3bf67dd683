//! Signing in over HTTP: the exact words of the contract, and every no.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Answer, Choice, KEY, Server};
use crate::{
    clock::Clock,
    domain::testing::{
        self,
        keys::TestKey,
        wallet::{Draft, Wallet},
    },
    limits::Settings as LimitSettings,
};

struct Place {
    server: Server,
    clock: Clock,
    key: TestKey,
    wallet: Wallet,
}

impl Place {
    async fn new() -> Self {
        Self::with(Choice::default()).await
    }

    async fn with(choice: Choice) -> Self {
        let (server, clock) = Server::start_as(choice).await;
        let key = testing::keys::insert(server.app.domain(), &[], |row| {
            row.client_name = Some("panel".to_owned());
            row.allowed_origins = json!(["app.example.org", "*.x.org"]);
        })
        .await;
        Self { server, clock, key, wallet: Wallet::of(9) }
    }

    async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let request = self.server.request("POST", path).json(body);
        self.server.send(key.iter().fold(request, |request, key| request.header("x-api-key", *key))).await
    }

    async fn nonce(&self, body: Value) -> String {
        let answer = self.post("/api/auth/nonce", Some(&self.key.secret), &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
        answer.json()["nonce"].as_str().expect("a nonce").to_owned()
    }

    fn draft(&self, nonce: &str) -> Draft {
        Draft::new(nonce, self.server.app.domain().now())
    }

    fn signed(&self, draft: &Draft) -> Value {
        let message = self.wallet.message(draft);
        json!({"message": message, "signature": self.wallet.sign(&message)})
    }

    async fn verify(&self, body: &Value) -> Answer {
        self.post("/api/auth/verify", Some(&self.key.secret), body).await
    }

    async fn signed_in(&self) -> Value {
        let nonce = self.nonce(json!({})).await;
        let answer = self.verify(&self.signed(&self.draft(&nonce))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    async fn refresh(&self, token: &Value) -> Answer {
        self.post("/api/auth/refresh", None, &json!({"refreshToken": token})).await
    }

    async fn me(&self, access: &Value) -> Answer {
        let bearer = format!("Bearer {}", access.as_str().expect("a token"));
        self.server.send(self.server.request("GET", "/api/auth/me").header("authorization", bearer)).await
    }
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_wallet_signs_in_refreshes_asks_and_signs_out() {
    let place = Place::new().await;
    let nonce = place.nonce(json!({"address": place.wallet.address().checksummed()})).await;
    assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{nonce}");
    let answer = place.verify(&place.signed(&place.draft(&nonce).ending(TimeDelta::hours(1)))).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    let first = answer.json();
    let expected = ["accessToken", "address", "clientName", "expiresIn", "refreshToken", "tokenType", "userId"];
    assert_eq!(names(&first), expected);
    let address = place.wallet.address().lower_case();
    assert_eq!((&first["expiresIn"], &first["tokenType"]), (&json!(900), &json!("Bearer")));
    assert_eq!((&first["address"], &first["clientName"]), (&json!(address), &json!("panel")));
    let token = first["refreshToken"].as_str().expect("a token");
    assert!(token.starts_with("crt_ref_") && token.len() == 8 + 43, "{token}");

    let answer = place.refresh(&first["refreshToken"]).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    let second = answer.json();
    assert_eq!(names(&second), ["accessToken", "expiresIn", "refreshToken", "tokenType"]);
    assert!(second["refreshToken"].as_str().is_some_and(|token| token.len() == 8 + 43));
    assert_ne!(second["refreshToken"], first["refreshToken"]);

    let answer = place.me(&second["accessToken"]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let me = answer.json();
    assert_eq!((names(&me), &me["userId"]), (vec!["address", "user", "userId"], &first["userId"]));
    let user = &me["user"];
    assert_eq!(names(user), ["address", "createdAt", "ensAvatar", "ensName", "id", "role", "updatedAt"]);
    assert_eq!((&user["role"], &user["address"]), (&json!("authenticated"), &json!(address)));

    let bearer = format!("Bearer {}", second["accessToken"].as_str().expect("a token"));
    let request = place.server.request("POST", "/api/auth/revoke").header("authorization", &bearer);
    let answer = place.server.send(request).await;
    assert_eq!(answer.json(), json!({"message": "All tokens revoked successfully", "success": true}));
    for tokens in [&first, &second] {
        place.me(&tokens["accessToken"]).await.problem(401, "token.invalid");
        place.refresh(&tokens["refreshToken"]).await.problem(401, "refresh_token.invalid");
    }
    // The same wallet is the same person.
    assert_eq!(place.signed_in().await["userId"], first["userId"]);
}

/// Peer defect 12, D21 and D23: whatever is wrong is 401 with its text, whatever cannot be read is 400.
#[tokio::test]
async fn what_is_wrong_is_401_and_what_is_unreadable_is_400() {
    let place = Place::new().await;
    let nonce = place.nonce(json!({})).await;
    let now = place.server.app.domain().now();
    let with = |change: &dyn Fn(&mut Draft)| {
        let mut draft = place.draft(&nonce);
        change(&mut draft);
        place.signed(&draft)
    };
    let wrong: [(&str, &str, Value); 14] = [
        ("siwe.wrong_domain", "Invalid domain", with(&|draft| draft.domain = "app.example.org.evil.io".to_owned())),
        ("siwe.wrong_domain", "Invalid domain", with(&|draft| draft.domain = "evilx.org".to_owned())),
        ("siwe.wrong_domain", "Invalid domain", with(&|draft| draft.domain = "a@app.example.org".to_owned())),
        ("siwe.wrong_domain", "Invalid domain", with(&|draft| draft.domain = "app.example.org:8443".to_owned())),
        ("siwe.wrong_domain", "Invalid domain", with(&|draft| draft.domain = "app.example.org.".to_owned())),
        ("siwe.wrong_uri", "Invalid URI", with(&|draft| draft.uri = "https://app.example.org.evil.io".to_owned())),
        ("siwe.wrong_uri", "Invalid URI", with(&|draft| draft.uri = "https://app.example.org@evil.io".to_owned())),
        ("siwe.wrong_chain", "Invalid chain ID", with(&|draft| draft.chain = "5".to_owned())),
        ("siwe.expired", "Message expired", with(&|draft| draft.issued_at = now - TimeDelta::hours(1))),
        (
            "siwe.expired",
            "Message expired",
            with(&|draft| draft.rest = "\nExpiration Time: 2026-01-01T00:00:00Z".to_owned()),
        ),
        ("siwe.not_yet_valid", "Message not yet valid", with(&|draft| draft.issued_at = now + TimeDelta::minutes(2))),
        (
            "siwe.not_yet_valid",
            "Message not yet valid",
            with(&|draft| draft.rest = "\nNot Before: 2099-01-01T00:00:00Z".to_owned()),
        ),
        (
            "siwe.expires_too_late",
            "Message expires too late: at most 24 hours from now",
            with(&|draft| {
                draft.rest = "\nExpiration Time: 2099-01-01T00:00:00Z".to_owned();
            }),
        ),
        ("siwe.wrong_signature", "Invalid signature", {
            let message = place.wallet.message(&place.draft(&nonce));
            json!({"message": message, "signature": Wallet::of(10).sign(&message)})
        }),
    ];
    for (code, text, body) in wrong {
        let problem = place.verify(&body).await.problem(401, code);
        assert_eq!(problem["error"], text, "{body}");
    }
    let good = place.signed(&place.draft(&nonce));
    let unreadable = |message: Value, signature: Value| json!({"message": message, "signature": signature});
    for (code, body) in [
        ("siwe.unreadable_message", unreadable(json!(""), good["signature"].clone())),
        ("siwe.unreadable_message", unreadable(json!("hello"), good["signature"].clone())),
        ("siwe.unreadable_message", with(&|draft| draft.nonce = "short".to_owned())),
        ("siwe.unreadable_signature", unreadable(good["message"].clone(), json!("signature"))),
        ("siwe.unreadable_signature", unreadable(good["message"].clone(), json!("0x123"))),
    ] {
        place.verify(&body).await.problem(400, code);
    }
    let contract = unreadable(good["message"].clone(), json!(format!("0x{}", "ab".repeat(200))));
    let problem = place.verify(&contract).await.problem(422, "contract_wallet_unsupported");
    assert_eq!(problem["errors"][0]["pointer"], "/signature");
    // None of them has used the nonce up; only the case of a domain is folded.
    let folded = with(&|draft| draft.domain = "APP.EXAMPLE.ORG".to_owned());
    assert_eq!(place.verify(&folded).await.status, 200);
    place.verify(&folded).await.problem(401, "siwe.wrong_nonce");
}

#[tokio::test]
async fn a_key_says_for_whom_people_sign_in() {
    let place = Place::new().await;
    let body = place.signed(&place.draft("abcdefgh"));
    let ask = async |key: Option<&str>| place.post("/api/auth/verify", key, &body).await;
    assert_eq!(ask(None).await.problem(401, "unauthenticated")["error"], "API key required");
    assert_eq!(ask(Some("wrong-key")).await.problem(401, "unauthenticated")["error"], "Invalid API key");
    ask(Some(KEY)).await.problem(403, "key.no_origins");
    let without = testing::keys::insert(place.server.app.domain(), &["admin"], |_| {}).await;
    ask(Some(&without.secret)).await.problem(403, "key.no_origins");
    let elsewhere =
        testing::keys::insert(place.server.app.domain(), &[], |row| row.allowed_origins = json!(["y.org"])).await;
    ask(Some(&elsewhere.secret)).await.problem(401, "siwe.wrong_domain");
    assert_eq!(ask(Some(&place.key.secret)).await.status, 200);
}

/// D21: one of ours is for whom it was made, and for five minutes; a client's own is remembered.
#[tokio::test]
async fn a_nonce_is_good_once_and_for_its_asker() {
    let place = Place::new().await;
    let other = testing::keys::insert(place.server.app.domain(), &[], |row| {
        row.allowed_origins = json!(["app.example.org"]);
    })
    .await;
    // Of another key, of another address, and unknown though it looks like ours.
    let nonce = place.nonce(json!({})).await;
    let body = place.signed(&place.draft(&nonce));
    place.post("/api/auth/verify", Some(&other.secret), &body).await.problem(401, "siwe.wrong_nonce");
    assert_eq!(place.verify(&body).await.status, 200);
    let foreign = place.nonce(json!({"address": Wallet::of(10).address().lower_case()})).await;
    place.verify(&place.signed(&place.draft(&foreign))).await.problem(401, "siwe.wrong_nonce");
    let open = place.post("/api/auth/nonce", None, &json!({})).await.json();
    let open = open["nonce"].as_str().expect("a nonce");
    assert_eq!(place.verify(&place.signed(&place.draft(open))).await.status, 200, "whoever asks without a key");
    // Used ones stay used, and so do a client's own.
    for nonce in [nonce.as_str(), open, "clientchosen1"] {
        place.clock.advance(TimeDelta::seconds(1));
        let first = place.verify(&place.signed(&place.draft(nonce))).await;
        assert_eq!(first.status == 200, nonce == "clientchosen1", "{}", first.body);
        place.clock.advance(TimeDelta::seconds(1));
        place.verify(&place.signed(&place.draft(nonce))).await.problem(401, "siwe.wrong_nonce");
    }
    // Old ones are none, though the message is young.
    let old = place.nonce(json!({})).await;
    place.clock.advance(TimeDelta::minutes(6));
    place.verify(&place.signed(&place.draft(&old))).await.problem(401, "siwe.wrong_nonce");
    for address in ["0x12", "9d85ca56217d2bb651b00f15e694eb7e713637d4", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"] {
        let answer = place.post("/api/auth/nonce", None, &json!({"address": address})).await;
        assert_eq!(answer.problem(422, "sign_in.bad_address")["errors"][0]["pointer"], "/address");
    }
}

#[tokio::test]
async fn a_refresh_token_is_of_the_key_that_signed_in() {
    let place = Place::new().await;
    let tokens = place.signed_in().await;
    let other = testing::keys::insert(place.server.app.domain(), &["admin"], |_| {}).await;
    let body = json!({"refreshToken": tokens["refreshToken"]});
    let refused = place.post("/api/auth/refresh", Some(&other.secret), &body).await;
    let problem = refused.problem(401, "refresh_token.invalid");
    assert_eq!(problem["error"], "Invalid or expired refresh token");
    let answer = place.post("/api/auth/refresh", Some(&place.key.secret), &body).await;
    assert_eq!(answer.status, 200, "the refusal has used nothing up: {}", answer.body);
    for token in
        ["", "crt_ref_", "nonsense", &format!("crt_ref_{}", "x".repeat(43)), &format!("crt_ref_{}", "é".repeat(43))]
    {
        place.refresh(&json!(token)).await.problem(401, "refresh_token.invalid");
    }
    place.post("/api/auth/refresh", None, &json!({})).await.problem(422, "invalid_body");
}

/// An answer that holds a secret is not repeated, and what is public has no memory at all.
#[tokio::test]
async fn repeated_requests_tell_no_token_twice() {
    let place = Place::new().await;
    let body = place.signed(&place.draft("abcdefgh"));
    let send = async || {
        let request = place.server.request("POST", "/api/auth/verify").header("x-api-key", &place.key.secret);
        place.server.send(request.header("idempotency-key", "one").json(&body)).await
    };
    let first = send().await;
    assert_eq!(first.status, 200, "{}", first.body);
    let again = send().await;
    assert_eq!(again.status, 409, "{}", again.body);
    assert!(!again.body.contains("crt_ref_"));
    // The family is ended, though the caller names the request and is refused.
    let tokens = first.json();
    place.refresh(&tokens["refreshToken"]).await;
    place.clock.advance(TimeDelta::seconds(11));
    let request = place.server.request("POST", "/api/auth/refresh").header("x-api-key", &place.key.secret);
    let request = request.header("idempotency-key", "two").json(&json!({"refreshToken": tokens["refreshToken"]}));
    place.server.send(request).await.problem(401, "refresh_token.invalid");
    place.me(&tokens["accessToken"]).await.problem(401, "token.invalid");
}

#[tokio::test]
async fn tries_are_counted() {
    let limits = LimitSettings {
        sign_in_per_15_minutes: 5,
        sign_in_address_per_15_minutes: 100,
        refresh_per_15_minutes: 3,
        ..LimitSettings::lifted()
    };
    let place = Place::with(Choice { limits, ..Choice::default() }).await;
    for nth in 0..6 {
        let answer = place.verify(&place.signed(&place.draft(&format!("abcdefgh{nth}")))).await;
        assert_eq!(answer.status, if nth < 5 { 200 } else { 429 }, "{}", answer.body);
        let body = json!({"email": "ada@example.org", "password": "short"});
        let answer = place.post("/v1/auth/login", None, &body).await;
        assert_eq!(answer.status, if nth < 5 { 401 } else { 429 }, "{}", answer.body);
    }
    place.clock.advance(TimeDelta::minutes(15));
    let mut token = place.signed_in().await["refreshToken"].clone();
    for nth in 0..4 {
        let answer = place.refresh(&token).await;
        assert_eq!(answer.status, if nth < 3 { 200 } else { 429 }, "{}", answer.body);
        if nth < 3 {
            token = answer.json()["refreshToken"].clone();
        }
    }
}

#[tokio::test]
async fn accounts_with_a_password() {
    let place = Place::new().await;
    let account = json!({"email": " Ada@Example.org ", "password": "correct horse battery"});
    let answer = place.post("/v1/auth/register", None, &account).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"), "{}", answer.body);
    let made = answer.json();
    assert_eq!(names(&made), ["access_token", "expires_in", "refresh_token", "token_type", "user"]);
    assert_eq!(names(&made["user"]), ["created_at", "email", "id"]);
    assert_eq!(made["user"]["email"], "ada@example.org");
    assert!(made["user"]["id"].as_str().is_some_and(|id| id.starts_with("usr_") && id.len() == 30));
    // Another password does not sign in, nor does it register anew.
    let wrong = json!({"email": "ada@example.org", "password": "wrong horse battery"});
    let taken = place.post("/v1/auth/register", None, &wrong).await.problem(409, "sign_in.not_registrable");
    assert!(!taken["detail"].as_str().is_some_and(|text| text.contains("taken") || text.contains("exists")));
    let nobody = json!({"email": "eve@example.org", "password": "wrong horse battery"});
    let known = place.post("/v1/auth/login", None, &wrong).await.problem(401, "sign_in.wrong_password");
    let unknown = place.post("/v1/auth/login", None, &nobody).await.problem(401, "sign_in.wrong_password");
    assert_eq!(known["detail"], unknown["detail"]);
    let answer = place.post("/v1/auth/login", None, &account).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let login = answer.json();
    assert_eq!((names(&login), &login["user"]), (names(&made), &made["user"]));
    let me = place.me(&login["access_token"]).await.json();
    assert_eq!(names(&me), ["user", "userId"], "there is no wallet");
    let answer = place.refresh(&login["refresh_token"]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for (body, pointer) in [
        (json!({"email": "ada", "password": "correct horse battery"}), "/email"),
        (json!({"email": "bob@example.org", "password": "123456789"}), "/password"),
        (json!({"email": "bob@example.org", "password": "x".repeat(129)}), "/password"),
    ] {
        let answer = place.post("/v1/auth/register", None, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
}

#[tokio::test]
async fn discord_is_off_until_it_is_set_up() {
    let place = Place::new().await;
    for path in ["/api/auth/discord", "/api/auth/discord/callback?code=a&state=b"] {
        place.server.anonymous("GET", path).await.problem(404, "sign_in.discord_off");
    }
}
