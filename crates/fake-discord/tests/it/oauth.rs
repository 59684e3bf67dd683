//! Signing in with a Discord account.

use chrono::TimeDelta;
use fake_discord::{APPLICATION_ID, CLIENT_SECRET, Consent, FakeDiscord};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

const CALLBACK: &str = "https://guild.example/v1/auth/discord/callback";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser and a client of a stand-in, with a person who agrees.
struct Browser {
    fake: FakeDiscord,
    person: u64,
    http: Client,
}

impl Browser {
    async fn new() -> Self {
        let fake = FakeDiscord::start().await;
        fake.set_redirect_uris(&[CALLBACK]);
        let person = fake.add_user("ann");
        fake.set_consent(Consent::Allow(person));
        let http = Client::builder().user_agent("test").redirect(Policy::none()).build().unwrap();
        Self { fake, person, http }
    }

    /// Goes to the page of consent: the status, and where it leads.
    async fn visit(&self, changes: &[(&str, &str)]) -> (u16, String) {
        let id = APPLICATION_ID.to_string();
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &id),
            ("redirect_uri", CALLBACK),
            ("scope", "identify"),
            ("state", "a b&c"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        query.retain(|(key, _)| changes.iter().all(|(other, _)| other != key));
        query.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        let url = format!("{}/oauth2/authorize", self.fake.base_url());
        let answer = self.http.get(url).query(&query).send().await.unwrap();
        let to = answer.headers().get("location").map(|one| one.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to.unwrap_or_default())
    }

    async fn code(&self) -> String {
        let (status, to) = self.visit(&[]).await;
        assert_eq!(status, 302);
        let (_, rest) = to.split_once("?code=").unwrap();
        rest.split_once('&').unwrap().0.to_owned()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.post(format!("{}/api{path}", self.fake.base_url())).form(form);
        let answer = request.basic_auth(APPLICATION_ID, Some(CLIENT_SECRET)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        form.retain(|(key, _)| changes.iter().all(|(other, _)| other != key));
        form.extend(changes);
        self.post("/v10/oauth2/token", &form).await
    }

    async fn read(&self, token: &str, path: &str) -> (u16, Value) {
        let url = format!("{}/api/v10{path}", self.fake.base_url());
        let answer = self.http.get(url).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn refused(what: &str) -> (u16, Value) {
    (400, json!({ "error": "invalid_grant", "error_description": format!("Invalid \"{what}\" in request.") }))
}

#[tokio::test]
async fn a_code_gives_tokens_that_tell_who_somebody_is() {
    let browser = Browser::new().await;
    let (_, to) = browser.visit(&[]).await;
    assert!(to.starts_with(&format!("{CALLBACK}?code=")) && to.ends_with("&state=a%20b%26c"), "{to}");
    let (status, tokens) = browser.exchange(&browser.code().await, &[]).await;
    assert_eq!(status, 200);
    let shape = (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]);
    assert_eq!(shape, (&json!("Bearer"), &json!(604_800), &json!("identify")));
    let access = tokens["access_token"].as_str().unwrap();
    let (status, me) = browser.read(access, "/users/@me").await;
    assert_eq!((status, &me["id"], &me["username"]), (200, &json!(browser.person.to_string()), &json!("ann")));
    assert!(me.get("email").is_none(), "identify does not show addresses");
    let (_, shown) = browser.read(access, "/oauth2/@me").await;
    assert_eq!((&shown["scopes"], &shown["user"]["id"]), (&json!(["identify"]), &me["id"]));
    assert_eq!(browser.read(access, "/users/@me/guilds").await.0, 401, "nobody allowed that");
    for path in ["/gateway/bot", "/applications/@me"] {
        assert_eq!(browser.read(access, path).await.0, 401, "{path} is the bot's");
    }
    browser.fake.advance(TimeDelta::days(7));
    let refused = (401, json!({ "code": 0, "message": "401: Unauthorized" }));
    assert_eq!(browser.read(access, "/users/@me").await, refused);
    browser.fake.assert_clean();
}

#[tokio::test]
async fn the_guilds_of_a_person_are_shown_where_they_were_asked_for() {
    let browser = Browser::new().await;
    let (home, away) = (browser.fake.add_guild("Home"), browser.fake.add_guild("Away"));
    browser.fake.join_guild(home, browser.person);
    let (_, to) = browser.visit(&[("scope", "identify guilds")]).await;
    let code = to.split_once("code=").unwrap().1.split_once('&').unwrap().0;
    let (_, tokens) = browser.exchange(code, &[]).await;
    let (_, list) = browser.read(tokens["access_token"].as_str().unwrap(), "/users/@me/guilds").await;
    assert_eq!(
        (list[0]["id"].clone(), list[0]["owner"].clone(), list[1].clone()),
        (json!(home.to_string()), json!(false), Value::Null),
        "not {away}"
    );
    browser.fake.assert_clean();
}

#[tokio::test]
async fn a_code_serves_once_and_for_a_minute() {
    let browser = Browser::new().await;
    let code = browser.code().await;
    assert_eq!(browser.exchange(&code, &[]).await.0, 200);
    assert_eq!(browser.exchange(&code, &[]).await, refused("code"));
    assert_eq!(browser.exchange("made-up", &[]).await, refused("code"));
    let late = browser.code().await;
    browser.fake.advance(TimeDelta::seconds(60));
    assert_eq!(browser.exchange(&late, &[]).await, refused("code"));
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_its_verifier_and_its_redirect() {
    let browser = Browser::new().await;
    let code = browser.code().await;
    let other = "another-verifier-that-is-long-enough-by-the-rules";
    for verifier in ["", "short", CHALLENGE, other] {
        assert_eq!(
            browser.exchange(&code, &[("code_verifier", verifier)]).await,
            refused("code_verifier"),
            "{verifier}"
        );
    }
    let elsewhere = [("redirect_uri", "https://guild.example/other")];
    assert_eq!(browser.exchange(&code, &elsewhere).await, refused("redirect_uri"));
    assert_eq!(browser.exchange(&code, &[]).await.0, 200);
    // Without a challenge there is nothing that a verifier could prove.
    let (_, to) = browser.visit(&[("code_challenge", ""), ("code_challenge_method", "")]).await;
    let bare = to.split_once("code=").unwrap().1.split_once('&').unwrap().0;
    assert_eq!(browser.exchange(bare, &[]).await, refused("code_verifier"));
    assert_eq!(browser.exchange(bare, &[("code_verifier", "")]).await.0, 200);
}

#[tokio::test]
async fn only_the_application_itself_gets_tokens() {
    let browser = Browser::new().await;
    let url = format!("{}/api/oauth2/token", browser.fake.base_url());
    let id = APPLICATION_ID.to_string();
    let code = browser.code().await;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", &id),
    ];
    let answer = browser.http.post(&url).form(&form).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.json().await.unwrap()), (401, json!({ "error": "invalid_client" })));
    let wrong = browser.http.post(&url).form(&form).basic_auth(&id, Some("wrong")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    form.push(("client_secret", CLIENT_SECRET));
    let answer = browser.http.post(&url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200, "the secret may come in the body too");
    browser.fake.assert_clean();
    let answer = browser.http.post(&url).json(&json!({ "grant_type": "refresh_token" })).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.json::<Value>().await.unwrap()["error"]),
        (400, &json!("unsupported_grant_type"))
    );
    assert_eq!(browser.fake.violations().len(), 1, "JSON is not read there");
}

