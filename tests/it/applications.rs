//! Applications through real sockets: numbers without gaps, one vote each, one decision.

mod contract;

use std::sync::Arc;

use entity::{
    application, application_vote,
    id::{ApplicationId, UserId},
    user::Role,
};
use guildhall::domain::{Actor, Domain, Source, user};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use crate::{
    cli::run,
    harness::{Answer, Bot, ROOT_KEY, answer},
    on_both_stores,
};

const BASE: &str = "/api/users/applications";
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// Five have to say yes, as D48 asks; and the harness's clients call often.
const FIVE: &[(&str, &str)] = &[
    ("GUILDHALL_APPLICATIONS__QUORUM", "5"),
    ("GUILDHALL_APPLICATIONS__THRESHOLD", "quorum"),
    ("GUILDHALL_LIMITS__ROOT_PER_MINUTE", "0"),
];

fn domain(bot: &Bot) -> &Domain {
    bot.running().app().domain()
}

fn new() -> Value {
    json!({
        "messageId": "pending", "walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7", "github": "ada",
        "excitement": "Everything", "motivation": "To learn", "signature": "0x00"
    })
}

/// A new application.
async fn apply(bot: &Bot) -> String {
    let made = bot.post(BASE, new()).await;
    assert_eq!(made.status, 200, "{:?}", made.body);
    made.body["id"].as_str().expect("an id").to_owned()
}

async fn cast(bot: &Bot, id: &str, voter: &str, kind: &str) -> Answer {
    let body = json!({ "userId": voter, "userName": "Ada", "voteType": kind });
    bot.post(&format!("{BASE}/{id}/votes"), body).await
}

/// Many calls at once.
async fn at_once<F>(bot: &Arc<Bot>, calls: usize, call: impl Fn(Arc<Bot>, usize) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..calls {
        callers.spawn(call(bot.clone(), number));
    }
    callers.join_all().await
}

async fn count(bot: &Bot, kind: &str) -> u64 {
    let reader = domain(bot).store().reader();
    entity::event::Entity::find().filter(entity::event::Column::Kind.eq(kind)).count(reader).await.expect("a count")
}

/// A signed-in person: their token and their id.
async fn sign_in(bot: &Bot, name: &str, role: Role) -> (String, String) {
    let body = json!({ "email": format!("{name}@example.org"), "password": "correct horse battery" });
    let made = answer(bot.client().post(bot.url("/v1/auth/register")).json(&body).send()).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let token = made.body["access_token"].as_str().expect("a token").to_owned();
    let me = answer(bot.client().get(bot.url("/api/auth/me")).bearer_auth(&token).send()).await;
    let id = me.body["userId"].as_str().expect("an id").to_owned();
    let root = Actor::Root { source: Source::Cli };
    user::set_role(domain(bot), &root, id.parse::<UserId>().expect("a UUID"), role).await.expect("a role");
    (token, id)
}

async fn send(bot: &Bot, token: &str, method: &str, path: &str, body: Value) -> Answer {
    let request = bot.client().request(method.parse().expect("a method"), bot.url(path)).bearer_auth(token);
    answer(request.json(&body).send()).await
}

