//! What surrounds a handler, on both stores and across processes: once means once, dead means dead, and a store that
//! is silent opens nothing.

mod proxy;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use entity::{id::ChannelId, idempotency_record, vanish_rule};
use guildhall::{
    clock::Clock,
    config::{Config, Sources},
    domain::{
        Actor, Domain, Error, Limits, Source,
        idempotency::{self, Answer as Answered},
        vanish,
    },
    id_source::IdSource,
    serve,
};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    cli::{Server, folder},
    harness::{Answer, Bot, Database, ROOT_KEY, TestDatabase, answer, beginning, keys, pause},
    on_both_stores,
};
use proxy::Proxy;

const STATS: &str = "/api/discord/vanish/55/stats";
const ALIAS: &str = "/api/vanish/discord/55/stats";

async fn rule(bot: &Bot) {
    let body = json!({ "channelId": "55", "guildId": "77", "duration": 3600 });
    assert_eq!(bot.post("/api/discord/vanish", body).await.status, 200);
}

async fn deleted(bot: &Bot) -> i64 {
    bot.get("/api/discord/vanish/55").await.body["messagesDeleted"].as_i64().expect("a count")
}

/// Adds to the counter of channel 55.
async fn add(client: &reqwest::Client, base: &str, key: &str, name: &str, count: i64) -> Answer {
    let request = client.patch(base).header("X-API-Key", key).header("Idempotency-Key", name);
    answer(request.json(&json!({ "deletedCount": count })).send()).await
}

fn is_repeated(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotent-replayed")
}

