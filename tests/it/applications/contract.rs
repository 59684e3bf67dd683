//! What existing clients read and send, and what is refused.

use super::*;

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().expect("an object").keys().collect()
}

on_both_stores! {
    with FIVE;
    /// What existing clients read, under each address that they know.
    async fn existing_clients_are_served(bot: Bot) {
        let made = bot.post(BASE, new()).await;
        assert_eq!((made.status, keys(&made.body)), (200, vec![&"applicationNumber".to_owned(), &"id".to_owned()]));
        let id = made.body["id"].as_str().expect("an id").to_owned();
        let shown = bot.get(&format!("{BASE}/{id}")).await.body;
        for (field, value) in [
            ("applicationNumber", json!(1)),
            ("messageId", json!("pending")),
            ("walletAddress", new()["walletAddress"].clone()),
            ("ensName", Value::Null),
            ("github", json!("ada")),
            ("farcaster", Value::Null),
            ("lens", Value::Null),
            ("twitter", Value::Null),
            ("excitement", json!("Everything")),
            ("motivation", json!("To learn")),
            ("signature", json!("0x00")),
            ("status", json!("pending")),
            ("submittedAt", json!("2026-11-22T12:00:00.000Z")),
            ("decidedAt", Value::Null),
        ] {
            assert_eq!(shown[field], value, "{field}");
        }
        let second = apply(&bot).await;
        let ids = |list: &Value| list.as_array().expect("a bare array").iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&bot.get(&format!("{BASE}/pending")).await.body), [json!(second), json!(id)], "newest first");
        // The peer's defect 24: a message is bound afterwards, and "pending" is nobody's.
        for path in ["by-message", "message"] {
            assert_eq!(bot.get(&format!("{BASE}/{path}/pending")).await.status, 404);
        }
        let bind = json!({ "messageId": "1122334455667788990" });
        let bound = bot.api("PATCH", &format!("{BASE}/{id}"), Some(bind.clone())).await;
        assert_eq!((bound.status, &bound.body["success"]), (200, &json!(true)), "{:?}", bound.body);
        assert_eq!(bound.body["messageId"], bind["messageId"]);
        for path in ["by-message/1122334455667788990", "message/1122334455667788990", "by-number/1", "number/1"] {
            assert_eq!(bot.get(&format!("{BASE}/{path}")).await.body["id"], id, "{path}");
        }
        let taken = bot.api("PATCH", &format!("{BASE}/{second}"), Some(bind)).await;
        assert_eq!((taken.status, &taken.body["code"]), (409, &json!("application.message_taken")));
        assert_eq!(cast(&bot, &id, "1", "approve").await.body, json!({ "success": true }));
        let vote = json!({ "userId": "2", "userName": "Grace", "voteType": "reject" });
        let vote = bot.post(&format!("{BASE}/{id}/vote"), vote).await.body;
        assert_eq!((&vote["success"], &vote["applicationId"], &vote["voteType"]), (&json!(true), &json!(id), &json!("reject")));
        let votes = bot.get(&format!("{BASE}/{id}/votes")).await.body;
        assert_eq!((&votes["approvalCount"], &votes["rejectionCount"]), (&json!(1), &json!(1)));
        assert_eq!(votes["rejections"][0]["userName"], "Grace");
        let decided = bot.api("PATCH", &format!("{BASE}/{id}/status"), Some(json!({ "status": "approved" }))).await;
        assert_eq!((decided.status, &decided.body), (200, &json!({ "success": true })));
        let again = bot.api("PATCH", &format!("{BASE}/{id}"), Some(json!({ "status": "approved" }))).await;
        assert_eq!((again.status, &again.body["status"]), (200, &json!("approved")));
        assert_eq!(count(&bot, "application.decided").await, 1, "the same once more is no decision");
        assert_eq!(ids(&bot.get(&format!("{BASE}?status=approved")).await.body), [json!(id)]);
        let page = bot.get(&format!("{BASE}?limit=1")).await;
        assert_eq!(ids(&page.body), [json!(second)]);
        assert!(page.headers["link"].to_str().expect("text").contains("offset=1"));
        let gone = bot.api("DELETE", &format!("{BASE}/{id}"), None).await;
        assert_eq!((gone.status, &gone.body), (200, &json!({ "success": true })));
        assert_eq!(bot.get(&format!("{BASE}/{id}")).await.status, 404);
        bot.finish().await;
    }

    /// The peer's defects 5 and 22: what is not there is 404, what is wrong is refused, and nothing is 500.
    async fn what_is_wrong_is_refused(bot: Bot) {
        let id = apply(&bot).await;
        let vote = json!({ "userId": "1", "userName": "Ada", "voteType": "approve" });
        let status = json!({ "status": "approved" });
        for (method, path, body, expected) in [
            ("GET", format!("/{NOBODY}"), Value::Null, 404),
            ("GET", format!("/{NOBODY}/votes"), Value::Null, 404),
            ("GET", "/nonsense".to_owned(), Value::Null, 404),
            ("GET", "/by-number/99".to_owned(), Value::Null, 404),
            ("GET", "/by-number/99999999999999999999".to_owned(), Value::Null, 404),
            ("GET", "/by-number/one".to_owned(), Value::Null, 400),
            ("GET", "/by-message/%00".to_owned(), Value::Null, 404),
            ("GET", "?status=open".to_owned(), Value::Null, 400),
            ("GET", "?limit=0".to_owned(), Value::Null, 400),
            ("GET", "?guildId=007".to_owned(), Value::Null, 400),
            ("PATCH", format!("/{NOBODY}/status"), status.clone(), 404),
            ("PATCH", format!("/{NOBODY}"), status.clone(), 404),
            ("PATCH", format!("/{id}/status"), json!({ "status": "pending" }), 422),
            ("PATCH", format!("/{id}/status"), json!({ "status": "x" }), 422),
            ("PATCH", format!("/{id}"), json!({ "messageId": "x".repeat(101) }), 422),
            ("DELETE", format!("/{NOBODY}"), Value::Null, 404),
            ("POST", format!("/{NOBODY}/votes"), vote.clone(), 404),
            ("POST", format!("/{NOBODY}/vote"), vote.clone(), 404),
            ("POST", format!("/{id}/votes"), json!({ "voteType": "approve" }), 422),
            ("POST", format!("/{id}/votes"), json!({ "userId": "x".repeat(65), "voteType": "approve" }), 422),
            ("POST", format!("/{id}/votes"), json!({ "userId": "1\u{0}", "voteType": "approve" }), 422),
            ("POST", format!("/{id}/votes"), json!({ "userId": "1", "voteType": "maybe" }), 422),
            ("POST", format!("/{id}/votes"), json!({ "userId": 1, "voteType": "approve" }), 422),
            ("POST", String::new(), json!({ "walletAddress": "0x1" }), 422),
        ] {
            let body = (!body.is_null()).then_some(body);
            let answer = bot.api(method, &format!("{BASE}{path}"), body).await;
            assert_eq!(answer.status, expected, "{method} {path}: {:?}", answer.body);
        }
        assert_eq!(bot.get(&format!("{BASE}/{NOBODY}")).await.body["error"], "Application not found");
        for (field, value) in
            [("walletAddress", json!("x".repeat(201))), ("motivation", json!("x".repeat(10_001))), ("github", json!("\u{0}"))]
        {
            let mut body = new();
            body[field] = value;
            let refused = bot.post(BASE, body).await;
            assert_eq!(refused.status, 422, "{field}");
            assert_eq!(refused.body["errors"][0]["pointer"], format!("/{field}"));
        }
        assert_eq!(bot.get(BASE).await.body.as_array().map(Vec::len), Some(1), "nothing else was made");
        bot.finish().await;
    }

    /// Numbers are the guild's own; a key of a guild makes and sees its applications and no others.
    async fn guilds_do_not_see_each_other(bot: Bot) {
        let of = |guild: &str| {
            let mut body = new();
            body["guildId"] = json!(guild);
            body
        };
        for (guild, number) in [("42", 1), ("42", 2), ("43", 1)] {
            assert_eq!(bot.post(BASE, of(guild)).await.body["applicationNumber"], number);
        }
        apply(&bot).await;
        let made = bot.post("/api/admin/keys", json!({ "name": "here", "scopes": ["read", "write"], "guildId": "42" })).await;
        assert_eq!(made.status, 200, "{:?}", made.body);
        let key = made.body["apiKey"].as_str().expect("the key").to_owned();
        let ask = async |method: &str, path: &str, body: Option<Value>| {
            let request = bot.client().request(method.parse().expect("a method"), bot.url(&format!("{BASE}{path}")));
            let request = request.header("X-API-Key", &key);
            answer(match body { Some(body) => request.json(&body), None => request }.send()).await
        };
        assert_eq!(ask("GET", "", None).await.body.as_array().map(Vec::len), Some(2));
        assert_eq!(ask("GET", "/by-number/2", None).await.body["guildId"], "42");
        assert_eq!(ask("POST", "", Some(new())).await.body["applicationNumber"], 3, "of the key's own guild");
        assert_eq!(ask("POST", "", Some(of("43"))).await.status, 403);
        assert_eq!(ask("GET", "?guildId=43", None).await.status, 403);
        let other = bot.get(&format!("{BASE}/by-number/1?guildId=43")).await.body["id"].as_str().expect("an id").to_owned();
        for (method, path, body) in [
            ("GET", format!("/{other}"), None),
            ("DELETE", format!("/{other}"), None),
            ("PATCH", format!("/{other}/status"), Some(json!({ "status": "approved" }))),
            ("POST", format!("/{other}/votes"), Some(json!({ "userId": "1", "voteType": "approve" }))),
        ] {
            assert_eq!(ask(method, &path, body).await.status, 404, "{method} {path}");
        }
        bot.finish().await;
    }
}
