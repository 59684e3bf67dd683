//! A review post, as Discord is given it.

use entity::{
    application::{ApplicationStatus, DecidedHow},
    application_step::{StepKind, StepState},
    application_vote::VoteChoice,
    id::ApplicationId,
};
use serde_json::{Value, json};

use crate::{
    discord_api::{self, bounded, escape},
    domain::application::{self, GivenAnswer, Policy, Reasons, Review},
};

/// The area of these buttons' custom ids.
const AREA: &str = "application";
/// Characters of a question and of an answer that the post shows.
const LABEL_SHOWN: usize = 100;
const ANSWER_SHOWN: usize = 300;
/// Characters of all answers on the post, as Discord counts them; it takes 6000 of a message.
const ANSWERS_MAX: usize = 3_000;
/// Most answers on the post; Discord takes 25.
const ANSWERS_SHOWN: usize = 20;
/// Most characters of the text above the answers.
const TEXT_MAX: usize = 2_200;
/// Voters that are named.
const NAMED_MAX: usize = 15;
/// Most buttons that try a step again.
const RETRIES_MAX: usize = 5;
/// Characters of one message.
const MESSAGE_MAX: usize = 2_000;
/// Most messages in which the thread goes on.
const PARTS_MAX: usize = 20;

/// Discord's numbers of button styles.
const SECONDARY: u8 = 2;
const SUCCESS: u8 = 3;
const DANGER: u8 = 4;

/// What a post needs beside the application.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around {
    /// How many members have the one role whose members vote, where that was asked.
    pub(super) voters: Option<u64>,
}

/// The whole message.
pub(super) fn message(review: &Review, around: Around) -> Value {
    let row = &review.application;
    let (sign, word) = application::status_words(row.status);
    let how = row.decided_how.map_or_else(String::new, |how| format!(" {}", application::how_words(how)));
    let embed = json!({
        "title": format!("{sign} Application #{} · {word}{how}", row.number),
        "color": colour(row.status),
        "description": bounded(&text(review, around).join("\n"), TEXT_MAX),
        "fields": fields(&review.answers),
    });
    json!({
        "content": "",
        "embeds": [embed],
        "components": components(review),
        "allowed_mentions": { "parse": [] },
    })
}

fn colour(status: ApplicationStatus) -> u32 {
    match status {
        ApplicationStatus::Pending => 0x0034_98DB,
        ApplicationStatus::Approved => 0x002E_CC71,
        ApplicationStatus::Rejected => 0x00E7_4C3C,
        ApplicationStatus::Withdrawn | ApplicationStatus::Expired | ApplicationStatus::Left => 0x0095_A5A6,
    }
}

fn text(review: &Review, around: Around) -> Vec<String> {
    let row = &review.application;
    let who = row
        .discord_user_id
        .map_or_else(|| "somebody without a Discord account that I know".to_owned(), |account| format!("<@{account}>"));
    let native = if row.native_request_id.is_some() { " asks to join this server" } else { "" };
    let mut lines = vec![format!("**Applicant** {who}{native} · <t:{}:R>", row.submitted_at.timestamp())];
    lines.push(format!("**Votes** {}", votes(review)));
    if row.status == ApplicationStatus::Pending {
        if row.is_tied {
            lines.push("⚖️ The vote has ended in a tie: whoever may decide in spite of votes decides now.".to_owned());
        } else {
            lines.push(format!("**Owe a vote** {}", owing(review, around)));
        }
        if let Some(at) = row.due_at {
            let again = if row.is_extended { ", put off once because of a tie" } else { "" };
            lines.push(format!("**Deadline** <t:{0}:f>, <t:{0}:R>{again}", at.timestamp()));
        }
    } else if let Some(at) = row.decided_at {
        let by = decider(row.decided_by.as_deref(), row.decided_how);
        lines.push(format!("**Decided** <t:{}:f>{by}", at.timestamp()));
        if let Some(reason) = &row.reason {
            lines.push(format!("**Reason** {}", escape(reason, ANSWER_SHOWN)));
        }
    }
    match row.review_thread_id {
        Some(thread) => lines.push(format!("**Thread** <#{thread}>")),
        None if row.review_message_id.is_some() && row.status == ApplicationStatus::Pending => {
            lines.push("❌ No thread: I lack **Create Public Threads** here (E-PERM-BOT)".to_owned());
        }
        None => {}
    }
    let present = review.steps.iter().filter(|step| step.decision == row.decision);
    let steps: Vec<_> = present.map(application::step_line).collect();
    if !steps.is_empty() {
        lines.push(format!("**What follows**\n{}", steps.join("\n")));
    }
    lines
}

