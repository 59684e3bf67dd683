//! Keys when many act at once, and in two processes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use entity::user::Role;
use guildhall::domain::user::{self, NewUser};
use serde_json::json;
use tokio::task::JoinSet;

use super::{KEYS, domain, make, make_plain, opens, root, text};
use crate::{
    harness::{Bot, Database, answer, pause},
    on_both_stores,
};

/// Until then another process has heard of a change.
const HEARD: Duration = Duration::from_millis(500);

on_both_stores! {
    /// Of ten rotations at once exactly one wins, and one new key comes of it.
    async fn one_of_ten_rotations_wins(bot: Bot) {
        let old = make_plain(&bot).await;
        let bot = Arc::new(bot);
        let mut tasks = JoinSet::new();
        for _ in 0..10 {
            let (bot, path) = (bot.clone(), format!("{}/rotate", old.path()));
            tasks.spawn(async move { bot.api("POST", &path, None).await });
        }
        let answers = tasks.join_all().await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409)), "{answers:?}");
        let replaced = bot.get(&old.path()).await.body;
        assert_eq!(replaced["replacedBy"], won[0].body["id"]);
        assert_eq!(bot.get(KEYS).await.body.as_array().map(Vec::len), Some(2));
        assert_eq!(opens(&bot, &text(&won[0].body["newApiKey"])).await, 200);
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// D04 and the peer's defect 1: whatever refills memory at that moment, a request that begins after the
    /// revocation was answered is refused.
    async fn a_revocation_beats_a_refill(bot: Bot) {
        let bot = Arc::new(bot);
        for _ in 0..10 {
            let key = make_plain(&bot).await;
            let revoked = Arc::new(AtomicBool::new(false));
            let mut callers = JoinSet::new();
            for _ in 0..6 {
                let (bot, secret, revoked) = (bot.clone(), key.secret.clone(), revoked.clone());
                callers.spawn(async move {
                    loop {
                        let was_revoked = revoked.load(Ordering::SeqCst);
                        let status = opens(&bot, &secret).await;
                        if was_revoked {
                            return status;
                        }
                        assert!(matches!(status, 200 | 401), "{status}");
                    }
                });
            }
            // A change drops the copy, so that the revocation comes while it is loaded anew.
            for n in 0..5 {
                bot.api("PATCH", &key.path(), Some(json!({ "name": format!("name {n}") }))).await;
            }
            assert_eq!(bot.api("DELETE", &key.path(), None).await.status, 200);
            revoked.store(true, Ordering::SeqCst);
            assert_eq!(callers.join_all().await, [401; 6]);
            for _ in 0..10 {
                assert_eq!(opens(&bot, &key.secret).await, 401);
            }
        }
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Another server on the same store hears of a new key, of a revoked one and of an ended one within half a second.
    async fn another_process_hears_of_a_change(bot: Bot) {
        let second = bot.start_beside().await;
        let url = format!("http://{}/api/discord/vanish", second.started.address);
        let status = async |secret: &str| answer(bot.client().get(&url).header("X-API-Key", secret).send()).await.status;
        let until = async |secret: &str, wanted: u16| {
            let begun = Instant::now();
            while status(secret).await != wanted {
                assert!(begun.elapsed() < HEARD * 6, "not {wanted} after {:?}", begun.elapsed());
                pause(Duration::from_millis(10)).await;
            }
            begun.elapsed()
        };
        let mut slowest = Duration::ZERO;
        for _ in 0..3 {
            let key = make_plain(&bot).await;
            slowest = slowest.max(until(&key.secret, 200).await);
            bot.api("PATCH", &key.path(), Some(json!({ "isActive": false }))).await;
            slowest = slowest.max(until(&key.secret, 401).await);
            bot.api("PATCH", &key.path(), Some(json!({ "isActive": true }))).await;
            slowest = slowest.max(until(&key.secret, 200).await);
            bot.api("DELETE", &key.path(), None).await;
            slowest = slowest.max(until(&key.secret, 401).await);
        }
        // Fourfold slack for a machine that runs other tests.
        assert!(slowest <= HEARD * 4, "{slowest:?}");
        assert!(second.stop().await);
        bot.finish().await;
    }
}

/// makima's rule under parallel creates, in two servers on one store: one active key, and a rotation with a grace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_has_one_active_key() {
    for kind in [Database::Sqlite, Database::Postgres] {
        let settings = [("GUILDHALL_KEYS__MAX_ACTIVE_PER_USER", "1")];
        let Some(bot) = Bot::start_with(kind, &settings).await else { continue };
        let second = bot.start_beside().await;
        let new = NewUser { role: Role::Member, discord_user_id: None };
        let owner = user::create(domain(&bot), &root(), new).await.expect("a person").id;
        let mut tasks = JoinSet::new();
        for n in 0..12 {
            let address = if n % 2 == 0 { bot.running().started.address } else { second.started.address };
            let body = json!({ "name": "mine", "userId": owner });
            let request = bot.client().post(format!("http://{address}{KEYS}")).json(&body);
            let request = request.header("X-API-Key", crate::harness::ROOT_KEY);
            tasks.spawn(async move { answer(request.send()).await });
        }
        let answers = tasks.join_all().await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(made.len(), 1, "{kind:?}: {answers:?}");
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!((refused.status, &refused.body["code"]), (409, &json!("key.too_many_active")), "{kind:?}");
        }
        let rotate = format!("{KEYS}/{}/rotate?gracePeriod=60", text(&made[0].body["id"]));
        assert_eq!(bot.api("POST", &rotate, None).await.status, 200, "a key in grace does not count");
        let body = json!({ "name": "third", "userId": owner });
        assert_eq!(bot.post(KEYS, body.clone()).await.status, 409);
        let living = bot.get(&format!("{KEYS}?userId={owner}")).await.body;
        let active: Vec<_> = living.as_array().expect("keys").iter().filter(|key| key["status"] == "active").collect();
        assert_eq!(active.len(), 1);
        bot.api("DELETE", &format!("{KEYS}/{}", text(&active[0]["id"])), None).await;
        make(&bot, body).await;
        assert!(second.stop().await);
        bot.finish().await;
    }
}
