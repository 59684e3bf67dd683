//! The lines of people and their accounts in the matrix.

use entity::identity::Platform;
use serde_json::{Value, json};

use super::Server;
use crate::domain::{
    testing,
    user::{self, NewIdentity},
};

/// See the table that this one continues.
pub(super) fn sample(operation: &str) -> Option<(&'static str, Option<Value>)> {
    let github = json!({"platform": "github", "identity": "n$N"});
    let merge = json!({"sourceUserId": "$OTHER", "targetUserId": "$USER"});
    let fresh = json!({"userId": "$USER", "platform": "github", "identity": "more$N"});
    Some(match operation {
        "listUsers" => ("/api/users", None),
        "createUser" => ("/api/users", Some(json!({"discordId": "8$N"}))),
        "listMembers" => ("/api/users/members", None),
        "getUser" | "deleteUser" => ("/api/users/$USER", None),
        "getUserByDiscord" => ("/api/users/by-discord/$N", None),
        "getUserIdByDiscord" => ("/api/users/id/by-discord/$N", None),
        "getUserIdByEvm" => ("/api/users/id/by-evm/0x0000000000000000000000000000000000$N", None),
        "getUserIdByLens" => ("/api/users/id/by-lens/n$N", None),
        "getUserIdByFarcaster" => ("/api/users/id/by-farcaster/n$N", None),
        "getUserIdByTelegram" => ("/api/users/id/by-telegram/n$N", None),
        "getUserIdByGithub" => ("/api/users/id/by-github/n$N", None),
        "getUserIdOfDiscord" => ("/api/users/id/discord/$N", None),
        "makeUserId" => ("/api/users/id", Some(json!({"platform": "discord", "identity": "9$N"}))),
        "listIdentities" => ("/api/users/identities/$USER", None),
        "lookupUser" => ("/api/users/identities/lookup", Some(json!({"discord": "$N"}))),
        "addIdentity" => ("/api/users/identities", Some(fresh)),
        "removeIdentity" => ("/api/users/identities/$USER/github/n$N", None),
        "connectIdentity" => ("/api/admin/identities/connect", Some(fresh)),
        "disconnectIdentity" => ("/api/admin/identities/disconnect", Some(github)),
        "setPrimaryIdentity" => ("/api/admin/identities/set-primary", Some(github)),
        "mergeUsers" => ("/api/admin/identities/merge-users", Some(merge)),
        "mergeUsersShort" => ("/api/admin/identities/merge", Some(merge)),
        "listOwnIdentities" => ("/api/users/me/identities", None),
        "connectOwnIdentity" => ("/api/users/me/identities/connect", Some(github)),
        "disconnectOwnIdentity" => ("/api/users/me/identities/github/n$N", None),
        "setOwnPrimaryIdentity" => ("/api/users/me/identities/primary", Some(github)),
        "getOwnProfile" => ("/api/users/me/profile", None),
        "changeOwnProfile" => ("/api/users/me/profile", Some(json!({"privacy": "private"}))),
        "exportOwnData" => ("/api/users/me/data", None),
        "eraseOwnData" => ("/api/users/me/data", Some(json!({"confirm": "erase"}))),
        _ => return None,
    })
}

/// Fresh people, the first of whom has an account on every platform that is looked for: their ids, and the accounts'
/// common number.
pub(super) async fn fresh(server: &Server, cell: usize) -> [(&'static str, String); 3] {
    let domain = server.app.domain();
    let number = 100_000 + cell;
    let root = testing::root();
    let account =
        |platform: Platform, identity: String| NewIdentity { platform, identity, is_primary: false, metadata: None };
    let first = account(Platform::Discord, number.to_string());
    let user = user::upsert(domain, &root, first).await.expect("a user").row.id;
    let address = account(Platform::Evm, format!("0x{number:0>40}"));
    user::connect(domain, &root, user, address).await.expect("connected");
    for platform in [Platform::Lens, Platform::Farcaster, Platform::Telegram, Platform::Github] {
        user::connect(domain, &root, user, account(platform, format!("n{number}"))).await.expect("connected");
    }
    let second = account(Platform::Discord, format!("7{number}"));
    let other = user::upsert(domain, &root, second).await.expect("a user").row.id;
    [("$USER", user.to_string()), ("$OTHER", other.to_string()), ("$N", number.to_string())]
}
