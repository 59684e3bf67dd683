//! Names of wallets, from a node that answers over real HTTP to what people's pages show.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, routing::post};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Bot, Database};

const WALLET: &str = "0x71c7656ec7ab88b098defb751b7401b5f6d8976f";
const ADA: &str = "6164612e657468";

/// What the node says: a name, none, or nothing that makes sense.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Named,
    Nameless,
    Broken,
}

/// Answers by the first bytes of the question, which say what is asked.
async fn answer(State(mood): State<Arc<Mutex<Mood>>>, Json(request): Json<Value>) -> Json<Value> {
    let question = request["params"][0]["data"].as_str().expect("a question");
    let text = |digits: &str| format!("0x{:064x}{:064x}{digits:0<64}", 32, digits.len() / 2);
    let address = |digits: &str| format!("0x{digits:0>64}");
    let mood = *mood.lock().expect("no panic before");
    let result = match (&question[..10], mood) {
        (_, Mood::Broken) => {
            return Json(json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32005, "message": "limit" } }));
        }
        ("0x0178b8bf", Mood::Named) => address("aa"),
        ("0x0178b8bf", Mood::Nameless) => address(""),
        ("0x691f3431", _) => text(ADA),
        ("0x3b3b57de", _) => address(&WALLET[2..]),
        ("0x59d1d43c", _) => text(""),
        other => panic!("an unknown question: {}", other.0),
    };
    Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
}

async fn a_wallet_gets_its_name(database: Database) {
    let mood = Arc::new(Mutex::new(Mood::Named));
    let router = Router::new().route("/", post(answer)).with_state(mood.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let Some(bot) = Bot::start_with(database, &[("GUILDHALL_ENS__RPC_URL", &url)]).await else { return };
    bot.drain().await;
    let made = bot.post("/api/users/id", json!({ "platform": "discord", "identity": "7" })).await;
    let user = made.body["userId"].as_str().expect("an id").to_owned();
    let wallet = json!({ "userId": user, "platform": "evm", "identity": WALLET });
    assert_eq!(bot.post("/api/admin/identities/connect", wallet).await.status, 201);
    let name = async |bot: &Bot| bot.get(&format!("/api/users/{user}")).await.body["ensName"].clone();
    bot.eventually("the wallet has its name", async |bot| name(bot).await == "ada.eth").await;
    let live = async |now: Mood| {
        *mood.lock().expect("no panic before") = now;
        bot.advance(TimeDelta::days(1) + TimeDelta::minutes(1));
        bot.drain().await;
    };
    live(Mood::Broken).await;
    assert_eq!(name(&bot).await, "ada.eth", "a node that says nothing changes nothing");
    live(Mood::Nameless).await;
    bot.eventually("the name is gone", async |bot| name(bot).await.is_null()).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_gets_its_name_and_loses_it_on_sqlite() {
    a_wallet_gets_its_name(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_gets_its_name_and_loses_it_on_postgres() {
    a_wallet_gets_its_name(Database::Postgres).await;
}
