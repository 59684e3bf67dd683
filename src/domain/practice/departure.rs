//! Who has left a guild, and is therefore on none of its boards.
//!
//! Discord tells it only to bots that may see members; elsewhere it is found out for the people of a page that is
//! shown. It is believed for a day, so that who came back unseen is shown again.

use entity::{
    guild_departure::{self, Model},
    id::{DiscordUserId, GuildId, UserId},
    practice_total,
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, sea_query::OnConflict};

use super::{bits, person};
use crate::domain::{Domain, Error};

/// Most people of one call.
const PEOPLE_MAX: usize = 100;

/// Accounts are no members of a guild any more. Who has never practised there is not noted.
pub async fn note_departed(domain: &Domain, guild_id: GuildId, accounts: &[DiscordUserId]) -> Result<(), Error> {
    let reader = domain.store.reader();
    let users = person::of_accounts(reader, accounts.iter().take(PEOPLE_MAX)).await?;
    let known: Vec<UserId> = practice_total::Entity::find()
        .select_only()
        .column(practice_total::Column::UserId)
        .filter(practice_total::COLUMN.user_id.is_in(users))
        .filter(practice_total::COLUMN.guild_bits.eq(bits(Some(guild_id))))
        .into_tuple()
        .all(reader)
        .await?;
    if known.is_empty() {
        return Ok(());
    }
    let noted_at = domain.now();
    let rows: Vec<Model> = known.into_iter().map(|user_id| Model { user_id, guild_id, noted_at }).collect();
    domain
        .store
        .write(rows, |txn, rows| {
            Box::pin(async move {
                use guild_departure::Column as C;
                let rows = rows.iter().cloned().map(IntoActiveModel::into_active_model);
                guild_departure::Entity::insert_many(rows)
                    .on_conflict(OnConflict::columns([C::UserId, C::GuildId]).update_column(C::NotedAt).to_owned())
                    .exec_without_returning(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await
}

/// An account is a member of a guild. Costs a look where nobody thought otherwise.
pub async fn note_present(domain: &Domain, guild_id: GuildId, account: DiscordUserId) -> Result<(), Error> {
    let reader = domain.store.reader();
    let Some(user) = person::of_accounts(reader, std::iter::once(&account)).await?.into_iter().next() else {
        return Ok(());
    };
    if guild_departure::Entity::find_by_id((user, guild_id)).one(reader).await?.is_none() {
        return Ok(());
    }
    domain
        .store
        .write((user, guild_id), |txn, key| {
            Box::pin(async move {
                guild_departure::Entity::delete_by_id(*key).exec(txn.connection()).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(())
}
