//! Guilds.
use super::{Domain, Error};
use crate::store::WriteTransaction;
use chrono::{DateTime, Utc};
use entity::id::GuildId;
pub async fn ensure(_txn: &WriteTransaction, _guild: GuildId, _now: DateTime<Utc>) -> Result<(), Error> {
    Ok(())
}
pub async fn time_zone(_domain: &Domain, _guild: GuildId) -> Result<chrono_tz::Tz, Error> {
    Ok(chrono_tz::UTC)
}
