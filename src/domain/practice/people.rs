//! What becomes of practice when two people turn out to be one.

use entity::{
    guild_departure, id::UserId, practice_activity_day, practice_correction, practice_day, practice_goal,
    practice_session, practice_session::EndReason, practice_total,
};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::{
    change::{Change, open_session},
    ledger::added,
};
use crate::{
    clock::Clock,
    domain::{Error, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Rows of one statement.
const ROWS: usize = 1_000;

/// Gives the sessions of the first person to the second one. If both have one that runs, the first one's ends.
pub(in crate::domain) async fn move_sessions(
    txn: &WriteTransaction,
    author: &Author,
    (source, target): (UserId, UserId),
) -> Result<(), Error> {
    use practice_session::Column as C;
    let running = open_session(txn, source).await?;
    if let Some(mut row) = running
        && open_session(txn, target).await?.is_some()
    {
        // A merge brings no ids along: these are of its own moment.
        let ids = IdSource::random(Clock::frozen(author.at()));
        let change = Change { txn, author, ids: &ids };
        let end = change.count_on(&mut row).await?;
        change.end(&mut row, end.unwrap_or(EndReason::Stopped)).await?;
    }
    practice_session::Entity::update_many()
        .col_expr(C::OpenUserId, Expr::value(Some(target)))
        .filter(practice_session::COLUMN.open_user_id.eq(source))
        .exec(txn.connection())
        .await?;
    practice_session::Entity::update_many()
        .col_expr(C::UserId, Expr::value(target))
        .filter(practice_session::COLUMN.user_id.eq(source))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Adds the days of the first person to those of the second one.
pub(in crate::domain) async fn add_days(
    txn: &WriteTransaction,
    (source, target): (UserId, UserId),
) -> Result<(), Error> {
    use practice_day::Column as C;
    let own = practice_day::COLUMN.user_id.eq(source);
    let mut rows = practice_day::Entity::find().filter(own.clone()).all(txn.connection()).await?;
    for row in &mut rows {
        row.user_id = target;
    }
    for rows in rows.chunks(ROWS) {
        let conflict = OnConflict::columns([C::UserId, C::GuildBits, C::LocalDate])
            .value(C::Seconds, added(C::Seconds))
            .value(C::VoiceSeconds, added(C::VoiceSeconds))
            .to_owned();
        practice_day::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(conflict)
            .exec_without_returning(txn.connection())
            .await?;
    }
    practice_day::Entity::delete_many().filter(own).exec(txn.connection()).await?;
    Ok(())
}

/// Adds the days of the first person's activities to those of the second one.
pub(in crate::domain) async fn add_activity_days(
    txn: &WriteTransaction,
    (source, target): (UserId, UserId),
) -> Result<(), Error> {
    use practice_activity_day::Column as C;
    let own = practice_activity_day::COLUMN.user_id.eq(source);
    let mut rows = practice_activity_day::Entity::find().filter(own.clone()).all(txn.connection()).await?;
    for row in &mut rows {
        row.user_id = target;
    }
    for rows in rows.chunks(ROWS) {
        let conflict = OnConflict::columns([C::UserId, C::GuildBits, C::Activity, C::LocalDate])
            .value(C::Seconds, added(C::Seconds))
            .value(C::VoiceSeconds, added(C::VoiceSeconds))
            .to_owned();
        practice_activity_day::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(conflict)
            .exec_without_returning(txn.connection())
            .await?;
    }
    practice_activity_day::Entity::delete_many().filter(own).exec(txn.connection()).await?;
    Ok(())
}

/// Forgets from where the first person is away: the second one may be there by another account.
pub(in crate::domain) async fn forget_departures(
    txn: &WriteTransaction,
    (source, _): (UserId, UserId),
) -> Result<(), Error> {
    let own = guild_departure::COLUMN.user_id.eq(source);
    guild_departure::Entity::delete_many().filter(own).exec(txn.connection()).await?;
    Ok(())
}

/// Adds the totals of the first person to those of the second one.
pub(in crate::domain) async fn add_totals(
    txn: &WriteTransaction,
    (source, target): (UserId, UserId),
) -> Result<(), Error> {
    use practice_total::Column as C;
    let own = practice_total::COLUMN.user_id.eq(source);
    let mut rows = practice_total::Entity::find().filter(own.clone()).all(txn.connection()).await?;
    for row in &mut rows {
        row.user_id = target;
    }
    for rows in rows.chunks(ROWS) {
        let conflict = OnConflict::columns([C::UserId, C::GuildBits])
            .value(C::Seconds, added(C::Seconds))
            .value(C::VoiceSeconds, added(C::VoiceSeconds))
            .to_owned();
        practice_total::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(conflict)
            .exec_without_returning(txn.connection())
            .await?;
    }
    practice_total::Entity::delete_many().filter(own).exec(txn.connection()).await?;
    Ok(())
}

/// Gives the corrections of the first person to the second one.
pub(in crate::domain) async fn move_corrections(
    txn: &WriteTransaction,
    (source, target): (UserId, UserId),
) -> Result<(), Error> {
    practice_correction::Entity::update_many()
        .col_expr(practice_correction::Column::UserId, Expr::value(target))
        .filter(practice_correction::COLUMN.user_id.eq(source))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Gives the goals of the first person to the second one, where that one has none of the kind.
pub(in crate::domain) async fn move_goals(
    txn: &WriteTransaction,
    (source, target): (UserId, UserId),
) -> Result<(), Error> {
    use practice_goal::Column as C;
    let own = practice_goal::COLUMN.user_id.eq(source);
    let mut rows = practice_goal::Entity::find().filter(own.clone()).all(txn.connection()).await?;
    for row in &mut rows {
        row.user_id = target;
    }
    for rows in rows.chunks(ROWS) {
        practice_goal::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict_do_nothing_on([C::UserId, C::GuildBits, C::Period])
            .exec_without_returning(txn.connection())
            .await?;
    }
    practice_goal::Entity::delete_many().filter(own).exec(txn.connection()).await?;
    Ok(())
}
