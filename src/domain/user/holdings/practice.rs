//! Practice: sessions, sums, corrections and goals.

use entity::{
    guild_departure,
    id::{GuildId, UserId},
    practice_activity_day, practice_correction, practice_day, practice_goal, practice_session, practice_total,
};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::{Value, json};

use super::{EXPORT_ROWS_MAX, Person};
use crate::{
    domain::{
        Error,
        event::{Author, spelled},
        practice,
    },
    store::WriteTransaction,
};

pub(super) fn move_sessions<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    people: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    practice::people::move_sessions(txn, author, people).boxed()
}

pub(super) fn add_days<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    people: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    practice::people::add_days(txn, people).boxed()
}

pub(super) fn add_activity_days<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    people: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    practice::people::add_activity_days(txn, people).boxed()
}

pub(super) fn forget_departures<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    people: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    practice::people::forget_departures(txn, people).boxed()
}

pub(super) fn add_totals<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    people: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    practice::people::add_totals(txn, people).boxed()
}

pub(super) fn move_corrections<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    people: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    practice::people::move_corrections(txn, people).boxed()
}

pub(super) fn move_goals<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    people: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    practice::people::move_goals(txn, people).boxed()
}

/// The guild of a sum; none for everywhere.
fn guild_of(bits: i64) -> Option<GuildId> {
    GuildId::new(bits.cast_unsigned())
}

pub(super) fn export_sessions<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = practice_session::Entity::find()
            .filter(practice_session::COLUMN.user_id.eq(person.id))
            .order_by_desc(practice_session::COLUMN.started_at)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: practice_session::Model| {
            let view = practice::SessionView::from(row);
            let row = view.row;
            json!({
                "id": row.id, "guildId": row.guild_id, "channelId": row.channel_id, "source": spelled(row.source),
                "state": spelled(row.state), "timeZone": row.time_zone, "startedAt": row.started_at,
                "endedAt": row.ended_at, "seconds": view.seconds, "activity": row.activity, "note": row.note,
                "isPrivate": row.is_private,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn export_days<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = practice_day::Entity::find()
            .filter(practice_day::COLUMN.user_id.eq(person.id))
            .order_by_desc(practice_day::COLUMN.local_date)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: practice_day::Model| {
            json!({
                "date": row.local_date, "guildId": guild_of(row.guild_bits), "seconds": row.seconds,
                "voiceSeconds": row.voice_seconds,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn export_activity_days<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = practice_activity_day::Entity::find()
            .filter(practice_activity_day::COLUMN.user_id.eq(person.id))
            .order_by_desc(practice_activity_day::COLUMN.local_date)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: practice_activity_day::Model| {
            json!({
                "date": row.local_date, "guildId": guild_of(row.guild_bits), "activity": row.activity,
                "seconds": row.seconds, "voiceSeconds": row.voice_seconds,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn export_departures<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = guild_departure::Entity::find()
            .filter(guild_departure::COLUMN.user_id.eq(person.id))
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        Ok(rows.into_iter().map(|row| json!({ "guildId": row.guild_id, "notedAt": row.noted_at })).collect())
    }
    .boxed()
}

pub(super) fn export_corrections<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = practice_correction::Entity::find()
            .filter(practice_correction::COLUMN.user_id.eq(person.id))
            .order_by_desc(practice_correction::COLUMN.created_at)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: practice_correction::Model| {
            json!({
                "id": row.id, "guildId": row.guild_id, "sessionId": row.session_id, "kind": spelled(row.kind),
                "state": spelled(row.state), "deltaSeconds": row.delta_seconds, "activity": row.activity,
                "note": row.note, "reason": row.reason, "createdAt": row.created_at, "decidedAt": row.decided_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn export_goals<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = practice_goal::Entity::find()
            .filter(practice_goal::COLUMN.user_id.eq(person.id))
            .order_by_desc(practice_goal::COLUMN.updated_at)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: practice_goal::Model| {
            json!({
                "guildId": guild_of(row.guild_bits), "period": spelled(row.period), "seconds": row.seconds,
                "updatedAt": row.updated_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

/// Their parts go with them.
pub(super) fn erase_sessions<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = practice_session::COLUMN.user_id.eq(person.id);
        practice_session::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn erase_days<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = practice_day::COLUMN.user_id.eq(person.id);
        practice_day::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn erase_activity_days<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = practice_activity_day::COLUMN.user_id.eq(person.id);
        practice_activity_day::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn erase_departures<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = guild_departure::COLUMN.user_id.eq(person.id);
        guild_departure::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn erase_totals<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = practice_total::COLUMN.user_id.eq(person.id);
        practice_total::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}

/// Their own go. Where they decided about others, their id stands in the place of their account.
pub(super) fn erase_corrections<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = practice_correction::COLUMN.user_id.eq(person.id);
        practice_correction::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        practice_correction::Entity::update_many()
            .col_expr(practice_correction::Column::DecidedBy, Expr::value(Some(person.actor())))
            .filter(practice_correction::Column::DecidedBy.is_in(person.members()))
            .exec(txn.connection())
            .await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn erase_goals<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = practice_goal::COLUMN.user_id.eq(person.id);
        practice_goal::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}