on_both_stores! {
    with FIVE;
    /// D48: thirty votes of one member are one; ten members at once decide once; and then nobody votes any more.
    async fn a_vote_storm_decides_once(bot: Bot) {
        let bot = Arc::new(bot);
        let id = apply(&bot).await;
        let same = id.clone();
        let answers = at_once(&bot, 30, move |bot, _| {
            let id = same.clone();
            async move { cast(&bot, &id, "100", "approve").await }
        });
        assert!(answers.await.iter().all(|answer| answer.status == 200));
        let votes = bot.get(&format!("{BASE}/{id}/votes")).await.body;
        assert_eq!((&votes["approvalCount"], votes["approvals"].as_array().map(Vec::len)), (&json!(1), Some(1)));
        assert_eq!(count(&bot, "application.voted").await, 1);
        let same = id.clone();
        let answers = at_once(&bot, 10, move |bot, number| {
            let id = same.clone();
            async move { cast(&bot, &id, &(200 + number).to_string(), "approve").await }
        });
        let mut statuses: Vec<_> = answers.await.into_iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 409, 409, 409, 409, 409, 409], "four more are enough");
        let shown = bot.get(&format!("{BASE}/{id}")).await.body;
        assert_eq!((&shown["status"], &shown["decidedHow"]), (&json!("approved"), &json!("vote")));
        assert_eq!(count(&bot, "application.decided").await, 1);
        let late = cast(&bot, &id, "900", "reject").await;
        assert_eq!((late.status, &late.body["code"]), (409, &json!("application.not_pending")));
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Yes and no meet at the threshold: whichever comes first decides, once, and the votes say the same afterwards.
    async fn yes_and_no_at_once_decide_once(bot: Bot) {
        let bot = Arc::new(bot);
        for _ in 0..3 {
            let id = apply(&bot).await;
            let same = id.clone();
            let answers = at_once(&bot, 16, move |bot, number| {
                let id = same.clone();
                let kind = if number % 2 == 0 { "approve" } else { "reject" };
                async move { cast(&bot, &id, &(300 + number).to_string(), kind).await }
            });
            assert!(answers.await.iter().all(|answer| matches!(answer.status, 200 | 409)));
            let status = bot.get(&format!("{BASE}/{id}")).await.body["status"].clone();
            let votes = bot.get(&format!("{BASE}/{id}/votes")).await.body;
            let (yes, no) = (votes["approvalCount"].as_u64().expect("a count"), votes["rejectionCount"].as_u64().expect("a count"));
            assert!((yes == 5) != (no == 5) && yes.max(no) == 5, "{yes} and {no}");
            assert_eq!(status, if yes == 5 { "approved" } else { "rejected" });
        }
        assert_eq!(count(&bot, "application.decided").await, 3);
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// D49 and the peer's defect 3: fifty at once have the numbers 1 to 50, and a restart goes on from there.
    async fn parallel_applications_have_numbers_without_gaps(bot: Bot) {
        let mut bot = Arc::new(bot);
        let answers = at_once(&bot, 50, |bot, _| async move { bot.post(BASE, new()).await }).await;
        let mut numbers: Vec<_> = answers.iter().map(|answer| answer.body["applicationNumber"].as_i64()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=50).map(Some).collect::<Vec<_>>());
        let broken = bot.post(BASE, json!({ "walletAddress": "" })).await;
        assert_eq!(broken.status, 422);
        let id = apply(&bot).await;
        cast(&bot, &id, "7", "approve").await;
        let before = bot.get(&format!("{BASE}/{id}")).await.body;
        Arc::get_mut(&mut bot).expect("the callers are gone").restart().await;
        assert_eq!(bot.get(&format!("{BASE}/{id}")).await.body, before);
        assert_eq!(bot.get(&format!("{BASE}/{id}/votes")).await.body["approvals"][0]["userId"], "7");
        let next = apply(&bot).await;
        assert_eq!(bot.get(&format!("{BASE}/{next}")).await.body["applicationNumber"], 52);
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// D50 and the peer's defect 5: nobody votes for themself, for others, or from outside; nobody decides who may not.
    async fn people_vote_as_themselves_and_decide_nothing(bot: Bot) {
        let (applicant, own_id) = sign_in(&bot, "ada", Role::Member).await;
        let (member, member_id) = sign_in(&bot, "grace", Role::Member).await;
        let (stranger, _) = sign_in(&bot, "eve", Role::Authenticated).await;
        let (admin, _) = sign_in(&bot, "root", Role::Admin).await;
        let made = send(&bot, &applicant, "POST", BASE, new()).await;
        assert_eq!(made.status, 200, "{:?}", made.body);
        let path = format!("{BASE}/{}", made.body["id"].as_str().expect("an id"));
        let votes = format!("{path}/votes");
        let yes = json!({ "voteType": "approve" });
        let own = send(&bot, &applicant, "POST", &votes, yes.clone()).await;
        assert_eq!((own.status, &own.body["code"]), (403, &json!("application.own")));
        let outside = send(&bot, &stranger, "POST", &votes, yes.clone()).await;
        assert_eq!((outside.status, &outside.body["code"]), (403, &json!("forbidden")));
        let forged = json!({ "userId": "123", "voteType": "approve" });
        let forged = send(&bot, &member, "POST", &votes, forged).await;
        assert_eq!((forged.status, &forged.body["code"]), (403, &json!("application.other_voter")));
        assert_eq!(bot.get(&votes).await.body["approvalCount"], 0);
        let given = send(&bot, &member, "POST", &format!("{path}/vote"), yes.clone()).await;
        assert_eq!((given.status, &given.body["userId"]), (200, &json!(member_id)), "{:?}", given.body);
        let named = json!({ "userId": member_id, "voteType": "reject" });
        assert_eq!(send(&bot, &member, "POST", &votes, named).await.status, 200);
        let by_key = cast(&bot, path.rsplit('/').next().expect("an id"), &own_id, "approve").await;
        assert_eq!((by_key.status, &by_key.body["code"]), (403, &json!("application.own")), "nor by a key");
        let approve = json!({ "status": "approved" });
        for (token, status) in [(&applicant, 403), (&member, 403), (&stranger, 403), (&admin, 200)] {
            assert_eq!(send(&bot, token, "PATCH", &format!("{path}/status"), approve.clone()).await.status, status);
        }
        let list = async |token: &str| send(&bot, token, "GET", BASE, Value::Null).await.status;
        assert_eq!((list(&member).await, list(&stranger).await), (200, 403));
        let read = async |token: &str| send(&bot, token, "GET", &path, Value::Null).await.status;
        assert_eq!((read(&applicant).await, read(&stranger).await), (200, 404));
        for _ in 0..5 {
            assert_eq!(send(&bot, &stranger, "POST", BASE, new()).await.status, 200);
        }
        let sixth = send(&bot, &stranger, "POST", BASE, new()).await;
        assert_eq!((sixth.status, &sixth.body["code"]), (429, &json!("application.too_many_open")));
        bot.finish().await;
    }

    /// The doctor works out again what votes have decided, and exits with 1 where somebody changed it.
    async fn the_doctor_finds_a_decision_that_does_not_follow(bot: Bot) {
        let mut bot = bot;
        let id = apply(&bot).await;
        for voter in 0..5 {
            cast(&bot, &id, &format!("voter {voter}"), "approve").await;
        }
        let rejected = apply(&bot).await;
        for voter in 0..5 {
            cast(&bot, &rejected, &format!("voter {voter}"), "reject").await;
        }
        let url = bot.database_url().to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let environment = [("DATABASE_URL", url.as_str()), ("JWT_SECRET", ROOT_KEY), ("API_KEY", ROOT_KEY)];
        let healthy = run(folder.path(), &environment, &["doctor"]);
        assert_eq!(healthy.code, Some(0), "{}{}", healthy.output, healthy.errors);
        assert!(healthy.output.contains("2 by vote: all follow from their votes"), "{}", healthy.output);
        bot.stop().await;
        let connection = sea_orm::Database::connect(&url).await.expect("it is there");
        let tampered = application_vote::ActiveModel {
            choice: Set(application_vote::VoteChoice::Reject),
            ..Default::default()
        };
        let id: ApplicationId = id.parse().expect("a UUID");
        application_vote::Entity::update_many()
            .set(tampered)
            .filter(application_vote::COLUMN.application_id.eq(id))
            .exec(&connection)
            .await
            .expect("changed");
        assert_eq!(application::Entity::find().count(&connection).await.expect("a count"), 2);
        connection.close().await.expect("closed");
        let broken = run(folder.path(), &environment, &["doctor"]);
        assert_eq!(broken.code, Some(1), "{}{}", broken.output, broken.errors);
        assert!(broken.output.contains("✗ decisions") && broken.output.contains("1 of 2"), "{}", broken.output);
        bot.start_again().await;
        bot.finish().await;
    }
}
