//! How applications and votes are shown.

use entity::{
    application::{ApplicationStatus, DecidedHow, Model},
    application_vote::{self, VoteChoice},
    id::{ApplicationId, ApplicationVoteId, DiscordUserId, FormId, GuildId, UserId},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        Error,
        application::{self, GivenAnswer},
    },
    http::view::Timestamp,
};

/// How a message is shown that there is not.
const UNBOUND: &str = "pending";

/// What was made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ApplicationId,
    /// Its number in the server, or among those of none: given in order, without gaps.
    #[serde(rename = "applicationNumber")]
    number: i64,
}

impl From<Model> for Created {
    fn from(row: Model) -> Self {
        Self { id: row.id, number: row.number }
    }
}

/// One answer, with its question as it was asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Answered {
    /// The question's id; for the built-in form, the name of its field.
    question_id: String,
    /// The question.
    label: String,
    /// The answer.
    answer: String,
}

/// An application. What an application from chat was not asked is empty or null; `answers` has what it was.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Application {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ApplicationId,
    /// Its number in the server, or among those of none.
    #[serde(rename = "applicationNumber")]
    number: i64,
    /// The server; null for one of none.
    #[schema(value_type = Option<String>)]
    guild_id: Option<GuildId>,
    /// The form of a server; null for the built-in one.
    #[schema(value_type = Option<String>, format = "uuid")]
    form_id: Option<FormId>,
    /// Who applies, where they are known here.
    #[schema(value_type = Option<String>, format = "uuid")]
    user_id: Option<UserId>,
    /// Their account in Discord, where it is known.
    #[schema(value_type = Option<String>)]
    discord_id: Option<DiscordUserId>,
    /// A program's message about it; "pending" while there is none.
    message_id: String,
    /// The applicant's wallet.
    wallet_address: String,
    /// What the wallet is called.
    ens_name: Option<String>,
    /// Their name at GitHub.
    github: Option<String>,
    /// Their name at Farcaster.
    farcaster: Option<String>,
    /// Their name at Lens.
    lens: Option<String>,
    /// Their name at Twitter.
    twitter: Option<String>,
    /// What excites them.
    excitement: String,
    /// What moves them.
    motivation: String,
    /// What they signed.
    signature: String,
    /// All that was asked and answered.
    answers: Vec<Answered>,
    /// How it stands: pending, approved, rejected, withdrawn, expired or left.
    #[schema(value_type = String, example = "pending")]
    status: &'static str,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    submitted_at: Timestamp,
    /// When the vote ends; null where it ends with the vote that decides.
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Timestamp>,
    /// When it was decided; null while it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// By what: vote, override, http, deadline, veto, native, leaver or applicant.
    #[schema(value_type = Option<String>, example = "vote")]
    decided_how: Option<&'static str>,
    /// What whoever decided wrote about it.
    reason: Option<String>,
}

impl Application {
    pub(super) fn of(row: Model) -> Result<Self, Error> {
        let answers = application::answers_of(&row)?;
        let field = |name: &str| {
            let found = answers.iter().find(|one| row.form_id.is_none() && one.question_id == name);
            found.map(|one| one.answer.clone())
        };
        Ok(Self {
            id: row.id,
            number: row.number,
            guild_id: row.guild_id,
            form_id: row.form_id,
            user_id: row.user_id,
            discord_id: row.discord_user_id,
            wallet_address: field("walletAddress").unwrap_or_default(),
            ens_name: field("ensName"),
            github: field("github"),
            farcaster: field("farcaster"),
            lens: field("lens"),
            twitter: field("twitter"),
            excitement: field("excitement").unwrap_or_default(),
            motivation: field("motivation").unwrap_or_default(),
            signature: field("signature").unwrap_or_default(),
            message_id: row.message_id.unwrap_or_else(|| UNBOUND.to_owned()),
            answers: answers.into_iter().map(Answered::from).collect(),
            status: status_name(row.status),
            submitted_at: Timestamp(row.submitted_at),
            deadline_at: row.deadline_at.map(Timestamp),
            decided_at: row.decided_at.map(Timestamp),
            decided_how: row.decided_how.map(how_name),
            reason: row.reason,
        })
    }
}

