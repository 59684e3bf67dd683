//! Votes on applications.

use sea_orm::entity::prelude::*;

use crate::id::{ApplicationId, ApplicationVoteId};

/// What a vote says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum VoteChoice {
    /// Yes.
    #[sea_orm(string_value = "approve")]
    Approve,
    /// No.
    #[sea_orm(string_value = "reject")]
    Reject,
    /// Neither, but counted among those who have voted.
    #[sea_orm(string_value = "abstain")]
    Abstain,
    /// Does not take part.
    #[sea_orm(string_value = "recuse")]
    Recuse,
}

/// One vote: a voter has one for each application, which they may change while it is open.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "application_vote")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApplicationVoteId,
    /// The application.
    #[sea_orm(unique_key = "application_vote_voter")]
    pub application_id: ApplicationId,
    /// Who votes: a Discord account, a person of ours, or as a program calls them.
    #[sea_orm(column_type = "Text", unique_key = "application_vote_voter")]
    pub voter: String,
    /// How a program says they are called.
    #[sea_orm(column_type = "Text")]
    pub voter_name: Option<String>,
    /// What it says.
    pub choice: VoteChoice,
    /// For how many it counts.
    pub weight: i32,
    /// A rejection by this voter decides alone.
    pub is_veto: bool,
    /// Why.
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    /// First given.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub changed_at: DateTimeUtc,
    /// The application.
    #[sea_orm(belongs_to, from = "application_id", to = "id")]
    pub application: BelongsTo<super::application::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
