//! A change that was previewed and waits for its author's confirmation.
//!
//! Buttons carry only the proposal's id, so that they survive a restart.

use sea_orm::entity::prelude::*;

use crate::id::{DiscordUserId, GuildId, ProposalId};

/// One proposal. Confirming takes the row away, so that it happens once.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal")]
pub struct Model {
    /// Its id, as the buttons carry it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProposalId,
    /// Where.
    pub guild_id: GuildId,
    /// Who alone may confirm it.
    pub user_id: DiscordUserId,
    /// What it would do, such as `vanish.set`.
    pub kind: String,
    /// The parameters of the change.
    pub data: Json,
    /// After this it can no longer be confirmed.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
