//! What a request carries, and the one place where mentions are silenced.
//!
//! Invariant: no message body leaves without `allowed_mentions`.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{error::Error, model::Attachment};

/// Largest sum of attachments in one request, in bytes: Discord's limit for a bot without boosts.
pub const ATTACHMENT_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Longest nonce Discord takes, in characters.
pub const NONCE_CHARACTERS_MAX: usize = 25;
/// Most attachments Discord takes in one message.
const ATTACHMENTS_MAX: usize = 10;

/// The body of a message or an interaction answer: anything `Serialize` (serenity's builders, `json!`), with or
/// without files.
pub struct Payload {
    value: Option<Value>,
    attachments: Vec<Attachment>,
}

impl fmt::Debug for Payload {
    /// A message can hold a secret that is meant for its reader alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").finish_non_exhaustive()
    }
}

impl<T: Serialize> From<T> for Payload {
    fn from(body: T) -> Self {
        Self::new(&body)
    }
}

impl Payload {
    /// Takes the body as it will be sent.
    pub fn new(body: &impl Serialize) -> Self {
        Self { value: serde_json::to_value(body).ok(), attachments: Vec::new() }
    }

    /// Adds a file.
    pub fn attach(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    fn into_object(self) -> Result<(Map<String, Value>, Vec<Attachment>), Error> {
        let Some(Value::Object(object)) = self.value else {
            return Err(Error::Invalid { reason: "the body is not a JSON object" });
        };
        let size: usize = self.attachments.iter().map(|attachment| attachment.bytes.len()).sum();
        if self.attachments.len() > ATTACHMENTS_MAX || size > ATTACHMENT_BYTES_MAX {
            return Err(Error::Invalid { reason: "at most 10 files and 10 MiB go with a message" });
        }
        Ok((object, self.attachments))
    }

    /// A message that is made or edited.
    pub(super) fn into_message(self, nonce: Option<&str>) -> Result<Body, Error> {
        let (mut object, attachments) = self.into_object()?;
        if let Some(nonce) = nonce {
            if nonce.is_empty() || nonce.chars().count() > NONCE_CHARACTERS_MAX {
                return Err(Error::Invalid { reason: "a nonce has 1 to 25 characters" });
            }
            object.insert("nonce".into(), nonce.into());
            object.insert("enforce_nonce".into(), true.into());
        }
        silence(&mut object);
        describe(&mut object, &attachments);
        Body::new(&object, attachments)
    }

    /// A first answer to an interaction, whose message sits in `data`.
    pub(super) fn into_answer(self) -> Result<Body, Error> {
        let (mut object, attachments) = self.into_object()?;
        let has_message = matches!(object.get("type").and_then(Value::as_u64), Some(4 | 7));
        if has_message {
            let data = object.entry("data").or_insert(Value::Null);
            if data.is_null() {
                *data = json!({});
            }
            let Value::Object(data) = data else {
                return Err(Error::Invalid { reason: "the data of an answer is not a JSON object" });
            };
            silence(data);
            describe(data, &attachments);
        } else if !attachments.is_empty() {
            return Err(Error::Invalid { reason: "only an answer that is a message carries files" });
        }
        Body::new(&object, attachments)
    }

    /// A body that is no message.
    pub(super) fn into_plain(self) -> Result<Body, Error> {
        let value = self.value.ok_or(Error::Invalid { reason: "the body cannot be written as JSON" })?;
        Ok(Body::Json(value.to_string().into_bytes()))
    }
}

/// Nothing pings unless the caller named whom.
fn silence(message: &mut Map<String, Value>) {
    let mentions = message.entry("allowed_mentions").or_insert(Value::Null);
    if mentions.is_null() {
        *mentions = json!({ "parse": [] });
    }
}

/// Lists the files; ids are their places in the form. Attachments the caller keeps stay listed.
fn describe(message: &mut Map<String, Value>, attachments: &[Attachment]) {
    if attachments.is_empty() {
        return;
    }
    let listed = attachments.iter().enumerate().map(|(id, attachment)| {
        let mut entry = json!({ "id": id, "filename": attachment.filename });
        if let Some(description) = &attachment.description {
            entry["description"] = description.as_str().into();
        }
        entry
    });
    let entries = message.entry("attachments").or_insert_with(|| json!([]));
    if let Value::Array(entries) = entries {
        entries.extend(listed);
    } else {
        *entries = listed.collect();
    }
}

/// A body ready to be sent, more than once if need be.
pub(super) enum Body {
    /// None at all.
    Empty,
    /// JSON text.
    Json(Vec<u8>),
    /// A form: JSON text and files.
    Form(Vec<u8>, Vec<Attachment>),
}

impl Body {
    fn new(object: &Map<String, Value>, attachments: Vec<Attachment>) -> Result<Self, Error> {
        let json =
            serde_json::to_vec(object).map_err(|_| Error::Invalid { reason: "the body cannot be written as JSON" })?;
        Ok(if attachments.is_empty() { Self::Json(json) } else { Self::Form(json, attachments) })
    }
}

#[cfg(test)]
mod tests {
    use serenity::all::{
        CreateAllowedMentions, CreateInteractionResponse, CreateInteractionResponseMessage, CreateMessage,
    };