on_both_stores! {
    /// Fifty at once under one key, at both names of the path: one effect, and every other one is told so.
    async fn duplicates_have_one_effect(bot: Bot) {
        rule(&bot).await;
        let mut senders = tokio::task::JoinSet::new();
        for nth in 0..50 {
            let (client, url) = (bot.client().clone(), bot.url(if nth % 2 == 0 { STATS } else { ALIAS }));
            senders.spawn(async move { add(&client, &url, ROOT_KEY, "same", 7).await });
        }
        let answers = senders.join_all().await;
        for answer in &answers {
            match answer.status {
                200 => assert_eq!(answer.body, json!({ "success": true, "newCount": 7 })),
                409 => assert_eq!(
                    (&answer.body["code"], answer.headers["retry-after"].to_str().ok()),
                    (&json!("idempotency.running"), Some("1"))
                ),
                other => panic!("{other}: {:?}", answer.body),
            }
        }
        let fresh = answers.iter().filter(|answer| answer.status == 200 && !is_repeated(answer));
        assert_eq!((fresh.count(), deleted(&bot).await), (1, 7));
        let again = add(bot.client(), &bot.url(STATS), ROOT_KEY, "same", 7).await;
        assert!(again.status == 200 && is_repeated(&again));
        let other = add(bot.client(), &bot.url(STATS), ROOT_KEY, "same", 8).await;
        assert_eq!((other.status, &other.body["code"]), (422, &json!("idempotency.key_reused")));
        assert_eq!(deleted(&bot).await, 7);
        bot.finish().await;
    }

    /// Many keys for one row: conflicts repeat the whole, and every addition counts once.
    async fn many_keys_for_one_row_all_count(bot: Bot) {
        rule(&bot).await;
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..12 {
            let (client, url) = (bot.client().clone(), bot.url(STATS));
            senders.spawn(async move {
                for nth in 0..6 {
                    let name = format!("{sender}-{nth}");
                    for _ in 0..2 {
                        let answer = add(&client, &url, ROOT_KEY, &name, 1).await;
                        assert_eq!(answer.status, 200, "{:?}", answer.body);
                    }
                }
            });
        }
        senders.join_all().await;
        assert_eq!(deleted(&bot).await, 12 * 6);
        let events = bot.running().app().domain().store().reader();
        let counted = entity::event::Entity::find().all(events).await.expect("a read");
        assert_eq!(counted.iter().filter(|event| event.kind == "vanish.counted").count(), 12 * 6);
        bot.finish().await;
    }

    /// What was refused stays refused under its key, and others have keys of their own.
    async fn a_refusal_is_remembered_and_a_key_is_its_senders(bot: Bot) {
        let domain = bot.running().app().domain().clone();
        let (_, writer) = keys::issue(&domain, &["write"]).await;
        let early = add(bot.client(), &bot.url(STATS), ROOT_KEY, "early", 1).await;
        assert_eq!((early.status, &early.body["code"]), (404, &json!("vanish.no_rule")));
        rule(&bot).await;
        let again = add(bot.client(), &bot.url(STATS), ROOT_KEY, "early", 1).await;
        assert_eq!((again.status, is_repeated(&again), &again.body), (404, true, &early.body));
        let theirs = add(bot.client(), &bot.url(STATS), &writer, "early", 1).await;
        assert_eq!((theirs.status, is_repeated(&theirs)), (200, false));
        assert_eq!(deleted(&bot).await, 1);
        // A new rule, made within the transaction, is as good as one made without: its event, its copies.
        let set = |name: &'static str, duration: i64| {
            let body = json!({ "channelId": "56", "guildId": "77", "duration": duration });
            let request = bot.client().post(bot.url("/api/discord/vanish")).header("X-API-Key", ROOT_KEY);
            answer(request.header("Idempotency-Key", name).json(&body).send())
        };
        assert_eq!(set("one", 60).await.status, 200);
        assert_eq!(bot.get("/api/discord/vanish/56").await.body["vanishAfter"], 60);
        assert_eq!(set("two", 61).await.status, 200);
        assert_eq!(bot.get("/api/discord/vanish/56").await.body["vanishAfter"], 61);
        assert_eq!(set("one", 60).await.status, 200);
        assert_eq!(bot.get("/api/discord/vanish/56").await.body["vanishAfter"], 61, "the first is not done again");
        bot.finish().await;
    }

    /// Duplicates that reach two processes have one effect.
    async fn two_processes_share_the_memory(bot: Bot) {
        rule(&bot).await;
        let other = bot.start_beside().await;
        let urls = [bot.url(STATS), format!("http://{}{STATS}", other.started.address)];
        let mut senders = tokio::task::JoinSet::new();
        for nth in 0..30 {
            let (client, url) = (bot.client().clone(), urls[nth % 2].clone());
            senders.spawn(async move { add(&client, &url, ROOT_KEY, &format!("of-{}", nth / 10), 1).await });
        }
        for answer in senders.join_all().await {
            assert!(matches!(answer.status, 200 | 409), "{}: {:?}", answer.status, answer.body);
        }
        for url in &urls {
            assert!(is_repeated(&add(bot.client(), url, ROOT_KEY, "of-1", 1).await));
        }
        let rows = vanish_rule::Entity::find().all(bot.running().app().domain().store().reader()).await;
        assert_eq!(rows.expect("a read")[0].messages_deleted, 3);
        assert!(other.stop().await);
        bot.finish().await;
    }

    /// D04 across processes: dead within a second wherever it is shown, and a new key is good as soon.
    async fn a_revoked_key_is_dead_everywhere_within_a_second(bot: Bot) {
        let domain = bot.running().app().domain().clone();
        let other = bot.start_beside().await;
        let urls = [bot.url("/api/discord/vanish"), format!("http://{}/api/discord/vanish", other.started.address)];
        let ask = async |url: &str, key: &str| answer(bot.client().get(url).header("X-API-Key", key).send()).await.status;
        let (id, key) = keys::issue(&domain, &["read"]).await;
        assert_eq!(ask(&urls[0], &key).await, 200, "at once in the process that issued it");
        let within_a_second = async |status: u16| {
            let deadline = Instant::now() + Duration::from_secs(1);
            while ask(&urls[1], &key).await != status {
                assert!(Instant::now() < deadline, "the other process has not noticed for a second");
                pause(Duration::from_millis(20)).await;
            }
        };
        within_a_second(200).await;
        for _ in 0..50 {
            assert_eq!((ask(&urls[0], &key).await, ask(&urls[1], &key).await), (200, 200));
        }
        keys::revoke(&domain, id).await;
        for _ in 0..100 {
            assert_eq!(ask(&urls[0], &key).await, 401);
        }
        within_a_second(401).await;
        for _ in 0..100 {
            assert_eq!(ask(&urls[1], &key).await, 401);
        }
        assert!(other.stop().await);
        bot.finish().await;
    }
}

