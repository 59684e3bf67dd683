//! `guildhall users password`, beside a running server.

use serde_json::{Value, json};

use crate::{
    cli::{Server, folder, run},
    harness::{ROOT_KEY, answer, pause},
};

async fn post(server: &Server, path: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{}{path}", server.base)).json(&body);
    let answer = answer(request.send()).await;
    (answer.status, answer.body)
}

/// The operator gives somebody another password, which is shown once; what the old one has opened ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_sets_a_password() {
    let folder = folder();
    let environment = [("JWT_SECRET", ROOT_KEY), ("API_KEY", ROOT_KEY)];
    let server = Server::start(folder.path(), &environment).await;
    let account = json!({"email": "ada@example.org", "password": "correct horse battery"});
    let (status, made) = post(&server, "/v1/auth/register", account.clone()).await;
    assert_eq!(status, 201, "{made}");
    let users = |arguments: &[&str]| run(folder.path(), &environment, &[&["users", "password"], arguments].concat());
    let outcome = users(&["Ada@Example.org"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.errors);
    let (email, password) = outcome.output.trim().split_once("  ").expect("two words");
    assert_eq!((email, password.len()), ("ada@example.org", 20));
    assert_eq!(post(&server, "/v1/auth/login", account).await.0, 401, "the old one");
    let (status, tokens) = post(&server, "/v1/auth/login", json!({"email": email, "password": password})).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(post(&server, "/api/auth/refresh", json!({"refreshToken": made["refresh_token"]})).await.0, 401);
    // The server hears of the end of a session within a second.
    let me = async |tokens: &Value| {
        let token = tokens["access_token"].as_str().expect("a token");
        let request = reqwest::Client::new().get(format!("{}/api/auth/me", server.base)).bearer_auth(token);
        answer(request.send()).await.status
    };
    let begun = std::time::Instant::now();
    while me(&made).await != 401 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(4), "the server has not heard of it");
        pause(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(me(&tokens).await, 200);
    for (who, text) in [("nobody@example.org", "User not found"), ("nobody", "e-mail address")] {
        let outcome = users(&[who]);
        assert!(outcome.code == Some(1) && outcome.errors.contains(text), "{}", outcome.errors);
    }
    // Standard input is empty, and no password.
    let outcome = users(&["ada@example.org", "--stdin"]);
    assert!(outcome.code == Some(1) && outcome.errors.contains("10 to 128 characters"), "{}", outcome.errors);
}
