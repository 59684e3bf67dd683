//! Which process runs the gateway and the workers: the one that holds a row and renews it.

use std::time::Duration;

use chrono::TimeDelta;
use entity::lease::{self, Model};
use sea_orm::{EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use super::{Domain, Error};

/// The lease of gateway and workers.
pub const WORKERS: &str = "workers";

/// A new holder's id, one per process start.
pub fn new_holder(domain: &Domain) -> Uuid {
    domain.ids.uuid()
}

/// Takes or renews a lease; false while another process holds it.
pub async fn hold(domain: &Domain, name: &str, holder: Uuid, duration: Duration) -> Result<bool, Error> {
    let now = domain.now();
    let duration = TimeDelta::from_std(duration).unwrap_or(TimeDelta::seconds(15));
    let row = Model { name: name.to_owned(), holder, expires_at: now + duration };
    domain
        .store
        .write((row, now), |txn, (row, now)| {
            Box::pin(async move {
                let free = lease::COLUMN.expires_at.lte(*now).or(lease::COLUMN.holder.eq(row.holder));
                let taken = lease::Entity::insert(row.clone().into_active_model())
                    .on_conflict(
                        OnConflict::column(lease::Column::Name)
                            .update_columns([lease::Column::Holder, lease::Column::ExpiresAt])
                            .action_and_where(free)
                            .to_owned(),
                    )
                    .exec_without_returning(txn.connection())
                    .await?;
                Ok::<_, Error>(taken > 0)
            })
        })
        .await
}

/// Gives a lease back, so that the next process need not wait for its end.
pub async fn release(domain: &Domain, name: &str, holder: Uuid) -> Result<(), Error> {
    domain
        .store
        .write((name.to_owned(), holder), |txn, (name, holder)| {
            Box::pin(async move {
                lease::Entity::delete_many()
                    .filter(lease::COLUMN.name.eq(name.as_str()))
                    .filter(lease::COLUMN.holder.eq(*holder))
                    .exec(txn.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}
