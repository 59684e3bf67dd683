//! One application with all that reviewers see of it.

use std::fmt::Write as _;

use entity::{
    application::ApplicationStatus,
    application_step::StepState,
    application_vote::{self, VoteChoice},
    id::ApplicationId,
};
use serenity::all::ButtonStyle;

use super::{AREA, argument};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        settings::card as look,
        text,
    },
    discord_api::Attachment,
    domain::application::{self, Reasons, Review},
};

/// Characters of an answer, of a vote's reason and of a note that are shown.
const ANSWER_SHOWN: usize = 400;
const REASON_SHOWN: usize = 150;
/// Characters of the answers, of votes and of notes; Discord takes 6000 of a message.
const ANSWERS_MAX: usize = 2_000;
const VOTES_MAX: usize = 1_000;
const NOTES_MAX: usize = 1_000;
/// Most buttons that try a step again.
const RETRIES_MAX: usize = 5;

/// One application: answers, votes, notes, and what follows
#[poise::command(slash_command)]
pub async fn view(
    ctx: Context<'_>,
    #[description = "Its number"]
    #[autocomplete = "argument::complete_any"]
    #[min = 1]
    number: i64,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let row = argument::numbered(data, &asked, number).await?;
        card(data, &asked, row.id).await
    };
    asked.answer(Box::pin(work)).await
}

/// [Details] of a review post.
pub(super) async fn details(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    card(data, asked, press.argument(0)?).await
}

/// The whole of it.
pub(super) async fn card(data: &Data, asked: &Asked, id: ApplicationId) -> Result<Reply, CommandError> {
    let (domain, actor) = (data.app.domain(), asked.actor().await?);
    let review = application::review(domain, &actor, id).await?;
    let row = &review.application;
    let votes = match application::votes(domain, &actor, id).await {
        Ok(votes) => Some(votes),
        Err(error) if error.code() == Some("application.blind") => None,
        Err(error) => return Err(error.into()),
    };
    let own = application::own_vote(domain, &actor, id).await?;
    let notes = application::notes(domain, &actor, id).await?;
    let (sign, word) = application::status_words(row.status);
    let colour = match row.status {
        ApplicationStatus::Approved => look::GREEN,
        ApplicationStatus::Pending => look::BLUE,
        _ => look::AMBER,
    };
    let title = format!("{sign} Application #{} · {word}", row.number);
    let mut reply = Reply::card(look::card(&title, colour, head(&review, own.as_ref())));
    let answers = review.answers.iter().map(|answer| {
        format!("**{}**\n{}", text::escape(&answer.label, 100), text::escape(&answer.answer, ANSWER_SHOWN))
    });
    reply = reply.and_card(look::card("Answers", colour, text::lines(answers, ANSWERS_MAX)));
    let votes = match votes {
        None => "Hidden until the vote ends.".to_owned(),
        Some(votes) if votes.is_empty() => "Nobody has voted.".to_owned(),
        Some(votes) => text::lines(votes.iter().map(vote_line), VOTES_MAX),
    };
    reply = reply.and_card(look::card("Votes", colour, votes));
    if !notes.is_empty() {
        let lines = notes.iter().rev().map(|note| {
            let who = argument::author(&note.author);
            format!("{who} {} · {}", text::relative(note.created_at), text::escape(&note.text, REASON_SHOWN * 2))
        });
        reply = reply.and_card(look::card("Notes", colour, text::lines(lines, NOTES_MAX)));
    }
    Ok(buttons(with_file(reply, &review), &review))
}

fn head(review: &Review, own: Option<&application_vote::Model>) -> String {
    let row = &review.application;
    let mut words = format!("{} · {}", argument::applicant(row), text::relative(row.submitted_at));
    if let (Some(how), Some(at)) = (row.decided_how, row.decided_at) {
        let _ = write!(words, "\nDecided {} · {}", application::how_words(how), text::absolute(at));
    }
    if let Some(reason) = &row.reason {
        let _ = write!(words, "\nReason: {}", text::escape(reason, ANSWER_SHOWN));
    }
    if let Some(at) = row.due_at {
        let _ = write!(words, "\nThe vote ends {}", text::relative(at));
    }
    if row.is_tied {
        words.push_str("\n⚖️ The vote has ended in a tie: decide it.");
    }
    if let Some(own) = own {
        let _ = write!(words, "\nYour vote: **{}**", application::choice_words(own.choice));
    }
    if let (Some(guild), Some(channel), Some(message)) = (row.guild_id, row.review_channel_id, row.review_message_id) {
        let _ = write!(words, "\n[Review post]({})", text::message_link(guild, channel, message));
    }
    if let Some(thread) = row.review_thread_id {
        let _ = write!(words, " · {}", text::channel(thread));
    }
    if let Some(code) = &row.post_code {
        let _ = write!(words, "\n❌ The review post is not up to date: {}", application::code_words(code));
    }
    for step in review.steps.iter().filter(|step| step.decision == row.decision) {
        let _ = write!(words, "\n{}", application::step_line(step));
    }
    words
}

fn vote_line(vote: &application_vote::Model) -> String {
    let who = vote
        .voter
        .parse()
        .map_or_else(|_| text::escape(vote.voter_name.as_deref().unwrap_or("somebody on the web"), 60), text::user);
    let weight = if vote.weight == 1 { String::new() } else { format!(" ×{}", vote.weight) };
    let veto = if vote.is_veto && vote.choice == VoteChoice::Reject { " (veto)" } else { "" };
    let why = vote.reason.as_deref().map(|why| format!(" · {}", text::escape(why, REASON_SHOWN))).unwrap_or_default();
    format!("{who}: **{}**{weight}{veto}{why}", application::choice_words(vote.choice))
}

/// What the card cuts off comes whole as a file.
fn with_file(reply: Reply, review: &Review) -> Reply {
    let total: usize = review.answers.iter().map(|one| one.answer.chars().count() + 100).sum();
    let is_cut =
        review.answers.iter().any(|one| one.answer.chars().count() > ANSWER_SHOWN || one.answer.contains('\n'));
    if total <= ANSWERS_MAX / 2 && !is_cut {
        return reply;
    }
    let whole = review.answers.iter().map(|one| format!("{}\n\n{}\n", one.label, one.answer)).collect::<Vec<_>>();
    reply.file(Attachment {
        filename: format!("application-{}.txt", review.application.number),
        bytes: whole.join("\n---\n\n").into_bytes(),
        description: Some("All answers".to_owned()),
    })
}

fn buttons(reply: Reply, review: &Review) -> Reply {
    let row = &review.application;
    let id = row.id.to_string();
    if row.status == ApplicationStatus::Pending && !row.is_tied {
        let button = |label: &str, word: &str, asks: bool| {
            let verb = if asks { "why" } else { "vote" };
            look::button(label, custom_id(AREA, verb, &[&id, word]))
        };
        let reasons = review.policy.reasons;
        return reply.row(look::row(vec![
            button("Approve", "approve", reasons == Reasons::Always).style(ButtonStyle::Success),
            button("Reject", "reject", reasons != Reasons::None).style(ButtonStyle::Danger),
            button("Abstain", "abstain", false),
            button("Recuse", "recuse", false),
        ]));
    }
    let present = review.steps.iter().filter(|step| step.decision == row.decision && step.state == StepState::Failed);
    let retries: Vec<_> = present
        .take(RETRIES_MAX)
        .enumerate()
        .map(|(at, step)| look::button(&format!("Retry {}", at + 1), custom_id(AREA, "retry", &[&step.id.to_string()])))
        .collect();
    if retries.is_empty() { reply } else { reply.row(look::row(retries)) }
}
