//! Who may not apply in a guild.

use chrono::{DateTime, Utc};
use entity::{
    application_block::{self, Model},
    id::{DiscordUserId, GuildId},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use serde_json::{Value, json};

use super::{ApplicationRefusal, PAGE_MAX, REASON_MAX, text};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author, guild, vanish::PageRequest},
    store::WriteTransaction,
};

/// Somebody who is to be blocked.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where.
    pub guild_id: GuildId,
    /// Who.
    pub discord_user_id: DiscordUserId,
    /// Until when; none for good.
    pub until: Option<DateTime<Utc>>,
    /// Why.
    pub reason: Option<String>,
}

struct Input {
    author: Author,
    block: Block,
}

/// Lets somebody make no more applications in a guild; who is blocked already is blocked anew.
pub async fn block(domain: &Domain, actor: &Actor, block: Block) -> Result<Model, Error> {
    actor.require(Right::WriteApplications, Some(block.guild_id))?;
    let reason = text(block.reason.as_deref(), REASON_MAX, ApplicationRefusal::BadReason)?;
    if block.until.is_some_and(|until| until <= domain.now()) {
        return Err(ApplicationRefusal::BadBlock.into());
    }
    let input = Input { author: Author::new(domain, actor), block: Block { reason, ..block } };
    domain.store.write(input, |txn, input| Box::pin(block_in(txn, input))).await
}

async fn block_in(txn: &WriteTransaction, Input { author, block }: &Input) -> Result<Model, Error> {
    use application_block::Column as C;
    guild::ensure(txn, block.guild_id, author.at()).await?;
    let row = Model {
        guild_id: block.guild_id,
        discord_user_id: block.discord_user_id,
        until: block.until,
        reason: block.reason.clone(),
        blocked_by: author.actor().to_owned(),
        created_at: author.at(),
    };
    let anew = OnConflict::columns([C::GuildId, C::DiscordUserId])
        .update_columns([C::Until, C::Reason, C::BlockedBy, C::CreatedAt])
        .to_owned();
    let insert = application_block::Entity::insert(row.clone().into_active_model()).on_conflict(anew);
    insert.exec_without_returning(txn.connection()).await?;
    let after = json!({ "discord_user_id": row.discord_user_id, "until": row.until });
    tell(txn, author, row.guild_id, "application.blocked", (Value::Null, after)).await?;
    Ok(row)
}

async fn tell(
    txn: &WriteTransaction,
    author: &Author,
    guild_id: GuildId,
    kind: &'static str,
    change: (Value, Value),
) -> Result<(), Error> {
    Ok(txn.append_event(author.event(kind, guild_id, format!("guild/{guild_id}"), change)).await?)
}

/// Lets somebody apply again.
pub async fn unblock(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    discord_user_id: DiscordUserId,
) -> Result<(), Error> {
    actor.require(Right::WriteApplications, Some(guild_id))?;
    let input = (Author::new(domain, actor), guild_id, discord_user_id);
    domain
        .store
        .write(input, |txn, (author, guild_id, account)| {
            Box::pin(async move {
                let gone =
                    application_block::Entity::delete_by_id((*guild_id, *account)).exec(txn.connection()).await?;
                if gone.rows_affected == 0 {
                    return Err(ApplicationRefusal::NotBlocked.into());
                }
                let before = json!({ "discord_user_id": account });
                tell(txn, author, *guild_id, "application.unblocked", (before, Value::Null)).await
            })
        })
        .await
}

/// Who may not apply in a guild at the moment, the newest first; and whether there are more.
pub async fn blocks(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    page: PageRequest,
) -> Result<(Vec<Model>, bool), Error> {
    actor.require(Right::ReadApplications, Some(guild_id))?;
    let limit = page.limit.clamp(1, PAGE_MAX);
    let holds = Condition::any()
        .add(application_block::COLUMN.until.is_null())
        .add(application_block::COLUMN.until.gt(domain.now()));
    let mut rows = application_block::Entity::find()
        .filter(application_block::COLUMN.guild_id.eq(guild_id))
        .filter(holds)
        .order_by_desc(application_block::COLUMN.created_at)
        .order_by_asc(application_block::COLUMN.discord_user_id)
        .offset(page.offset)
        .limit(limit + 1)
        .all(domain.store.reader())
        .await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((rows, more))
}