/// Whoever decided in spite of votes is named; votes are everybody's.
fn decider(by: Option<&str>, how: Option<DecidedHow>) -> String {
    let account = by.and_then(|by| by.strip_prefix("member:")).filter(|_| how == Some(DecidedHow::Override));
    account.map_or_else(String::new, |account| format!(" by <@{account}>"))
}

fn votes(review: &Review) -> String {
    let of = match review.needed {
        Some(needed) => format!("{} of {needed} needed", review.voted),
        None => format!("{} so far", review.voted),
    };
    match &review.tally {
        None => format!("{of} · hidden until the vote ends"),
        Some(tally) => {
            let veto = if tally.is_vetoed { " · vetoed" } else { "" };
            format!(
                "{of} · ✅ {} · ⛔ {} · ➖ {} abstain · 🙈 {} recused{veto}",
                tally.approve, tally.reject, tally.abstain, tally.recuse
            )
        }
    }
}

fn owing(review: &Review, around: Around) -> String {
    let known = &review.owing.accounts;
    let mut names: Vec<_> = known.iter().take(NAMED_MAX).map(|account| format!("<@{account}>")).collect();
    let counted = around.voters.map(|count| count.saturating_sub(review.voted + known.len() as u64));
    let others = review.owing.others.map(u64::from).or(counted).unwrap_or(0);
    let others = others + known.len().saturating_sub(NAMED_MAX) as u64;
    match others {
        0 => {}
        1 => names.push("1 other".to_owned()),
        _ => names.push(format!("{others} others")),
    }
    if names.is_empty() { "whoever may vote here and has not".to_owned() } else { names.join(", ") }
}

fn fields(answers: &[GivenAnswer]) -> Vec<Value> {
    let (mut fields, mut used) = (Vec::new(), 0);
    for answer in answers {
        let name = escape(&answer.label, LABEL_SHOWN);
        let value = escape(&answer.answer, ANSWER_SHOWN);
        used += name.chars().count() + value.chars().count();
        if used > ANSWERS_MAX || fields.len() == ANSWERS_SHOWN {
            break;
        }
        fields.push(json!({ "name": full(name), "value": full(value), "inline": false }));
    }
    if fields.len() < answers.len() {
        let more = answers.len() - fields.len();
        fields.push(json!({ "name": "…", "value": format!("{more} more: **Details** has them") }));
    }
    fields
}

/// Discord takes no empty text.
fn full(text: String) -> String {
    if text.trim().is_empty() { "—".to_owned() } else { text }
}

/// What of the answers the post cuts off, whole, in messages of the thread.
pub(super) fn continued(answers: &[GivenAnswer]) -> Vec<Value> {
    let shown = fields(answers).len();
    let is_cut = |at: usize, answer: &GivenAnswer| at + 1 >= shown && shown < answers.len() || too_long(answer);
    let mut parts = Vec::new();
    for (_, answer) in answers.iter().enumerate().filter(|(at, answer)| is_cut(*at, answer)) {
        let mut head = format!("**{}**\n", escape(&answer.label, LABEL_SHOWN));
        for piece in pieces(&answer.answer) {
            parts.push(json!({ "content": format!("{head}{piece}"), "allowed_mentions": { "parse": [] } }));
            head = String::new();
        }
    }
    parts.truncate(PARTS_MAX);
    parts
}

fn too_long(answer: &GivenAnswer) -> bool {
    answer.answer.chars().count() > ANSWER_SHOWN
}

/// An answer in pieces, none of which passes what a message takes once it is escaped.
fn pieces(answer: &str) -> Vec<String> {
    // An escape doubles a character at most; the question stands above the first piece.
    const PIECE: usize = (MESSAGE_MAX - 2 * LABEL_SHOWN - 50) / 2;
    let characters: Vec<char> = answer.chars().collect();
    characters.chunks(PIECE).map(|piece| full(escape(&piece.iter().collect::<String>(), PIECE))).collect()
}

