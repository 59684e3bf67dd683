//! Practice through real sockets: one session per person, honest time, figures that agree.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{DiscordUserId, GuildId},
    practice_session::SessionSource,
};
use guildhall::{
    clock::Clock,
    domain::{
        Actor, Domain, Limits, Source,
        practice::{self, NewSession, Person},
    },
    id_source::IdSource,
    secret::DatabaseUrl,
    store::{Settings, Store},
};
use serde_json::{Value, json};

use crate::{
    cli::{Server, folder, root_key},
    harness::{Answer, Bot, pause},
    on_both_stores,
};

const BASE: &str = "/api/sessions/practice";

async fn start(bot: &Bot, account: u64) -> Answer {
    bot.post(&format!("{BASE}/start"), json!({ "discordId": account.to_string() })).await
}

async fn stop(bot: &Bot, account: u64) -> Answer {
    bot.post(&format!("{BASE}/stop"), json!({ "discordId": account.to_string() })).await
}

async fn daily(bot: &Bot, account: u64) -> i64 {
    let answer = bot.get(&format!("{BASE}/stats/daily/discord/{account}")).await;
    answer.body["totalDuration"].as_i64().expect("seconds")
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().expect("an object").keys().collect()
}

/// Many calls at once.
async fn at_once<F>(bot: &Arc<Bot>, calls: usize, call: impl Fn(Arc<Bot>) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..calls {
        callers.spawn(call(bot.clone()));
    }
    callers.join_all().await
}