/// A conflict that a write inside meets repeats the whole, and nothing of the first try is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_inside_repeats_the_whole() {
    let Some(bot) = Bot::start(Database::Postgres).await else { return };
    rule(&bot).await;
    let domain = bot.running().app().domain().clone();
    let tries = Arc::new(AtomicU64::new(0));
    let (counted, own) = (tries.clone(), domain.clone());
    let attempt: idempotency::Attempt<u64> = Arc::new(move || {
        let (domain, nth) = (own.clone(), counted.fetch_add(1, Ordering::SeqCst));
        Box::pin(async move {
            let root = Actor::Root { source: Source::Http };
            let channel = ChannelId::new(55).expect("an id");
            let added = vanish::add_deleted(&domain, &root, channel, 5).await;
            assert!(added.is_ok(), "{added:?}");
            let conflict: Result<(), Error> = domain
                .store()
                .write(nth, |_, nth| {
                    Box::pin(
                        async move { if *nth == 0 { Err(sea_orm::DbErr::RecordNotUpdated.into()) } else { Ok(()) } },
                    )
                })
                .await;
            // What the handler makes of it does not matter.
            let answer = Answered { status: 200, ..Answered::default() };
            assert_eq!(conflict.is_err(), nth == 0);
            idempotency::Tried { reply: nth, answer: Some(answer) }
        })
    });
    let request = idempotency::Request::new("root".to_owned(), "PATCH /x".to_owned(), "k".to_owned(), [0; 32]);
    let outcome = idempotency::once(&domain, request, Duration::from_secs(10), attempt).await;
    assert!(matches!(outcome, Ok(idempotency::Outcome::Fresh(1))), "{outcome:?}");
    assert_eq!((tries.load(Ordering::SeqCst), deleted(&bot).await), (2, 5));
    bot.finish().await;
}

/// A program on a database of its own, with the settings of the environment.
struct Program {
    folder: TempDir,
    database: TestDatabase,
    environment: Vec<(&'static str, String)>,
}

impl Program {
    async fn on(kind: Database) -> Option<Self> {
        let database = TestDatabase::make(kind).await?;
        let environment = vec![
            ("DATABASE_URL", database.url().to_owned()),
            ("API_KEY", ROOT_KEY.to_owned()),
            ("JWT_SECRET", "secret-of-the-tests-0123456789abcdef".to_owned()),
        ];
        Some(Self { folder: folder(), database, environment })
    }

    async fn start(&self) -> Server {
        let environment: Vec<_> = self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Server::start(self.folder.path(), &environment).await
    }

