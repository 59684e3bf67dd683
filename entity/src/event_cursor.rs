//! How far each reader of the event log has come.

use sea_orm::entity::prelude::*;

/// One reader.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_cursor")]
pub struct Model {
    /// The reader's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Position of the last event it has handled.
    pub position: i64,
}

impl ActiveModelBehavior for ActiveModel {}