on_both_stores! {
    /// The peer's defect 19: sixteen starts at once of an account that nobody knows are one session of one person, and
    /// D45: so are twenty stops, with a restart between.
    async fn parallel_starts_of_a_new_account_are_one_session(bot: Bot) {
        let mut bot = Arc::new(bot);
        let answers = at_once(&bot, 16, |bot| async move { start(&bot, 4_100).await }).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (200, &answers[0].body));
        }
        bot.advance(TimeDelta::milliseconds(75_500));
        Arc::get_mut(&mut bot).expect("the callers are gone").restart().await;
        let mut answers = at_once(&bot, 20, |bot| async move { stop(&bot, 4_100).await }).await;
        answers.sort_by_key(|answer| answer.status);
        assert_eq!((answers[0].status, &answers[0].body["duration"]), (200, &json!(75)));
        for answer in &answers[1..] {
            assert_eq!((answer.status, &answer.body["error"]), (404, &json!("No active session found")));
        }
        assert_eq!(daily(&bot, 4_100).await, 75);
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// What existing clients read, under each address that they know.
    async fn existing_clients_are_served(bot: Bot) {
        let nobody = json!({ "notes": "x" });
        assert_eq!(bot.post(&format!("{BASE}/start"), nobody).await.status, 422);
        for (base, path) in [(BASE, "/start"), (BASE, ""), ("/api/practice-sessions", "/start"), ("/api/practice-sessions", "")] {
            let body = json!({ "discordId": "123", "notes": "scales" });
            let begun = bot.post(&format!("{base}{path}"), body).await;
            assert_eq!(begun.status, 200, "{:?}", begun.body);
            assert_eq!(keys(&begun.body), ["date", "duration", "endTime", "id", "notes", "startTime", "userId"]);
            assert_eq!((&begun.body["endTime"], &begun.body["duration"]), (&Value::Null, &Value::Null));
            assert_eq!(begun.body["notes"], "scales");
            bot.advance(TimeDelta::milliseconds(900_900));
            let user = begun.body["userId"].clone();
            let ended = bot.post(&format!("{base}/stop"), json!({ "userId": user })).await;
            assert_eq!((ended.status, &ended.body["duration"]), (200, &json!(900)), "{:?}", ended.body);
        }
        let user = start(&bot, 123).await.body["userId"].as_str().expect("an id").to_owned();
        stop(&bot, 123).await;
        for base in [BASE, "/api/practice-sessions"] {
            for id in ["discord/123".to_owned(), format!("user/{user}"), "123".to_owned(), user.clone()] {
                let answer = bot.get(&format!("{base}/stats/daily/{id}")).await;
                assert_eq!(answer.body, json!({ "totalDuration": 3_600 }), "{id}");
                let week = bot.get(&format!("{base}/stats/weekly/{id}")).await.body;
                assert_eq!((keys(&week).len(), &week["2026-11-22"]), (7, &json!(3_600)));
                let month = bot.get(&format!("{base}/stats/monthly/{id}")).await.body;
                assert_eq!((keys(&month).len(), &month["2026-11-01"]), (30, &json!(0)));
            }
            let board = bot.get(&format!("{base}/leaderboard")).await.body;
            assert_eq!((&board[0]["identity"], &board[0]["totalDuration"]), (&json!("123"), &json!(3_600)));
            assert_eq!(bot.get(&format!("{base}/total-hours")).await.body, json!({ "totalHours": 1.0 }));
        }
        bot.finish().await;
    }

    /// Whatever id is asked about: an answer, nobody made, and no 500.
    async fn strange_ids_are_answered(bot: Bot) {
        let (none, wrong) = ("00000000-0000-7000-8000-000000000000", "18446744073709551616");
        for (path, status) in [
            ("/stats/daily/discord/777".to_owned(), 200),
            (format!("/stats/weekly/user/{none}"), 200),
            ("/stats/daily/user/777".to_owned(), 400),
            (format!("/stats/daily/discord/{wrong}"), 404),
            ("/stats/monthly/discord/007".to_owned(), 404),
            ("/stats/monthly/nonsense-that-is-long-enough".to_owned(), 404),
            ("/leaderboard?limit=0".to_owned(), 400),
            ("/leaderboard?limit=101".to_owned(), 400),
            ("/leaderboard?offset=99999999999999999999".to_owned(), 400),
        ] {
            assert_eq!(bot.get(&format!("{BASE}{path}")).await.status, status, "{path}");
        }
        for (body, status) in [
            (json!({ "userId": none }), 404),
            (json!({ "userId": "x" }), 422),
            (json!({ "discordId": 123 }), 422),
            (json!({ "discordId": "007" }), 422),
            (json!({ "discordId": "1", "userId": none }), 422),
            (json!({ "discordId": "1", "notes": "\u{0}" }), 422),
            (json!({ "discordId": "1", "notes": "x".repeat(1_001) }), 422),
        ] {
            let answer = bot.post(&format!("{BASE}/start"), body.clone()).await;
            assert_eq!(answer.status, status, "{body}: {:?}", answer.body);
        }
        assert_eq!(bot.get(&format!("{BASE}/leaderboard")).await.body, json!([]), "a person without practice is not on it");
        bot.finish().await;
    }

    /// D47 with sessions that run: all five figures are one, and the heartbeat moves them together.
    async fn five_figures_agree(bot: Bot) {
        for account in 1..=5_u64 {
            start(&bot, account).await;
            bot.live_through(TimeDelta::seconds(95), TimeDelta::seconds(31)).await;
        }
        stop(&bot, 2).await;
        bot.live_through(TimeDelta::seconds(62), TimeDelta::seconds(31)).await;
        let board = bot.get(&format!("{BASE}/leaderboard")).await.body;
        let board: BTreeMap<String, i64> = board.as_array().expect("a list").iter()
            .map(|row| (row["identity"].as_str().expect("an id").to_owned(), row["totalDuration"].as_i64().expect("seconds")))
            .collect();
        assert_eq!(board.len(), 5);
        let mut sum = 0;
        for account in 1..=5_u64 {
            let sum_of = async |period: &str| -> i64 {
                let days = bot.get(&format!("{BASE}/stats/{period}/discord/{account}")).await.body;
                days.as_object().expect("days").values().filter_map(Value::as_i64).sum()
            };
            let day = daily(&bot, account).await;
            assert_eq!((day, day, day), (sum_of("weekly").await, sum_of("monthly").await, board[&account.to_string()]));
            assert!(day > 0);
            sum += day;
        }
        let hours = bot.get(&format!("{BASE}/total-hours")).await.body["totalHours"].as_f64().expect("hours");
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let expected = sum as f64 / 3_600.0;
        assert!((hours - expected).abs() <= 0.051, "{hours} of {expected}");
        bot.finish().await;
    }

    /// A timer of a command counts what was observed: a downtime is a gap, also where nobody stopped us gracefully.
    async fn a_downtime_is_a_gap(bot: Bot) {
        let mut bot = bot;
        let domain = bot.running().app().domain().clone();
        let people: Vec<Person> = (1..=100).map(|id| Person::Discord(DiscordUserId::new(id).expect("not zero"))).collect();
        let root = Actor::Root { source: Source::Cli };
        let guild = GuildId::new(42);
        for person in &people {
            let new = NewSession::of(*person, guild, SessionSource::Command);
            practice::start(&domain, &root, new).await.expect("started");
        }
        bot.live_through(TimeDelta::minutes(5), TimeDelta::seconds(30)).await;
        bot.stop().await;
        bot.advance(TimeDelta::minutes(20));
        bot.start_again().await;
        bot.drain().await;
        bot.live_through(TimeDelta::minutes(2), TimeDelta::seconds(30)).await;
        let domain = bot.running().app().domain().clone();
        for person in people {
            let session = practice::stop(&domain, &root, person, None).await.expect("it runs");
            let seconds = session.counted_milliseconds / 1_000;
            // Five minutes and two, but for the heartbeat that was on its way when we went.
            assert!((6 * 60..=7 * 60).contains(&seconds), "{seconds}");
        }
        bot.finish().await;
    }
}

