//! One websocket connection.

use std::collections::VecDeque;
use std::io::Write;
use std::time::{Duration, Instant};

use axum::extract::State as Extract;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::Uri;
use axum::response::Response;
use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, FlushCompress};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::session::Next;
use super::{GatewayAction, MAX_UNSENT, Out};
use crate::FakeDiscord;

/// Payloads above this size are compressed for clients that asked for it.
const COMPRESS_ABOVE: usize = 1024;
/// The largest payload a client may send, in bytes, and how many per minute.
const MAX_PAYLOAD: usize = 4096;
const MAX_PER_MINUTE: usize = 120;
/// Close codes after which a session cannot be resumed.
const FATAL: [u16; 11] = [1000, 1001, 4003, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014];

/// Takes a websocket in.
pub(crate) async fn upgrade(Extract(fake): Extract<FakeDiscord>, uri: Uri, upgrade: WebSocketUpgrade) -> Response {
    let stream = uri.query().is_some_and(|query| query.contains("compress=zlib-stream"));
    upgrade.on_upgrade(move |socket| run(fake, socket, stream))
}

/// How payloads are packed on one connection.
enum Packing {
    Plain,
    /// Each large payload by itself.
    PerPayload,
    /// One context over the whole connection.
    Stream(Box<Compress>),
}

impl Packing {
    fn pack(&mut self, text: String) -> Message {
        match self {
            Self::PerPayload if text.len() > COMPRESS_ABOVE => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
                // Writing to memory does not fail; the plain text is right in any case.
                packed.map_or_else(|_| Message::Text(text.into()), |bytes| Message::Binary(bytes.into()))
            }
            Self::Stream(context) => {
                // Room for a payload that does not shrink, and for the flush marker.
                let mut packed = Vec::with_capacity(text.len() + text.len() / 10 + 128);
                drop(context.compress_vec(text.as_bytes(), &mut packed, FlushCompress::Sync));
                Message::Binary(packed.into())
            }
            _ => Message::Text(text.into()),
        }
    }
}

async fn run(fake: FakeDiscord, mut socket: WebSocket, stream: bool) {
    let (sender, mut orders) = mpsc::channel(MAX_UNSENT);
    let (connection, heartbeat) = fake.with(|state| {
        let connection = state.gateway.next_connection;
        state.gateway.next_connection += 1;
        state.gateway.connections.insert(connection, sender);
        state.record_gateway(GatewayAction::Connect);
        (connection, state.gateway.heartbeat)
    });
    let mut packing =
        if stream { Packing::Stream(Box::new(Compress::new(Compression::fast(), true))) } else { Packing::Plain };
    let interval = u64::try_from(heartbeat.as_millis()).unwrap_or(u64::MAX);
    let hello = json!({"op": 10, "d": {"heartbeat_interval": interval, "_trace": []}, "s": null, "t": null});
    let mut code = None;
    if socket.send(packing.pack(hello.to_string())).await.is_ok() {
        code = talk(&fake, connection, &mut socket, &mut orders, &mut packing).await;
    }
    fake.with(|state| {
        state.gateway.connections.remove(&connection);
        let fatal = code.is_some_and(|code| FATAL.contains(&code));
        state.gateway.sessions.retain(|one| !(fatal && one.connection == Some(connection)));
        for session in &mut state.gateway.sessions {
            if session.connection == Some(connection) {
                session.connection = None;
            }
        }
    });
}

/// Talks until one side ends it; returns the close code used.
async fn talk(
    fake: &FakeDiscord,
    connection: u64,
    socket: &mut WebSocket,
    orders: &mut mpsc::Receiver<Out>,
    packing: &mut Packing,
) -> Option<u16> {
    let mut recent = VecDeque::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Out::Send(text)) => {
                    if socket.send(packing.pack(text)).await.is_err() {
                        return None;
                    }
                }
                Some(Out::Close(code)) => {
                    close(socket, code).await;
                    return Some(code);
                }
                Some(Out::Drop) | None => return None,
            },
            message = socket.recv() => {
                let text = match message {
                    Some(Ok(Message::Text(text))) => text.to_string(),
                    Some(Ok(Message::Binary(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map(|frame| frame.code);
                        fake.with(|state| state.record_gateway(GatewayAction::Close(code)));
                        return code;
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return None,
                };
                note_excess(fake, &text, &mut recent);
                let payload: Value = serde_json::from_str(&text).unwrap_or_default();
                match fake.with(|state| state.gateway_payload(connection, &payload)) {
                    Next::Compress if matches!(packing, Packing::Plain) => {
                        *packing = Packing::PerPayload;
                    }
                    Next::Go | Next::Compress => {}
                    Next::Close(code) => {
                        close(socket, code).await;
                        return Some(code);
                    }
                }
            }
        }
    }
}

fn note_excess(fake: &FakeDiscord, text: &str, recent: &mut VecDeque<Instant>) {
    let now = Instant::now();
    while recent.front().is_some_and(|first| now.duration_since(*first) > Duration::from_mins(1)) {
        recent.pop_front();
    }
    recent.push_back(now);
    let size = text.len();
    if size > MAX_PAYLOAD {
        let what = format!("gateway payload of {size} bytes (at most {MAX_PAYLOAD})");
        fake.with(|state| state.journal.violation(what));
    }
    if recent.len() == MAX_PER_MINUTE + 1 {
        let what = format!("more than {MAX_PER_MINUTE} gateway payloads in a minute");
        fake.with(|state| state.journal.violation(what));
    }
}

async fn close(socket: &mut WebSocket, code: u16) {
    let reason = match code {
        4004 => "Authentication failed.",
        4013 => "Invalid intent(s).",
        4014 => "Disallowed intent(s).",
        _ => "",
    };
    let frame = CloseFrame { code, reason: reason.into() };
    // The client may be gone already, which is what closing is for.
    socket.send(Message::Close(Some(frame))).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Decompress, FlushDecompress};

    #[test]
    fn a_stream_unpacks_payload_by_payload() {
        let mut packing = Packing::Stream(Box::new(Compress::new(Compression::fast(), true)));
        let mut reader = Decompress::new(true);
        for text in ["{}".to_owned(), "[1,2,3]".repeat(5000), "{}".to_owned()] {
            let Message::Binary(packed) = packing.pack(text.clone()) else {
                panic!("streams are binary");
            };
            assert!(packed.ends_with(&[0, 0, 0xff, 0xff]), "every payload ends with a flush");
            let mut out = Vec::with_capacity(text.len() + 64);
            let read = reader.decompress_vec(&packed, &mut out, FlushDecompress::Sync);
            read.expect("a valid stream");
            assert_eq!(out, text.as_bytes());
        }
    }
}
