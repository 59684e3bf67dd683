//! People over real HTTP and real stores: one person, many accounts, whatever happens at once.

use std::{collections::BTreeSet, sync::Arc};

use fake_discord::ChannelKind;
use serde_json::{Value, json};

use crate::{
    cli::{folder, run},
    harness::{Answer, Bot},
    on_both_stores,
};

async fn person(bot: &Bot, discord: u64) -> String {
    let made = bot.post("/api/users/id", json!({ "platform": "discord", "identity": discord.to_string() })).await;
    assert!(matches!(made.status, 200 | 201), "{:?}", made.body);
    made.body["userId"].as_str().expect("an id").to_owned()
}

async fn connect(bot: &Bot, user: &str, identity: &str) -> Answer {
    let body = json!({ "userId": user, "platform": "github", "identity": identity });
    bot.post("/api/admin/identities/connect", body).await
}

async fn merge(bot: &Bot, source: &str, target: &str) -> Answer {
    let body = json!({ "sourceUserId": source, "targetUserId": target });
    bot.post("/api/admin/identities/merge-users", body).await
}

async fn accounts(bot: &Bot, user: &str) -> Vec<Value> {
    let list = bot.get(&format!("/api/users/identities/{user}")).await;
    assert_eq!(list.status, 200, "{:?}", list.body);
    list.body["identities"].as_array().expect("a list").clone()
}

fn primaries(accounts: &[Value]) -> usize {
    accounts.iter().filter(|one| one["isPrimary"] == true).count()
}

