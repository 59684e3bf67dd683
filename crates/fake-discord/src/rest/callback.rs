//! The first answer to an interaction.

use serde_json::{Value, json};

use super::request::{ApiError, Problems, Reply, Req, Result};
use crate::BOT_USER_ID;
use crate::interaction::Callback;
use crate::interaction::store::{AUTOCOMPLETE, COMMAND, COMPONENT, FIRST_ANSWER, MODAL};
use crate::model::{FLAG_EPHEMERAL, FLAG_LOADING, FakeMessage};
use crate::rules::{self, items, length};
use crate::state::State;

/// Flags a reply may set: suppress embeds, ephemeral, silent, version 2.
const SETTABLE: u64 = (1 << 2) | FLAG_EPHEMERAL | (1 << 12) | rules::message::FLAG_V2;

pub(super) fn callback(state: &mut State, req: &Req) -> Result<Reply> {
    let id = req.id("interaction_id")?;
    let kind = allowed(state, req, id)?;
    let data = req.body.get("data").cloned().unwrap_or_default();
    check_data(state, req, id, kind, &data)?;
    let one = state.interactions.get_mut(&id).ok_or_else(unknown)?;
    one.callback = Some(Callback { kind, data: data.clone(), after: one.dispatched.elapsed() });
    match kind {
        4 | 5 => answer(state, req, id, kind, &data),
        6 => {
            one.original = one.source;
        }
        7 => {
            one.original = one.source;
            one.answered = one.source;
            update(state, req, id, &data);
        }
        _ => {}
    }
    if req.query_flag("with_response") {
        return Reply::ok(shown(state, id, kind));
    }
    Reply::no_content()
}

fn unknown() -> ApiError {
    ApiError::new(404, 10062, "Unknown interaction")
}

/// Checks that the interaction still takes an answer, and of this type.
fn allowed(state: &mut State, req: &Req, id: u64) -> Result<u8> {
    let token = req.param("interaction_token");
    let one = state.interactions.get(&id).filter(|one| one.token == token);
    let Some(one) = one else {
        return Err(unknown());
    };
    let (name, after, kind) = (one.name.clone(), one.dispatched.elapsed(), one.kind);
    if let Some(first) = &one.callback {
        let what = format!("{name} answered twice (first with type {}): {}", first.kind, req.body);
        state.journal.violation(what);
        return Err(ApiError::new(400, 40060, "Interaction has already been acknowledged."));
    }
    if after > FIRST_ANSWER {
        let what = format!("{name} answered only after {after:?} (at most {FIRST_ANSWER:?})");
        state.journal.violation(what);
        return Err(unknown());
    }
    let has_source = one.source.is_some();
    let wanted = req.body["type"].as_u64().and_then(|one| u8::try_from(one).ok()).unwrap_or(0);
    let fits = match wanted {
        4 | 5 => kind != AUTOCOMPLETE,
        6 | 7 => kind == COMPONENT || (kind == MODAL && (has_source || wanted == 6)),
        8 => kind == AUTOCOMPLETE,
        9 => matches!(kind, COMMAND | COMPONENT),
        _ => false,
    };
    if fits {
        return Ok(wanted);
    }
    let what = format!("{name} (interaction type {kind}) answered with callback type {wanted}");
    state.journal.violation(what);
    Err(ApiError::form("type", "INTERACTION_TYPE_INVALID", "Invalid interaction response type for this interaction."))
}

fn check_data(state: &State, req: &Req, id: u64, kind: u8, data: &Value) -> Result<()> {
    match kind {
        4 => rules::message::check(data, req.files.len(), None),
        7 => {
            let one = &state.interactions[&id];
            let source = one.source.and_then(|source| state.find_message(one.channel, source));
            let source = source.ok_or_else(ApiError::unknown_message)?;
            if data.as_object().is_none_or(serde_json::Map::is_empty) && req.files.is_empty() {
                return Ok(());
            }
            rules::message::check(data, req.files.len(), Some(source))
        }
        8 => check_choices(data),
        9 => rules::modal::check(data),
        _ => Ok(()),
    }
}

fn check_choices(data: &Value) -> Result<()> {
    let mut problems = Problems::default();
    if !data["choices"].is_array() {
        problems.required("data.choices");
    }
    if items(&data["choices"]).count() > 25 {
        problems.too_long("data.choices", 25);
    }
    for (index, one) in items(&data["choices"]).enumerate() {
        let path = format!("data.choices.{index}");
        if !(1..=100).contains(&length(&one["name"])) {
            problems.add(&format!("{path}.name"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.");
        }
        let empty = one["value"].is_null() || one["value"] == "";
        if empty || length(&one["value"]) > 100 {
            problems.add(&format!("{path}.value"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.");
        }
    }
    problems.check()
}

/// Makes the reply, or for a deferral its placeholder.
fn answer(state: &mut State, req: &Req, interaction: u64, kind: u8, data: &Value) {
    let id = state.next_id();
    let one = &state.interactions[&interaction];
    let mut message = FakeMessage::new(id, one.channel, BOT_USER_ID);
    message.kind = match (one.kind, one.command_type) {
        (COMMAND, Some(1)) => 20,
        (COMMAND, _) => 23,
        _ => 0,
    };
    message.interaction_id = Some(interaction);
    let flags = data["flags"].as_u64().unwrap_or(0);
    if kind == 5 {
        message.flags = (flags & FLAG_EPHEMERAL) | FLAG_LOADING;
    } else {
        message.flags = flags & SETTABLE;
        state.write(&mut message, data, &req.files);
        state.note_mentions(&req.method, &req.path, data);
    }
    let (channel, hidden) = (message.channel_id, message.is_ephemeral());
    state.store_message(message);
    if let Some(one) = state.interactions.get_mut(&interaction) {
        one.original = Some(id);
        one.answered = (kind == 4).then_some(id);
    }
    if !hidden {
        state.message_event("MESSAGE_CREATE", channel, id);
    }
}

fn update(state: &mut State, req: &Req, interaction: u64, data: &Value) {
    let one = &state.interactions[&interaction];
    let found = one.source.and_then(|source| state.find_message(one.channel, source));
    if let Some(mut message) = found.cloned() {
        state.amend(&mut message, data, &req.files);
        if rules::message::could_ping(data) {
            state.note_mentions(&req.method, &req.path, data);
        }
        state.replace_message(message);
    }
}

fn shown(state: &State, id: u64, kind: u8) -> Value {
    let one = &state.interactions[&id];
    let message = one.original.and_then(|original| state.find_message(one.channel, original));
    let mut interaction = json!({"id": id.to_string(), "type": one.kind});
    // A deferral shows as the kind of message it will become.
    let mut resource = json!({"type": if kind == 7 { 7 } else { 4 }});
    if let Some(message) = message {
        interaction["response_message_id"] = json!(message.id.to_string());
        interaction["response_message_loading"] = json!(message.is_loading());
        interaction["response_message_ephemeral"] = json!(message.is_ephemeral());
        resource["message"] = state.message_json(message);
    }
    if !matches!(kind, 4 | 5 | 7) {
        return json!({"interaction": interaction});
    }
    json!({"interaction": interaction, "resource": resource})
}