#[tokio::test]
async fn a_refresh_token_is_replaced_when_it_is_used_and_revoking_ends_all() {
    let browser = Browser::new().await;
    let (_, first) = browser.exchange(&browser.code().await, &[]).await;
    let refresh = |token: Value| {
        let browser = &browser;
        async move {
            let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
            browser.post("/oauth2/token", &form).await
        }
    };
    let (status, second) = refresh(first["refresh_token"].clone()).await;
    assert_eq!(status, 200);
    assert_eq!(refresh(first["refresh_token"].clone()).await, refused("refresh_token"));
    assert_eq!(browser.read(first["access_token"].as_str().unwrap(), "/users/@me").await.0, 401);
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(browser.read(access, "/users/@me").await.0, 200);
    let (_, third) = browser.exchange(&browser.code().await, &[]).await;
    assert_eq!(browser.fake.live_grants(browser.person), 2);
    for token in [access, "made-up"] {
        assert_eq!(browser.post("/v10/oauth2/token/revoke", &[("token", token)]).await, (200, json!({})));
    }
    assert_eq!(browser.fake.live_grants(browser.person), 0);
    assert_eq!(browser.read(third["access_token"].as_str().unwrap(), "/users/@me").await.0, 401);
    assert_eq!(refresh(second["refresh_token"].clone()).await, refused("refresh_token"));
    browser.fake.assert_clean();
}

#[tokio::test]
async fn the_page_of_consent_sends_people_back_only_where_they_came_from() {
    let browser = Browser::new().await;
    browser.fake.set_consent(Consent::Deny);
    let (status, to) = browser.visit(&[]).await;
    assert_eq!(status, 302);
    assert!(to.starts_with(&format!("{CALLBACK}?error=access_denied&error_description=The%20resource")), "{to}");
    assert!(to.ends_with("&state=a%20b%26c"), "{to}");
    let (_, to) = browser.visit(&[("scope", "everything")]).await;
    assert!(to.contains("error=invalid_scope"), "{to}");
    for wrong in [("code_challenge_method", "plain"), ("code_challenge_method", ""), ("code_challenge", "short")] {
        let (_, to) = browser.visit(&[wrong]).await;
        assert!(to.contains("error=invalid_request"), "{wrong:?}: {to}");
    }
    browser.fake.set_consent(Consent::SignedOut);
    assert_eq!(browser.visit(&[]).await, (200, String::new()));
    browser.fake.assert_clean();
    for wrong in [("client_id", "1"), ("redirect_uri", "https://evil.example/"), ("redirect_uri", "")] {
        assert_eq!(browser.visit(&[wrong]).await, (400, String::new()), "{wrong:?}");
    }
    assert_eq!(browser.fake.violations().len(), 3);
}
