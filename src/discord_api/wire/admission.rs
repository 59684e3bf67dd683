//! Who wants to join, and what lets them in.

use std::collections::HashMap;

use entity::id::{DiscordUserId, RoleId};
use serde::Deserialize;
use serde_json::Value;

use super::{GARBLED, Number, RawUser, or_default, read};
use crate::discord_api::{Error, JoinRequest, JoinState};

pub(in crate::discord_api) fn role_counts(body: &[u8]) -> Result<HashMap<RoleId, u64>, Error> {
    let raw: HashMap<String, u64> = read(body)?;
    Ok(raw.into_iter().filter_map(|(role, count)| Some((RoleId::new(role.parse().ok()?)?, count))).collect())
}

pub(in crate::discord_api) fn invite_code(body: &[u8]) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct RawInvite {
        code: String,
    }
    read::<RawInvite>(body).map(|invite| invite.code)
}

#[derive(Deserialize)]
struct RawJoinRequest {
    id: Number,
    user_id: Number,
    application_status: String,
    #[serde(default, deserialize_with = "or_default")]
    form_responses: Vec<RawFormResponse>,
    #[serde(default)]
    actioned_by_user: Option<RawUser>,
}

/// An answer is text, a choice by its place in the list, or consent to the rules.
#[derive(Deserialize)]
struct RawFormResponse {
    #[serde(default, deserialize_with = "or_default")]
    label: String,
    #[serde(default, deserialize_with = "or_default")]
    choices: Vec<String>,
    #[serde(default)]
    response: Value,
}

impl RawFormResponse {
    fn words(self) -> (String, String) {
        let choice = |number: &serde_json::Number| {
            let index = usize::try_from(number.as_u64()?).ok()?;
            self.choices.get(index).cloned()
        };
        let answer = match &self.response {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Number(number) => choice(number).unwrap_or_else(|| number.to_string()),
            _ => String::new(),
        };
        (self.label, answer)
    }
}

impl RawJoinRequest {
    fn into_request(self) -> Result<JoinRequest, Error> {
        let state = match self.application_status.as_str() {
            "STARTED" => JoinState::Started,
            "SUBMITTED" => JoinState::Submitted,
            "APPROVED" => JoinState::Approved,
            "REJECTED" => JoinState::Rejected,
            _ => return Err(GARBLED),
        };
        Ok(JoinRequest {
            id: self.id.0,
            user_id: DiscordUserId::new(self.user_id.0).ok_or(GARBLED)?,
            state,
            answers: self.form_responses.into_iter().map(RawFormResponse::words).collect(),
            decided_by: self.actioned_by_user.and_then(|user| DiscordUserId::new(user.id.0)),
        })
    }
}

pub(in crate::discord_api) fn join_request(body: &[u8]) -> Result<JoinRequest, Error> {
    read::<RawJoinRequest>(body)?.into_request()
}

pub(in crate::discord_api) fn join_requests(body: &[u8]) -> Result<Vec<JoinRequest>, Error> {
    #[derive(Deserialize)]
    struct RawList {
        #[serde(default, deserialize_with = "or_default")]
        guild_join_requests: Vec<RawJoinRequest>,
    }
    read::<RawList>(body)?.guild_join_requests.into_iter().map(RawJoinRequest::into_request).collect()
}

impl JoinRequest {
    /// A request as an event of the gateway tells it, which serenity does not know.
    pub fn from_event(body: &[u8]) -> Result<Self, Error> {
        join_request(body)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_join_request_is_read_with_the_words_of_its_answers() {
        let body = json!({
            "id": "5", "user_id": "7", "application_status": "SUBMITTED", "actioned_by_user": null,
            "form_responses": [
                { "field_type": "TEXT_INPUT", "label": "Why?", "response": "To play" },
                { "field_type": "MULTIPLE_CHOICE", "label": "What?", "choices": ["violin", "viola"], "response": 1 },
                { "field_type": "TERMS", "label": "Rules", "values": ["Be kind"], "response": true },
                { "field_type": "PARAGRAPH", "label": "More?", "response": null },
            ],
        });
        let request = join_request(body.to_string().as_bytes()).unwrap();
        assert_eq!((request.id, request.state, request.decided_by), (5, JoinState::Submitted, None));
        let answers: Vec<_> = request.answers.iter().map(|(label, words)| (label.as_str(), words.as_str())).collect();
        assert_eq!(answers, [("Why?", "To play"), ("What?", "viola"), ("Rules", "yes"), ("More?", "")]);
        let list = json!({ "total": 1, "guild_join_requests": [body] });
        assert_eq!(join_requests(list.to_string().as_bytes()).unwrap(), [request]);
        let strange = json!({ "id": "5", "user_id": "7", "application_status": "LOST" });
        assert!(join_request(strange.to_string().as_bytes()).is_err());
    }

    #[test]
    fn members_of_roles_are_counted() {
        let counts = role_counts(br#"{ "8": 3, "9": 0 }"#).unwrap();
        assert_eq!(RoleId::new(8).and_then(|role| counts.get(&role).copied()), Some(3));
    }
}