fn button(label: &str, style: u8, verb: &str, arguments: &[&str]) -> Value {
    let custom_id = discord_api::custom_id(AREA, verb, arguments);
    json!({ "type": 2, "style": style, "label": bounded(label, 80), "custom_id": custom_id })
}

fn row(components: &[Value]) -> Value {
    json!({ "type": 1, "components": components })
}

fn components(review: &Review) -> Vec<Value> {
    let application = &review.application;
    let id = application.id.to_string();
    let details = button("Details", SECONDARY, "details", &[&id]);
    let mut rows = Vec::new();
    if application.status == ApplicationStatus::Pending {
        let mut buttons = Vec::new();
        if !application.is_tied {
            for (label, style, choice) in [
                ("Approve", SUCCESS, VoteChoice::Approve),
                ("Reject", DANGER, VoteChoice::Reject),
                ("Abstain", SECONDARY, VoteChoice::Abstain),
                ("Recuse", SECONDARY, VoteChoice::Recuse),
            ] {
                buttons.push(button(
                    label,
                    style,
                    verb(&review.policy, choice),
                    &[&id, application::choice_words(choice)],
                ));
            }
        }
        buttons.push(details);
        rows.push(row(&buttons));
        rows.push(row(&[decide_menu(application.id)]));
    } else {
        rows.push(row(&[details]));
    }
    let failed = review.steps.iter().filter(|step| step.decision == application.decision);
    let retries: Vec<_> = failed
        .filter(|step| step.state == StepState::Failed)
        .take(RETRIES_MAX)
        .map(|step| button(&format!("Retry: {}", short(step.kind)), SECONDARY, "retry", &[&step.id.to_string()]))
        .collect();
    if !retries.is_empty() {
        rows.push(row(&retries));
    }
    rows
}

/// A form for the reason must be the first answer, so that the button says whether there is one.
fn verb(policy: &Policy, choice: VoteChoice) -> &'static str {
    match (policy.reasons, choice) {
        (Reasons::Rejection, VoteChoice::Reject) | (Reasons::Always, VoteChoice::Approve | VoteChoice::Reject) => "why",
        _ => "vote",
    }
}

fn decide_menu(id: ApplicationId) -> Value {
    json!({
        "type": 3,
        "custom_id": discord_api::custom_id(AREA, "decide", &[&id.to_string()]),
        "placeholder": "Decide ▾ in spite of votes",
        "options": [
            { "label": "Approve…", "value": "approve" },
            { "label": "Reject…", "value": "reject" },
        ],
    })
}

fn short(kind: StepKind) -> &'static str {
    match kind {
        StepKind::RoleAdd => "give the role",
        StepKind::RoleRemove => "take the role",
        StepKind::Invite => "invite",
        StepKind::NativeRequest => "join request",
        StepKind::DirectMessage => "direct message",
        StepKind::ThreadLock => "lock the thread",
        StepKind::ThreadUnlock => "open the thread",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(label: &str, length: usize) -> GivenAnswer {
        GivenAnswer { question_id: "1".to_owned(), label: label.to_owned(), answer: "*".repeat(length) }
    }

    #[test]
    fn long_answers_fit_and_go_on_in_the_thread() {
        let answers: Vec<_> = (0..100).map(|n| answer(&format!("Question {n}"), 10_000)).collect();
        let shown = fields(&answers);
        let characters = |text: &Value| text.as_str().unwrap().chars().count();
        assert!(shown.len() <= 25);
        assert!(shown.iter().map(|one| characters(&one["name"]) + characters(&one["value"])).sum::<usize>() < 3_100);
        assert!(shown.last().unwrap()["value"].as_str().unwrap().contains("more"));
        let parts = continued(&answers);
        assert_eq!(parts.len(), PARTS_MAX);
        assert!(parts.iter().all(|part| characters(&part["content"]) <= MESSAGE_MAX));
        assert!(continued(&[answer("Short", 20), answer("Empty", 0)]).is_empty());
    }
}
