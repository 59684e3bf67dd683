//! `guildhall keys`, beside a running server; and that a key is in no file.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::text;
use crate::{
    cli::{Outcome, Server, folder, run},
    harness::{Database, ROOT_KEY, pause},
    schema::empty,
};

/// Until then a server has heard of what the command line did: half a second, and slack for a busy machine.
const HEARD_MAX: Duration = Duration::from_secs(2);

fn json_of(outcome: &Outcome) -> Value {
    assert_eq!(outcome.code, Some(0), "{}{}", outcome.output, outcome.errors);
    serde_json::from_str(&outcome.output).unwrap_or_else(|error| panic!("{error}: {}", outcome.output))
}

async fn until(server: &Server, secret: &str, wanted: u16) {
    let begun = Instant::now();
    loop {
        let status = server.api(secret, "GET", "/api/discord/vanish", None).await.status;
        if status == wanted {
            return;
        }
        assert!(begun.elapsed() < HEARD_MAX, "{status} instead of {wanted} after {:?}", begun.elapsed());
        pause(Duration::from_millis(10)).await;
    }
}

/// The whole life of a key on the command line, followed by a server in another process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_follows_what_the_command_line_does() {
    for kind in [Database::Sqlite, Database::Postgres] {
        let Some((database, connection)) = empty(kind).await else { continue };
        connection.close().await.expect("closed");
        if kind == Database::Sqlite {
            fs::remove_file(database.folder().join("guildhall.db")).expect("an empty folder");
        }
        let environment = [("DATABASE_URL", database.url()), ("JWT_SECRET", ROOT_KEY), ("API_KEY", ROOT_KEY)];
        let server = Server::start(database.folder(), &environment).await;
        let keys = |arguments: &[&str]| run(database.folder(), &environment, &[&["keys"], arguments].concat());

        let made = keys(&[
            "create",
            "--type",
            "discord_bot",
            "--name",
            "Stats",
            "--rate-limit",
            "7",
            "--window",
            "1500",
            "--json",
        ]);
        let made = json_of(&made);
        assert_eq!(made["rateLimits"], json!([{ "name": "default", "limit": 7, "windowMs": 1500 }]));
        assert_eq!(
            (&made["type"], &made["scopes"], &made["createdBy"]),
            (&json!("discord_bot"), &json!(["read"]), &json!("root"))
        );
        let secret = text(&made["apiKey"]);
        until(&server, &secret, 200).await;
        let id = text(&made["id"]);

        let rotated = json_of(&keys(&["rotate", &id, "--grace", "0", "--json"]));
        until(&server, &secret, 401).await;
        let new = text(&rotated["new"]["apiKey"]);
        until(&server, &new, 200).await;
        let new_id = text(&rotated["new"]["id"]);
        assert_eq!(json_of(&keys(&["show", &new_id, "--json"]))["rotatedFrom"], json!(id));
        assert_eq!(keys(&["rotate", &id]).code, Some(1), "what is replaced is not replaced again");

        let revoked = json_of(&keys(&["revoke", &new_id, "--reason", "moved", "--json"]));
        assert_eq!((&revoked["status"], &revoked["revokedReason"]), (&json!("revoked"), &json!("moved")));
        until(&server, &new, 401).await;
        assert_eq!(json_of(&keys(&["list", "--json"])), json!([]));
        assert_eq!(json_of(&keys(&["list", "--all", "--json"])).as_array().map(Vec::len), Some(2));

        // A key of another system, by its digest alone.
        let cartel = "cartel_0123456789abcdefghijklmnopqrst-_";
        let digest = Sha256::digest(cartel).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let imported = keys(&["import", "--sha256", &digest, "--brand", "cartel_", "--name", "Old bot", "--json"]);
        assert_eq!(json_of(&imported)["keyPrefix"], "cartel_...");
        until(&server, cartel, 200).await;
        let again = keys(&["import", "--sha256", &digest, "--name", "Old bot"]);
        assert!(again.code == Some(1) && again.errors.contains("known already"), "{}", again.errors);
        let report = server.api(cartel, "POST", "/api/keys/report-leak", None).await;
        assert_eq!((report.status, &report.body["alreadyRevoked"]), (200, &json!(false)));
        until(&server, cartel, 401).await;

        let usage = json_of(&keys(&["usage", "--json"]));
        assert!(usage["keys"].is_array(), "{usage}");
        assert!(json_of(&keys(&["usage", &id, "--step", "day", "--group-by", "route", "--json"]))["rows"].is_array());
        server.stop().await;
    }
}

