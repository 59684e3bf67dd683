//! Which role of a guild has which right there.

use sea_orm::entity::prelude::*;

use crate::id::{GuildId, RoleId};

/// A right that a guild gives to one of its roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum RoleKind {
    /// Decides applications.
    #[sea_orm(string_value = "reviewer")]
    Reviewer,
    /// Votes on applications.
    #[sea_orm(string_value = "voter")]
    Voter,
    /// Is one of the community.
    #[sea_orm(string_value = "member")]
    Member,
    /// Looks after the currency.
    #[sea_orm(string_value = "treasurer")]
    Treasurer,
    /// Is not counted in voice channels.
    #[sea_orm(string_value = "no-track")]
    NoTrack,
    /// May do within the bot's commands what Manage Server allows.
    #[sea_orm(string_value = "manager")]
    Manager,
}

/// One right of one role.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "guild_role")]
pub struct Model {
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// The right.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: RoleKind,
    /// The role that has it.
    pub role_id: RoleId,
    /// Last set.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
