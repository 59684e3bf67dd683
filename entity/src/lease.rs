//! Which process may run the gateway and the workers.

use sea_orm::entity::prelude::*;

/// One lease; whoever holds it renews it before it ends.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    /// What is leased.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The process that holds it.
    pub holder: Uuid,
    /// End of the lease unless it is renewed.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
