//! The accept loop: who gets a connection, and for how long.
//!
//! Invariants: a connection that waits for a complete request is bounded in time and gives way to a newer one when all
//! are taken; a request that has arrived completely is answered, also while the server stops.

mod arrival;
mod connection;

use std::{collections::HashMap, io, net::SocketAddr, time::Duration};

use axum::Router;
use futures_util::FutureExt as _;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::app::HttpSettings;

pub use arrival::{Arrival, Progress};
pub use connection::Peer;
use connection::{Connection, serve_connection};

/// How long accepting rests after the system ran out of sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often connections are looked at, as a part of the time they may wait.
const SWEEPS_PER_TIMEOUT: u32 = 10;
const SWEEP_PERIOD_MIN: Duration = Duration::from_millis(10);
/// How often a full server looks whether a connection has become idle.
const ROOM_PERIOD: Duration = Duration::from_millis(20);

/// Serves until `shutdown`, then answers what has arrived and returns; the caller sets the deadline for that by
/// dropping this future, which cuts the connections that are left.
pub async fn serve(listener: TcpListener, router: Router, settings: &HttpSettings, shutdown: CancellationToken) {
    let mut server = Server {
        router,
        settings,
        shutdown: shutdown.clone(),
        tasks: JoinSet::new(),
        open: HashMap::new(),
        next_id: 0,
    };
    let period = settings.header_timeout / SWEEPS_PER_TIMEOUT;
    let mut sweeps = tokio::time::interval(period.max(SWEEP_PERIOD_MIN));
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(ended) = server.tasks.join_next() => server.forget(ended.ok()),
            _ = sweeps.tick() => server.sweep(),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.admit(stream, peer).await,
                Err(error) => server.pause(&error).await,
            },
        }
    }
    // The system has accepted these for us already: their requests are on the way.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        server.start(stream, peer);
    }
    drop(listener);
    server.open.values().for_each(Connection::stop);
    while let Some(ended) = server.tasks.join_next().await {
        server.forget(ended.ok());
    }
}

struct Server<'a> {
    router: Router,
    settings: &'a HttpSettings,
    shutdown: CancellationToken,
    /// Dropping it ends the connections.
    tasks: JoinSet<u64>,
    open: HashMap<u64, Connection>,
    next_id: u64,
}

impl Server<'_> {
    /// Starts a connection as soon as there is room for it.
    async fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        while self.open.len() >= self.settings.connections_max && !self.evict() {
            // All are at work: the first to end, or to wait for its client, makes room.
            let ended = tokio::time::timeout(ROOM_PERIOD, self.tasks.join_next());
            if let Some(Ok(Some(ended))) = self.shutdown.run_until_cancelled(ended).await {
                self.forget(ended.ok());
            }
            if self.shutdown.is_cancelled() {
                break;
            }
        }
        self.start(stream, peer);
    }

    fn start(&mut self, stream: TcpStream, peer: SocketAddr) {
        // An answer is written in one piece; waiting to fill a packet only delays it.
        let _ = stream.set_nodelay(true);
        let connection = Connection::new();
        let id = self.next_id;
        self.next_id += 1;
        self.open.insert(id, connection.clone());
        let work = serve_connection(stream, Peer(peer.ip()), self.router.clone(), self.settings, connection);
        self.tasks.spawn(work.map(move |()| id));
    }

    /// Closes the connection that has waited longest without a complete request; false if none waits.
    fn evict(&mut self) -> bool {
        let longest = self.open.iter().filter_map(|(id, connection)| Some((connection.waiting_since()?, *id))).min();
        let Some((_, id)) = longest else {
            return false;
        };
        // A request may have been completed in between: then it is somebody else's turn, on the next try.
        match self.open.get(&id) {
            Some(connection) if connection.evict() => {
                self.open.remove(&id);
                metrics::counter!("http_connections_evicted_total").increment(1);
                true
            }
            _ => false,
        }
    }

    /// Closes the connections that have waited too long for the head of a request, or between two requests.
    fn sweep(&mut self) {
        let timeout = self.settings.header_timeout;
        self.open.retain(|_, connection| !connection.evict_overdue(timeout));
    }

    fn forget(&mut self, ended: Option<u64>) {
        if let Some(id) = ended {
            self.open.remove(&id);
        }
    }

    /// Errors of a single connection pass; a system without sockets would answer the same at once, again and again.
    async fn pause(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
            return;
        }
        tracing::warn!(%error, "accepting a connection failed");
        self.evict();
        let _ = tokio::time::timeout(ACCEPT_PAUSE, self.shutdown.cancelled()).await;
    }
}
