//! Signing in with a Discord account, against the stand-in.

use chrono::TimeDelta;
use fake_discord::{APPLICATION_ID, CLIENT_SECRET, Consent, FakeDiscord};
use reqwest::{Client, Response, header, redirect::Policy};
use serde_json::{Value, json};

use super::{me, panel, refresh, verify, wallet::Wallet};
use crate::harness::{Bot, Database, beginning};

/// A browser that keeps its cookie and shows each page that it is sent to.
struct Browser {
    client: Client,
    cookie: Option<String>,
}

impl Browser {
    fn new() -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Self { client, cookie: None }
    }

    async fn get(&mut self, url: &str) -> Response {
        let request = self.client.get(url);
        let response =
            self.cookie.iter().fold(request, |request, cookie| request.header(header::COOKIE, cookie)).send();
        let response = response.await.expect("an answer");
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            let text = cookie.to_str().expect("a plain header");
            assert!(text.contains("HttpOnly") && text.contains("SameSite=Lax"), "{text}");
            self.cookie = text.split(';').next().map(str::to_owned).filter(|pair| !pair.ends_with('='));
        }
        response
    }

    async fn follow(&mut self, url: &str) -> String {
        let response = self.get(url).await;
        assert!(response.status().is_redirection(), "{url}: {}", response.status());
        response.headers()[header::LOCATION].to_str().expect("a plain header").to_owned()
    }

    /// The whole way, up to the address that Discord sends the browser back to.
    async fn there(&mut self, bot: &Bot) -> String {
        let discord = self.follow(&bot.url("/api/auth/discord")).await;
        self.follow(&discord).await
    }
}

async fn body(response: Response) -> (u16, Value) {
    let cached = response.headers().get(header::CACHE_CONTROL).map(header::HeaderValue::as_bytes);
    assert_eq!(cached, Some(&b"no-store"[..]));
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

async fn start(kind: Database) -> Option<Bot> {
    let discord = FakeDiscord::start().await;
    discord.set_now(beginning());
    let (base, id) = (discord.base_url().to_owned(), APPLICATION_ID.to_string());
    let settings = [
        ("GUILDHALL_DISCORD__CLIENT_ID", id.as_str()),
        ("DISCORD_CLIENT_SECRET", CLIENT_SECRET),
        ("GUILDHALL_DISCORD__OAUTH_URL", base.as_str()),
        ("GUILDHALL_LIMITS__SIGN_IN_PER_15_MINUTES", "1000"),
    ];
    let bot = Bot::start_against(discord.clone(), kind, &settings).await?;
    discord.set_redirect_uris(&[&bot.url("/api/auth/discord/callback")]);
    Some(bot)
}

async fn story(bot: Bot) {
    let discord = bot.discord().clone();
    let guild = discord.add_guild("Northwind");
    let ada = discord.add_member(guild, "ada");
    discord.set_consent(Consent::Allow(ada));

    // The first time makes the person, the second one finds them.
    let mut browser = Browser::new();
    let back = browser.there(&bot).await;
    let (status, first) = body(browser.get(&back).await).await;
    assert_eq!(status, 200, "{first}");
    assert!(first["address"].is_null() && first["refreshToken"].is_string(), "{first}");
    assert_eq!(me(&bot, &first).await.body["userId"], first["userId"]);
    assert_eq!(refresh(&bot, &first["refreshToken"]).await.status, 200);
    let back_again = Browser::new().there(&bot).await;
    let mut second = Browser::new();
    let back_second = second.there(&bot).await;
    let (_, tokens) = body(second.get(&back_second).await).await;
    assert_eq!(tokens["userId"], first["userId"]);

    // Nobody comes back twice, from elsewhere, too late, or with another code.
    for (mut browser, url) in [(browser, back.clone()), (Browser::new(), back_again)] {
        let (status, problem) = body(browser.get(&url).await).await;
        assert_eq!((status, &problem["code"]), (401, &json!("sign_in.wrong_state")));
    }
    let mut late = Browser::new();
    let url = late.there(&bot).await;
    bot.advance(TimeDelta::minutes(10));
    assert_eq!(body(late.get(&url).await).await.1["code"], "sign_in.wrong_state");
    let mut forger = Browser::new();
    let url = forger.there(&bot).await;
    let (before, rest) = url.split_once("code=").expect("a code");
    let other = format!("{before}code=another{}", &rest[rest.find('&').unwrap_or(rest.len())..]);
    let (status, problem) = body(forger.get(&other).await).await;
    assert_eq!((status, &problem["code"]), (401, &json!("sign_in.refused_by_discord")));
    let mut refuser = Browser::new();
    discord.set_consent(Consent::Deny);
    let url = refuser.there(&bot).await;
    let (status, problem) = body(refuser.get(&url).await).await;
    assert_eq!((status, &problem["code"]), (401, &json!("sign_in.denied")));
    let (status, problem) = body(Browser::new().get(&bot.url("/api/auth/discord/callback")).await).await;
    assert_eq!((status, &problem["code"]), (400, &json!("invalid_query")));
    connecting(&bot).await;
    bot.finish().await;
}

/// A signed-in person proves by it that an account is theirs.
async fn connecting(bot: &Bot) {
    let discord = bot.discord();
    let key = panel(bot).await;
    let tokens = verify(bot, &key, &Wallet::of(1), "abcdefgh").await.body;
    let guild = discord.add_guild("Southwind");
    let eve = discord.add_member(guild, "eve");
    discord.set_consent(Consent::Allow(eve));
    let mut browser = Browser::new();
    let request = browser.client.get(bot.url("/api/auth/discord")).header(header::ACCEPT, "application/json");
    let response =
        request.bearer_auth(tokens["accessToken"].as_str().expect("a token")).send().await.expect("an answer");
    let cookie = response.headers()[header::SET_COOKIE].to_str().expect("a plain header").to_owned();
    browser.cookie = cookie.split(';').next().map(str::to_owned);
    let way: Value = response.json().await.expect("JSON");
    let back = browser.follow(way["url"].as_str().expect("an address")).await;
    let (status, connected) = body(browser.get(&back).await).await;
    assert_eq!((status, &connected["userId"]), (200, &tokens["userId"]), "{connected}");
    // From now on it signs in the same person.
    let mut browser = Browser::new();
    let back = browser.there(bot).await;
    assert_eq!(body(browser.get(&back).await).await.1["userId"], tokens["userId"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_signs_in_on_sqlite() {
    story(start(Database::Sqlite).await.expect("SQLite is built in")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_signs_in_on_postgres() {
    if let Some(bot) = start(Database::Postgres).await {
        story(bot).await;
    }
}
