//! Applicants who leave the guild.

use entity::{
    application::{self, ApplicationStatus, DecidedHow},
    id::{ApplicationId, DiscordUserId, GuildId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{
    OnLeave,
    change::{Change, lock},
    decide::Decision,
    read::policy_of,
};
use crate::{
    domain::{Domain, Error, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most accounts of one call.
const ACCOUNTS_MAX: usize = 100;
/// Most applications of them that are looked at.
const OPEN_MAX: u64 = 500;

struct Input {
    author: Author,
    ids: IdSource,
    id: ApplicationId,
}

/// Accounts are no members of a guild any more: what their policies say becomes of their open applications. Says how
/// many were closed.
pub async fn note_left(domain: &Domain, guild_id: GuildId, accounts: &[DiscordUserId]) -> Result<usize, Error> {
    let open: Vec<ApplicationId> = application::Entity::find()
        .select_only()
        .column(application::Column::Id)
        .filter(application::COLUMN.guild_id.eq(guild_id))
        .filter(application::COLUMN.discord_user_id.is_in(accounts.iter().copied().take(ACCOUNTS_MAX)))
        .filter(application::Column::Status.eq(ApplicationStatus::Pending))
        .limit(OPEN_MAX)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    let mut closed = 0;
    for id in open {
        let input = Input { author: Author::system(domain), ids: domain.ids.clone(), id };
        let is_closed = domain.store.write(input, |txn, input| Box::pin(leave_in(txn, input))).await?;
        closed += usize::from(is_closed);
    }
    Ok(closed)
}

async fn leave_in(txn: &WriteTransaction, input: &Input) -> Result<bool, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let mut row = lock(txn, input.id).await?;
    let policy = policy_of(&row)?;
    let status = match policy.on_leave {
        OnLeave::Nothing => return Ok(false),
        OnLeave::Reject => ApplicationStatus::Rejected,
        OnLeave::Withdraw => ApplicationStatus::Left,
    };
    if row.status != ApplicationStatus::Pending {
        return Ok(false);
    }
    change.decide(&mut row, &policy, Decision { status, how: DecidedHow::Leaver, reason: None }).await?;
    Ok(true)
}
