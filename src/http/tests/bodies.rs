//! What bodies, ids and queries may not be.

use serde_json::json;

use super::{KEY, Server, read_answer, write};

const VANISH: &str = "/api/discord/vanish";

#[tokio::test]
async fn unreadable_bodies_are_400() {
    let server = Server::start().await;
    let deep = format!(r#"{{"x":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let bad_utf8 = [b"{\"channelId\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"nonsense",
        b"{\"channelId\":\"1\",}",
        b"{} {}",
        b"\xef\xbb\xbf{}",
        br#"{"channelId":"1","channelId":"2","guildId":"1","duration":1}"#,
        br#"{"unknown":{"a":1,"a":2}}"#,
        &bad_utf8,
    ];
    for body in bodies.into_iter().chain([deep.as_bytes()]) {
        let answer = server.text("POST", VANISH, body.to_vec()).await;
        answer.problem(400, "invalid_json");
    }
}

#[tokio::test]
async fn wrong_values_are_422_and_point_at_themselves() {
    let server = Server::start().await;
    let good = json!({"channelId": "10", "guildId": "1", "duration": 60});
    let cases = [
        ("channelId", json!(10)),
        ("channelId", json!("010")),
        ("channelId", json!("0")),
        ("channelId", json!("-1")),
        ("channelId", json!("18446744073709551616")),
        ("channelId", json!("")),
        ("channelId", json!(null)),
        ("guildId", json!("1 ")),
        ("guildId", json!({"id": "1"})),
        ("duration", json!(1.5)),
        ("duration", json!(1.0)),
        ("duration", json!("60")),
        ("duration", json!(0)),
        ("duration", json!(-60)),
        ("duration", json!(31_536_001)),
        ("duration", json!(u64::MAX)),
        ("duration", json!(null)),
        ("duration", json!([60])),
    ];
    for (field, value) in cases {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = server.json("POST", VANISH, body).await;
        let problem = answer.json();
        assert_eq!(answer.status, 422, "{field} = {value}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"), "{problem}");
    }
    let long = json!({"channelId": "10", "guildId": "1", "duration": "9".repeat(10_000)});
    assert!(server.json("POST", VANISH, long).await.body.len() < 2000);
    for missing in ["channelId", "guildId", "duration"] {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(missing);
        let problem = server.json("POST", VANISH, body).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{missing}"));
    }
    for whole in [json!([]), json!(["10", "1", 60]), json!("x"), json!(null), json!(7)] {
        let problem = server.json("POST", VANISH, whole).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "");
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let server = Server::start().await;
    let body = json!({"channelId": "11", "guildId": "1", "duration": 60, "unknown": [1, {"a": null}]});
    let answer = server.json("POST", VANISH, body).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"success": true})));
}

#[tokio::test]
async fn large_bodies_are_413_whether_declared_or_not() {
    let server = Server::start().await;
    let large = vec![b' '; 64 * 1024 + 1];
    server.text("POST", VANISH, large.clone()).await.problem(413, "body_too_large");
    let mut socket = server.socket().await;
    let head = format!(
        "POST {VANISH} HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    write(&mut socket, head).await;
    for part in large.chunks(1000) {
        let size = format!("{:x}\r\n", part.len());
        write(&mut socket, [size.as_bytes(), part, b"\r\n"].concat()).await;
    }
    write(&mut socket, "0\r\n\r\n").await;
    let answer = read_answer(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let mut fitting = br#"{"channelId":"12","guildId":"1","duration":60}"#.to_vec();
    fitting.resize(64 * 1024, b' ');
    assert_eq!(server.text("POST", VANISH, fitting).await.status, 200);
}

#[tokio::test]
async fn other_media_types_are_415() {
    let server = Server::start().await;
    let body = r#"{"channelId":"13","guildId":"1","duration":60}"#;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let request = server.request("POST", VANISH).header("x-api-key", KEY);
        let answer = server.send(request.header("content-type", media_type).body(body)).await;
        answer.problem(415, "unsupported_media_type");
    }
    let request = server
        .request("POST", VANISH)
        .header("x-api-key", KEY)
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(&b"\x1f\x8b\x08\x00"[..]);
    server.send(request).await.problem(415, "unsupported_media_type");
    let request = server.request("POST", VANISH).header("x-api-key", KEY);
    let request = request.header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(server.send(request.body(body)).await.status, 200);
}

#[tokio::test]
async fn malformed_ids_are_404_in_a_path_and_400_in_a_query() {
    let server = Server::start().await;
    for id in ["x", "0", "01", "-1", "1.5", "18446744073709551616", "%FF", "%00", "1%2F2", "%F0%9F%98%80"] {
        for method in ["GET", "DELETE"] {
            let path = format!("{VANISH}/{id}");
            server.call(method, &path).await.problem(404, "not_found");
        }
        let path = format!("/api/discord/channels/{id}/alerts");
        server.call("GET", &path).await.problem(404, "not_found");
        let answer = server.call("GET", &format!("{VANISH}?guildId={id}")).await;
        let problem = answer.problem(400, "invalid_query");
        assert_eq!(problem["errors"][0]["parameter"], "guildId", "{problem}");
    }
    for key in ["UPPER", "a.b", "%20", "a%2Fb", &"k".repeat(65)] {
        let path = format!("/api/discord/channels/1/{key}");
        server.json("PUT", &path, json!({"channelId": "1"})).await.problem(404, "not_found");
    }
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=",
        "offset=-1",
        "offset=18446744073709551615",
        "guildId=",
        "limit=1&limit=2",
    ] {
        let answer = server.call("GET", &format!("{VANISH}?{query}")).await;
        answer.problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn the_key_in_a_body_is_checked() {
    let server = Server::start().await;
    let body = json!({"guildId": "1", "key": "No Key", "channelId": "5"});
    let answer = server.json("POST", "/api/discord/channels", body).await;
    let problem = answer.problem(422, "invalid_body");
    assert_eq!(problem["errors"][0]["pointer"], "/key");
}
