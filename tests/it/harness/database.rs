//! A database for one story: a SQLite file in a folder of its own, or a PostgreSQL database of its own.

use std::path::Path;

use sea_orm::{ConnectionTrait, Database as Connect, DatabaseConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// The server that stories may make databases on; another one by `TEST_POSTGRES_URL`.
const POSTGRES_URL: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// Which engine a story runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// A database that goes with its story.
pub struct TestDatabase {
    folder: TempDir,
    url: String,
    postgres: Option<String>,
}

impl TestDatabase {
    /// Makes an empty database; none when there is no PostgreSQL to make it on, which CI does not accept.
    pub async fn make(kind: Database) -> Option<Self> {
        let folder = TempDir::new().expect("the machine has room for temporary files");
        match kind {
            Database::Sqlite => {
                let url = format!("sqlite://{}", folder.path().join("guildhall.db").display());
                Some(Self { folder, url, postgres: None })
            }
            Database::Postgres => {
                let admin = admin().await?;
                let name = format!("guildhall_test_{}", Uuid::from_bytes(rand_bytes()).simple());
                admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database can be made");
                let _ = admin.close().await;
                let base = server_url();
                let (server, _) = base.rsplit_once('/').expect("the address names a database");
                Some(Self { folder, url: format!("{server}/{name}"), postgres: Some(name) })
            }
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A folder that goes with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn rand_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes);
    bytes
}

fn server_url() -> String {
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| POSTGRES_URL.to_owned())
}

#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
async fn admin() -> Option<DatabaseConnection> {
    match Connect::connect(server_url()).await {
        Ok(connection) => Some(connection),
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("CI needs PostgreSQL at {}: {error}", server_url())
        }
        Err(error) => {
            eprintln!("SKIPPED on PostgreSQL: no server at {} ({error})", server_url());
            None
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = self.postgres.take() else { return };
        // The story's runtime may be ending: the clean-up has its own.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                if let Ok(admin) = Connect::connect(server_url()).await {
                    let _ = admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                    let _ = admin.close().await;
                }
            });
        });
        let _ = cleaner.join();
    }
}
