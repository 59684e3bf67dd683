//! Programs that are measured from outside.

use std::{
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Longest wait for a start.
const START_MAX: Duration = Duration::from_secs(20);

/// The root key of every target.
pub const KEY: &str = "root-key-of-the-benches-0123456789abcdef";

/// A program of this build, which lies beside this one.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if !path.exists() {
        bail!("{} is missing: build it with `cargo build --release --workspace --bins`", path.display());
    }
    Ok(path)
}

/// A port that is free at the moment.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A server that ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Server {
    /// Starts it and waits until it answers.
    pub async fn start(command: &mut Command, port: u16) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let child = command.stdout(Stdio::null()).spawn().with_context(|| format!("starting {command:?}"))?;
        let mut server = Self { child, address };
        server.wait_until_healthy().await?;
        Ok(server)
    }

    /// Guildhall on this database, with nothing but the control plane.
    pub fn guildhall(folder: &std::path::Path, database: &str, port: u16) -> anyhow::Result<Command> {
        let mut command = Command::new(program("guildhall")?);
        command
            .current_dir(folder)
            .env_clear()
            .env("DATABASE_URL", database)
            .env("PORT", port.to_string())
            .env("API_KEY", KEY)
            .env("JWT_SECRET", "secret-of-the-benches-0123456789abcdef")
            // The server is measured, not its limits.
            .env("GUILDHALL_LIMITS__ROOT_PER_MINUTE", "0")
            .arg("serve");
        Ok(command)
    }

    async fn wait_until_healthy(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_MAX;
        while !answers(self.address).await {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} instead of answering");
            }
            if Instant::now() > deadline {
                bail!("the server did not answer within {START_MAX:?}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Resident memory in KiB: all of it, and the part that belongs to it alone.
    pub fn memory(&self) -> anyhow::Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
                .with_context(|| format!("{name} is missing in /proc"))
        };
        Ok((field("VmRSS:")?, field("RssAnon:")?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether `/health` answers 200 now.
pub async fn answers(address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(&answer == b"HTTP/1.1 200")
    };
    asked.await.unwrap_or(false)
}

/// Runs a ceiling to its end and reads the number on its last line.
pub async fn measure(mut command: Command) -> anyhow::Result<f64> {
    tokio::task::spawn_blocking(move || {
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("starting {command:?}"))?;
        let output = child.stdout.take().context("its output is piped")?;
        let last = BufReader::new(output).lines().map_while(Result::ok).last();
        let status = child.wait()?;
        if !status.success() {
            bail!("{command:?} ended with {status}");
        }
        last.and_then(|line| line.trim().parse().ok()).with_context(|| format!("{command:?} printed no number"))
    })
    .await?
}
