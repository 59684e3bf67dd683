//! `/forms policy`: who may apply, and how applications are decided.

mod read;
mod words;

use super::{argument, show};
use crate::{
    discord::{Asked, CommandError, Context, practice_admin::argument::seconds},
    domain::{
        application::{Invite, OnLeave, Reasons, Tie},
        form::{self, EligibilityChange, FormChange, PolicyChange},
    },
};

pub(super) use words::words;

/// What a tie means.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum TieChoice {
    /// No.
    #[name = "reject"]
    Reject,
    /// More time, once.
    #[name = "extend"]
    Extend,
    /// Somebody decides.
    #[name = "owner"]
    Owner,
}

/// Which votes need a reason.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum ReasonsChoice {
    /// None.
    #[name = "none"]
    None,
    /// A no.
    #[name = "rejection"]
    Rejection,
    /// Yes and no.
    #[name = "always"]
    Always,
}

/// What becomes of the application of somebody who leaves.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum LeaveChoice {
    /// Nothing.
    #[name = "nothing"]
    Nothing,
    /// It is turned down.
    #[name = "reject"]
    Reject,
    /// It counts as taken back.
    #[name = "withdraw"]
    Withdraw,
}

/// Whether who is not here receives an invite.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum InviteChoice {
    /// No.
    #[name = "none"]
    None,
    /// One for them only.
    #[name = "targeted"]
    Targeted,
}

/// Who may apply with a form, and how it is decided; what you leave out stays
#[poise::command(slash_command)]
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
pub async fn policy(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
    #[description = "How many must vote: 3, or 50% @Members"]
    #[max_length = 40]
    quorum: Option<String>,
    #[description = "How many must say yes: majority, 2/3, unanimous, or a number"]
    #[max_length = 20]
    threshold: Option<String>,
    #[description = "What a tie means"] tie: Option<TieChoice>,
    #[description = "How long the vote lasts, such as 3d; off ends with the deciding vote"]
    #[max_length = 32]
    deadline: Option<String>,
    #[description = "End the vote as soon as it is decided"] early_close: Option<bool>,
    #[description = "Hide the counts until it is decided"] blind: Option<bool>,
    #[description = "Which votes need a reason"] reasons: Option<ReasonsChoice>,
    #[description = "Roles and members who vote; none for the server's voters"]
    #[max_length = 3000]
    voters: Option<String>,
    #[description = "Roles that may decide in spite of votes, or none"]
    #[max_length = 700]
    override_roles: Option<String>,
    #[description = "The role whose no decides alone, or none"]
    #[max_length = 40]
    veto_role: Option<String>,
    #[description = "Votes that count more: @Elders=3 @Members=1, or none"]
    #[max_length = 900]
    weights: Option<String>,
    #[description = "When the applicant leaves the server"] on_leave: Option<LeaveChoice>,
    #[description = "How many the form accepts in all; 0 is no limit"]
    #[min = 0]
    #[max = 1_000_000]
    accept_limit: Option<u32>,
    #[description = "Roles that who is accepted receives, or none"]
    #[max_length = 700]
    roles_add: Option<String>,
    #[description = "Roles that who is accepted loses, or none"]
    #[max_length = 700]
    roles_remove: Option<String>,
    #[description = "An invite for who is accepted and not here"] invite: Option<InviteChoice>,
    #[description = "Roles that applicants must have, all of them, or none"]
    #[max_length = 700]
    required_roles: Option<String>,
    #[description = "Roles that applicants must not have, or none"]
    #[max_length = 700]
    blocked_roles: Option<String>,
    #[description = "Least age of the account, such as 30d, or off"]
    #[max_length = 32]
    min_account_age: Option<String>,
    #[description = "Least time in the server, such as 7d, or off"]
    #[max_length = 32]
    min_joined: Option<String>,
    #[description = "Wait after a rejection, up to 365d, or off"]
    #[max_length = 32]
    cooldown: Option<String>,
    #[description = "Open applications at once"]
    #[min = 1]
    #[max = 5]
    max_open: Option<i64>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, form) = argument::named(data, &asked, &form).await?;
        let list = |typed: Option<String>| typed.as_deref().map(argument::roles).transpose();
        let ordered =
            |typed: Option<String>| Ok::<_, CommandError>(list(typed)?.map(|roles| roles.into_iter().collect()));
        let length = |typed: Option<String>| typed.as_deref().map(seconds).transpose();
        let policy = PolicyChange {
            quorum: quorum.as_deref().map(read::quorum).transpose()?,
            threshold: threshold.as_deref().map(read::threshold).transpose()?,
            tie: tie.map(Tie::from),
            deadline_hours: deadline.as_deref().map(read::hours).transpose()?,
            early_close,
            blind,
            reasons: reasons.map(Reasons::from),
            voters: voters.as_deref().map(read::voters).transpose()?,
            override_roles: ordered(override_roles)?,
            veto_role: list(veto_role)?.map(|roles| read::one(&roles)).transpose()?,
            weights: weights.as_deref().map(read::weights).transpose()?,
            on_leave: on_leave.map(OnLeave::from),
            accept_limit: accept_limit.map(|limit| Some(limit).filter(|limit| *limit > 0)),
            roles_add: ordered(roles_add)?,
            roles_remove: ordered(roles_remove)?,
            invite: invite.map(Invite::from),
        };
        let eligibility = EligibilityChange {
            required_roles: list(required_roles)?,
            blocked_roles: list(blocked_roles)?,
            account_age_seconds: length(min_account_age)?,
            membership_seconds: length(min_joined)?,
            cooldown_seconds: length(cooldown)?,
            open_max: max_open,
        };
        let change = FormChange::Rules { policy: Box::new(policy), eligibility };
        let form = form::change_form(data.app.domain(), &actor, (form.guild_id, form.id), change).await?;
        let said = "✅ Saved. Applications that were sent already keep the rules that held then.";
        show::reply(data, &asked, &form, said).await
    };
    asked.answer(Box::pin(work)).await
}

impl From<TieChoice> for Tie {
    fn from(tie: TieChoice) -> Self {
        match tie {
            TieChoice::Reject => Self::Reject,
            TieChoice::Extend => Self::Extend,
            TieChoice::Owner => Self::Owner,
        }
    }
}

impl From<ReasonsChoice> for Reasons {
    fn from(reasons: ReasonsChoice) -> Self {
        match reasons {
            ReasonsChoice::None => Self::None,
            ReasonsChoice::Rejection => Self::Rejection,
            ReasonsChoice::Always => Self::Always,
        }
    }
}

impl From<LeaveChoice> for OnLeave {
    fn from(leave: LeaveChoice) -> Self {
        match leave {
            LeaveChoice::Nothing => Self::Nothing,
            LeaveChoice::Reject => Self::Reject,
            LeaveChoice::Withdraw => Self::Withdraw,
        }
    }
}

impl From<InviteChoice> for Invite {
    fn from(invite: InviteChoice) -> Self {
        match invite {
            InviteChoice::None => Self::None,
            InviteChoice::Targeted => Self::Targeted,
        }
    }
}
