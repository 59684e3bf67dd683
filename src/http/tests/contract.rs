//! Fields and statuses that existing clients expect.

use serde_json::{Value, json};

use super::{KEY, Server};

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn vanish_at_both_paths() {
    let server = Server::start().await;
    for (base, channel) in [("/api/discord/vanish", "2001"), ("/api/vanish/discord", "2002")] {
        let one = format!("{base}/{channel}");
        assert_eq!(server.call("GET", &one).await.status, 404);
        let body = json!({"channelId": channel, "guildId": "77", "duration": 3600});
        let answer = server.json("POST", base, body).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"success": true})));

        let rule = server.call("GET", &one).await.json();
        assert_eq!(rule["channelId"], channel);
        assert_eq!(rule["guildId"], "77");
        assert_eq!(rule["vanishAfter"], 3600);
        assert_eq!(rule["messagesDeleted"], 0);
        assert_eq!(rule["lastDeletion"], Value::Null);
        assert_eq!(rule["createdAt"], "2026-11-21T23:37:29.418Z");
        let mut names = keys(&rule);
        names.sort_unstable();
        assert_eq!(
            names,
            ["channelId", "createdAt", "guildId", "lastDeletion", "messagesDeleted", "updatedAt", "vanishAfter"]
        );

        let list = server.call("GET", &format!("{base}?guildId=77")).await.json();
        assert!(list.as_array().expect("a bare array").contains(&rule));

        let stats = format!("{one}/stats");
        let answer = server.json("PATCH", &stats, json!({"deletedCount": 3})).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"success": true, "newCount": 3})));
        let answer = server.json("PATCH", &stats, json!({"deletedCount": 0})).await;
        assert_eq!(answer.status, 422);

        for _ in 0..2 {
            let answer = server.call("DELETE", &one).await;
            assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"success": true})));
        }
        let answer = server.call("GET", &one).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (404, &json!("Channel not found")));
        let answer = server.json("PATCH", &stats, json!({"deletedCount": 3})).await;
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn channel_settings() {
    let server = Server::start().await;
    let base = "/api/discord/channels";
    assert_eq!(server.call("GET", &format!("{base}/88")).await.json(), json!([]));
    let answer = server.call("GET", &format!("{base}/88/alerts")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (404, &json!("Channel setting not found")));

    let put = server.json("PUT", &format!("{base}/88/alerts"), json!({"channelId": "5"})).await;
    assert_eq!(put.status, 200);
    let row = put.json();
    let mut names = keys(&row);
    names.sort_unstable();
    assert_eq!(names, ["channelId", "createdAt", "guildId", "id", "key", "updatedAt"]);
    assert_eq!((&row["guildId"], &row["key"], &row["channelId"]), (&json!("88"), &json!("alerts"), &json!("5")));
    assert_eq!(server.call("GET", &format!("{base}/88/alerts")).await.json(), row);

    let body = json!({"guildId": "88", "key": "welcome", "channelId": "6"});
    assert_eq!(server.json("POST", base, body).await.status, 200);
    assert_eq!(server.call("GET", &format!("{base}/88")).await.json().as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn channel_settings_are_cleared() {
    let server = Server::start().await;
    let base = "/api/discord/channels";
    let body = json!({"guildId": "89", "key": "alerts", "channelId": "6"});
    assert_eq!(server.json("POST", base, body).await.status, 200);
    let answer = server.call("DELETE", &format!("{base}/89/alerts")).await;
    assert_eq!(answer.json(), json!({"success": true}));
    assert_eq!(server.call("DELETE", &format!("{base}/89/alerts")).await.status, 404);
    for _ in 0..2 {
        let answer = server.call("DELETE", &format!("{base}/89")).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"success": true})));
    }
}

#[tokio::test]
async fn credentials() {
    let server = Server::start().await;
    let path = "/api/discord/vanish";
    let missing = "Missing API key. Please provide X-API-Key header";
    let answer = server.anonymous("GET", path).await;
    assert_eq!(answer.problem(401, "unauthenticated")["error"], missing);
    assert!(answer.header("www-authenticate").contains("ApiKey"));
    let checked = crate::domain::api_key::format::mint(crate::domain::api_key::format::Shape::Live);
    let damaged = format!("{}x", &checked.secret.expose()[..48]);
    let refused = [
        ("x-api-key", "wrong".to_owned(), "Invalid API key format"),
        ("x-api-key", "wrong-key".to_owned(), "Invalid API key"),
        ("x-api-key", checked.secret.expose().to_owned(), "Invalid API key"),
        ("x-api-key", damaged, "Invalid API key format"),
        ("x-api-key", format!("{KEY}x"), "Invalid API key"),
        ("x-api-key", String::new(), missing),
        ("authorization", "ApiKey wrong-key".to_owned(), "Invalid API key"),
        ("authorization", format!("Bearer act_live_{}", "x".repeat(40)), "Invalid or expired token"),
        ("authorization", format!("Bearer {KEY}"), "Invalid or expired token"),
        ("authorization", "Basic dTpw".to_owned(), missing),
        ("authorization", "ApiKey".to_owned(), missing),
    ];
    for (name, value, text) in refused {
        let answer = server.send(server.request("GET", path).header(name, value)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (401, &json!(text)), "{}", answer.body);
    }
    for (name, value) in [
        ("x-api-key", KEY.to_owned()),
        ("authorization", format!("ApiKey {KEY}")),
        ("authorization", format!("apikey {KEY}")),
    ] {
        let answer = server.send(server.request("GET", path).header(name, value)).await;
        assert_eq!(answer.status, 200);
    }
    let both = server.request("GET", path).header("x-api-key", KEY).header("authorization", "Bearer x");
    assert_eq!(server.send(both).await.status, 200);
    let twice = server.request("GET", path).header("x-api-key", "wrong").header("x-api-key", KEY);
    server.send(twice).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_refusal_comes_before_the_body_is_read() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    let head = "POST /api/discord/vanish HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{";
    super::write(&mut socket, head).await;
    let answer = super::read_to_end(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn lists_come_whole_or_in_pages() {
    let server = Server::start().await;
    for channel in 3001..=3005 {
        let body = json!({"channelId": channel.to_string(), "guildId": "99", "duration": 60});
        assert_eq!(server.json("POST", "/api/discord/vanish", body).await.status, 200);
    }
    let path = "/api/vanish/discord?guildId=99";
    let whole = server.call("GET", path).await;
    assert_eq!((whole.json().as_array().map(Vec::len), whole.header("link")), (Some(5), ""));
    let page = server.call("GET", &format!("{path}&limit=2")).await;
    assert_eq!(page.json().as_array().map(Vec::len), Some(2));
    assert_eq!(page.header("link"), r#"</api/vanish/discord?guildId=99&limit=2&offset=2>; rel="next""#);
    let page = server.call("GET", &format!("{path}&limit=2&offset=4")).await;
    assert_eq!(page.json()[0], whole.json()[4]);
    assert_eq!(page.header("link"), r#"</api/vanish/discord?guildId=99&limit=2&offset=2>; rel="prev""#);
    let page = server.call("GET", &format!("{path}&offset=1")).await;
    assert_eq!(page.json().as_array().map(Vec::len), Some(4));
}
