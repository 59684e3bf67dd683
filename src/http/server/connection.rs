//! One connection: what it is doing, and when it ends.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
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
use http_body_util::BodyExt as _;
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::Notify};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use crate::app::HttpSettings;

/// Moments are microseconds since this one, so that they fit an atomic.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// States that are no moment; see [`Connection::state`].
const WORKING: u64 = 0;
const EVICTED: u64 = u64::MAX;

/// While the server stops: how long a request that is on its way is waited for.
const LINGER: Duration = Duration::from_millis(200);
/// While the server stops: how long the rest of a request that has begun to arrive is waited for.
const STRAGGLER_TIMEOUT: Duration = Duration::from_secs(1);

/// The present moment; never a special state.
fn now() -> u64 {
    u64::try_from(EPOCH.elapsed().as_micros())
        .unwrap_or(EVICTED)
        .saturating_add(1)
        .min(EVICTED - 1)
}

/// What is known of a connection outside its task.
#[derive(Clone)]
pub(super) struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    /// Since when it waits for a complete request; or `WORKING` on one, or `EVICTED`.
    state: AtomicU64,
    /// Told to end.
    evicted: Notify,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: AtomicU64::new(now()),
                evicted: Notify::new(),
            }),
        }
    }

    /// Since when it has waited for a complete request, if it does.
    pub(super) fn waiting_since(&self) -> Option<u64> {
        match self.shared.state.load(Ordering::Acquire) {
            WORKING | EVICTED => None,
            since => Some(since),
        }
    }

    /// Ends it, unless a request has become complete.
    pub(super) fn evict(&self) -> bool {
        let Some(since) = self.waiting_since() else {
            return false;
        };
        let state = &self.shared.state;
        let done = state
            .compare_exchange(since, EVICTED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if done {
            self.shared.evicted.notify_one();
        }
        done
    }

    /// A request is complete; false if the connection was evicted meanwhile.
    fn work(&self) -> bool {
        self.change(WORKING)
    }

    /// It waits for its client again.
    fn wait(&self) {
        self.change(now());
    }

    /// Changes the state, unless it is final.
    fn change(&self, to: u64) -> bool {
        self.shared
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
                (state != EVICTED).then_some(to)
            })
            .is_ok()
    }
}

/// How far the body of a request has come; a request without this extension came without a body.
#[derive(Clone)]
pub struct Arrival {
    state: Arc<AtomicU64>,
}

/// The states of an [`Arrival`]; any other number is the moment of its end.
const UNREAD: u64 = 0;
const READING: u64 = u64::MAX;

/// How far a body has come.
pub enum Progress {
    /// Nobody has asked for it.
    Unread,
    /// Somebody waits for its end.
    Reading,
    /// It was complete at this moment.
    CompleteAt(Instant),
}

impl Arrival {
    fn new() -> Self {
        Self {
            state: Arc::new(AtomicU64::new(UNREAD)),
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        match self.state.load(Ordering::Acquire) {
            UNREAD => Progress::Unread,
            READING => Progress::Reading,
            at => Progress::CompleteAt(*EPOCH + Duration::from_micros(at)),
        }
    }
}

/// A body that tells when its end has arrived.
struct Arriving {
    body: Incoming,
    arrival: Arrival,
    connection: Connection,
}

impl Arriving {
    fn complete(&self) {
        self.arrival.state.store(now(), Ordering::Release);
        self.connection.work();
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.complete();
        } else {
            self.arrival.state.store(READING, Ordering::Release);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves one connection to its end.
pub(super) fn serve_connection(
    stream: TcpStream,
    router: Router,
    settings: &HttpSettings,
    connection: Connection,
    shutdown: CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_header_size(settings.header_bytes_max)
        .max_buf_size(settings.header_bytes_max.max(BUFFER_BYTES_MIN))
        // A client that has said everything may close its half and still wants its answer.
        .half_close(true);
    async move {
        let told = connection.clone();
        let stop = shutdown.clone();
        let service = service_fn(move |request| {
            answer(router.clone(), connection.clone(), stop.clone(), request)
        });
        let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            biased;
            // How a connection fails is the client's business.
            _ = serving.as_mut() => return,
            () = told.shared.evicted.notified() => return,
            () = shutdown.cancelled() => {}
        }
        if tokio::time::timeout(LINGER, serving.as_mut()).await.is_ok() {
            return;
        }
        serving.as_mut().graceful_shutdown();
        loop {
            let straggler = tokio::time::timeout(STRAGGLER_TIMEOUT, serving.as_mut());
            if straggler.await.is_ok() || told.waiting_since().is_some() {
                return;
            }
        }
    }
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// The least that hyper reads into.
const BUFFER_BYTES_MIN: usize = 8192;

async fn answer(
    mut router: Router,
    connection: Connection,
    shutdown: CancellationToken,
    request: Request<Incoming>,
) -> Result<Response, Evicted> {
    let request = if request.body().is_end_stream() {
        if !connection.work() {
            return Err(Evicted);
        }
        request.map(|_| Body::empty())
    } else {
        let arrival = Arrival::new();
        let (mut head, body) = request.into_parts();
        head.extensions.insert(arrival.clone());
        let body = Arriving {
            body,
            arrival,
            connection: connection.clone(),
        };
        Request::from_parts(head, Body::new(body.map_err(axum::Error::new)))
    };
    let Ok(mut response) = router.call(request).await;
    connection.wait();
    if shutdown.is_cancelled() {
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    Ok(response)
}

/// The connection was closed for a newer one; nothing of the request was done.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed for a newer one")]
struct Evicted;
