//! Projects, over a real store.

use entity::{
    event,
    id::{DiscordUserId, ProjectId, UserId},
    project,
    user::{Model as User, Role},
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _};

use super::*;
use crate::domain::{
    Domain, Error,
    event::events_after,
    testing::{self, person, signed_in},
    user as people,
};

fn new(title: &str) -> NewProject {
    NewProject {
        title: title.to_owned(),
        description: "very private words".to_owned(),
        github_url: Some("https://example.org/private".to_owned()),
        deployment_url: None,
        tags: vec!["privatetag".to_owned()],
        is_public: false,
    }
}

async fn own(domain: &Domain, owner: &User) -> Vec<OwnedProject> {
    let page = PageRequest { limit: 100, offset: 0 };
    let filter = ProjectFilter { search: None, tags: Vec::new(), user_id: Some(owner.id), shown: Shown::All, page };
    projects(domain, Some(&testing::root()), &filter).await.unwrap().rows
}

#[tokio::test]
async fn events_name_fields_and_no_words() {
    let domain = testing::domain().await;
    let owner = person(&domain, Role::Authenticated).await;
    let actor = signed_in(&owner);
    let made = create(&domain, &actor, new("private title")).await.unwrap();
    let id = made.row.id;
    let none = change(&domain, &actor, id, ProjectChange::default()).await.unwrap();
    assert_eq!(none.row, made.row);
    let more = ProjectChange {
        title: Some("private too".to_owned()),
        github_url: Some(None),
        tags: Some(vec!["privatetag".to_owned()]),
        is_public: Some(true),
        ..ProjectChange::default()
    };
    change(&domain, &actor, id, more).await.unwrap();
    delete(&domain, &actor, id).await.unwrap();
    let events: Vec<event::Model> = events_after(&domain, 0, 100).await.unwrap();
    let of_project: Vec<_> = events.iter().filter(|one| one.subject == format!("project/{id}")).collect();
    let kinds: Vec<_> = of_project.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["project.created", "project.updated", "project.deleted"], "no change is no event");
    assert_eq!(of_project[1].data["after"]["fields"], serde_json::json!(["title", "github_url", "is_public"]));
    for event in of_project {
        assert!(!event.data.to_string().contains("private "), "{}", event.data);
        assert!(!event.data.to_string().contains("privatetag") && !event.data.to_string().contains("example.org"));
        assert_eq!(event.actor, format!("user:{}", owner.id));
    }
    assert_eq!(entity::project_tag::Entity::find().count(domain.store.reader()).await.unwrap(), 0);
}

#[tokio::test]
async fn only_people_have_projects_and_not_too_many() {
    let domain = testing::domain().await;
    for nobody in [testing::root(), testing::key(&["admin"], None), testing::admin(), Actor::System] {
        let refused = create(&domain, &nobody, new("x")).await.unwrap_err();
        assert_eq!(refused.code(), Some("project.nobodys"));
    }
    let owner = person(&domain, Role::Authenticated).await;
    let ids: Vec<ProjectId> = (1..PROJECTS_MAX).map(|_| ProjectId(domain.ids.uuid())).collect();
    let input = (owner.id, domain.now(), ids);
    domain
        .store
        .write(input, |txn, (user_id, now, ids)| {
            Box::pin(async move {
                for part in ids.chunks(100) {
                    let rows = part.iter().map(|id| row(*id, *user_id, *now).into_active_model());
                    project::Entity::insert_many(rows).exec_without_returning(txn.connection()).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
        .unwrap();
    let actor = signed_in(&owner);
    let last = create(&domain, &actor, new("x")).await.unwrap();
    let refused = create(&domain, &actor, new("x")).await.unwrap_err();
    assert_eq!(refused.code(), Some("project.too_many"));
    delete(&domain, &actor, last.row.id).await.unwrap();
    create(&domain, &actor, new("x")).await.unwrap();
}

fn row(id: ProjectId, user_id: UserId, at: chrono::DateTime<chrono::Utc>) -> project::Model {
    project::Model {
        id,
        user_id,
        title: "x".to_owned(),
        description: "x".to_owned(),
        search_text: "x\nx".to_owned(),
        github_url: None,
        deployment_url: None,
        is_public: false,
        created_at: at,
        updated_at: at,
    }
}

#[tokio::test]
async fn projects_follow_their_owner_and_are_forgotten_with_them() {
    let domain = testing::domain().await;
    let account = people::NewUser { role: Role::Authenticated, discord_user_id: DiscordUserId::new(7) };
    let one = people::create(&domain, &testing::root(), account).await.unwrap();
    let two = person(&domain, Role::Authenticated).await;
    let (first, second) = (signed_in(&one), signed_in(&two));
    let made = create(&domain, &first, new("one")).await.unwrap();
    let other = create(&domain, &second, new("two")).await.unwrap();
    let root = testing::root();
    assert_eq!(project(&domain, Some(&second), made.row.id).await.unwrap_err().code(), Some("project.not_found"));
    people::merge(&domain, &root, one.id, two.id).await.unwrap();
    let all = own(&domain, &two).await;
    assert_eq!(all.len(), 2);
    assert_eq!(own(&domain, &one).await.len(), 2, "the old id leads to the same person");
    assert!(all.iter().all(|one| one.owner.id == two.id));
    assert_eq!(project(&domain, Some(&second), made.row.id).await.unwrap().project.tags, ["privatetag"]);
    let export = people::export(&domain, &second, two.id).await.unwrap();
    let shown = export["tables"]["project"].as_array().unwrap();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0]["tags"], serde_json::json!(["privatetag"]));
    people::erase(&domain, &second, two.id).await.unwrap();
    assert!(own(&domain, &two).await.is_empty());
    for id in [made.row.id, other.row.id] {
        assert_eq!(project(&domain, Some(&root), id).await.unwrap_err().code(), Some("project.not_found"));
    }
    assert_eq!(entity::project_tag::Entity::find().count(domain.store.reader()).await.unwrap(), 0);
    let refused = create(&domain, &second, new("x")).await.unwrap_err();
    assert_eq!(refused.code(), Some("user.not_found"));
}
