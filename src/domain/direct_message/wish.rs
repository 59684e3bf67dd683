//! Which direct messages people want, and which they get in any case.
//!
//! Invariant: what protects a key cannot be silenced, because whoever took over an account would silence it first.

use entity::{
    id::DiscordUserId,
    identity::{self, Platform},
    user::{self, DirectMessages},
};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

/// Why a person is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It protects a key of theirs.
    Protection,
    /// Something that they asked for was decided.
    Decision,
    /// It reminds them of something that can wait.
    Reminder,
}

impl Purpose {
    /// Whether somebody with this wish is written to for it.
    pub fn is_wanted(self, wish: DirectMessages) -> bool {
        match self {
            Self::Protection => true,
            Self::Decision => wish >= DirectMessages::Decisions,
            Self::Reminder => wish == DirectMessages::All,
        }
    }
}

/// What the person of a Discord account wants; all, where nobody knows them.
pub(super) async fn of_account(
    connection: &impl ConnectionTrait,
    account: DiscordUserId,
) -> Result<DirectMessages, DbErr> {
    let known = identity::Entity::find_by_id((Platform::Discord, account.to_string()))
        .find_also_related(user::Entity)
        .one(connection)
        .await?;
    let wish = known.and_then(|(_, person)| person?.direct_messages);
    Ok(wish.unwrap_or(DirectMessages::All))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_protects_a_key_always_comes() {
        use DirectMessages::{All, Decisions, None};
        let wanted = |purpose: Purpose| [All, Decisions, None].map(|wish| purpose.is_wanted(wish));
        assert_eq!(wanted(Purpose::Protection), [true, true, true]);
        assert_eq!(wanted(Purpose::Decision), [true, true, false]);
        assert_eq!(wanted(Purpose::Reminder), [true, false, false]);
    }
}
