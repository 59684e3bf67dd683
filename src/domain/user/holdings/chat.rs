//! What names a Discord account: messages to it, changes that it has yet to confirm, exemptions for it, and the times
//! that it has chosen for its own messages.

use entity::{announcement, direct_message, form_draft, proposal, vanish_exemption, vanish_own};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::{Value, json};

use super::{EXPORT_ROWS_MAX, Person};
use crate::{
    domain::{Error, event::Author, vanish},
    store::WriteTransaction,
};

pub(super) fn export_messages<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = direct_message::Entity::find()
            .filter(direct_message::Column::DiscordUserId.is_in(person.discord.iter().copied()))
            .order_by_desc(direct_message::Column::CreatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: direct_message::Model| {
            json!({
                "id": row.id, "kind": row.kind, "data": row.data, "outcome": row.outcome,
                "settledAt": row.settled_at, "createdAt": row.created_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

/// A message with a secret that the bot has promised to take back stays until it has, and is forgotten a month later.
pub(super) fn erase_messages<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    use direct_message::Column as C;
    async move {
        direct_message::Entity::delete_many()
            .filter(C::DiscordUserId.is_in(person.discord.iter().copied()))
            .filter(C::DeleteAt.is_null())
            .exec(txn.connection())
            .await?;
        Ok(())
    }
    .boxed()
}

/// A guild may have been told that an account takes no messages.
pub(super) fn erase_announcements<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        for account in &person.discord {
            // Digits only: nothing in them means anything to LIKE or to a quote.
            let names = format!(r#"CAST(data AS TEXT) LIKE '%"discord_user_id":"{account}"%'"#);
            announcement::Entity::delete_many().filter(Expr::cust(names)).exec(txn.connection()).await?;
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn export_proposals<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = proposal::Entity::find()
            .filter(proposal::Column::UserId.is_in(person.discord.iter().copied()))
            .order_by_desc(proposal::Column::ExpiresAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: proposal::Model| {
            json!({
                "id": row.id, "guildId": row.guild_id, "kind": row.kind, "data": row.data, "expiresAt": row.expires_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn erase_proposals<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = proposal::Column::UserId.is_in(person.discord.iter().copied());
        proposal::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn export_exemptions<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    use vanish_exemption::Column as C;
    async move {
        let accounts = person.discord.iter().map(|account| account.get().cast_signed());
        let rows = vanish_exemption::Entity::find()
            .filter(C::Kind.eq(vanish_exemption::ExemptionKind::User))
            .filter(C::TargetBits.is_in(accounts))
            .order_by_desc(C::CreatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: vanish_exemption::Model| {
            let channel = (row.channel_bits != 0).then(|| row.channel_bits.cast_unsigned().to_string());
            json!({ "guildId": row.guild_id, "channelId": channel, "createdAt": row.created_at })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn erase_exemptions<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        for account in &person.discord {
            vanish::forget_account(txn, author, *account).await?;
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn export_own_times<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = vanish_own::Entity::find()
            .filter(vanish_own::COLUMN.discord_user_id.is_in(person.discord.iter().copied()))
            .order_by_desc(vanish_own::Column::CreatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: vanish_own::Model| {
            json!({
                "guildId": row.guild_id, "channelId": vanish::OwnTimes::place(&row),
                "afterSeconds": row.after_seconds, "createdAt": row.created_at, "updatedAt": row.updated_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

/// Messages that have their moment already keep it: their rows name nobody.
pub(super) fn erase_own_times<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        for account in &person.discord {
            vanish::forget_own_times(txn, author, (person.id, *account)).await?;
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn export_drafts<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = form_draft::Entity::find()
            .filter(form_draft::COLUMN.discord_user_id.is_in(person.discord.iter().copied()))
            .order_by_desc(form_draft::Column::UpdatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: form_draft::Model| {
            json!({
                "formId": row.form_id, "applicationId": row.application_id, "answers": row.answers,
                "expiresAt": row.expires_at, "createdAt": row.created_at, "updatedAt": row.updated_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn erase_drafts<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = form_draft::Column::DiscordUserId.is_in(person.discord.iter().copied());
        form_draft::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}
