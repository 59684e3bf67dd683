//! `/forms`: making, changing, showing and carrying forms.

use guildhall::domain::{event, form};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Hall, assert_says, root};
use crate::on_both_stores;

/// Serves one file on the proxy's host, as Discord's file hosts do; returns its address.
async fn serve(content: Vec<u8>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let _ = socket.read(&mut request).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", content.len());
            let _ = socket.write_all(head.as_bytes()).await;
            let _ = socket.write_all(&content).await;
        }
    });
    format!("http://{address}/ephemeral-attachments/1/2/form.json")
}

async fn import(hall: &Hall, content: &str) -> fake_discord::Interaction {
    let url = serve(content.as_bytes().to_vec()).await;
    let file = json!({ "filename": "form.json", "size": content.len(), "url": url });
    hall.run(hall.mona, "forms import", json!({ "file": file })).await
}

on_both_stores! {
    /// A form is made, asks, is changed and shown; nobody else may.
    async fn a_form_is_made_and_changed(bot: Bot) {
        let hall = Hall::of(&bot).await;
        assert_says(&hall.forms("list", json!({})).await, &["no form of its own", "forms create"]);
        let made = hall.forms("create", json!({ "name": "Staff", "title": "Join **us**" })).await;
        assert_says(&made, &["✅ Made", "closed", "asks nothing yet", "at most 1 open at once", "1w after a rejection"]);
        assert_says(&hall.forms("create", json!({ "name": "STAFF" })).await, &["of that name already", "E-STATE"]);
        assert_says(&hall.forms("open", json!({ "form": "staff" })).await, &["at least one question", "E-STATE"]);
        hall.forms("question add", json!({ "form": "staff", "label": "Why?", "kind": 1, "min_length": 5 })).await;
        let second = json!({ "form": "staff", "label": "Which team?", "choices": "Red | Green", "required": false });
        let shown = hall.forms("question add", second).await;
        assert_says(&shown, &["**1.** Why?", "several lines", "5 to 1000", "**2.** Which team?", "optional", "Red / Green"]);
        let moved = hall.forms("question move", json!({ "form": "staff", "question": "2", "place": 1 })).await;
        assert_says(&moved, &["**1.** Which team?", "**2.** Why?"]);
        let edit = json!({ "form": "staff", "question": "why?", "label": "Why you?", "max_length": 200 });
        assert_says(&hall.forms("question edit", edit).await, &["Why you?", "5 to 200"]);
        let found = hall.discord.autocomplete(hall.mona, hall.chat, "forms question edit",
            json!({ "form": "Staff", "question": "you" }), "question").await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "2. Why you?");
        let asked = hall.run(hall.mona, "forms question remove", json!({ "form": "staff", "question": found[0].value })).await;
        assert_says(&asked.text(), &["Remove this question?", "0 drafts"]);
        let gone = hall.discord.press_label(hall.mona, &asked, "Remove").reply().await.text();
        assert!(gone.contains("Removed") && !gone.contains("Why you?"), "{gone}");
        assert_says(&hall.forms("question remove", json!({ "form": "staff", "question": "9" })).await, &["no such question"]);

        let edited = hall.discord.command(hall.mona, hall.chat, "forms edit", json!({ "form": "staff" }));
        assert_eq!(edited.modal().await["title"], "Edit a form");
        let texts = json!({ "name": "Crew", "title": "Join us", "intro": "Two\nlines" });
        let edited = hall.discord.submit_modal(hall.mona, &edited, texts);
        assert_says(&edited.reply().await.text(), &["✅ Saved", "Crew", "Two\nlines"]);
        assert_says(&hall.forms("show", json!({ "form": "staff" })).await, &["no such form", "E-GONE"]);
        let preview = hall.run(hall.mona, "forms preview", json!({ "form": "crew" })).await;
        assert_says(&preview.text(), &["Nothing that you enter here is kept", "Which team?"]);
        let view = hall.view(&bot, "crew").await;
        let menu = format!("v1|forms|previewed|{}", view.config.questions[0].id);
        let tried = hall.discord.select(hall.mona, &preview, &menu, &["Red"]);
        assert_says(&tried.reply().await.text(), &["nothing was kept"]);

        hall.discord.command_as_admin_override(true);
        assert_says(&hall.says(hall.ann, "forms list", json!({})).await, &["Manage Server", "E-PERM-USER"]);
        assert_says(&hall.says(hall.ann, "forms create", json!({ "name": "x" })).await, &["E-PERM-USER"]);
        let history = hall.says(hall.mona, "settings history", json!({})).await;
        assert_says(&history, &["form created", "form changed", "question “Why?”"]);
        bot.finish().await;
    }

    /// Deleting shows what goes, and history brings the form back.
    async fn a_deleted_form_comes_back(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?"]).await;
        bot.drain().await;
        let shown = hall.apply(hall.ann, "staff").await;
        hall.fill(hall.ann, &shown, "Start", &[("Why?", "Because")]).await;
        let shown = hall.run(hall.mona, "forms show", json!({ "form": "staff" })).await;
        let asked = hall.discord.press_label(hall.mona, &shown, "Delete…");
        assert_says(&asked.reply().await.text(), &["Delete the form “Staff”?", "1 question and what people have written in 1 draft"]);
        let gone = hall.discord.press_label(hall.mona, &asked, "Delete");
        assert_says(&gone.reply().await.text(), &["is gone", "settings history"]);
        assert_says(&hall.says(hall.ann, "apply", json!({})).await, &["No form of this server takes applications"]);
        let domain = bot.running().app().domain();
        bot.drain().await;
        let events = event::events_after(domain, 0, 100).await.expect("the store answers");
        let opened = events.iter().find(|event| event.kind == "form.opened").and_then(|event| event.position);
        let history = hall.run(hall.mona, "settings history", json!({})).await;
        let position = opened.expect("it was opened").to_string();
        let preview = hall.discord.select(hall.mona, &history, "v1|settings|revision", &[&position]);
        assert_says(&preview.reply().await.text(), &["➕ form", "name: – → Staff"]);
        hall.discord.press_label(hall.mona, &preview, "Roll back").reply().await;
        assert_says(&hall.says(hall.ann, "apply", json!({})).await, &["Why?", "You can apply"]);
        bot.finish().await;
    }

    /// A form is carried to another name by a file, with a preview; bad files are refused inertly.
    async fn a_form_is_carried_as_a_file(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?", "Who?"]).await;
        let exported = hall.run(hall.mona, "forms export", json!({ "form": "staff" })).await;
        assert_says(&exported.text(), &["guildhall-form-", "forms import"]);
        let file = form::export(&hall.view(&bot, "staff").await).expect("it can be written");
        assert_says(&import(&hall, &file.to_string()).await.text(), &["no changes"]);
        let mut changed = file.clone();
        changed["form"]["questions"][0]["placeholder"] = json!("Say it");
        let preview = import(&hall, &changed.to_string()).await;
        assert_says(&preview.text(), &["Import this form?", "1 change", "question “Why?”", "Say it"]);
        let done = hall.discord.press_label(hall.mona, &preview, "Apply");
        assert_says(&done.reply().await.text(), &["✅ Imported"]);
        assert_eq!(hall.view(&bot, "staff").await.config.questions[0].placeholder, "Say it");
        let mut other = file.clone();
        other["form"]["name"] = json!("Guests");
        let preview = import(&hall, &other.to_string()).await;
        assert_says(&preview.text(), &["➕ form", "Guests"]);
        hall.discord.press_label(hall.mona, &preview, "Apply").reply().await;
        let copy = hall.view(&bot, "guests").await;
        assert_ne!(copy.config.questions[0].id, hall.view(&bot, "staff").await.config.questions[0].id);
        assert_says(&import(&hall, "{ no json").await.text(), &["is no form", "E-INPUT"]);
        let mut hostile = file;
        hostile["form"]["@everyone **x**"] = json!(1);
        assert_says(&import(&hall, &hostile.to_string()).await.text(), &["@\u{200b}everyone", "E-INPUT"]);
        bot.finish().await;
    }

    /// A panel offers a form to everybody; where the bot may not post, it says what is missing.
    async fn a_panel_is_posted_and_remembered(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?"]).await;
        let options = json!({ "form": "staff", "channel": hall.desk.to_string() });
        assert_says(&hall.forms("panel post", options.clone()).await, &["✅ Posted"]);
        let posted = hall.discord.messages(hall.desk);
        assert_eq!(posted.len(), 1);
        assert_says(&posted[0].text(), &["Staff", "Read me"]);
        let pressed = hall.discord.press_label(hall.ann, &posted[0], "Apply");
        let reply = pressed.reply().await;
        assert!(reply.is_ephemeral());
        assert_says(&reply.text(), &["Why?", "You can apply"]);
        let view = hall.view(&bot, "staff").await;
        let panels = form::panels(bot.running().app().domain(), &root(), (hall.guild_id(), view.id)).await;
        assert_eq!(panels.expect("the store answers")[0].message_id.get(), posted[0].id);
        assert_says(&hall.forms("show", json!({ "form": "staff" })).await, &["Panels", &posted[0].id.to_string()]);
        for _ in 0..9 {
            hall.forms("panel post", options.clone()).await;
        }
        assert_says(&hall.forms("panel post", options.clone()).await, &["at most 10 panels", "E-LIMIT"]);
        hall.discord.delete_message_as_user(hall.desk, posted[0].id);
        assert_says(&hall.forms("panel post", options).await, &["✅ Posted"]);
        // The button of a form that is gone says so.
        form::remove_form(bot.running().app().domain(), &root(), (hall.guild_id(), view.id)).await.expect("it goes");
        let last = hall.discord.messages(hall.desk);
        let pressed = hall.discord.press_label(hall.ann, last.last().expect("a panel"), "Apply");
        assert_says(&pressed.reply().await.text(), &["no such form", "E-GONE"]);
        bot.finish().await;
    }
}
