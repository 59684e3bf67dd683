//! The program as people start it: a process, a folder, an environment.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fake_discord::FakeDiscord;
use sea_orm::{ConnectionTrait as _, Database as Connect};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::{self, Answer, Database, ROOT_KEY, pause},
    schema::empty,
};

/// Longest wait for a start, on a machine that is busy with other tests.
const START_MAX: Duration = Duration::from_secs(30);
/// Longest that a stop may take.
const STOP_MAX: Duration = Duration::from_secs(10);
/// Names and values that no process may print.
const FAKE_TOKEN: &str = fake_discord::TOKEN;

/// What became of a run.
pub(crate) struct Outcome {
    /// The exit code; none after a signal.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) errors: String,
}

/// The program in this folder, with this environment and no other.
fn program(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guildhall"));
    command.current_dir(folder).env_clear().envs(environment.iter().copied()).args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let output = program(folder, environment, arguments).output().expect("the program was built with the tests");
    Outcome {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).expect("UTF-8"),
        errors: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A running server; killed when a test ends early.
pub(crate) struct Server {
    child: Child,
    /// What it printed.
    pub(crate) banner: String,
    /// Where it listens.
    pub(crate) base: String,
    client: reqwest::Client,
}

impl Server {
    /// Starts it on a free port and waits for its banner.
    pub(crate) async fn start(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let mut server = Self::spawn(folder, environment);
        let output = folder.join("output.txt");
        let deadline = Instant::now() + START_MAX;
        while !server.banner.contains("└─ Discord") {
            let errors = || fs::read_to_string(folder.join("errors.txt")).unwrap_or_default();
            assert!(server.child.try_wait().expect("a child").is_none(), "it ended at once: {}", errors());
            assert!(Instant::now() < deadline, "it did not start in {START_MAX:?}: {}", errors());
            pause(Duration::from_millis(10)).await;
            server.banner = fs::read_to_string(&output).unwrap_or_default();
        }
        let from = server.banner.find("http://").expect("an address");
        server.base = server.banner[from..].split_whitespace().next().expect("an address").to_owned();
        server
    }

    fn spawn(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let file = |name: &str| File::create(folder.join(name)).expect("the folder can be written");
        let mut command = program(folder, environment, &[]);
        if !environment.iter().any(|(name, _)| name.starts_with("GUILDHALL_LIMITS__")) {
            // Most tests of the program are no tests of limits, and many call often.
            command.env("GUILDHALL_LIMITS__ROOT_PER_MINUTE", "0");
            for class in ["ADMIN", "KEY", "ANONYMOUS"] {
                command.env(format!("GUILDHALL_LIMITS__{class}_PER_MINUTE"), "1000000");
            }
        }
        command.env("PORT", "0").stdout(file("output.txt")).stderr(file("errors.txt"));
        Self {
            child: command.spawn().expect("the program was built with the tests"),
            banner: String::new(),
            base: String::new(),
            client: reqwest::Client::new(),
        }
    }

    /// A request with a key.
    pub(crate) async fn api(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let method = method.parse().expect("a method of HTTP");
        let mut request = self.client.request(method, format!("{}{path}", self.base)).header("X-API-Key", key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        harness::answer(request.send()).await
    }

    pub(crate) async fn signal(mut self, name: &str) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        // The shell's own kill: a bare machine has no other.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(sent.expect("there is a shell").success());
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status.code(), begun.elapsed());
            }
            assert!(begun.elapsed() < STOP_MAX * 2, "it does not end after {name}");
            pause(Duration::from_millis(10)).await;
        }
    }

    /// Stops it as a service manager does.
    pub(crate) async fn stop(self) {
        let (code, took) = self.signal("TERM").await;
        assert_eq!(code, Some(0), "a graceful stop ends with 0");
        assert!(took <= STOP_MAX, "the stop took {took:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn folder() -> TempDir {
    TempDir::new().expect("the machine has room for temporary files")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

pub(crate) fn root_key(folder: &Path) -> String {
    fs::read_to_string(folder.join("root-key.txt")).expect("the root key").trim().to_owned()
}

fn rule(channel: u64) -> Value {
    json!({ "guildId": "42", "channelId": channel.to_string(), "duration": 86_400 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_needs_nothing_and_keeps_its_secrets_private() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]).await;
    for line in ["/openapi.json", "/llms.txt", "/reference", "/health", "/ready", "off until DISCORD_TOKEN is set"] {
        assert!(server.banner.contains(line), "{line} is missing in: {}", server.banner);
    }
    assert!(!server.base.ends_with(":0"), "the port that was picked is printed: {}", server.base);
    for name in ["guildhall.db", "guildhall.db-wal", "root-key.txt", "jwt-secret.txt"] {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name} is for its owner only");
    }
    let key = root_key(folder.path());
    assert!(server.banner.contains("root-key.txt") && !server.banner.contains(&key), "{}", server.banner);
    let errors = fs::read_to_string(folder.path().join("errors.txt")).expect("the log");
    assert!(!errors.contains(&key), "the key stands in the log");
    assert_eq!(server.api("", "GET", "/health", None).await.status, 200);
    assert_eq!(server.api(&key, "POST", "/api/discord/vanish", Some(rule(1001))).await.status, 200);
    assert_eq!(server.api("wrong", "GET", "/api/discord/vanish/1001", None).await.status, 401);
    server.stop().await;

    let server = Server::start(folder.path(), &[]).await;
    assert!(!server.banner.contains("oot key"), "the key is shown once: {}", server.banner);
    assert_eq!(root_key(folder.path()), key);
    let kept = server.api(&key, "GET", "/api/discord/vanish/1001", None).await;
    assert_eq!((kept.status, &kept.body["vanishAfter"]), (200, &json!(86_400)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_key_that_is_given_wins_and_none_is_made() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("API_KEY", ROOT_KEY)]).await;
    assert!(!folder.path().join("root-key.txt").exists());
    assert_eq!(server.api(ROOT_KEY, "GET", "/api/discord/vanish", None).await.status, 200);
    let (code, took) = server.signal("INT").await;
    assert!(code == Some(0) && took <= STOP_MAX, "Ctrl-C: {code:?} after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_named_with_what_to_do() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let outcome = run(folder().path(), &[("PORT", &port)], &["serve"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.errors);
    assert!(outcome.errors.contains(&port) && outcome.errors.contains("PORT"), "{}", outcome.errors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_discord_refuses_ends_the_start_with_its_own_code() {
    let discord = FakeDiscord::start().await;
    discord.refuse_token();
    let base = discord.base_url().to_owned();
    let outcome = tokio::task::spawn_blocking(move || {
        let environment = [("DISCORD_TOKEN", FAKE_TOKEN), ("GUILDHALL_DISCORD__API_PROXY", &base), ("PORT", "0")];
        run(folder().path(), &environment, &["serve"])
    });
    let outcome = outcome.await.expect("the run");
    assert_eq!(outcome.code, Some(5), "{}", outcome.errors);
    assert!(outcome.errors.contains("DISCORD_TOKEN"), "{}", outcome.errors);
    assert!(!outcome.errors.contains(FAKE_TOKEN) && !outcome.output.contains(FAKE_TOKEN), "the token was printed");
}

/// D57: taken while writes go on, whole, and holding every write acknowledged before it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_serving_starts_elsewhere_and_lacks_nothing() {
    const BEFORE: u64 = 200;
    let (here, there) = (folder(), folder());
    let server = Server::start(here.path(), &[("API_KEY", ROOT_KEY)]).await;
    for channel in 1..=BEFORE {
        assert_eq!(server.api(ROOT_KEY, "POST", "/api/discord/vanish", Some(rule(channel))).await.status, 200);
    }
    let copy = there.path().join("guildhall.db");
    let (source, target) = (here.path().to_owned(), copy.display().to_string());
    let mut backup = tokio::task::spawn_blocking(move || run(&source, &[], &["backup", &target]));
    let mut channel = BEFORE;
    let outcome = loop {
        tokio::select! {
            outcome = &mut backup => break outcome.expect("the run"),
            answer = server.api(ROOT_KEY, "POST", "/api/discord/vanish", Some(rule(channel + 1))) => {
                assert_eq!(answer.status, 200, "a backup stops nobody from writing");
                channel += 1;
            }
        }
    };
    assert_eq!(outcome.code, Some(0), "{}", outcome.errors);
    assert_eq!(mode(&copy), 0o600);
    let again = run(here.path(), &[], &["backup", &copy.display().to_string()]);
    assert_eq!(again.code, Some(4), "an existing file is left alone: {}", again.errors);
    server.stop().await;

    let examined = run(there.path(), &[], &["doctor"]);
    assert_eq!(examined.code, Some(0), "{}{}", examined.output, examined.errors);
    let server = Server::start(there.path(), &[("API_KEY", ROOT_KEY)]).await;
    let rules = server.api(ROOT_KEY, "GET", "/api/discord/vanish", None).await;
    let count = rules.body.as_array().map_or(0, Vec::len) as u64;
    assert!((BEFORE..=channel + 1).contains(&count), "{count} of {BEFORE} to {channel} rules");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_a_damaged_file() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("API_KEY", ROOT_KEY)]).await;
    for channel in 1..=300 {
        assert_eq!(server.api(ROOT_KEY, "POST", "/api/discord/vanish", Some(rule(channel))).await.status, 200);
    }
    server.stop().await;
    let healthy = run(folder.path(), &[], &["doctor", "--json"]);
    assert_eq!(healthy.code, Some(0), "{}{}", healthy.output, healthy.errors);
    let findings: Vec<Value> = serde_json::from_str(&healthy.output).expect("a report in JSON");
    assert!(findings.iter().all(|finding| finding["ok"] == true), "{findings:?}");

    let file = folder.path().join("guildhall.db");
    let mut bytes = fs::read(&file).expect("the file");
    // Pages of the event log lose every second of their bytes; the schema, which no program works without, none.
    let event = b"vanish.rule_set";
    let pages = bytes.chunks_mut(4096).filter(|page| page.windows(event.len()).any(|text| text == event));
    let damaged: Vec<_> = pages.map(|page| page.iter_mut().step_by(2).for_each(|byte| *byte = 0xa5)).collect();
    assert!(!damaged.is_empty(), "there are events");
    fs::write(&file, bytes).expect("written");
    let broken = run(folder.path(), &[], &["doctor"]);
    assert_eq!(broken.code, Some(1), "{}{}", broken.output, broken.errors);
    assert!(broken.output.contains("✗ integrity"), "{}", broken.output);

    fs::write(&file, "no database, only words ".repeat(400)).expect("written");
    assert_eq!(run(folder.path(), &[], &["doctor"]).code, Some(1));
    assert_eq!(run(folder.path(), &[], &["serve"]).code, Some(4), "the server does not start on it either");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_somebody_else_is_refused_untouched() {
    for kind in [Database::Sqlite, Database::Postgres] {
        let Some((database, connection)) = empty(kind).await else { continue };
        for statement in ["CREATE TABLE invoice (total INTEGER)", "INSERT INTO invoice VALUES (7)"] {
            connection.execute_unprepared(statement).await.expect("somebody else's data");
        }
        connection.close().await.expect("closed");
        let file = database.folder().join("guildhall.db");
        let before = fs::read(&file).ok();
        let environment = [("DATABASE_URL", database.url()), ("JWT_SECRET", ROOT_KEY), ("PORT", "0")];
        for command in ["serve", "migrate"] {
            let outcome = run(database.folder(), &environment, &[command]);
            assert_eq!(outcome.code, Some(4), "{command}: {}", outcome.errors);
            assert!(
                outcome.errors.contains("invoice") && outcome.errors.contains("DATABASE_URL"),
                "{}",
                outcome.errors
            );
        }
        let examined = run(database.folder(), &environment, &["doctor"]);
        assert_eq!(examined.code, Some(1), "{}", examined.output);
        assert!(examined.output.contains("invoice"), "{}", examined.output);
        assert!(fs::read(&file).ok() == before, "the file of somebody else was changed");
        let connection = Connect::connect(database.url()).await.expect("it is still there");
        let tables = connection.execute_unprepared("UPDATE invoice SET total = 8 WHERE total = 7").await;
        assert_eq!(tables.expect("the table is still there").rows_affected(), 1);
        connection.close().await.expect("closed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_from_a_newer_program_is_refused() {
    for kind in [Database::Sqlite, Database::Postgres] {
        let Some((database, connection)) = empty(kind).await else { continue };
        let environment = [("DATABASE_URL", database.url()), ("JWT_SECRET", ROOT_KEY), ("PORT", "0")];
        let migrated = run(database.folder(), &environment, &["migrate"]);
        assert_eq!(migrated.code, Some(0), "{}", migrated.errors);
        let future = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_future', 0)";
        connection.execute_unprepared(future).await.expect("a step of a newer program");
        connection.close().await.expect("closed");
        for command in ["serve", "migrate"] {
            let outcome = run(database.folder(), &environment, &[command]);
            assert_eq!(outcome.code, Some(4), "{command}: {}", outcome.errors);
            assert!(outcome.errors.contains("m29991231_000001_future"), "{}", outcome.errors);
        }
    }
}

/// D56.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_that_start_at_once_migrate_once() {
    for kind in [Database::Sqlite, Database::Postgres] {
        let Some((database, connection)) = empty(kind).await else { continue };
        connection.close().await.expect("closed");
        if kind == Database::Sqlite {
            fs::remove_file(database.folder().join("guildhall.db")).expect("an empty folder");
        }
        let environment = [("DATABASE_URL", database.url()), ("JWT_SECRET", ROOT_KEY)];
        let start = || {
            let mut command = program(database.folder(), &environment, &["migrate"]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
        };
        let starters: Vec<_> = (0..3).map(|_| start().expect("a process")).collect();
        for starter in starters {
            let output = starter.wait_with_output().expect("a process");
            assert!(output.status.success(), "{kind:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let examined = run(database.folder(), &environment, &["doctor"]);
        assert_eq!(examined.code, Some(0), "{kind:?}: {}", examined.output);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_servers_that_start_at_once_one_makes_the_root_key() {
    let database = folder();
    let url = format!("sqlite://{}", database.path().join("guildhall.db").display());
    let folders = [folder(), folder(), folder()];
    let environment = [("DATABASE_URL", url.as_str())];
    let mut servers = folders.each_ref().map(|folder| Server::spawn(folder.path(), &environment));
    let mut banners = String::new();
    for (server, folder) in servers.iter_mut().zip(&folders) {
        let deadline = Instant::now() + START_MAX;
        loop {
            let banner = fs::read_to_string(folder.path().join("output.txt")).expect("its output");
            if banner.contains("└─ Discord") {
                banners.push_str(&banner);
                break;
            }
            assert!(server.child.try_wait().expect("a child").is_none(), "one ended at once");
            assert!(Instant::now() < deadline, "one did not start in {START_MAX:?}");
            pause(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(banners.matches("oot key, written").count(), 1, "{banners}");
    assert_eq!(mode(&database.path().join("root-key.txt")), 0o600);
    let drafts = fs::read_dir(database.path()).expect("the folder").filter_map(Result::ok);
    assert!(drafts.into_iter().all(|file| !file.file_name().to_string_lossy().ends_with(".draft")));
}

/// D56: wherever the first start is killed, the next one completes it, and the root key in the file opens it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_is_killed_is_completed_by_the_next() {
    for milliseconds in [2, 5, 10, 15, 20, 25, 30, 40, 60, 90] {
        let folder = folder();
        let mut server = Server::spawn(folder.path(), &[]);
        pause(Duration::from_millis(milliseconds)).await;
        server.child.kill().expect("a child");
        server.child.wait().expect("a child");
        let migrated = run(folder.path(), &[], &["migrate"]);
        assert_eq!(migrated.code, Some(0), "killed after {milliseconds} ms: {}", migrated.errors);
        let examined = run(folder.path(), &[], &["doctor"]);
        assert_eq!(examined.code, Some(0), "killed after {milliseconds} ms: {}", examined.output);
        let server = Server::start(folder.path(), &[]).await;
        let answer = server.api(&root_key(folder.path()), "GET", "/api/discord/vanish", None).await;
        assert_eq!(answer.status, 200, "killed after {milliseconds} ms");
        server.stop().await;
    }
}

/// A start that was killed between writing the root key's file and storing its digest has lost no key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_key_that_only_its_file_knows_is_adopted() {
    let folder = folder();
    let key = format!("hall_root_{}", "k7Q".repeat(14).split_at(40).0);
    fs::write(folder.path().join("root-key.txt"), format!("{key}\n")).expect("written");
    for _ in 0..2 {
        let server = Server::start(folder.path(), &[]).await;
        assert_eq!(server.api(&key, "GET", "/api/discord/vanish", None).await.status, 200);
        assert_eq!(root_key(folder.path()), key);
        server.stop().await;
    }

    let folder = self::folder();
    fs::write(folder.path().join("root-key.txt"), "notes of somebody\n").expect("written");
    let outcome = run(folder.path(), &[("PORT", "0")], &["serve"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.errors);
    assert!(outcome.errors.contains("root-key.txt") && outcome.errors.contains("API_KEY"), "{}", outcome.errors);
}

/// A first start that fails makes no key that nobody is told of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_on_a_taken_port_leaves_the_key_to_the_next() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let folder = folder();
    assert_eq!(run(folder.path(), &[("PORT", &port)], &["serve"]).code, Some(1));
    let server = Server::start(folder.path(), &[]).await;
    assert!(server.banner.contains("root-key.txt"), "{}", server.banner);
    assert_eq!(server.api(&root_key(folder.path()), "GET", "/api/discord/vanish", None).await.status, 200);
    server.stop().await;
}

#[test]
fn the_document_and_completions_are_printed_without_touching_anything() {
    let folder = folder();
    let printed = run(folder.path(), &[], &["openapi"]);
    assert_eq!(printed.code, Some(0), "{}", printed.errors);
    let document: Value = serde_json::from_str(&printed.output).expect("JSON");
    assert_eq!(document, guildhall::http::openapi::document());
    for shell in ["bash", "zsh", "fish"] {
        let script = run(folder.path(), &[], &["completions", shell]);
        assert!(script.code == Some(0) && script.output.contains("guildhall"), "{shell}: {}", script.errors);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0, "nothing was made");
}

#[test]
fn migrating_twice_changes_nothing_the_second_time() {
    let folder = folder();
    let first = run(folder.path(), &[], &["migrate"]);
    assert_eq!(first.code, Some(0), "{}", first.errors);
    let second = run(folder.path(), &[], &["migrate"]);
    assert!(second.code == Some(0) && second.output.contains("0 steps applied"), "{}", second.output);
    assert!(!folder.path().join("root-key.txt").exists(), "only a server makes secrets");
}

#[test]
fn a_wrong_command_line_ends_with_2_and_help_with_0() {
    let folder = folder();
    assert_eq!(run(folder.path(), &[], &["srve"]).code, Some(2));
    let help = run(folder.path(), &[], &["--help"]);
    assert!(help.code == Some(0) && help.output.contains("Examples:"), "{}", help.errors);
}

#[test]
fn a_backup_on_postgres_names_the_tool_that_postgres_brings() {
    let environment = [("DATABASE_URL", "postgres://postgres@127.0.0.1:1/absent"), ("JWT_SECRET", ROOT_KEY)];
    let outcome = run(folder().path(), &environment, &["backup", "copy.db"]);
    assert!(outcome.code == Some(1) && outcome.errors.contains("pg_dump"), "{}", outcome.errors);
}
