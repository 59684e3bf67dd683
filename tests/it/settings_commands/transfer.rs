//! `/settings export` and `/settings import`.

use guildhall::domain::{Actor, Source, history};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Town, assert_says};
use crate::{harness::Bot, on_both_stores};

/// Serves one file on the proxy's host, as Discord's file hosts do; returns its address.
async fn serve(content: Vec<u8>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).to_ascii_lowercase();
            assert!(!request.contains("authorization"), "the bot token went to a file host");
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", content.len());
            let _ = socket.write_all(head.as_bytes()).await;
            let _ = socket.write_all(&content).await;
        }
    });
    format!("http://{address}/ephemeral-attachments/1/2/settings.json")
}

async fn document(bot: &Bot, town: &Town) -> Value {
    let root = Actor::Root { source: Source::Cli };
    let guild = town.guild.to_string().parse().expect("an id");
    history::export(bot.running().app().domain(), &root, guild).await.expect("the store answers")
}

async fn import(town: &Town, content: &[u8]) -> fake_discord::Interaction {
    let url = serve(content.to_vec()).await;
    let file = json!({ "filename": "settings.json", "size": content.len(), "url": url });
    town.run("settings import", json!({ "file": file })).await
}

on_both_stores! {
    /// An export read back changes nothing; a changed one is previewed, then applied as a whole.
    async fn an_export_comes_back(bot: Bot) {
        let town = Town::of(&bot).await;
        town.set("alerts", town.staff).await;
        town.run("settings slot create", json!({ "name": "news", "type": 0, "purpose": "News" })).await;
        let exported = town.run("settings export", json!({})).await;
        assert_says(&exported.text(), &[&format!("guildhall-settings-{}.json", town.guild), "settings import"]);
        let mut file = document(&bot, &town).await;
        let same = import(&town, &serde_json::to_vec_pretty(&file).expect("a value is JSON")).await;
        assert_says(&same.text(), &["no changes"]);

        file["general"]["time_zone"] = json!("Asia/Tokyo");
        for slot in file["slots"].as_array_mut().into_iter().flatten() {
            if slot["key"] == "alerts" {
                slot["channel_id"] = json!(town.chat.to_string());
            }
        }
        let preview = import(&town, file.to_string().as_bytes()).await;
        assert_says(&preview.text(), &[
            "Import these settings?",
            "2 changes, all or none",
            "time zone: UTC → Asia/Tokyo",
            &format!("channel: <#{}> → <#{}>", town.staff, town.chat),
        ]);
        assert_eq!(bot.get(&town.address("alerts")).await.body["channelId"], town.staff.to_string());
        let done = town.press(&preview, "Apply").await;
        assert_says(&done.text(), &["✅ 2 changes made"]);
        assert_eq!(bot.get(&town.address("alerts")).await.body["channelId"], town.chat.to_string());
        town.until(&bot, "settings slot show", json!({ "name": "alerts" }), "✅ ready").await;
        bot.finish().await;
    }

    /// Whatever else is in a file is refused with its place, and never becomes formatting.
    async fn bad_files_are_refused(bot: Bot) {
        let town = Town::of(&bot).await;
        let good = document(&bot, &town).await;
        let said = import(&town, b"{ no json").await.text();
        assert_says(&said, &["is not JSON", "E-INPUT"]);
        let said = import(&town, b"[]").await.text();
        assert_says(&said, &["no export of settings"]);
        let mut other = good.clone();
        other["guild_id"] = json!("42");
        assert_says(&import(&town, other.to_string().as_bytes()).await.text(), &["belongs to the server 42"]);
        let mut wrong = good.clone();
        wrong["general"]["time_zone"] = json!("Middle-earth/Minas_Tirith");
        assert_says(&import(&town, wrong.to_string().as_bytes()).await.text(), &["E-INPUT"]);
        let mut hostile = good.clone();
        hostile["@everyone **x**"] = json!(1);
        let said = import(&town, hostile.to_string().as_bytes()).await.text();
        assert_says(&said, &["@\u{200b}everyone", "E-INPUT"]);

        let said = import(&town, &vec![b' '; 300 * 1024]).await.text();
        assert_says(&said, &["more than 256 KiB"]);
        for url in ["http://10.0.0.1/x", "https://evil.example/a.json", "file:///etc/passwd"] {
            let file = json!({ "filename": "a.json", "size": 10, "url": url });
            let said = town.says("settings import", json!({ "file": file })).await;
            assert_says(&said, &["the file is not at Discord"]);
        }
        // A size that lies is found out while reading.
        let url = serve(vec![b' '; 300 * 1024]).await;
        let file = json!({ "filename": "a.json", "size": 10, "url": url });
        let said = town.says("settings import", json!({ "file": file })).await;
        assert_says(&said, &["more than 256 KiB"]);
        bot.finish().await;
    }
}
