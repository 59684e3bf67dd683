//! Against a node that answers over real HTTP.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, routing::post};

use super::*;

const ADA: &str = "0x71c7656ec7ab88b098defb751b7401b5f6d8976f";
const RESOLVER: &str = "0x00000000000000000000000000000000000000aa";

type Answers = Arc<Mutex<HashMap<(String, String), Value>>>;

/// Answers by contract and question; what it does not know is a zero word.
struct Chain {
    answers: Answers,
    url: String,
}

impl Chain {
    async fn start() -> Self {
        let answers = Answers::default();
        let router = Router::new().route("/key/secret", post(answer)).with_state(answers.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/key/secret", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { answers, url }
    }

    fn set(&self, contract: &str, question: &[Word], answer: Value) {
        let key = (contract.to_owned(), abi::hexadecimal(question));
        self.answers.lock().unwrap().insert(key, answer);
    }

    fn has_resolver(&self, name: &str) {
        self.set(REGISTRY, &abi::question("resolver(bytes32)", &abi::node(name)), word_of(RESOLVER));
    }

    /// Ada calls herself so, and the name says whose it is.
    fn names(&self, name: &str, owner: &str) {
        let reverse = format!("{}.addr.reverse", &ADA[2..]);
        self.has_resolver(&reverse);
        self.set(RESOLVER, &abi::question("name(bytes32)", &abi::node(&reverse)), text_of(name));
        self.has_resolver(name);
        self.set(RESOLVER, &abi::question("addr(bytes32)", &abi::node(name)), word_of(owner));
    }

    fn shows(&self, name: &str, avatar: Value) {
        self.set(RESOLVER, &abi::question_of_text(&abi::node(name), "avatar"), avatar);
    }

    async fn ask(&self) -> Result<Option<Named>, EnsError> {
        EnsClient::new(&self.url).unwrap().name_of(ADA).await
    }
}

async fn answer(State(answers): State<Answers>, Json(request): Json<Value>) -> Json<Value> {
    assert_eq!((&request["method"], &request["params"][1]), (&json!("eth_call"), &json!("latest")));
    let call = &request["params"][0];
    let key = (call["to"].as_str().unwrap().to_owned(), call["data"].as_str().unwrap().to_owned());
    let zero = json!({ "result": format!("0x{}", "0".repeat(64)) });
    let mut answer = answers.lock().unwrap().get(&key).cloned().unwrap_or(zero);
    answer["jsonrpc"] = json!("2.0");
    answer["id"] = request["id"].clone();
    Json(answer)
}

fn word_of(address: &str) -> Value {
    json!({ "result": format!("0x{:0>64}", &address[2..]) })
}

fn text_of(text: &str) -> Value {
    let digits = text.bytes().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
    let padded = digits.len().next_multiple_of(64);
    json!({ "result": format!("0x{:064x}{:064x}{digits:0<padded$}", 32, text.len()) })
}

fn reverted() -> Value {
    json!({ "error": { "code": 3, "message": "execution reverted", "data": "0x" } })
}

fn named(name: &str, avatar: Option<&str>) -> Named {
    Named { name: name.to_owned(), avatar: avatar.map(str::to_owned) }
}

/// The examples of EIP-137, and the selectors that every explorer shows.
#[test]
fn digests_are_those_of_the_standard() {
    let of = |name| abi::hexadecimal(&[Word::Argument(abi::node(name))]);
    assert_eq!(of(""), format!("0x{}", "0".repeat(64)));
    assert_eq!(of("eth"), "0x93cdeb708b7545dc668eb9280176169d1c33cfd8ed6f04690a0bcc88a93fc4ae");
    assert_eq!(of("foo.eth"), "0xde9b09fd7c5f901e23a3f19fecc54828e9c848539801e86591bd9801b019f84f");
    for (function, selector) in [
        ("resolver(bytes32)", "0x0178b8bf"),
        ("name(bytes32)", "0x691f3431"),
        ("addr(bytes32)", "0x3b3b57de"),
        ("text(bytes32,string)", "0x59d1d43c"),
    ] {
        let question = abi::question(function, &abi::node(""));
        assert_eq!(abi::hexadecimal(&question[..1]), selector, "{function}");
    }
    let question = abi::hexadecimal(&abi::question_of_text(&abi::node(""), "avatar"));
    assert!(question.ends_with(&format!("{:064x}{:064x}617661746172{}", 64, 6, "0".repeat(52))), "{question}");
}

#[tokio::test]
async fn a_name_that_leads_back_counts() {
    let chain = Chain::start().await;
    assert_eq!(chain.ask().await, Ok(None), "no name at all");
    chain.names("ada.eth", ADA);
    assert_eq!(chain.ask().await, Ok(Some(named("ada.eth", None))));
    chain.shows("ada.eth", text_of("https://example.org/ada.png"));
    assert_eq!(chain.ask().await, Ok(Some(named("ada.eth", Some("https://example.org/ada.png")))));
    for shown in [text_of("javascript:alert(1)"), text_of("http://example.org/a"), text_of(""), reverted()] {
        chain.shows("ada.eth", shown.clone());
        assert_eq!(chain.ask().await, Ok(Some(named("ada.eth", None))), "{shown}");
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_or_looks_like_another_is_none() {
    let chain = Chain::start().await;
    chain.names("vitalik.eth", "0x00000000000000000000000000000000000000bb");
    assert_eq!(chain.ask().await, Ok(None));
    for name in ["Ada.eth", "ada", "аda.eth", "a da.eth", "", "ada..eth", "ada.eth.", ".eth"] {
        chain.names(name, ADA);
        assert_eq!(chain.ask().await, Ok(None), "{name:?}");
    }
    chain.names("ada.eth", ADA);
    let reverse = abi::node(&format!("{}.addr.reverse", &ADA[2..]));
    chain.set(RESOLVER, &abi::question("name(bytes32)", &reverse), reverted());
    assert_eq!(chain.ask().await, Ok(None), "the resolver knows no names");
}

/// What is not an answer is never taken for "no name".
#[tokio::test]
async fn failures_are_no_answers() {
    let chain = Chain::start().await;
    chain.names("ada.eth", ADA);
    let name = abi::question("addr(bytes32)", &abi::node("ada.eth"));
    for broken in [
        json!({ "error": { "code": -32005, "message": "limit exceeded" } }),
        json!({}),
        json!({ "result": "soon" }),
        json!({ "result": null }),
        json!({ "result": format!("0x{}", "00".repeat(ANSWER_BYTES_MAX)) }),
    ] {
        chain.set(RESOLVER, &name, broken);
        assert_eq!(chain.ask().await, Err(EnsError::Unavailable));
    }
    let reverse = abi::node(&format!("{}.addr.reverse", &ADA[2..]));
    chain.set(REGISTRY, &abi::question("resolver(bytes32)", &reverse), json!({ "result": "0x" }));
    assert_eq!(chain.ask().await, Err(EnsError::WrongNetwork));
    let nowhere = EnsClient::new("http://127.0.0.1:9").unwrap();
    assert_eq!(nowhere.name_of(ADA).await, Err(EnsError::Unavailable));
    assert_eq!(EnsClient::new("no address").err(), Some(EnsError::BadAddress));
    assert!(!format!("{:?}", EnsClient::new(&chain.url).unwrap()).contains("secret"), "it may hold a key");
}

/// Whatever a contract answers, reading it ends.
#[test]
fn nonsense_is_no_text() {
    let word = |value: u64| {
        let mut word = vec![0; 24];
        word.extend(value.to_be_bytes());
        word
    };
    for nonsense in [
        Vec::new(),
        vec![0; 31],
        vec![255; 64],
        [word(32), word(u64::MAX)].concat(),
        [word(u64::MAX), word(1)].concat(),
        [word(32), word(5), b"abc".to_vec()].concat(),
        [word(32), word(2), vec![0xff; 32]].concat(),
    ] {
        assert_eq!(abi::text(&nonsense), None, "{nonsense:?}");
    }
    assert_eq!(abi::text(&[word(32), word(3), b"abc".to_vec()].concat()).as_deref(), Some("abc"));
    assert_eq!(abi::address(&[1; 32]), None);
}