/// A domain beside the program, on the same file, at another moment.
async fn beside(file: &std::path::Path, now: DateTime<Utc>) -> Domain {
    let timeout = Duration::from_secs(10);
    let store = Store::open(Settings {
        url: DatabaseUrl::parse(&format!("sqlite://{}", file.display())).expect("an address"),
        readers_max: 1,
        pool_connections_max: 2,
        acquire_timeout: timeout,
        statement_timeout: timeout,
        idle_in_transaction_timeout: timeout,
        copies_kept: 1,
    });
    let clock = Clock::frozen(now);
    let ids = IdSource::random(clock.clone());
    Domain::new(store.await.expect("it opens"), clock, ids, Limits::default())
}

/// `kill -9` with a hundred open sessions: what was observed is there, and those of programs count on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_program_loses_no_observed_time() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]).await;
    let key = root_key(folder.path());
    let begun = Clock::system().now() - TimeDelta::seconds(100);
    let domain = beside(&folder.path().join("guildhall.db"), begun).await;
    let root = Actor::Root { source: Source::Cli };
    for id in 1..=100 {
        let source = if id % 2 == 0 { SessionSource::Http } else { SessionSource::Command };
        let person = Person::Discord(DiscordUserId::new(id).expect("not zero"));
        let guild = GuildId::new(42).filter(|_| source == SessionSource::Command);
        practice::start(&domain, &root, NewSession::of(person, guild, source)).await.expect("started");
    }
    let path = format!("{BASE}/leaderboard?limit=100");
    // Their next look has been due for forty seconds.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let observed = loop {
        let board = server.api(&key, "GET", &path, None).await.body;
        let rows = board.as_array().expect("a list").clone();
        if rows.len() == 100 {
            break rows;
        }
        assert!(tokio::time::Instant::now() < deadline, "{} of 100 are observed", rows.len());
        pause(Duration::from_millis(50)).await;
    };
    assert!(observed.iter().all(|row| row["totalDuration"].as_i64() >= Some(100)), "{observed:?}");
    let (code, _) = server.signal("KILL").await;
    assert_eq!(code, None, "it was killed");
    pause(Duration::from_secs(1)).await;
    let server = Server::start(folder.path(), &[]).await;
    for row in &observed {
        let body = json!({ "discordId": row["identity"] });
        let ended = server.api(&key, "POST", &format!("{BASE}/stop"), Some(body)).await;
        assert_eq!(ended.status, 200, "{:?}", ended.body);
        let elapsed = (Clock::system().now() - begun).num_seconds();
        let duration = ended.body["duration"].as_i64().expect("seconds");
        assert!(duration >= 101 && duration <= elapsed, "{duration} of {elapsed}");
    }
    server.stop().await;
}
