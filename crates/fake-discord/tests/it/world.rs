//! Permissions, and what breaking the rules leads to at the end of a test.

use fake_discord::{BOT_USER_ID, permission};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{World, panics_with};

#[tokio::test]
async fn permissions_are_computed_as_discord_does() {
    let world = World::new().await;
    let (fake, guild, channel) = (&world.fake, world.guild, world.channel);
    let ann = fake.add_member(guild, "ann");
    let can = |bit: u64| fake.permissions_in(channel, ann) & bit == bit;
    assert!(can(permission::SEND_MESSAGES) && !can(permission::MANAGE_MESSAGES));
    assert_eq!(fake.permissions_in(channel, world.owner), permission::ALL);

    // Everyone is denied, the role allows, the member's own overwrite has the last word.
    let role = fake.add_role(guild, "crew", permission::MANAGE_MESSAGES);
    fake.give_role(guild, ann, role);
    assert!(can(permission::MANAGE_MESSAGES));
    fake.set_overwrite(channel, guild, 0, permission::SEND_MESSAGES);
    assert!(!can(permission::SEND_MESSAGES) && !can(permission::ATTACH_FILES));
    fake.set_overwrite(channel, role, permission::SEND_MESSAGES, 0);
    assert!(can(permission::SEND_MESSAGES | permission::ATTACH_FILES));
    fake.set_overwrite(channel, ann, 0, permission::SEND_MESSAGES);
    assert!(!can(permission::SEND_MESSAGES));
    fake.set_overwrite(channel, ann, 0, permission::VIEW_CHANNEL);
    assert_eq!(fake.permissions_in(channel, ann), 0);
    fake.set_role_permissions(guild, role, permission::ADMINISTRATOR);
    assert_eq!(fake.permissions_in(channel, ann), permission::ALL);

    // Threads go by their parent.
    fake.set_overwrite(channel, BOT_USER_ID, 0, permission::VIEW_CHANNEL);
    let thread = fake.add_thread(channel, "inside");
    assert_eq!(world.get(&format!("/channels/{thread}")).await.1["code"], 50001);
}

#[tokio::test]
async fn ids_are_exact_or_refused() {
    let world = World::new().await;
    for bad in ["18446744073709551616", "-1", "abc", "0"] {
        let (status, body) = world.get(&format!("/channels/{bad}")).await;
        assert_eq!((status, &body["code"]), (400, &json!(50035)), "{bad}");
    }
    assert_eq!(world.get("/channels/9007199254740993").await.1["code"], 10003);
    assert_eq!(world.get("/channels/18446744073709551615").await.1["code"], 10003);
}

#[tokio::test]
async fn files_come_with_messages() {
    let world = World::new().await;
    let payload = json!({
        "content": "see", "allowed_mentions": {"parse": []},
        "attachments": [{"id": 0, "filename": "a.csv", "description": "numbers"}],
    });
    let form = Form::new()
        .text("payload_json", payload.to_string())
        .part("files[0]", Part::bytes(b"1,2,3".to_vec()).file_name("a.csv"));
    let url = format!("{}/api/v10/channels/{}/messages", world.fake.base_url(), world.channel);
    let token = format!("Bot {}", fake_discord::TOKEN);
    let request = world.http.post(url).header("authorization", token).multipart(form);
    let sent: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!((&sent["attachments"][0]["size"], &sent["attachments"][0]["filename"]), (&json!(5), &json!("a.csv")));
    assert_eq!(world.fake.messages(world.channel)[0].text(), "see\na.csv");
    world.fake.assert_clean();
}

#[tokio::test]
async fn the_end_of_a_test_tells_what_was_wrong() {
    let world = World::new().await;
    let fake = &world.fake;
    fake.assert_clean();
    world.get("/nowhere").await;
    assert!(panics_with("unknown route: GET /nowhere", || fake.assert_clean()));
    world.post(&format!("/channels/{}/messages", world.channel), json!({"content": ""})).await;
    assert_eq!(fake.violations().len(), 1);
    assert!(panics_with("no client is connected", || {
        fake.command(world.owner, world.channel, "x", json!({}));
    }));
}
