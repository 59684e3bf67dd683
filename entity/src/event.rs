//! The event log: one row per change, written in the change's own transaction.

use sea_orm::entity::prelude::*;

use crate::id::GuildId;

/// An event. Append-only: triggers refuse updates of its content and every delete but retention's.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Order of insertion.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Order of commit; readers follow this. Empty for a moment on PostgreSQL.
    #[sea_orm(unique)]
    pub position: Option<i64>,
    /// Dotted name, such as `vanish.rule_set`.
    pub kind: String,
    /// The guild it belongs to.
    pub guild_id: Option<GuildId>,
    /// What changed, such as `vanish/1234`.
    pub subject: String,
    /// Who did it, such as `member:42`, `root` or `system`.
    pub actor: String,
    /// Through which face: `discord`, `http`, `cli` or `worker`.
    pub source: String,
    /// `{"before": …, "after": …}`; refers to rows and never holds secrets or free text of members.
    pub data: Json,
    /// When.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
