//! Numbers that are given in order, without gaps, in the transaction that uses them.

use entity::counter;
use sea_orm::{
    ActiveValue::Set,
    DbErr, EntityTrait, ExprTrait, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use crate::store::WriteTransaction;

/// The changes of keys and users, which every process follows.
pub const AUTH: &str = "auth";

/// The next number. Its row stays locked until the transaction ends, so that numbers commit in their order.
pub(in crate::domain) async fn next(txn: &WriteTransaction, name: &str) -> Result<i64, DbErr> {
    let first = counter::ActiveModel { name: Set(name.to_owned()), value: Set(1) };
    let one_more = Expr::col((counter::Entity, counter::Column::Value)).add(1);
    let row = counter::Entity::insert(first)
        .on_conflict(OnConflict::column(counter::Column::Name).value(counter::Column::Value, one_more).to_owned())
        .exec_with_returning(txn.connection())
        .await?;
    Ok(row.value)
}

/// Holds the counter until the transaction ends, without giving a number: what it counts stays as it is meanwhile.
pub(in crate::domain) async fn hold(txn: &WriteTransaction, name: &str) -> Result<(), DbErr> {
    counter::Entity::find_by_id(name).lock_exclusive().one(txn.connection()).await?;
    Ok(())
}

/// The last number given; 0 before the first.
pub(in crate::domain) async fn last(connection: &impl sea_orm::ConnectionTrait, name: &str) -> Result<i64, DbErr> {
    let row = counter::Entity::find_by_id(name).one(connection).await?;
    Ok(row.map_or(0, |row| row.value))
}