on_both_stores! {
    /// The peer's defect 10: a merge is whole or not at all, also when all happens at once.
    async fn merges_and_connections_at_once_lose_nothing(bot: Bot) {
        let bot = Arc::new(bot);
        for round in 0..4_u64 {
            let (one, two, three) =
                (person(&bot, round * 10 + 1).await, person(&bot, round * 10 + 2).await, person(&bot, round * 10 + 3).await);
            let mut tasks = tokio::task::JoinSet::new();
            for (source, target) in [(&one, &two), (&two, &one), (&two, &three), (&three, &one)] {
                let (bot, source, target) = (bot.clone(), source.clone(), target.clone());
                tasks.spawn(async move {
                    let answer = merge(&bot, &source, &target).await;
                    assert!(matches!(answer.status, 200 | 400), "{:?}", answer.body);
                    (answer.status == 200, 0)
                });
            }
            for (n, user) in [&one, &two, &three].into_iter().enumerate() {
                let (bot, user) = (bot.clone(), user.clone());
                tasks.spawn(async move {
                    let answer = connect(&bot, &user, &format!("r{round}n{n}")).await;
                    assert_eq!(answer.status, 201, "{:?}", answer.body);
                    (false, 1)
                });
            }
            let (mut merges, mut connections) = (0, 0);
            while let Some(ended) = tasks.join_next().await {
                let (joined, connected) = ended.expect("a caller");
                merges += usize::from(joined);
                connections += connected;
            }
            assert_eq!((merges, connections), (2, 3), "three people become one by two merges");
            let mut ends = BTreeSet::new();
            for old in [&one, &two, &three] {
                ends.insert(bot.get(&format!("/api/users/{old}")).await.body["id"].as_str().expect("an id").to_owned());
                assert_eq!(accounts(&bot, old).await.len(), 6);
                assert_eq!(primaries(&accounts(&bot, old).await), 1);
            }
            assert_eq!(ends.len(), 1);
        }
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// The peer's defect 11 at once: of two accounts that are both given up, one stays.
    async fn the_last_account_stays_however_many_give_up(bot: Bot) {
        let bot = Arc::new(bot);
        for round in 0..6_u64 {
            let user = person(&bot, 100 + round).await;
            assert_eq!(connect(&bot, &user, &format!("g{round}")).await.status, 201);
            let mut tasks = tokio::task::JoinSet::new();
            for (platform, identity) in [("discord", (100 + round).to_string()), ("github", format!("g{round}"))] {
                let bot = bot.clone();
                tasks.spawn(async move {
                    let body = json!({ "platform": platform, "identity": identity });
                    bot.api("DELETE", "/api/admin/identities/disconnect", Some(body)).await.status
                });
            }
            let mut statuses = Vec::new();
            while let Some(ended) = tasks.join_next().await {
                statuses.push(ended.expect("a caller"));
            }
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 400]);
            let left = accounts(&bot, &user).await;
            assert_eq!((left.len(), primaries(&left)), (1, 1));
        }
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Parallel first uses of one account make one person.
    async fn parallel_upserts_make_one_person(bot: Bot) {
        let bot = Arc::new(bot);
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..16 {
            let bot = bot.clone();
            tasks.spawn(async move {
                if n % 2 == 0 { person(&bot, 7).await } else {
                    bot.get("/api/users/by-discord/7").await.body["userId"].as_str().expect("an id").to_owned()
                }
            });
        }
        let mut ids = BTreeSet::new();
        while let Some(ended) = tasks.join_next().await {
            ids.insert(ended.expect("a caller"));
        }
        assert_eq!(ids.len(), 1);
        assert_eq!(bot.get("/api/users").await.body["total"], 1);
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Whoever uses a command is a person; an erasure leaves nothing that names them.
    async fn a_command_makes_a_person_and_an_erasure_forgets_them(bot: Bot) {
        let discord = bot.discord().clone();
        let guild = discord.add_guild("Northwind");
        let channel = discord.add_channel(guild, "lobby", ChannelKind::Text);
        let ada = discord.add_member(guild, "ada");
        discord.wait_command("help").await;
        for _ in 0..2 {
            discord.command(ada, channel, "help", json!({})).reply().await;
        }
        let path = format!("/api/users/id/by-discord/{ada}");
        bot.eventually("the member is a person", async |bot| bot.get(&path).await.status == 200).await;
        let found = bot.get(&path).await.body;
        assert_eq!(bot.get("/api/users").await.body["total"], 1);
        let id = found["userId"].as_str().expect("an id").to_owned();
        let root = guildhall::domain::Actor::Root { source: guildhall::domain::Source::Http };
        let domain = bot.running().app().domain();
        let id = id.parse().expect("an id");
        let held = guildhall::domain::user::export(domain, &root, id).await.expect("an export");
        assert_eq!(held["tables"]["identity"][0]["identity"], ada.to_string());
        assert!(held["tables"]["event"].as_array().is_some_and(|events| !events.is_empty()), "{held}");
        guildhall::domain::user::erase(domain, &root, id).await.expect("erased");
        assert_eq!(bot.get(&path).await.status, 404);
        let events = guildhall::domain::event::events_after(domain, 0, 1_000).await.expect("the log");
        assert!(!format!("{events:?}").contains(&format!("member:{ada}")));
        assert!(events.iter().any(|event| event.actor == format!("user:{id}")));
        bot.finish().await;
    }
}

/// What operators do without a server.
#[test]
fn the_command_line_knows_people() {
    let folder = folder();
    let ask = |words: &[&str]| run(folder.path(), &[], &[&["users"], words].concat());
    let told = |words: &[&str]| {
        let outcome = ask(words);
        assert_eq!(outcome.code, Some(0), "{words:?}: {}", outcome.errors);
        outcome.output
    };
    let json = |words: &[&str]| serde_json::from_str::<Value>(&told(words)).expect("JSON");
    let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
    let ada = id(&json(&["create", "--role", "admin", "--discord", "1", "--json"]));
    let bob = id(&json(&["create", "--discord", "2", "--json"]));
    assert_eq!(json(&["list", "--json"])["total"], 2);
    let list = told(&["list", "--role", "admin"]);
    assert!(
        list.contains(&ada) && list.contains("discord:1") && list.contains("1 of 1") && !list.contains(&bob),
        "{list}"
    );
    assert!(told(&["merge", &bob, &ada]).starts_with(&ada));
    let shown = json(&["show", &bob, "--json"]);
    assert_eq!((id(&shown), shown["identities"].as_array().map(Vec::len)), (ada.clone(), Some(2)));
    told(&["disable", &ada]);
    assert!(told(&["show", &ada]).contains("disabled"));
    told(&["enable", &ada]);
    assert_eq!(json(&["export", &ada])["tables"]["identity"].as_array().map(Vec::len), Some(2));
    assert_eq!(ask(&["erase", &ada]).code, Some(2), "it asks to be sure");
    told(&["erase", &ada, "--yes"]);
    assert_ne!(ask(&["show", &ada]).code, Some(0));
    assert_eq!(json(&["list", "--json"])["total"], 0);
}
