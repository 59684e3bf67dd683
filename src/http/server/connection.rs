//! One connection: what it is doing, and when it ends.

use std::{
    net::IpAddr,
    pin::{Pin, pin},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, Request, header},
    response::Response,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Notify};
use tower::Service as _;

use super::arrival::{Arrival, Arriving};
use crate::app::HttpSettings;

/// While the server stops: how long a request that is on its way is waited for.
const LINGER: Duration = Duration::from_millis(200);
/// While the server stops: how long the rest of a request that has begun to arrive is waited for.
const STRAGGLER_TIMEOUT: Duration = Duration::from_secs(1);
/// The least that hyper reads into.
const BUFFER_BYTES_MIN: usize = 8192;
/// Answers up to this size fit the buffers of the system, so that their end is not watched.
const WATCHED_BYTES_MIN: u64 = 64 * 1024;

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// States of a connection, beside `WORKING` and `EVICTED`, are a moment and, in the two lowest bits, what has been
/// going on since then.
const WORKING: u64 = 0;
const EVICTED: u64 = u64::MAX;
/// Waits for the head of a request.
const HEAD: u64 = 1;
/// Has the head of a request and may have its body.
const BODY: u64 = 2;
/// Takes a large answer.
const SENDING: u64 = 3;
const ACTIVITY: u64 = 3;

/// Moments are microseconds since this one, so that they fit an atomic.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The present moment; never zero.
pub(super) fn now() -> u64 {
    u64::try_from(EPOCH.elapsed().as_micros()).unwrap_or(0) + 1
}

/// A moment as others tell it.
pub(super) fn instant(moment: u64) -> Instant {
    *EPOCH + Duration::from_micros(moment)
}

/// The other end of the socket through which a request came.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What is known of a connection outside its task.
#[derive(Clone)]
pub(super) struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    state: AtomicU64,
    /// The server stops.
    stopping: AtomicBool,
    /// Something has happened that the task has to look at.
    told: Notify,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: AtomicU64::new(now() << 2 | HEAD),
                stopping: AtomicBool::new(false),
                told: Notify::new(),
            }),
        }
    }

    fn state(&self) -> u64 {
        self.shared.state.load(Ordering::Acquire)
    }

    /// Since when it has waited for its client, if it does; to be compared with other answers of this function.
    pub(super) fn waiting_since(&self) -> Option<u64> {
        Some(self.state()).filter(|&state| state != WORKING && state != EVICTED)
    }

    /// Ends it, unless a request has become complete.
    pub(super) fn evict(&self) -> bool {
        self.waiting_since().is_some_and(|state| self.evict_in(state))
    }

    /// Ends it if it has waited for the head of a request for longer than this.
    pub(super) fn evict_overdue(&self, timeout: Duration) -> bool {
        let state = self.state();
        state & ACTIVITY == HEAD && state != EVICTED && instant(state >> 2).elapsed() > timeout && self.evict_in(state)
    }

    fn evict_in(&self, state: u64) -> bool {
        let evicted = self.shared.state.compare_exchange(state, EVICTED, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if evicted {
            self.shared.told.notify_one();
        }
        evicted
    }

    /// Tells it that the server stops.
    pub(super) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.told.notify_one();
    }

    fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::Acquire)
    }

    /// A request is complete; false if the connection was evicted meanwhile.
    pub(super) fn work(&self) -> bool {
        self.change(|_| WORKING)
    }

    /// The head of a request is complete; how long it took still counts.
    fn receive(&self) -> bool {
        self.change(|state| state & !ACTIVITY | BODY)
    }

    fn wait(&self, activity: u64) {
        self.change(|_| now() << 2 | activity);
    }

    /// Changes the state, unless it is final.
    fn change(&self, to: impl Fn(u64) -> u64) -> bool {
        self.shared
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| (state != EVICTED).then(|| to(state)))
            .is_ok()
    }
}

/// Serves one connection to its end.
pub(super) fn serve_connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    settings: &HttpSettings,
    connection: Connection,
) -> impl Future<Output = ()> + Send + use<> {
    let mut builder = http1::Builder::new();
    builder
        // hyper's timer would be set and cleared for each request; the server looks at `Connection` instead.
        .header_read_timeout(None)
        .max_header_size(settings.header_bytes_max)
        .max_buf_size(settings.header_bytes_max.max(BUFFER_BYTES_MIN))
        // A client that has said everything may close its half and still wants its answer.
        .half_close(true);
    async move {
        let shared = connection.shared.clone();
        let asked = connection.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, asked.clone(), request));
        let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
        while !connection.is_stopping() {
            tokio::select! {
                biased;
                // How a connection fails is the client's business.
                _ = serving.as_mut() => return,
                () = shared.told.notified() => {}
            }
            if connection.state() == EVICTED {
                return;
            }
        }
        if tokio::time::timeout(LINGER, serving.as_mut()).await.is_ok() {
            return;
        }
        serving.as_mut().graceful_shutdown();
        loop {
            let rest = tokio::time::timeout(STRAGGLER_TIMEOUT, serving.as_mut());
            let ended = rest.await.is_ok();
            let state = connection.state();
            if ended || state != WORKING && state & ACTIVITY != SENDING || state == EVICTED {
                return;
            }
        }
    }
}

/// The connection was closed for a newer one; nothing of the request was done.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed for a newer one")]
struct Evicted;

async fn answer(
    mut router: Router,
    peer: Peer,
    connection: Connection,
    request: Request<Incoming>,
) -> Result<Response, Evicted> {
    let mut request = if request.body().is_end_stream() {
        if !connection.work() {
            return Err(Evicted);
        }
        request.map(|_| Body::empty())
    } else {
        if !connection.receive() {
            return Err(Evicted);
        }
        let (mut head, body) = request.into_parts();
        let arrival = Arrival::new();
        head.extensions.insert(arrival.clone());
        let body = Arriving::new(body, arrival, connection.clone());
        Request::from_parts(head, Body::new(body))
    };
    request.extensions_mut().insert(peer);
    let Ok(mut response) = router.call(request).await;
    if connection.is_stopping() {
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    if response.body().size_hint().lower() < WATCHED_BYTES_MIN {
        connection.wait(HEAD);
        return Ok(response);
    }
    connection.wait(SENDING);
    Ok(response.map(|body| Body::new(Sending { body, connection })))
}

/// A body that tells when all of it was taken.
struct Sending {
    body: Body,
    connection: Connection,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.connection.wait(HEAD);
    }
}
