//! A rule written by one bare SeaORM statement: no check, no event, no transaction of its own.

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_rule::{self, RuleState, Schedule},
};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, EntityTrait as _, IntoActiveModel as _, sea_query::OnConflict,
};

use crate::rules::Rule;

/// A pool whose connections are all open, and not asked for a sign of life before each use.
pub async fn pool(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .sqlx_logging(false);
    Database::connect(options).await
}

/// Inserts the rule, or changes its age.
pub async fn upsert(database: &DatabaseConnection, rule: Rule) -> anyhow::Result<()> {
    let now: DateTime<Utc> = std::time::UNIX_EPOCH.elapsed().map(|age| DateTime::UNIX_EPOCH + age)?;
    let model = vanish_rule::Model {
        channel_id: ChannelId::new(rule.channel).context("an id is not zero")?,
        guild_id: GuildId::new(rule.guild).context("an id is not zero")?,
        after_seconds: Some(rule.duration),
        keep_last: None,
        schedule: Schedule::Rolling,
        at_minute: None,
        pins: None,
        threads: None,
        state: RuleState::Unconfirmed,
        confirmed_at: None,
        problem: None,
        paused_until: None,
        starts_after: MessageId::new(1).context("an id is not zero")?,
        messages_deleted: 0,
        last_deletion: None,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    let change = OnConflict::column(vanish_rule::Column::ChannelId)
        .update_columns([vanish_rule::Column::AfterSeconds, vanish_rule::Column::UpdatedAt])
        .to_owned();
    vanish_rule::Entity::insert(model.into_active_model()).on_conflict(change).exec_without_returning(database).await?;
    Ok(())
}
