//! The form as whose applications Discord's own join requests come in.

use sea_orm::entity::prelude::*;

use crate::id::{FormId, GuildId};

/// The link of one guild.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "native_link")]
pub struct Model {
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// The form.
    pub form_id: FormId,
    /// Since when.
    pub linked_at: DateTimeUtc,
    /// The form.
    #[sea_orm(belongs_to, from = "form_id", to = "id")]
    pub form: BelongsTo<super::form::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
