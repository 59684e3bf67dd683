//! No key is anywhere but in its one delivery: not in logs, the database, backups, or anything else said to Discord.

use std::{fs, time::Duration};

use fake_discord::{ChannelKind, FakeDiscord};
use serde_json::json;

use super::{BOT, DM, HERE, find_key, key_in};
use crate::{
    cli::{Server, folder, run},
    harness::{ROOT_KEY, pause},
};

/// How often something said to Discord held this text.
fn said(discord: &FakeDiscord, text: &str) -> usize {
    discord.journal().iter().filter(|one| one.request.to_string().contains(text)).count()
}

/// At the loudest level of logs, over all ways that a key takes, and with what people paste.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_nowhere_but_in_its_delivery() {
    let folder = folder();
    let discord = FakeDiscord::start().await;
    let guild = discord.add_guild("Northwind");
    let channel = discord.add_channel(guild, "lobby", ChannelKind::Text);
    let ada = discord.owner(guild);
    discord.declare_intents(fake_discord::MESSAGE_CONTENT);
    // With an address for links the banner does not name the port.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port();
    let port = port.to_string();
    let environment = [
        ("PORT", port.as_str()),
        ("API_KEY", ROOT_KEY),
        ("DISCORD_TOKEN", fake_discord::TOKEN),
        ("GUILDHALL_DISCORD__API_PROXY", discord.base_url()),
        ("GUILDHALL_DISCORD__MESSAGE_CONTENT", "true"),
        ("GUILDHALL_HTTP__PUBLIC_URL", "https://hall.example.org"),
        ("RUST_LOG", "trace"),
    ];
    let server = Server::start(folder.path(), &environment).await;
    discord.wait_connected_for(Duration::from_secs(20)).await;
    discord.wait_command("apikey").await;
    let create = |delivery: u8, name: &str| {
        let options = json!({ "name": name, "preset": BOT, "delivery": delivery });
        discord.command(ada, channel, "apikey create", options)
    };

    let here = key_in(&create(HERE, "here").reply().await).expect("a key in the answer");
    create(DM, "dm").reply().await;
    let by_dm = discord.messages(discord.dm(ada)).iter().find_map(key_in).expect("a key in a direct message");
    let linked = create(0, "link").reply().await;
    let url = linked.buttons().into_iter().find_map(|button| button.url).expect("a link");
    let path = url.strip_prefix("https://hall.example.org").expect("the public address");
    let code = linked.content.split_once("\n# ").and_then(|(_, rest)| rest.lines().next()).expect("a code").to_owned();
    let client = reqwest::Client::new();
    let revealed = client
        .post(format!("{}{path}", server.base))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("code={code}"))
        .send()
        .await
        .expect("an answer");
    let by_link = find_key(&revealed.text().await.expect("a page")).expect("a key on the page");

    // Reported by its finder, and pasted for all to see.
    discord.command(ada, channel, "apikey report", json!({ "text": here })).reply().await;
    let pasted = discord.send(channel, ada, &format!("canary-text {by_link}"));
    for _ in 0..500 {
        if discord.message(channel, pasted).is_none() {
            break;
        }
        pause(Duration::from_millis(10)).await;
    }
    assert!(discord.message(channel, pasted).is_none(), "the scanner removes it");
    server.stop().await;

    assert_eq!((said(&discord, &here), said(&discord, &by_dm), said(&discord, &by_link)), (1, 1, 0));
    let backup = run(folder.path(), &[], &["backup", "copy.db"]);
    assert_eq!(backup.code, Some(0), "{}", backup.errors);
    let token = path.strip_prefix("/claim/").expect("a token");
    let mut files = 0;
    for entry in fs::read_dir(folder.path()).expect("the folder") {
        let path = entry.expect("a file").path();
        let Ok(bytes) = fs::read(&path) else { continue };
        files += 1;
        for canary in [here.as_str(), &by_dm, &by_link, token, "canary-text"] {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "{} holds a secret: {canary}", path.display());
        }
    }
    assert!(files >= 3, "database, copy and logs: {files}");
    let log = fs::read_to_string(folder.path().join("errors.txt")).expect("the log");
    assert!(log.lines().count() > 10, "something was logged: {log}");
}
