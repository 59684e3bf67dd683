//! Applications: what somebody asks for, and how it was decided.

use sea_orm::entity::prelude::*;

use crate::id::{ApplicationId, ChannelId, DiscordUserId, FormId, GuildId, MessageId, UserId};

/// How an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ApplicationStatus {
    /// It waits for a decision.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// It was accepted.
    #[sea_orm(string_value = "approved")]
    Approved,
    /// It was turned down.
    #[sea_orm(string_value = "rejected")]
    Rejected,
    /// The applicant took it back.
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
    /// Too few had voted at its deadline.
    #[sea_orm(string_value = "expired")]
    Expired,
    /// The applicant left the guild.
    #[sea_orm(string_value = "left")]
    Left,
}

/// By what an application was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum DecidedHow {
    /// By the vote that met the policy.
    #[sea_orm(string_value = "vote")]
    Vote,
    /// By a member who may decide in spite of the vote.
    #[sea_orm(string_value = "override")]
    Override,
    /// By a program.
    #[sea_orm(string_value = "http")]
    Http,
    /// By the votes that were there at the deadline.
    #[sea_orm(string_value = "deadline")]
    Deadline,
    /// By one vote that nothing outweighs.
    #[sea_orm(string_value = "veto")]
    Veto,
    /// In Discord's own list of join requests.
    #[sea_orm(string_value = "native")]
    Native,
    /// Because the applicant left.
    #[sea_orm(string_value = "leaver")]
    Leaver,
    /// By the applicant.
    #[sea_orm(string_value = "applicant")]
    Applicant,
}

/// One application.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "application")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApplicationId,
    /// The guild; none for one that was made by a program of no guild.
    #[sea_orm(unique_key = "application_number")]
    pub guild_id: Option<GuildId>,
    /// Its number in the guild, or among those of none: given in order, without gaps.
    #[sea_orm(unique_key = "application_number")]
    pub number: i64,
    /// The form; none for the built-in one of programs.
    pub form_id: Option<FormId>,
    /// Who applies, where they are known to us.
    pub user_id: Option<UserId>,
    /// Who applies, where it was in Discord.
    pub discord_user_id: Option<DiscordUserId>,
    /// The message that a program has bound to it: never one of ours.
    #[sea_orm(column_type = "Text")]
    pub message_id: Option<String>,
    /// Discord's join request that it mirrors.
    #[sea_orm(column_type = "Text", unique)]
    pub native_request_id: Option<String>,
    /// What was asked and answered.
    pub answers: Json,
    /// The policy, as it was when the application came.
    pub policy: Json,
    /// How it stands.
    pub status: ApplicationStatus,
    /// When it came.
    pub submitted_at: DateTimeUtc,
    /// When the vote ends.
    pub deadline_at: Option<DateTimeUtc>,
    /// The deadline was put off once, because of a tie.
    pub is_extended: bool,
    /// The vote ended in a tie, and whoever may decide in spite of votes has to.
    pub waits_for_owner: bool,
    /// When its deadline is looked at next; none where nothing is to be done.
    pub due_at: Option<DateTimeUtc>,
    /// How many may vote, as last counted.
    pub voters_count: Option<i32>,
    /// How many times it was decided.
    pub decision: i32,
    /// When it was decided last.
    pub decided_at: Option<DateTimeUtc>,
    /// By whom, as the event log names them.
    #[sea_orm(column_type = "Text")]
    pub decided_by: Option<String>,
    /// By what.
    pub decided_how: Option<DecidedHow>,
    /// What whoever decided wrote about it.
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    /// When those who owe a vote were reminded last.
    pub reminded_at: Option<DateTimeUtc>,
    /// Where our review post is.
    pub review_channel_id: Option<ChannelId>,
    /// Our review post.
    pub review_message_id: Option<MessageId>,
    /// The thread below it.
    pub review_thread_id: Option<ChannelId>,
    /// Grows with each change that the post shows.
    pub revision: i32,
    /// The revision that the post shows.
    pub posted_revision: i32,
    /// When to post or edit next; none when the post shows everything, or is given up.
    pub post_due_at: Option<DateTimeUtc>,
    /// A worker holds the post until then.
    pub post_leased_until: Option<DateTimeUtc>,
    /// Tries of the present revision.
    pub post_attempts: i32,
    /// The last error's code.
    #[sea_orm(column_type = "Text")]
    pub post_code: Option<String>,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// Who has voted how.
    #[sea_orm(has_many)]
    pub votes: HasMany<super::application_vote::Entity>,
    /// What follows its decisions.
    #[sea_orm(has_many)]
    pub steps: HasMany<super::application_step::Entity>,
    /// What reviewers wrote about it.
    #[sea_orm(has_many)]
    pub notes: HasMany<super::application_note::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
