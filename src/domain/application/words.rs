//! Applications in words that all faces share.

use entity::{
    application::{ApplicationStatus, DecidedHow},
    application_step::{self, StepKind, StepState},
    application_vote::VoteChoice,
};

/// A sign and a word for how an application stands.
pub fn status_words(status: ApplicationStatus) -> (&'static str, &'static str) {
    match status {
        ApplicationStatus::Pending => ("🗳️", "open"),
        ApplicationStatus::Approved => ("✅", "approved"),
        ApplicationStatus::Rejected => ("⛔", "rejected"),
        ApplicationStatus::Withdrawn => ("↩️", "withdrawn"),
        ApplicationStatus::Expired => ("⌛", "expired"),
        ApplicationStatus::Left => ("🚪", "closed, because the applicant left"),
    }
}

/// By what it was decided.
pub fn how_words(how: DecidedHow) -> &'static str {
    match how {
        DecidedHow::Vote => "by vote",
        DecidedHow::Override => "by override",
        DecidedHow::Http => "over the API",
        DecidedHow::Deadline => "at its deadline",
        DecidedHow::Veto => "by veto",
        DecidedHow::Native => "decided natively, in Discord's own list",
        DecidedHow::Leaver => "because the applicant left",
        DecidedHow::Applicant => "by the applicant",
    }
}

/// What a vote says.
pub fn choice_words(choice: VoteChoice) -> &'static str {
    match choice {
        VoteChoice::Approve => "approve",
        VoteChoice::Reject => "reject",
        VoteChoice::Abstain => "abstain",
        VoteChoice::Recuse => "recuse",
    }
}

/// What a step does; a role is named by the way in which Discord shows it.
pub fn step_words(step: &application_step::Model) -> String {
    let role = &step.argument;
    match step.kind {
        StepKind::RoleAdd => format!("Give <@&{role}>"),
        StepKind::RoleRemove => format!("Take <@&{role}>"),
        StepKind::Invite => "Invite the applicant".to_owned(),
        StepKind::NativeRequest => "Answer the join request".to_owned(),
        StepKind::DirectMessage => "Tell the applicant".to_owned(),
        StepKind::ThreadLock => "Lock the thread".to_owned(),
        StepKind::ThreadUnlock => "Open the thread again".to_owned(),
    }
}

/// A step in a line: what it does, how it stands, and why.
pub fn step_line(step: &application_step::Model) -> String {
    let (sign, state) = match step.state {
        StepState::Waiting if step.last_code.is_none() => ("⏳", "waits"),
        StepState::Waiting => ("⏳", "is tried again"),
        StepState::Done => ("✅", "done"),
        StepState::Failed => ("❌", "failed"),
        StepState::Skipped => ("➖", "not needed"),
    };
    let why = step.last_code.as_deref().map(|code| format!(": {}", code_words(code))).unwrap_or_default();
    format!("{sign} {} · {state}{why}", step_words(step))
}

/// Why a step did not happen, or a post is not there, by its code.
pub fn code_words(code: &str) -> String {
    let (name, rest) = code.split_once(':').unwrap_or((code, ""));
    match name {
        "role_order" => format!(
            "that role does not stand below mine, <@&{rest}>: move mine up in the list of roles, and I try again (E-ROLE-ORDER)"
        ),
        "role_gone" => "the role does not exist any more".to_owned(),
        "role_managed" => "an integration hands that role out, and nobody else can".to_owned(),
        "missing_permissions" => "I lack a permission; `/settings doctor` shows which (E-PERM-BOT)".to_owned(),
        "not_member" => "the applicant is not in this server".to_owned(),
        "not_member_yet" => "the applicant has not come in yet".to_owned(),
        "member" => "the applicant is here already".to_owned(),
        "closed" if rest.is_empty() => {
            "they take no direct messages from me; the answer is in their `/my applications`".to_owned()
        }
        "closed" => format!(
            "they take no direct messages from me; their invite, good for nobody else: https://discord.gg/{rest}"
        ),
        "unwanted" => "they want no direct messages; the answer is in their `/my applications`".to_owned(),
        "reopened" => "the application was opened again".to_owned(),
        "no_thread" => "there is no thread".to_owned(),
        "gone" => "it does not exist any more".to_owned(),
        "decided_otherwise" => "somebody else had decided the request already".to_owned(),
        "no_slot" => "the slot `applications` leads to no channel (`/settings slot set`)".to_owned(),
        "unconfirmed" => "the channel of the slot `applications` waits to be confirmed".to_owned(),
        "discord" => "Discord did not take it".to_owned(),
        other => format!("code `{other}`"),
    }
}
