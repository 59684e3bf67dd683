//! How far the body of a request has come.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use super::connection::{self, Connection};

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
    pub(super) fn new() -> Self {
        Self { state: Arc::new(AtomicU64::new(UNREAD)) }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        match self.state.load(Ordering::Acquire) {
            UNREAD => Progress::Unread,
            READING => Progress::Reading,
            at => Progress::CompleteAt(connection::instant(at)),
        }
    }
}

/// A body that tells when its end has arrived.
pub(super) struct Arriving {
    body: Incoming,
    arrival: Arrival,
    connection: Connection,
}

impl Arriving {
    pub(super) fn new(body: Incoming, arrival: Arrival, connection: Connection) -> Self {
        Self { body, arrival, connection }
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
        let complete = matches!(frame, Poll::Ready(None)) || self.body.is_end_stream();
        let state = if complete { connection::now() } else { READING };
        self.arrival.state.store(state, Ordering::Release);
        if complete {
            self.connection.work();
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
