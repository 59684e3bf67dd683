//! Pausing, resuming, stopping and annotating the session that runs.

use chrono::TimeDelta;
use entity::{
    id::PracticeSessionId,
    practice_session::{EndReason, Model, SessionState},
};

use super::{
    NOTE_MAX, Person, PracticeRefusal,
    change::{Change, open_session, text},
    observe::{begin_round, end_round},
    person,
};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Whose running session is meant, and whether only a certain one is: a button of an old one touches no newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whose.
    pub person: Person,
    /// Only this one; else whichever runs.
    pub session_id: Option<PracticeSessionId>,
}

impl From<Person> for Target {
    fn from(person: Person) -> Self {
        Self { person, session_id: None }
    }
}

/// What is done to it.
#[derive(Clone, Debug)]
enum Act {
    Stop { note: Option<String> },
    Pause,
    Resume,
    Note(Option<String>),
    Touch,
    Skip,
}

struct Input {
    author: Author,
    ids: IdSource,
    actor: Actor,
    target: Target,
    act: Act,
}

/// Ends the session that runs; a note that comes with it replaces the one that is there.
pub async fn stop(
    domain: &Domain,
    actor: &Actor,
    target: impl Into<Target>,
    note: Option<String>,
) -> Result<Model, Error> {
    let note = text(note, NOTE_MAX, PracticeRefusal::BadNote)?;
    act(domain, actor, target.into(), Act::Stop { note }).await
}

/// Pauses the session that runs.
pub async fn pause(domain: &Domain, actor: &Actor, target: impl Into<Target>) -> Result<Model, Error> {
    act(domain, actor, target.into(), Act::Pause).await
}

/// Lets a paused session count again.
pub async fn resume(domain: &Domain, actor: &Actor, target: impl Into<Target>) -> Result<Model, Error> {
    act(domain, actor, target.into(), Act::Resume).await
}

/// Replaces the note of the session that runs; none takes it away.
pub async fn set_note(
    domain: &Domain,
    actor: &Actor,
    target: impl Into<Target>,
    note: Option<String>,
) -> Result<Model, Error> {
    let note = text(note, NOTE_MAX, PracticeRefusal::BadNote)?;
    act(domain, actor, target.into(), Act::Note(note)).await
}

/// The person is still at it: answers the question whether they are.
pub async fn touch(domain: &Domain, actor: &Actor, target: impl Into<Target>) -> Result<Model, Error> {
    act(domain, actor, target.into(), Act::Touch).await
}

/// Ends the present round before its time, or the present break.
pub async fn skip(domain: &Domain, actor: &Actor, target: impl Into<Target>) -> Result<Model, Error> {
    act(domain, actor, target.into(), Act::Skip).await
}

async fn act(domain: &Domain, actor: &Actor, target: Target, act: Act) -> Result<Model, Error> {
    actor_may_have_some(actor, target.person)?;
    let input =
        Input { author: Author::new(domain, actor), ids: domain.ids.clone(), actor: actor.clone(), target, act };
    domain.store.write(input, |txn, input| Box::pin(act_in(txn, input))).await
}

/// Refuses whoever may touch nobody's session but, at most, their own.
fn actor_may_have_some(actor: &Actor, person: Person) -> Result<(), Error> {
    match (actor, person) {
        (Actor::User(_), _) => Ok(()),
        (_, Person::Discord(account)) if actor.discord_user() == Some(account) => Ok(()),
        _ => actor.require_somewhere(Right::ManagePractice),
    }
}

async fn act_in(txn: &WriteTransaction, input: &Input) -> Result<Model, Error> {
    let Target { person, session_id } = input.target;
    let Some(user) = person.find(txn.connection()).await? else {
        return Err(PracticeRefusal::NoActiveSession.into());
    };
    let found = open_session(txn, user).await?.filter(|row| session_id.is_none_or(|id| id == row.id));
    let guild_id = found.as_ref().and_then(|row| row.guild_id);
    let allowed = person::require_own_or(&input.actor, (person, Some(user)), Right::ManagePractice, guild_id);
    let Some(mut row) = found else {
        return Err(PracticeRefusal::NoActiveSession.into());
    };
    // A session of another guild is not there for whoever may not see it.
    match (&input.actor, allowed) {
        (_, Ok(())) => {}
        (Actor::User(_), Err(error)) => return Err(error),
        (_, Err(_)) => return Err(PracticeRefusal::NoActiveSession.into()),
    }
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let now = change.now();
    match &input.act {
        Act::Stop { note } => {
            if note.is_some() {
                row.note.clone_from(note);
            }
            let end = change.count_on(&mut row).await?;
            change.end(&mut row, end.unwrap_or(EndReason::Stopped)).await?;
        }
        Act::Pause if row.state == SessionState::Paused => return Err(PracticeRefusal::AlreadyPaused.into()),
        Act::Pause => {
            row.touched_at = now;
            row.phase_ends_at = None;
            match change.count_on(&mut row).await? {
                Some(end) => change.end(&mut row, end).await?,
                None => change.pause(&mut row, "person").await?,
            }
        }
        Act::Resume if row.state == SessionState::Open => return Err(PracticeRefusal::NotPaused.into()),
        Act::Resume => {
            row.touched_at = now;
            row.phase_ends_at = row.focus_seconds.map(|focus| now + TimeDelta::seconds(focus));
            change.resume(&mut row, now).await?;
        }
        Act::Note(note) => {
            row.note.clone_from(note);
            row.touched_at = now;
            row.asked_at = None;
            change.save(&mut row).await?;
        }
        Act::Touch => {
            row.touched_at = now;
            row.asked_at = None;
            change.save(&mut row).await?;
        }
        Act::Skip => {
            row.touched_at = now;
            match (row.state, row.phase_ends_at) {
                (SessionState::Open, Some(_)) => end_round(change, &mut row, now).await?,
                (SessionState::Paused, Some(_)) => begin_round(change, &mut row, now).await?,
                _ => return Err(PracticeRefusal::NoRounds.into()),
            }
        }
    }
    Ok(row)
}