/// The first admin key, as a script takes it: the key alone on standard output.
#[test]
fn a_script_takes_the_key_from_standard_output() {
    let folder = folder();
    let made = run(folder.path(), &[], &["keys", "create", "--type", "admin", "--name", "first"]);
    assert_eq!(made.code, Some(0), "{}", made.errors);
    let secret = made.output.trim_end();
    assert!(secret.starts_with("hall_live_") && secret.len() == 50, "{}", made.output);
    assert!(!made.errors.contains(secret) && made.errors.contains("shown once"), "{}", made.errors);
    let listed = run(folder.path(), &[], &["keys", "list"]);
    assert!(listed.output.contains("active") && listed.output.contains("first"), "{}", listed.output);
    assert!(!listed.output.contains(secret));
    let compatible = [("GUILDHALL_KEYS__SHAPE", "compatible")];
    for (arguments, brand) in [
        (&["keys", "create", "--name", "a"][..], "cartel_"),
        (&["keys", "create", "--name", "b", "--type", "discord_bot"], "kk_discord_"),
        (&["keys", "create", "--name", "c", "--type", "admin", "--rateLimit", "5"], "kk_admin_"),
    ] {
        let made = run(folder.path(), &compatible, arguments);
        assert!(made.output.starts_with(brand), "{}{}", made.output, made.errors);
    }
}

#[test]
fn a_wrong_key_command_says_what_is_wrong() {
    let folder = folder();
    let keys = |arguments: &[&str]| run(folder.path(), &[], &[&["keys"], arguments].concat());
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (arguments, code, words) in [
        (&["create"][..], 2, "--name"),
        (&["create", "--name", "x", "--type", "root"], 2, "discord_bot"),
        (&["create", "--name", "x", "--window", "1000"], 2, "--rate-limit"),
        (&["create", "--name", "x", "--scopes", "read,fly"], 1, "fly"),
        (&["create", "--name", "x", "--network", "here"], 1, "allow list"),
        (&["create", "--name", "x", "--user", nobody], 1, "User not found"),
        (&["show", nobody], 1, "API key not found"),
        (&["revoke", "x"], 2, "KEY"),
        (&["rotate", nobody, "--grace", "604801"], 2, "604800"),
        (&["import", "--sha256", "00", "--name", "x"], 1, "64 hexadecimal"),
        (&["usage", "--group-by", "route"], 2, "needs a key"),
    ] {
        let outcome = keys(arguments);
        assert_eq!(outcome.code, Some(code), "{arguments:?}: {}", outcome.errors);
        assert!(outcome.errors.contains(words), "{arguments:?}: {}", outcome.errors);
    }
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    fs::read(path).expect("a file").windows(bytes.len()).any(|window| window == bytes)
}

/// D01: keys stand in the answers that made them and nowhere else: not in the database or its log of writes, not in
/// the program's output at the loudest level, not in a backup. What is stored is the SHA-256 of the whole key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_in_no_file() {
    let folder = folder();
    let environment = [("API_KEY", ROOT_KEY), ("RUST_LOG", "trace")];
    let server = Server::start(folder.path(), &environment).await;
    let made =
        server.api(ROOT_KEY, "POST", "/api/admin/keys", Some(json!({ "name": "canary", "scopes": ["admin"] }))).await;
    let first = text(&made.body["apiKey"]);
    assert_eq!(server.api(&first, "GET", "/api/admin/keys", None).await.status, 200);
    let rotate = format!("/api/admin/keys/{}/rotate", text(&made.body["id"]));
    let second = text(&server.api(&first, "POST", &rotate, None).await.body["newApiKey"]);
    let typed = json!({ "type": "admin", "name": "canary" });
    let third = text(&server.api(&second, "POST", "/api/admin/api-keys", Some(typed)).await.body["data"]["key"]);
    let fourth = run(folder.path(), &[("RUST_LOG", "trace")], &["keys", "create", "--name", "canary", "--json"]);
    let fourth_key = text(&json_of(&fourth)["apiKey"]);
    assert!(!fourth.errors.contains(&fourth_key));
    assert_eq!(server.api(&third, "POST", "/api/keys/report-leak", None).await.status, 200);
    server.api("", "POST", "/api/keys/report-leak", Some(json!({ "key": second }))).await;
    let mut files = vec!["guildhall.db", "guildhall.db-wal"];
    let secrets = [&first, &second, &third, &fourth_key];
    let backup = run(folder.path(), &[], &["backup", "copy.db"]);
    assert_eq!(backup.code, Some(0), "{}", backup.errors);
    files.push("copy.db");
    for secret in secrets {
        for file in &files {
            assert!(!holds(&folder.path().join(file), secret.as_bytes()), "{file} holds a key");
            // Nor the part of it that opens: all but what is kept for display.
            assert!(!holds(&folder.path().join(file), &secret.as_bytes()[18..46]), "{file} holds most of a key");
        }
        let digest = Sha256::digest(secret.as_bytes());
        assert!(holds(&folder.path().join("copy.db"), &digest), "the digest is what is stored");
    }
    server.stop().await;
    for file in ["output.txt", "errors.txt", "guildhall.db"] {
        for secret in secrets {
            assert!(!holds(&folder.path().join(file), secret.as_bytes()), "{file} holds a key");
        }
    }
    assert!(fs::metadata(folder.path().join("errors.txt")).expect("the log").len() > 1_000, "something was logged");
}
