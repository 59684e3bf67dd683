//! The use of keys, counted in memory and written in batches, on both stores.

use std::time::Duration;

use chrono::TimeDelta;
use guildhall::domain::{
    Domain,
    api_key::usage::{self, KeyUse, Outcome},
    event,
};
use serde_json::json;

use super::{KEYS, domain, make_plain};
use crate::on_both_stores;

const ROUTE: &str = "GET /api/discord/vanish";

fn use_key(domain: &Domain, id: &str, address: &str, times: u32) {
    let (key, address) = (id.parse().expect("an id"), address.parse().expect("an address"));
    for _ in 0..times {
        let latency = Duration::from_micros(300);
        usage::record(domain, &KeyUse { key, route: ROUTE, outcome: Outcome::Ok, address, latency });
    }
}

async fn news(domain: &Domain) -> usize {
    let events = event::events_after(domain, 0, 1_000).await.expect("events");
    events.iter().filter(|event| event.kind == "api_key.new_network").count()
}

on_both_stores! {
    /// Counts are seen at once, written by time, added up over processes, and none is lost by a graceful stop.
    async fn counts_are_seen_written_and_kept(bot: Bot) {
        let mut bot = bot;
        let key = make_plain(&bot).await;
        let second = bot.start_beside().await;
        use_key(domain(&bot), &key.id, "192.0.2.1", 5);
        assert_eq!(bot.get(&key.path()).await.body["totalRequests"], 5);
        use_key(second.app().domain(), &key.id, "192.0.2.2", 7);
        assert!(second.stop().await, "a stop writes what waits");
        assert_eq!(bot.get(&key.path()).await.body["totalRequests"], 12);
        use_key(domain(&bot), &key.id, "192.0.2.1", 3);
        bot.advance(TimeDelta::minutes(1));
        use_key(domain(&bot), &key.id, "192.0.2.1", 2);
        bot.restart().await;
        let shown = bot.get(&key.path()).await.body;
        assert_eq!((&shown["totalRequests"], &shown["lastUsedAt"]), (&json!(17), &json!("2026-11-22T12:01:00.000Z")));

        let usage = bot.get(&format!("{}/usage?step=minute&groupBy=route", key.path())).await.body;
        let rows: Vec<_> = usage["rows"].as_array().expect("rows").iter().map(|row| row["requests"].clone()).collect();
        assert_eq!((rows, &usage["rows"][0]["route"]), (vec![json!(15), json!(2)], &json!(ROUTE)));
        for step in ["hour", "day"] {
            let usage = bot.get(&format!("{}/usage?step={step}", key.path())).await.body;
            assert_eq!((&usage["totalRequests"], &usage["rows"][0]["maxMicroseconds"]), (&json!(17), &json!(300)), "{step}");
        }
        let outcomes = bot.get(&format!("{}/usage?groupBy=outcome", key.path())).await.body;
        assert_eq!(outcomes["rows"][0]["outcome"], "ok");
        let all = bot.get("/api/admin/usage?groupBy=key").await.body;
        assert_eq!((&all["keys"][0]["keyId"], &all["keys"][0]["requests"], &all["keys"][0]["refused"]), (&json!(key.id), &json!(17), &json!(0)));
        let callers = bot.get(&format!("{}/callers", key.path())).await.body;
        assert_eq!((&callers[0]["address"], &callers[0]["requests"]), (&json!("192.0.2.1"), &json!(10)));
        bot.finish().await;
    }

    /// The worker writes by itself, a few seconds later.
    async fn counts_are_written_by_time(bot: Bot) {
        let key = make_plain(&bot).await;
        let beside = bot.start_beside().await;
        use_key(beside.app().domain(), &key.id, "192.0.2.1", 4);
        // The first server knows of them only through the store.
        bot.eventually("they are written", async |bot| bot.get(&key.path()).await.body["totalRequests"] == 4).await;
        assert!(beside.stop().await);
        bot.finish().await;
    }

    /// First use from another network is told once; the very first network, and a known one, are not.
    async fn a_new_network_is_told_once(bot: Bot) {
        let key = make_plain(&bot).await;
        for (address, expected) in [("192.0.2.1", 0), ("192.0.2.200", 0), ("198.51.100.7", 1), ("198.51.100.8", 1), ("2001:db8::1", 2)] {
            use_key(domain(&bot), &key.id, address, 1);
            usage::flush(domain(&bot)).await.expect("written");
            bot.drain().await;
            assert_eq!(news(domain(&bot)).await, expected, "{address}");
        }
        bot.finish().await;
    }

    /// Old counts are forgotten, days last.
    async fn old_counts_are_forgotten(bot: Bot) {
        let key = make_plain(&bot).await;
        use_key(domain(&bot), &key.id, "192.0.2.1", 1);
        usage::flush(domain(&bot)).await.expect("written");
        bot.advance(TimeDelta::days(91));
        while usage::forget_old(domain(&bot)).await.expect("forgotten") {}
        let range = "from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z";
        for (step, left) in [("minute", 0), ("hour", 0), ("day", 1)] {
            let usage = bot.get(&format!("{KEYS}/{}/usage?step={step}&{range}", key.id)).await.body;
            assert_eq!(usage["rows"].as_array().map(Vec::len), Some(left), "{step}");
        }
        assert_eq!(bot.get(&format!("{}/callers", key.path())).await.body, json!([]));
        bot.finish().await;
    }
}
