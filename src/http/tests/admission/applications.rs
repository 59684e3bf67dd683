//! The lines of applications in the matrix.

use entity::id::GuildId;
use serde_json::{Value, json};

use super::{HERE, Server};
use crate::domain::{
    application::{self, HttpApplication},
    testing,
};

/// See the table that this one continues.
pub(super) fn sample(operation: &str) -> Option<(&'static str, Option<Value>)> {
    let made = json!({
        "guildId": HERE, "walletAddress": "0x1", "excitement": "much", "motivation": "more", "signature": "0x"
    });
    let vote = json!({"userId": "5", "userName": "Ada", "voteType": "approve"});
    Some(match operation {
        "listApplications" => ("/api/users/applications?guildId=42", None),
        "listPendingApplications" => ("/api/users/applications/pending?guildId=42", None),
        "createApplication" => ("/api/users/applications", Some(made)),
        "getApplicationByMessage" => ("/api/users/applications/by-message/$MESSAGE", None),
        "getApplicationOfMessage" => ("/api/users/applications/message/$MESSAGE", None),
        "getApplicationByNumber" => ("/api/users/applications/by-number/$NUMBER?guildId=42", None),
        "getApplicationOfNumber" => ("/api/users/applications/number/$NUMBER?guildId=42", None),
        "getApplication" | "deleteApplication" => ("/api/users/applications/$APPLICATION", None),
        "changeApplication" => ("/api/users/applications/$APPLICATION", Some(json!({"messageId": "$MESSAGE-2"}))),
        "setApplicationStatus" => ("/api/users/applications/$APPLICATION/status", Some(json!({"status": "approved"}))),
        "castVote" => ("/api/users/applications/$APPLICATION/votes", Some(vote)),
        "voteOnApplication" => ("/api/users/applications/$APPLICATION/vote", Some(vote)),
        "listVotes" => ("/api/users/applications/$APPLICATION/votes", None),
        _ => return None,
    })
}

/// Whether it is about one application, which is not there for whoever may not see it.
pub(super) fn is_about_one(operation: &str) -> bool {
    sample(operation).is_some_and(|(path, _)| path.contains('$'))
}

/// A fresh application of the guild: its id, its message, its number.
pub(super) async fn fresh(server: &Server, cell: usize) -> [(&'static str, String); 3] {
    let new = HttpApplication {
        guild_id: HERE.parse::<GuildId>().ok(),
        message_id: Some(format!("message-{cell}")),
        wallet_address: "0x1".to_owned(),
        ..HttpApplication::default()
    };
    let row = application::create(server.app.domain(), &testing::root(), new).await.expect("an application");
    [
        ("$APPLICATION", row.id.to_string()),
        ("$MESSAGE", row.message_id.expect("it was named")),
        ("$NUMBER", row.number.to_string()),
    ]
}