impl From<GivenAnswer> for Answered {
    fn from(given: GivenAnswer) -> Self {
        Self { question_id: given.question_id, label: given.label, answer: given.answer }
    }
}

fn status_name(status: ApplicationStatus) -> &'static str {
    match status {
        ApplicationStatus::Pending => "pending",
        ApplicationStatus::Approved => "approved",
        ApplicationStatus::Rejected => "rejected",
        ApplicationStatus::Withdrawn => "withdrawn",
        ApplicationStatus::Expired => "expired",
        ApplicationStatus::Left => "left",
    }
}

fn how_name(how: DecidedHow) -> &'static str {
    match how {
        DecidedHow::Vote => "vote",
        DecidedHow::Override => "override",
        DecidedHow::Http => "http",
        DecidedHow::Deadline => "deadline",
        DecidedHow::Veto => "veto",
        DecidedHow::Native => "native",
        DecidedHow::Leaver => "leaver",
        DecidedHow::Applicant => "applicant",
    }
}

/// An application after a change.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangedApplication {
    #[serde(flatten)]
    application: Application,
    /// Always true.
    #[schema(example = true)]
    success: bool,
}

impl ChangedApplication {
    pub(super) fn of(row: Model) -> Result<Self, Error> {
        Ok(Self { application: Application::of(row)?, success: true })
    }
}

/// A vote.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vote {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ApplicationVoteId,
    /// The application.
    #[schema(value_type = String, format = "uuid")]
    application_id: ApplicationId,
    /// Who votes, as the program that sent it calls them; else an account in Discord or a person.
    user_id: String,
    /// What they are called.
    user_name: Option<String>,
    /// What it says: approve, reject, abstain or recuse.
    #[schema(value_type = String, example = "approve")]
    #[serde(rename = "voteType")]
    choice: &'static str,
    /// For how many it counts.
    weight: i32,
    /// Why.
    reason: Option<String>,
    /// First given.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<application_vote::Model> for Vote {
    fn from(row: application_vote::Model) -> Self {
        Self {
            id: row.id,
            application_id: row.application_id,
            user_id: row.voter,
            user_name: row.voter_name,
            choice: match row.choice {
                VoteChoice::Approve => "approve",
                VoteChoice::Reject => "reject",
                VoteChoice::Abstain => "abstain",
                VoteChoice::Recuse => "recuse",
            },
            weight: row.weight,
            reason: row.reason,
            created_at: Timestamp(row.created_at),
        }
    }
}

/// A vote that was given.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenVote {
    #[serde(flatten)]
    vote: Vote,
    /// Always true.
    #[schema(example = true)]
    success: bool,
}

impl From<application_vote::Model> for GivenVote {
    fn from(row: application_vote::Model) -> Self {
        Self { vote: row.into(), success: true }
    }
}

/// All votes on an application, the oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Votes {
    /// Those that say yes.
    approvals: Vec<Vote>,
    /// Those that say no.
    rejections: Vec<Vote>,
    /// Those that say neither.
    abstentions: Vec<Vote>,
    /// Those who do not take part.
    recusals: Vec<Vote>,
    /// How many say yes.
    approval_count: usize,
    /// How many say no.
    rejection_count: usize,
}

impl From<Vec<application_vote::Model>> for Votes {
    fn from(rows: Vec<application_vote::Model>) -> Self {
        let of = |choice| {
            let some = rows.iter().filter(move |row| row.choice == choice);
            some.cloned().map(Vote::from).collect::<Vec<_>>()
        };
        let (approvals, rejections) = (of(VoteChoice::Approve), of(VoteChoice::Reject));
        Self {
            approval_count: approvals.len(),
            rejection_count: rejections.len(),
            approvals,
            rejections,
            abstentions: of(VoteChoice::Abstain),
            recusals: of(VoteChoice::Recuse),
        }
    }
}
