//! What is promised to everybody who calls or hosts: no update lost, no answer late, no write gone, no secret shown.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use entity::event;
use fake_discord::ChannelKind;
use sea_orm::{ConnectionTrait as _, Database as Connect, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};

use crate::{
    cli::{Server, folder, root_key, run},
    harness::{Bot, Database, ROOT_KEY, answer, pause},
    on_both_stores,
};

/// How long the stall of a store lasts.
const STALL: Duration = Duration::from_secs(5);
/// The first answer leaves within this time.
const FIRST_ANSWER: Duration = Duration::from_millis(2_500);

fn rule(channel: u64) -> Value {
    json!({ "channelId": channel.to_string(), "guildId": "77", "duration": 3600 })
}

on_both_stores! {
    /// The peer's defect 4: parallel additions to a counter are all kept.
    async fn no_addition_to_a_counter_is_lost(bot: Bot) {
        assert_eq!(bot.post("/api/discord/vanish", rule(55)).await.status, 200);
        let bot = Arc::new(bot);
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let bot = bot.clone();
            callers.spawn(async move {
                for _ in 0..10 {
                    let answer = bot.api("PATCH", "/api/discord/vanish/55/stats", Some(json!({ "deletedCount": 3 }))).await;
                    assert_eq!(answer.status, 200, "{:?}", answer.body);
                }
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("a caller");
        }
        let answer = bot.get("/api/vanish/discord/55").await;
        assert_eq!(answer.body["messagesDeleted"], 16 * 10 * 3);
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// A counter stops at the top instead of failing or forgetting the channel.
    async fn a_counter_stops_at_the_top(bot: Bot) {
        assert_eq!(bot.post("/api/discord/vanish", rule(55)).await.status, 200);
        for count in [i64::MAX - 1, 5, i64::MAX] {
            let path = "/api/discord/vanish/55/stats";
            let answer = bot.api("PATCH", path, Some(json!({ "deletedCount": count }))).await;
            assert_eq!(answer.status, 200, "{count}: {:?}", answer.body);
        }
        assert_eq!(bot.get("/api/discord/vanish/55").await.body["messagesDeleted"], i64::MAX);
        bot.finish().await;
    }

    /// D53: an error of the store is a problem with an id and without internals, and the process lives.
    async fn an_error_of_the_store_is_told_without_its_words(bot: Bot) {
        assert_eq!(bot.post("/api/discord/vanish", rule(55)).await.status, 200);
        let beside = Connect::connect(bot.database_url()).await.expect("the store can be opened beside the bot");
        let slot = || bot.api("PUT", "/api/discord/channels/77/alerts", Some(json!({ "channelId": "5" })));
        let count = || bot.api("PATCH", "/api/discord/vanish/55/stats", Some(json!({ "deletedCount": 1 })));
        for table in ["vanish_rule", "channel_slot", "event"] {
            beside.execute_unprepared(&format!("ALTER TABLE {table} RENAME TO away")).await.expect("renamed");
            let mut failed = 0;
            for answer in [
                bot.post("/api/discord/vanish", rule(56)).await,
                count().await,
                slot().await,
                bot.api("DELETE", "/api/discord/channels/77", None).await,
                bot.get("/api/discord/vanish?guildId=77").await,
                bot.get("/api/discord/channels/77").await,
            ] {
                if answer.status != 500 {
                    assert_eq!(answer.status, 200, "{table}: {:?}", answer.body);
                    continue;
                }
                failed += 1;
                assert_eq!(answer.headers["content-type"], "application/problem+json");
                assert_eq!((&answer.body["code"], &answer.body["error"]), (&json!("internal"), &json!("Internal server error")));
                assert_eq!(answer.body["request_id"].as_str(), answer.headers["x-request-id"].to_str().ok());
                let text = answer.body.to_string().to_lowercase();
                for inside in [table, "away", "sql", "relation", "select", "insert", ".rs", "/tmp", ROOT_KEY] {
                    assert!(!text.contains(inside), "{table}: {inside} in {text}");
                }
            }
            assert!(failed >= 2, "{table}: {failed}");
            assert_eq!(bot.get("/health").await.status, 200);
            beside.execute_unprepared(&format!("ALTER TABLE away RENAME TO {table}")).await.expect("renamed back");
        }
        // One came through while only the slots were away; those that failed half-way left nothing behind.
        assert_eq!(count().await.body["newCount"], 2);
        assert_eq!(slot().await.status, 200);
        beside.close().await.expect("closed");
        bot.finish().await;
    }

    /// Parallel first writes of one rule make one rule.
    async fn parallel_upserts_make_one_rule(bot: Bot) {
        let bot = Arc::new(bot);
        let mut callers = tokio::task::JoinSet::new();
        for n in 0..16 {
            let bot = bot.clone();
            callers.spawn(async move {
                let body = json!({ "channelId": "56", "guildId": "77", "duration": 60 + n });
                assert_eq!(bot.post("/api/discord/vanish", body).await.status, 200);
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("a caller");
        }
        let rules = bot.get("/api/discord/vanish?guildId=77").await;
        assert_eq!(rules.body.as_array().map(Vec::len), Some(1));
        let other = bot.post("/api/discord/vanish", json!({ "channelId": "56", "guildId": "78", "duration": 60 })).await;
        assert_eq!((other.status, &other.body["code"]), (409, &json!("vanish.other_guild")));
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Parallel changes of one rule, made together or not, follow one another: the log's states form one chain.
    async fn parallel_changes_of_a_rule_follow_one_another(bot: Bot) {
        for channel in 61..=64 {
            assert_eq!(bot.post("/api/discord/vanish", rule(channel)).await.status, 200);
        }
        let bot = Arc::new(bot);
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..16 {
            let bot = bot.clone();
            callers.spawn(async move {
                for n in 0..8 {
                    let channel = (61 + n % 4).to_string();
                    let body = json!({ "channelId": channel, "guildId": "77", "duration": 60 + caller * 10 + n });
                    assert_eq!(bot.post("/api/discord/vanish", body).await.status, 200);
                }
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("a caller");
        }
        let beside = Connect::connect(bot.database_url()).await.expect("the store can be opened beside the bot");
        for channel in 61..=64 {
            let of_rule = event::COLUMN.subject.eq(format!("vanish/{channel}"));
            let events = event::Entity::find().filter(of_rule).order_by_asc(event::COLUMN.id).all(&beside).await;
            let states: Vec<_> = events.expect("the log").into_iter().map(|event| event.data).collect();
            assert_eq!(states.len(), 1 + 16 * 2, "each change has its event");
            // PostgreSQL's ids follow the order of beginning, so that the chain is found by its links.
            let mut links: Vec<_> = states.iter().map(|data| (&data["before"], &data["after"])).collect();
            let mut last = &Value::Null;
            while !links.is_empty() {
                let next = links.iter().position(|(before, _)| *before == last);
                last = links.swap_remove(next.unwrap_or_else(|| panic!("no change follows {last}"))).1;
            }
            let shown = bot.get(&format!("/api/discord/vanish/{channel}")).await;
            assert_eq!(last["after_seconds"], shown.body["vanishAfter"], "{last} {:?}", shown.body);
        }
        beside.close().await.expect("closed");
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Writes share a commit, but not a refusal: each is answered by its own merits, and each that is kept has its event.
    async fn a_refused_write_takes_no_other_with_it(bot: Bot) {
        assert_eq!(bot.post("/api/discord/vanish", rule(58)).await.status, 200);
        let bot = Arc::new(bot);
        let mut callers = tokio::task::JoinSet::new();
        for n in 0..48_u64 {
            let bot = bot.clone();
            callers.spawn(async move {
                let (channel, guild, status) = if n % 3 == 0 { (58, "78", 409) } else { (600 + n, "77", 200) };
                let body = json!({ "channelId": channel.to_string(), "guildId": guild, "duration": 60 });
                let answer = bot.post("/api/discord/vanish", body).await;
                assert_eq!(answer.status, status, "{n}: {:?}", answer.body);
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("a caller");
        }
        let rules = bot.get("/api/discord/vanish?guildId=77").await;
        assert_eq!(rules.body.as_array().map(Vec::len), Some(33));
        let store = Connect::connect(bot.database_url()).await.expect("the store can be opened beside the bot");
        let count = "SELECT COUNT(*) FROM event WHERE kind = 'vanish.rule_set'";
        let count = sea_orm::Statement::from_string(store.get_database_backend(), count);
        let row = store.query_one_raw(count).await.expect("the log can be read").expect("a count");
        assert_eq!(row.try_get_by_index::<i64>(0).expect("a number"), 33);
        store.close().await.expect("the look ends");
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Reads of configuration carry a validator, and cost nothing to repeat while nothing changes.
    async fn configuration_is_revalidated(bot: Bot) {
        bot.post("/api/discord/vanish", rule(57)).await;
        let first = bot.get("/api/discord/vanish/57").await;
        let etag = first.headers.get("etag").expect("a validator").clone();
        let again = |etag: reqwest::header::HeaderValue| {
            bot.client().get(bot.url("/api/discord/vanish/57")).header("X-API-Key", ROOT_KEY).header("If-None-Match", etag)
        };
        assert_eq!(answer(again(etag.clone()).send()).await.status, 304);
        bot.post("/api/discord/vanish", json!({ "channelId": "57", "guildId": "77", "duration": 61 })).await;
        let changed = answer(again(etag).send()).await;
        assert_eq!((changed.status, &changed.body["vanishAfter"]), (200, &json!(61)));
        bot.finish().await;
    }

    /// D44: ids are exact up to 2^64 - 1, as strings; everything else is refused with its place.
    async fn ids_are_bit_exact_strings(bot: Bot) {
        for id in ["9007199254740993", "18446744073709551615", "123"] {
            let body = json!({ "channelId": id, "guildId": id, "duration": 60 });
            assert_eq!(bot.post("/api/discord/vanish", body).await.status, 200, "{id}");
            let read = bot.get(&format!("/api/discord/vanish/{id}")).await;
            assert_eq!((&read.body["channelId"], &read.body["guildId"]), (&json!(id), &json!(id)));
            let slot = bot.api("PUT", &format!("/api/discord/channels/{id}/text"), Some(json!({ "channelId": id }))).await;
            assert_eq!((slot.status, &slot.body["channelId"]), (200, &json!(id)));
        }
        let wrong = [
            json!("18446744073709551616"), json!("007"), json!("-1"), json!(""), json!("0"), json!(" 1"), json!(1),
            json!(null), json!("9".repeat(400)),
        ];
        for id in wrong {
            let answer = bot.post("/api/discord/vanish", json!({ "channelId": id, "guildId": "1", "duration": 60 })).await;
            assert_eq!(answer.status, 422, "{id}: {:?}", answer.body);
            assert_eq!(answer.body["errors"][0]["pointer"], "/channelId", "{id}");
        }
        assert_eq!(bot.get("/api/discord/vanish/007").await.status, 404);
        assert_eq!(bot.get("/api/discord/vanish?guildId=007").await.status, 400);
        bot.finish().await;
    }

    /// D40: with the store stalled, a command is answered in time, once, and the result follows.
    async fn a_stalled_store_delays_the_result_and_not_the_answer(bot: Bot) {
        let discord = bot.discord().clone();
        let guild = discord.add_guild("Northwind");
        let channel = discord.add_channel(guild, "lobby", ChannelKind::Text);
        bot.drain().await;
        discord.wait_command("settings").await;
        let stalled = stall(&bot).await;
        let asked = discord.command(discord.owner(guild), channel, "settings general", json!({ "timezone": "Europe/Berlin" }));
        let first = asked.first_callback().await;
        assert!(first.after <= FIRST_ANSWER, "{:?}", first.after);
        stalled.await.expect("the stall ends");
        let shown = asked.reply_within(Duration::from_secs(20)).await;
        assert!(shown.text().contains("Europe/Berlin"), "{}", shown.text());
        assert_eq!(discord.calls("POST", "/interactions/{interaction_id}/{interaction_token}/callback").len(), 1);
        bot.finish().await;
    }
}

/// Holds what every write needs, for a while.
async fn stall(bot: &Bot) -> tokio::task::JoinHandle<()> {
    let connection = Connect::connect(bot.database_url()).await.expect("the store can be opened beside the bot");
    let lock = match connection.get_database_backend() {
        sea_orm::DbBackend::Sqlite => "BEGIN IMMEDIATE",
        _ => "BEGIN; LOCK TABLE guild, event IN ACCESS EXCLUSIVE MODE",
    };
    let (locked, wait) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        // One connection of a pool of one: the lock and its end are the same session's.
        connection.execute_unprepared(lock).await.expect("the lock is free");
        locked.send(()).expect("the story waits");
        pause(STALL).await;
        connection.execute_unprepared("COMMIT").await.expect("the lock is ours");
    });
    wait.await.expect("the lock was taken");
    task
}

/// Callers that add one to a counter, again and again, and remember what was acknowledged.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    /// Requests that were sent on an open connection and never answered.
    unanswered: Arc<AtomicU64>,
    callers: tokio::task::JoinSet<()>,
}

impl Load {
    fn start(server: &Server, key: &str, callers: usize) -> Self {
        let mut load = Self {
            stop: Arc::default(),
            acknowledged: Arc::default(),
            unanswered: Arc::default(),
            callers: tokio::task::JoinSet::new(),
        };
        for _ in 0..callers {
            let (stop, acknowledged, unanswered) =
                (load.stop.clone(), load.acknowledged.clone(), load.unanswered.clone());
            let (url, key) = (format!("{}/api/discord/vanish/55/stats", server.base), key.to_owned());
            load.callers.spawn(async move {
                let client = reqwest::Client::new();
                while !stop.load(Ordering::SeqCst) {
                    let body = json!({ "deletedCount": 1 });
                    match client.patch(&url).header("X-API-Key", &key).json(&body).send().await {
                        Ok(answer) if answer.status() == 200 => {
                            acknowledged.fetch_add(1, Ordering::SeqCst);
                        }
                        Ok(answer) => panic!("{}", answer.status()),
                        Err(error) if error.is_connect() => return,
                        Err(_) => {
                            unanswered.fetch_add(1, Ordering::SeqCst);
                            return;
                        }
                    }
                }
            });
        }
        load
    }

    async fn end(mut self) -> (u64, u64) {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.callers.join_next().await {
            ended.expect("a caller ends by itself");
        }
        (self.acknowledged.load(Ordering::SeqCst), self.unanswered.load(Ordering::SeqCst))
    }
}

async fn count(server: &Server, key: &str) -> u64 {
    server.api(key, "GET", "/api/discord/vanish/55", None).await.body["messagesDeleted"].as_u64().expect("a count")
}

/// D58: a stop under load answers every accepted request, and ends with 0 within 10 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_no_accepted_request() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]).await;
    let key = root_key(folder.path());
    assert_eq!(server.api(&key, "POST", "/api/discord/vanish", Some(rule(55))).await.status, 200);
    let load = Load::start(&server, &key, 8);
    pause(Duration::from_millis(500)).await;
    let (code, took) = server.signal("TERM").await;
    let (acknowledged, unanswered) = load.end().await;
    assert_eq!(code, Some(0));
    assert!(took <= Duration::from_secs(10), "{took:?}");
    assert!(acknowledged > 0);
    // A request on a connection that was idle when the stop began may meet its end: it was not accepted.
    let server = Server::start(folder.path(), &[]).await;
    let kept = count(&server, &key).await;
    assert!(kept >= acknowledged && kept <= acknowledged + unanswered, "{acknowledged} {unanswered} {kept}");
    assert_eq!(kept, acknowledged, "what was carried out was also answered");
    server.stop().await;
}

/// D59: whatever is acknowledged survives kill -9, many times over, and the doctor finds nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine_loses_no_acknowledged_write() {
    // KILLS=50 tells the whole story; a few are enough to notice when it is no longer true.
    let kills: u64 = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(8);
    let folder = folder();
    let first = Server::start(folder.path(), &[]).await;
    let key = root_key(folder.path());
    assert_eq!(first.api(&key, "POST", "/api/discord/vanish", Some(rule(55))).await.status, 200);
    first.stop().await;
    let (mut acknowledged, mut unanswered) = (0, 0);
    for nth in 0..kills {
        let server = Server::start(folder.path(), &[]).await;
        let load = Load::start(&server, &key, 8);
        pause(Duration::from_millis(60 + nth * 17 % 150)).await;
        server.signal("KILL").await;
        let (more, lost) = load.end().await;
        acknowledged += more;
        unanswered += lost;
    }
    let begun = Instant::now();
    let server = Server::start(folder.path(), &[]).await;
    // Ready within 2 s is the promise; fourfold slack for a machine that runs other tests.
    assert!(begun.elapsed() <= Duration::from_secs(8), "{:?}", begun.elapsed());
    let kept = count(&server, &key).await;
    assert!(acknowledged > 0 && kept >= acknowledged, "{acknowledged} acknowledged, {kept} kept");
    assert!(kept <= acknowledged + unanswered, "{acknowledged} acknowledged, {unanswered} unanswered, {kept} kept");
    server.stop().await;
    let doctor = run(folder.path(), &[], &["doctor"]);
    assert_eq!(doctor.code, Some(0), "{}", doctor.output);
}

/// A second server on one store serves HTTP, but neither connects nor sweeps while the first holds the lease; it takes
/// over when the first stops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_holder_of_the_lease_runs_the_bot() {
    let mut first = Bot::start(Database::Sqlite).await.expect("SQLite is built in");
    let discord = first.discord().clone();
    let second = first.start_beside().await;
    pause(Duration::from_millis(300)).await;
    assert_eq!(discord.identifies().len(), 1, "one process connects");
    assert!(!second.app().readiness().leader());
    first.stop().await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while discord.identifies().len() < 2 {
        assert!(Instant::now() < deadline, "the second takes over");
        pause(Duration::from_millis(50)).await;
    }
    assert!(second.stop().await);
}

/// D54: secrets and contents show up in no log line, at the loudest level.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_line_holds_a_secret() {
    let folder = folder();
    let discord = fake_discord::FakeDiscord::start().await;
    let guild = discord.add_guild("Northwind");
    let channel = discord.add_channel(guild, "lobby", ChannelKind::Text);
    let key = "canary-root-key-0123456789-abcdefghijkl";
    let proxy = discord.base_url();
    let environment = [
        ("API_KEY", key),
        ("JWT_SECRET", "canary-jwt-secret-0123456789-abcdefgh"),
        ("DISCORD_TOKEN", fake_discord::TOKEN),
        ("GUILDHALL_DISCORD__API_PROXY", proxy),
        ("RUST_LOG", "trace"),
    ];
    let server = Server::start(folder.path(), &environment).await;
    discord.wait_connected_for(Duration::from_secs(20)).await;
    discord.wait_command("vanish").await;
    server.api(key, "POST", "/api/discord/vanish?canary-query=1", Some(rule(55))).await;
    server.api("canary-wrong-key", "GET", "/api/discord/vanish", None).await;
    let ada = discord.add_member(guild, "ada");
    discord.send(channel, ada, "canary-content");
    let asked = discord.command(discord.owner(guild), channel, "vanish pause", json!({ "reason": "canary-reason" }));
    asked.reply().await;
    let token = asked.token();
    server.stop().await;
    let log = std::fs::read_to_string(folder.path().join("errors.txt")).expect("the log");
    assert!(log.lines().count() > 5, "something was logged: {log}");
    for canary in [
        key,
        "canary-jwt",
        fake_discord::TOKEN,
        "canary-wrong-key",
        "canary-content",
        "canary-reason",
        "canary-query",
        &token,
    ] {
        assert!(!log.contains(canary), "{canary}: {:?}", log.lines().find(|line| line.contains(canary)));
    }
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "one event, one parseable line: {line}");
    }
}