    use super::*;

    fn sent(body: Result<Body, Error>) -> Value {
        match body.unwrap() {
            Body::Json(text) | Body::Form(text, _) => serde_json::from_slice(&text).unwrap(),
            Body::Empty => Value::Null,
        }
    }

    #[test]
    fn a_message_pings_nobody_unless_it_says_whom() {
        let quiet = json!({ "parse": [] });
        let plain = Payload::from(CreateMessage::new().content("@everyone"));
        assert_eq!(sent(plain.into_message(None))["allowed_mentions"], quiet);
        let null = Payload::from(json!({ "content": "x", "allowed_mentions": null }));
        assert_eq!(sent(null.into_message(None))["allowed_mentions"], quiet);
        let named = CreateMessage::new().allowed_mentions(CreateAllowedMentions::new().users([7]));
        assert_eq!(sent(Payload::from(named).into_message(None))["allowed_mentions"]["users"], json!(["7"]));
    }

    #[test]
    fn answers_are_silenced_inside_their_data() {
        let message = CreateInteractionResponse::Message(CreateInteractionResponseMessage::new().content("x"));
        let body = sent(Payload::from(&message).into_answer());
        assert_eq!(body["data"]["allowed_mentions"], json!({ "parse": [] }));
        assert!(body.get("allowed_mentions").is_none());
        let update = sent(Payload::from(json!({ "type": 7 })).into_answer());
        assert_eq!(update["data"]["allowed_mentions"], json!({ "parse": [] }));
        let defer = sent(Payload::from(json!({ "type": 5, "data": { "flags": 64 } })).into_answer());
        assert_eq!(defer, json!({ "type": 5, "data": { "flags": 64 } }));
        let choices = sent(Payload::from(json!({ "type": 8, "data": { "choices": [] } })).into_answer());
        assert_eq!(choices["data"], json!({ "choices": [] }));
    }

    #[test]
    fn a_nonce_is_enforced_and_bounded() {
        let body = sent(Payload::from(json!({ "content": "x" })).into_message(Some("abc")));
        assert_eq!((&body["nonce"], &body["enforce_nonce"]), (&json!("abc"), &json!(true)));
        let long = "n".repeat(26);
        assert!(Payload::from(json!({})).into_message(Some(&long)).is_err());
    }

    #[test]
    fn files_are_listed_in_the_message() {
        let file = Attachment { filename: "a.json".into(), bytes: vec![1, 2], description: Some("d".into()) };
        let body = sent(Payload::from(json!({ "type": 4 })).attach(file.clone()).into_answer());
        assert_eq!(body["data"]["attachments"], json!([{ "id": 0, "filename": "a.json", "description": "d" }]));
        assert!(Payload::from(json!({ "type": 5 })).attach(file.clone()).into_answer().is_err());
        let large = Attachment { bytes: vec![0; ATTACHMENT_BYTES_MAX + 1], ..file };
        assert!(Payload::from(json!({})).attach(large).into_message(None).is_err());
        assert!(Payload::from(json!([])).into_message(None).is_err());
    }
}
