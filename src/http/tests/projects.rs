//! Projects: what existing clients expect, and what their old server got wrong.

use chrono::TimeDelta;
use entity::user::{Model as User, Role};
use serde_json::{Value, json};

use super::{Answer, Choice, Server, admission};
use crate::domain::testing;

const PATH: &str = "/api/projects";
const UNKNOWN: &str = "/api/projects/01890000-0000-7000-8000-000000000000";

/// A signed-in person and their token.
struct Person {
    row: User,
    token: String,
}

impl Person {
    async fn new(server: &Server, role: Role) -> Self {
        let (row, token) = admission::token(server, role).await;
        Self { row, token }
    }

    async fn call(&self, server: &Server, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = server.request(method, path).header("authorization", &self.token);
        server.send(if let Some(body) = body { request.json(&body) } else { request }).await
    }

    async fn get(&self, server: &Server, path: &str) -> Answer {
        self.call(server, "GET", path, None).await
    }

    /// Makes a project, and gives it as it is shown.
    async fn make(&self, server: &Server, changes: Value) -> Value {
        let mut body = json!({"title": "Guildhall", "description": "A bot for one server"});
        for (name, value) in changes.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let answer = self.call(server, "POST", PATH, Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }
}

fn path_of(project: &Value) -> String {
    format!("{PATH}/{}", project["id"].as_str().expect("an id"))
}

fn titles(list: &Value) -> Vec<&str> {
    list.as_array().expect("a bare array").iter().map(|one| one["title"].as_str().expect("a title")).collect()
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_project_as_its_clients_know_it() {
    let server = Server::start().await;
    let owner = Person::new(&server, Role::Member).await;
    let made = owner
        .make(
            &server,
            json!({"tags": ["rust", " discord ", "rust"], "githubUrl": "https://github.com/a/b", "metadata": {}}),
        )
        .await;
    let fields = [
        "createdAt",
        "deploymentUrl",
        "description",
        "githubUrl",
        "id",
        "isPublic",
        "tags",
        "title",
        "updatedAt",
        "userId",
    ];
    assert_eq!(names(&made), fields);
    assert_eq!(made["tags"], json!(["rust", "discord"]));
    assert_eq!((&made["isPublic"], &made["deploymentUrl"]), (&json!(true), &Value::Null));
    assert_eq!(made["userId"], json!(owner.row.id));
    assert_eq!(made["createdAt"], "2026-11-21T23:37:29.418Z");

    let one = server.anonymous("GET", &path_of(&made)).await.json();
    assert_eq!(names(&one["user"]), ["createdAt", "ensAvatar", "ensName", "id", "role", "updatedAt"]);
    assert_eq!((&one["user"]["id"], &one["user"]["role"]), (&made["userId"], &json!("member")));
    let mut bare = one.clone();
    bare.as_object_mut().expect("an object").remove("user");
    assert_eq!(bare, made);

    let anonymous = server.anonymous("GET", PATH).await.json();
    assert_eq!(names(&anonymous[0]["user"]), ["createdAt", "id", "role", "updatedAt"]);
    assert_eq!(owner.get(&server, PATH).await.json()[0], one);
    let of_user = server.anonymous("GET", &format!("{PATH}/user/{}", owner.row.id)).await.json();
    assert_eq!(of_user, json!([made]));
    assert_eq!(server.anonymous("GET", &format!("{PATH}/user/{UNKNOWN}")).await.status, 404);

    let named = owner.call(&server, "POST", PATH, Some(json!({"name": "Old SDK", "description": "x"}))).await;
    assert_eq!((named.status.as_u16(), &named.json()["title"]), (201, &json!("Old SDK")));
    for _ in 0..2 {
        let gone = owner.call(&server, "DELETE", &path_of(&made), None).await;
        match gone.status.as_u16() {
            200 => assert_eq!(gone.json(), json!({"success": true})),
            _ => assert_eq!(gone.problem(404, "project.not_found")["error"], "Project not found or access denied"),
        }
    }
    assert_eq!(server.anonymous("GET", &path_of(&made)).await.status, 404);
}

/// Contract 5, row 6.
#[tokio::test]
async fn what_is_private_is_not_there_for_others() {
    let server = Server::start().await;
    let [owner, stranger] = [Person::new(&server, Role::Authenticated).await, Person::new(&server, Role::Member).await];
    let admin = Person::new(&server, Role::Admin).await;
    let hidden = owner.make(&server, json!({"title": "Hidden", "isPublic": false, "tags": ["secret"]})).await;
    let shown = owner.make(&server, json!({"title": "Shown"})).await;
    let path = path_of(&hidden);
    let key = testing::keys::insert(server.app.domain(), &["read", "write"], |_| {}).await;
    let refused = [
        stranger.get(&server, &path).await,
        server.anonymous("GET", &path).await,
        server.call_with(&key.secret, "GET", &path).await,
        stranger.call(&server, "PATCH", &path, Some(json!({"isPublic": true}))).await,
        stranger.call(&server, "DELETE", &path, None).await,
        // What everybody sees is still not everybody's to change.
        stranger.call(&server, "PATCH", &path_of(&shown), Some(json!({"title": "Mine"}))).await,
        stranger.call(&server, "DELETE", &path_of(&shown), None).await,
        server.with_key(&key.secret, "PATCH", &path_of(&shown), Some(json!({"title": "Mine"}))).await,
        server.call_with(&key.secret, "DELETE", &path_of(&shown)).await,
    ];
    for answer in refused {
        answer.problem(404, "project.not_found");
    }
    let of_owner = format!("{PATH}/user/{}", owner.row.id);
    for (query, public, own) in [
        ("", vec!["Shown"], vec!["Shown"]),
        ("?public=true", vec!["Shown"], vec!["Shown"]),
        ("?public=all", vec!["Shown"], vec!["Shown", "Hidden"]),
        ("?public=false", vec![], vec!["Hidden"]),
        ("?public=all&search=hidden", vec![], vec!["Hidden"]),
        ("?public=all&tags=secret", vec![], vec!["Hidden"]),
        (&format!("?public=all&userId={}", owner.row.id), vec!["Shown"], vec!["Shown", "Hidden"]),
    ] {
        let path = format!("{PATH}{query}");
        assert_eq!(titles(&stranger.get(&server, &path).await.json()), public, "{path}");
        assert_eq!(titles(&server.anonymous("GET", &path).await.json()), public, "{path}");
        assert_eq!(titles(&server.call_with(&key.secret, "GET", &path).await.json()), public, "{path}");
        for all in [owner.get(&server, &path).await, admin.get(&server, &path).await, server.call("GET", &path).await] {
            assert_eq!(titles(&all.json()), own, "{path}");
        }
    }
    assert_eq!(titles(&stranger.get(&server, &of_owner).await.json()), ["Shown"]);
    assert_eq!(titles(&owner.get(&server, &of_owner).await.json()), ["Shown", "Hidden"]);
    assert_eq!(server.anonymous("GET", &format!("{PATH}/tags/popular")).await.json(), json!([]));
    assert_eq!(server.anonymous("GET", &format!("{PATH}?public=perhaps")).await.status, 400);
    assert_eq!(admin.call(&server, "PATCH", &path, Some(json!({"title": "Moderated"}))).await.status, 200);
    assert_eq!(server.call("DELETE", &path).await.status, 200, "the operator may as well");
}

/// Contract 5, rows 5 and 7.
#[tokio::test]
async fn a_change_touches_only_what_it_names() {
    let (server, clock) = Server::start_as(Choice::default()).await;
    let owner = Person::new(&server, Role::Authenticated).await;
    let full = json!({
        "isPublic": false, "tags": ["rust", "bot"],
        "githubUrl": "https://github.com/a/b", "deploymentUrl": "http://[::1]:3003/x?y#z",
    });
    let mut expected = owner.make(&server, full).await;
    let path = path_of(&expected);
    let changes = [
        json!({"title": "Renamed"}),
        json!({"description": "Another"}),
        json!({"deploymentUrl": null}),
        json!({"tags": ["bot", "new"]}),
        json!({"isPublic": true}),
        json!({"githubUrl": null, "tags": []}),
    ];
    for change in changes {
        clock.advance(TimeDelta::seconds(1));
        for (name, value) in change.as_object().expect("an object") {
            expected[name] = value.clone();
        }
        let answer = owner.call(&server, "PATCH", &path, Some(change.clone())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let shown = answer.json();
        assert_ne!(shown["updatedAt"], expected["updatedAt"], "{change}");
        expected["updatedAt"] = shown["updatedAt"].clone();
        assert_eq!(shown, expected, "{change}");
    }
    clock.advance(TimeDelta::seconds(1));
    let nothing = owner.call(&server, "PATCH", &path, Some(json!({}))).await;
    assert_eq!((nothing.status.as_u16(), nothing.json()), (200, expected));
    owner.call(&server, "PATCH", UNKNOWN, Some(json!({"title": "x"}))).await.problem(404, "project.not_found");
    owner.call(&server, "DELETE", UNKNOWN, None).await.problem(404, "project.not_found");
    server.anonymous("GET", UNKNOWN).await.problem(404, "project.not_found");
    for method in ["GET", "PATCH", "DELETE"] {
        let body = (method == "PATCH").then(|| json!({"title": "x"}));
        owner.call(&server, method, "/api/projects/none", body).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn lists_are_searched_filtered_and_paged() {
    let (server, clock) = Server::start_as(Choice::default()).await;
    let [ann, ben] = [Person::new(&server, Role::Authenticated).await, Person::new(&server, Role::Authenticated).await];
    for (owner, title, description, tags) in [
        (&ann, "Alpha", "100% rust", json!(["rust", "bot"])),
        (&ben, "Beta_1", "Ärger im Turm", json!(["rust"])),
        (&ann, "Gamma", "100 of them", json!(["bot", "web", "rust"])),
        (&ann, "Beta-2", r"C:\temp", json!([])),
    ] {
        owner.make(&server, json!({"title": title, "description": description, "tags": tags})).await;
        clock.advance(TimeDelta::seconds(1));
    }
    for (query, expected) in [
        ("", vec!["Beta-2", "Gamma", "Beta_1", "Alpha"]),
        ("tags=rust", vec!["Gamma", "Beta_1", "Alpha"]),
        ("tags=rust,bot", vec!["Gamma", "Alpha"]),
        ("tags=bot,%20rust%20,,rust", vec!["Gamma", "Alpha"]),
        ("tags=rust,none", vec![]),
        ("tags=Rust", vec![]),
        ("search=beta", vec!["Beta-2", "Beta_1"]),
        ("search=beta_", vec!["Beta_1"]),
        ("search=100%25", vec!["Alpha"]),
        ("search=%25", vec!["Alpha"]),
        ("search=%5C", vec!["Beta-2"]),
        ("search=%C3%84RGER", vec!["Beta_1"]),
        ("search=%20%20", vec!["Beta-2", "Gamma", "Beta_1", "Alpha"]),
        ("search=a&tags=bot&limit=1&offset=1", vec!["Alpha"]),
        ("limit=2", vec!["Beta-2", "Gamma"]),
        ("limit=2&offset=3", vec!["Alpha"]),
        ("offset=9", vec![]),
    ] {
        let answer = server.anonymous("GET", &format!("{PATH}?{query}")).await;
        assert_eq!(titles(&answer.json()), expected, "{query}");
    }
    let of_ben = server.anonymous("GET", &format!("{PATH}?userId={}", ben.row.id)).await.json();
    assert_eq!(titles(&of_ben), ["Beta_1"]);
    let page = server.anonymous("GET", &format!("{PATH}?tags=rust&limit=1&offset=1&public=all")).await;
    let links = "</api/projects?tags=rust&public=all&limit=1&offset=2>; rel=\"next\", \
                 </api/projects?tags=rust&public=all&limit=1&offset=0>; rel=\"prev\"";
    assert_eq!(page.header("link"), links);
    let known = server.request("GET", &format!("{PATH}?tags=rust&limit=1&offset=1&public=all"));
    let same = server.send(known.header("if-none-match", page.header("etag"))).await;
    assert_eq!(same.status, 304);
    let long = "x".repeat(201);
    let too_many: Vec<String> = (0..33).map(|number| number.to_string()).collect();
    for query in [
        format!("search={long}"),
        format!("tags={}", "x".repeat(65)),
        format!("tags={}", too_many.join(",")),
        "limit=0".to_owned(),
        "limit=101".to_owned(),
        "offset=-1".to_owned(),
        "userId=none".to_owned(),
        "search=%00".to_owned(),
        "tags=%00".to_owned(),
    ] {
        server.anonymous("GET", &format!("{PATH}?{query}")).await.problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn popular_tags_count_public_projects() {
    let server = Server::start().await;
    let owner = Person::new(&server, Role::Authenticated).await;
    let tags = |count: usize| (0..count).map(|number| format!("t{number:02}")).collect::<Vec<_>>();
    owner.make(&server, json!({"tags": tags(25)})).await;
    let second = owner.make(&server, json!({"tags": tags(2)})).await;
    owner.make(&server, json!({"tags": tags(3), "isPublic": false})).await;
    let popular = async || server.anonymous("GET", &format!("{PATH}/tags/popular")).await.json();
    let first = popular().await;
    assert_eq!(first.as_array().map(Vec::len), Some(20));
    assert_eq!(first[0], json!({"tag": "t00", "count": 2}));
    assert_eq!((&first[2], &first[19]), (&json!({"tag": "t02", "count": 1}), &json!({"tag": "t19", "count": 1})));
    let path = path_of(&second);
    let change = async |body: Value| owner.call(&server, "PATCH", &path, Some(body)).await;
    assert_eq!(change(json!({"isPublic": false})).await.status, 200);
    assert_eq!(popular().await[0]["count"], 1, "what is private does not count");
    assert_eq!(change(json!({"isPublic": true, "tags": ["t24"]})).await.status, 200);
    assert_eq!(popular().await[0], json!({"tag": "t24", "count": 2}));
    assert_eq!(owner.call(&server, "DELETE", &path, None).await.status, 200);
    assert_eq!(popular().await[0]["count"], 1);
}

#[tokio::test]
async fn what_cannot_be_a_project_is_refused_with_a_pointer() {
    let server = Server::start().await;
    let owner = Person::new(&server, Role::Authenticated).await;
    let made = owner.make(&server, json!({})).await;
    let tags: Vec<String> = (0..33).map(|number| format!("t{number}")).collect();
    let wrong = [
        ("/title", json!("")),
        ("/title", json!(" \t ")),
        ("/title", json!("x".repeat(256))),
        ("/title", json!("a\u{0}b")),
        ("/title", json!(7)),
        ("/title", Value::Null),
        ("/description", json!("")),
        ("/description", json!("x".repeat(10_001))),
        ("/description", json!("a\u{0}b")),
        ("/githubUrl", json!("")),
        ("/githubUrl", json!("github.com/a/b")),
        ("/githubUrl", json!("javascript://alert(1)")),
        ("/githubUrl", json!("https://name:password@example.org/")),
        ("/githubUrl", json!("https://exa mple.org/")),
        ("/githubUrl", json!("https:///path")),
        ("/deploymentUrl", json!("https://example.org:99999/")),
        ("/deploymentUrl", json!("https://[::1/")),
        ("/deploymentUrl", json!("ftp://example.org/")),
        ("/deploymentUrl", json!(format!("https://example.org/{}", "x".repeat(2048)))),
        ("/tags", json!(tags)),
        ("/tags", json!([""])),
        ("/tags", json!(["a,b"])),
        ("/tags", json!(["x".repeat(65)])),
        ("/tags", json!("rust")),
        ("/isPublic", json!("yes")),
        ("/isPublic", json!(1)),
    ];
    for (pointer, value) in wrong {
        let mut body = json!({"title": "x", "description": "x"});
        body[&pointer[1..]] = value.clone();
        let only = json!({ &pointer[1..]: value });
        for answer in [
            owner.call(&server, "POST", PATH, Some(body)).await,
            owner.call(&server, "PATCH", &path_of(&made), Some(only)).await,
        ] {
            assert_eq!(answer.status, 422, "{pointer} {value}: {}", answer.body);
            let problem = answer.json();
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
    }
    for missing in
        [json!({"title": "x"}), json!({"description": "x"}), json!({"name": "x", "title": "y", "description": "z"})]
    {
        assert_eq!(owner.call(&server, "POST", PATH, Some(missing)).await.status, 422);
    }
    let unchanged = owner.get(&server, &format!("{PATH}/user/{}", owner.row.id)).await.json();
    assert_eq!(unchanged, json!([made]));
}

#[tokio::test]
async fn a_project_is_made_by_a_person_and_once_per_idempotency_key() {
    let server = Server::start().await;
    let body = json!({"title": "x", "description": "x"});
    let key = testing::keys::insert(server.app.domain(), &["admin"], |_| {}).await;
    for refused in [
        server.json("POST", PATH, body.clone()).await,
        server.with_key(&key.secret, "POST", PATH, Some(body.clone())).await,
        server.send(server.request("POST", PATH).json(&body)).await,
    ] {
        assert_eq!(refused.problem(401, "unauthenticated")["error"], "Not authenticated");
    }
    let owner = Person::new(&server, Role::Authenticated).await;
    let post = async |body: &Value| {
        let request = server.request("POST", PATH).header("authorization", &owner.token);
        server.send(request.header("idempotency-key", "one").json(body)).await
    };
    let (first, second) = (post(&body).await, post(&body).await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!((first.body, second.header("idempotent-replayed")), (second.body.clone(), "true"));
    assert_eq!(post(&json!({"title": "y", "description": "x"})).await.status, 422, "it was used for another");
    let path = path_of(&second.json());
    let change = async |title: &str| {
        let request = server.request("PATCH", &path).header("authorization", &owner.token);
        server.send(request.header("idempotency-key", "two").json(&json!({"title": title}))).await
    };
    assert_eq!((change("z").await.json(), change("z").await.status.as_u16()).0["title"], "z");
    assert_eq!(owner.get(&server, PATH).await.json().as_array().map(Vec::len), Some(1));
}