    /// The same store, as another process has it.
    async fn domain(&self) -> Domain {
        let sources = Sources::new(self.folder.path().to_owned()).variable("DATABASE_URL", self.database.url());
        let config = Config::load(&sources.variable("JWT_SECRET", "secret-of-the-tests-0123456789abcdef"));
        let Ok(config) = config else { panic!("the settings are wrong") };
        let store = serve::open_store(&config).await.expect("the store opens");
        let clock = Clock::frozen(beginning());
        Domain::new(store, clock.clone(), IdSource::random(clock), Limits::default())
    }
}

/// A crash between two statements leaves effect and memory, or neither: after many kills every request that is sent
/// again has had its effect exactly once.
async fn a_crash_leaves_both_or_neither(kind: Database) {
    let kills: u64 = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(6);
    let Some(program) = Program::on(kind).await else { return };
    let server = program.start().await;
    let rule = json!({ "channelId": "55", "guildId": "77", "duration": 3600 });
    assert_eq!(server.api(ROOT_KEY, "POST", "/api/discord/vanish", Some(rule)).await.status, 200);
    server.stop().await;
    let sent = Arc::new(AtomicU64::new(0));
    for nth in 0..kills {
        let server = program.start().await;
        let url = format!("{}{STATS}", server.base);
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (sent, url) = (sent.clone(), url.clone());
            senders.spawn(async move {
                let client = reqwest::Client::new();
                loop {
                    let name = sent.fetch_add(1, Ordering::SeqCst).to_string();
                    let request = client.patch(&url).header("X-API-Key", ROOT_KEY).header("Idempotency-Key", name);
                    match request.json(&json!({ "deletedCount": 1 })).send().await {
                        Ok(answer) => assert_eq!(answer.status(), 200),
                        Err(_) => return,
                    }
                }
            });
        }
        pause(Duration::from_millis(80 + nth * 31 % 150)).await;
        server.signal("KILL").await;
        senders.join_all().await;
    }
    let domain = program.domain().await;
    let reader = domain.store().reader();
    let counted = async || vanish_rule::Entity::find().all(reader).await.expect("a read")[0].messages_deleted;
    let remembered = idempotency_record::Entity::find().all(reader).await.expect("a read");
    assert!(remembered.iter().all(|record| record.status == 200), "only whole records are kept");
    assert_eq!(counted().await, i64::try_from(remembered.len()).expect("a count"), "effects and their memory");
    // Whoever got no answer sends again.
    let server = program.start().await;
    let total = sent.load(Ordering::SeqCst);
    let client = reqwest::Client::new();
    let known: BTreeSet<_> = remembered.into_iter().map(|record| record.key).collect();
    for name in (0..total).map(|name| name.to_string()) {
        let answer = add(&client, &format!("{}{STATS}", server.base), ROOT_KEY, &name, 1).await;
        assert_eq!((answer.status, is_repeated(&answer)), (200, known.contains(&name)), "{name}");
    }
    assert_eq!(counted().await, i64::try_from(total).expect("a count"));
    assert_eq!(idempotency_record::Entity::find().count(reader).await.expect("a count"), total);
    server.stop().await;
    domain.store().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_leaves_both_or_neither_on_sqlite() {
    a_crash_leaves_both_or_neither(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_leaves_both_or_neither_on_postgres() {
    a_crash_leaves_both_or_neither(Database::Postgres).await;
}

/// The peer's defects 1 and 15, and a store that goes away: whoever cannot be checked is answered 503, never 401, and
/// after ten seconds without a word not even a key that was good a moment ago opens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_silent_opens_nothing() {
    let Some(mut program) = Program::on(Database::Postgres).await else { return };
    let proxy = Proxy::to(program.database.url()).await;
    program.environment[0].1 = proxy.url(program.database.url());
    program.environment.push(("GUILDHALL_DATABASE__ACQUIRE_TIMEOUT_SECONDS", "1".to_owned()));
    program.environment.push(("GUILDHALL_LIMITS__ANONYMOUS_PER_MINUTE", "100000".to_owned()));
    program.environment.push(("GUILDHALL_LIMITS__KEY_PER_MINUTE", "100000".to_owned()));
    let server = program.start().await;
    let domain = program.domain().await;
    let (_, key) = keys::issue(&domain, &["read"]).await;
    let (_, other) = keys::issue(&domain, &["read"]).await;
    let ask = async |key: &str| server.api(key, "GET", "/api/discord/vanish/55", None).await.status;
    let until = async |key: &str, statuses: &[u16], last: u16, longest: u64| {
        let deadline = Instant::now() + Duration::from_secs(longest);
        loop {
            let status = ask(key).await;
            if status == last {
                return;
            }
            assert!(statuses.contains(&status), "{status} is neither {statuses:?} nor {last}");
            assert!(Instant::now() < deadline, "{last} has not come for {longest} s");
            pause(Duration::from_millis(50)).await;
        }
    };
    // Another process has issued them.
    until(&key, &[401], 404, 2).await;
    until(&other, &[401], 404, 2).await;
    proxy.cut();
    // A key that nobody has seen may be a new one of another process: as soon as the store has failed once.
    until("hall-key-that-nobody-knows", &[401], 503, 5).await;
    // Known keys are believed for as long as the store may have said nothing, and no longer.
    until(&key, &[404], 503, 20).await;
    for _ in 0..20 {
        assert_eq!((ask(&key).await, ask(&other).await), (503, 503));
    }
    assert_eq!(server.api("", "GET", "/api/discord/vanish/55", None).await.status, 401);
    assert_eq!(server.api("", "GET", "/health", None).await.status, 200);
    proxy.mend();
    until(&key, &[503], 404, 10).await;
    until("hall-key-that-nobody-knows", &[503], 401, 5).await;
    server.stop().await;
    domain.store().close().await;
}

/// As it ships: limits hold, answers say so, and who is refused is told when to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_as_they_ship() {
    let folder = folder();
    let environment = [("API_KEY", ROOT_KEY), ("GUILDHALL_LIMITS__ANONYMOUS_PER_MINUTE", "5")];
    let server = Server::start(folder.path(), &environment).await;
    let mut refused: Option<Value> = None;
    for _ in 0..10 {
        let answer = server.api("guess-of-a-key", "GET", "/api/discord/vanish", None).await;
        if answer.status == 429 {
            assert!(answer.headers["retry-after"].to_str().is_ok_and(|seconds| matches!(seconds, "11" | "12")));
            refused = Some(answer.body);
        }
    }
    let refused = refused.expect("a guesser is stopped");
    assert_eq!(refused["violated-policies"], json!(["anonymous"]));
    let answer = server.api(ROOT_KEY, "GET", "/api/discord/vanish", None).await;
    assert_eq!((answer.status, answer.headers["x-ratelimit-limit"].to_str().ok()), (200, Some("1000")));
    server.stop().await;
}
