//! Making, changing and removing forms.

use std::collections::BTreeSet;

use entity::{
    form::FormState,
    form_question::QuestionKind,
    id::{FormId, FormQuestionId, GuildId, RoleId},
};

use super::{Eligibility, FormConfig, FormRefusal, FormView, PolicyChange, Question, read, row};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author, guild},
    id_source::IdSource,
    store::WriteTransaction,
};

/// One change of a form; what is left out stays.
#[derive(Clone, Debug)]
pub enum FormChange {
    /// Its texts.
    Texts {
        /// Another name.
        name: Option<String>,
        /// Another title.
        title: Option<String>,
        /// Another introduction.
        intro: Option<String>,
    },
    /// Whether it takes applications.
    State(FormState),
    /// One question more.
    AddQuestion {
        /// The question.
        question: Question,
        /// Its place, from 1; the last one unless it is given.
        place: Option<usize>,
    },
    /// Another form of a question.
    EditQuestion {
        /// Which one.
        id: FormQuestionId,
        /// What is different.
        change: QuestionChange,
    },
    /// Another place for a question.
    MoveQuestion {
        /// Which one.
        id: FormQuestionId,
        /// Its place, from 1.
        place: usize,
    },
    /// One question less.
    RemoveQuestion {
        /// Which one.
        id: FormQuestionId,
    },
    /// How its applications are decided, and who may apply.
    Rules {
        /// What is decided how.
        policy: Box<PolicyChange>,
        /// Who may apply.
        eligibility: EligibilityChange,
    },
}

/// What to change about a question.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of Question")]
pub struct QuestionChange {
    pub label: Option<String>,
    pub kind: Option<QuestionKind>,
    pub placeholder: Option<String>,
    pub choices: Option<Vec<String>>,
    pub is_required: Option<bool>,
    pub min_length: Option<i32>,
    pub max_length: Option<i32>,
}

/// Another list of roles.
pub type RoleChange = Option<BTreeSet<RoleId>>;

/// What to change about who may apply.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of Eligibility")]
pub struct EligibilityChange {
    pub required_roles: RoleChange,
    pub blocked_roles: RoleChange,
    pub account_age_seconds: Option<i64>,
    pub membership_seconds: Option<i64>,
    pub cooldown_seconds: Option<i64>,
    pub open_max: Option<i64>,
}

impl FormChange {
    /// The form with the change; bounds are looked at when it is written.
    pub(super) fn apply(self, mut config: FormConfig) -> Result<FormConfig, FormRefusal> {
        match self {
            Self::Texts { name, title, intro } => {
                replace(&mut config.name, name);
                replace(&mut config.title, title);
                replace(&mut config.intro, intro);
            }
            Self::State(state) => config.state = state,
            Self::AddQuestion { question, place } => {
                let count = config.questions.len();
                let index = place.map_or(Ok(count), |place| index(place, count + 1))?;
                config.questions.insert(index, question);
            }
            Self::EditQuestion { id, change } => {
                let found = config.questions.iter_mut().find(|question| question.id == id);
                change.apply(found.ok_or(FormRefusal::NoQuestion)?);
            }
            Self::MoveQuestion { id, place } => {
                let to = index(place, config.questions.len())?;
                let question = taken(&mut config, id)?;
                config.questions.insert(to, question);
            }
            Self::RemoveQuestion { id } => drop(taken(&mut config, id)?),
            Self::Rules { policy, eligibility } => {
                config.policy = policy.apply(config.policy);
                config.eligibility = eligibility.apply(config.eligibility);
            }
        }
        Ok(config)
    }
}

/// The index of a place from 1.
fn index(place: usize, count: usize) -> Result<usize, FormRefusal> {
    place.checked_sub(1).filter(|index| *index < count).ok_or(FormRefusal::NoPlace { count })
}

fn taken(config: &mut FormConfig, id: FormQuestionId) -> Result<Question, FormRefusal> {
    let at = config.questions.iter().position(|question| question.id == id);
    Ok(config.questions.remove(at.ok_or(FormRefusal::NoQuestion)?))
}

pub(super) fn replace<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}

impl QuestionChange {
    fn apply(self, question: &mut Question) {
        replace(&mut question.label, self.label);
        replace(&mut question.kind, self.kind);
        replace(&mut question.placeholder, self.placeholder);
        replace(&mut question.choices, self.choices);
        replace(&mut question.is_required, self.is_required);
        replace(&mut question.min_length, self.min_length);
        replace(&mut question.max_length, self.max_length);
    }
}

impl EligibilityChange {
    fn apply(self, mut eligibility: Eligibility) -> Eligibility {
        replace(&mut eligibility.required_roles, self.required_roles);
        replace(&mut eligibility.blocked_roles, self.blocked_roles);
        replace(&mut eligibility.account_age_seconds, self.account_age_seconds);
        replace(&mut eligibility.membership_seconds, self.membership_seconds);
        replace(&mut eligibility.cooldown_seconds, self.cooldown_seconds);
        replace(&mut eligibility.open_max, self.open_max);
        eligibility
    }
}

struct Create {
    author: Author,
    ids: IdSource,
    guild_id: GuildId,
    id: FormId,
    config: FormConfig,
}

/// Makes a form.
pub async fn create_form(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    config: FormConfig,
) -> Result<FormView, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let id = FormId(domain.ids.uuid());
    let author = Author::new(domain, actor);
    let input = Create { author, ids: domain.ids.clone(), guild_id, id, config };
    domain.store.write(input, |txn, input| Box::pin(create_in(txn, input))).await?;
    read::form(domain, actor, guild_id, id).await
}

async fn create_in(txn: &WriteTransaction, input: &Create) -> Result<(), Error> {
    let Create { author, ids, guild_id, id, config } = input;
    row::store_in(txn, (author, ids), (*guild_id, *id), Some(config.clone())).await?;
    Ok(())
}

struct Change {
    author: Author,
    ids: IdSource,
    guild_id: GuildId,
    id: FormId,
    /// None takes the form away.
    what: Option<FormChange>,
}

/// Changes a form.
pub async fn change_form(
    domain: &Domain,
    actor: &Actor,
    (guild_id, id): (GuildId, FormId),
    change: FormChange,
) -> Result<FormView, Error> {
    store(domain, actor, (guild_id, id), Some(change)).await?;
    read::form(domain, actor, guild_id, id).await
}

/// Takes a form away, with its panels and drafts. Applications that were made with it stay.
pub async fn remove_form(domain: &Domain, actor: &Actor, (guild_id, id): (GuildId, FormId)) -> Result<(), Error> {
    store(domain, actor, (guild_id, id), None).await
}

async fn store(
    domain: &Domain,
    actor: &Actor,
    (guild_id, id): (GuildId, FormId),
    what: Option<FormChange>,
) -> Result<(), Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let author = Author::new(domain, actor);
    let input = Change { author, ids: domain.ids.clone(), guild_id, id, what };
    domain.store.write(input, |txn, input| Box::pin(change_in(txn, input))).await
}

async fn change_in(txn: &WriteTransaction, input: &Change) -> Result<(), Error> {
    let Change { author, ids, guild_id, id, what } = input;
    // Whoever changes the same form waits here, so that none of two changes is lost.
    guild::lock(txn, *guild_id, author.at()).await?;
    let present = row::present(txn.connection(), *guild_id, *id).await?.ok_or(FormRefusal::NoForm)?;
    let wanted = what.clone().map(|change| change.apply(present)).transpose()?;
    row::store_in(txn, (author, ids), (*guild_id, *id), wanted).await?;
    Ok(())
}
