//! What a form is, its bounds, and how its questions share pages.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    form::FormState,
    form_question::QuestionKind,
    id::{FormQuestionId, RoleId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::FormRefusal;
use crate::domain::application::{GivenAnswer, Policy};

/// Longest name of a form, in characters.
pub const NAME_MAX: usize = 45;
/// Longest title of a form: that of a modal.
pub const TITLE_MAX: usize = 45;
/// Longest introduction.
pub const INTRO_MAX: usize = 1_000;
/// Most questions of a form.
pub const QUESTIONS_MAX: usize = 25;
/// Longest question: the label of a modal's input.
pub const LABEL_MAX: usize = 45;
/// Longest hint in an empty field.
pub const PLACEHOLDER_MAX: usize = 100;
/// Longest answer.
pub const ANSWER_MAX: i32 = 1_000;
/// Most choices of a question: the options of a select menu.
pub const CHOICES_MAX: usize = 25;
/// Longest choice: the label of an option.
pub const CHOICE_MAX: usize = 100;
/// Most roles of one list.
pub const ROLES_MAX: usize = 25;
/// Inputs of a modal.
const INPUTS_PER_PAGE: usize = 5;
/// Menus of a message, with a row left for its buttons.
const MENUS_PER_PAGE: usize = 4;

const DAY: i64 = 86_400;
/// Longest age of an account or a membership that can be asked for, in seconds.
const AGE_SECONDS_MAX: i64 = 3_650 * DAY;
/// Longest wait after a rejection, in seconds.
const COOLDOWN_SECONDS_MAX: i64 = 365 * DAY;
/// Open applications that a person may have.
const OPEN_MAX: std::ops::RangeInclusive<i64> = 1..=5;

/// All that people decide about a form; plain data, as events and files spell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormConfig {
    /// As people call it.
    pub name: String,
    /// What stands above it.
    pub title: String,
    /// What people read before they begin.
    #[serde(default)]
    pub intro: String,
    /// Whether it takes applications.
    #[serde(with = "in_words")]
    pub state: FormState,
    /// Who may apply.
    #[serde(default)]
    pub eligibility: Eligibility,
    /// How applications are decided.
    #[serde(default)]
    pub policy: Policy,
    /// What it asks, in order.
    #[serde(default)]
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its id; files may leave it out.
    #[serde(default = "unnamed")]
    pub id: FormQuestionId,
    /// The question.
    pub label: String,
    /// How it is answered.
    #[serde(with = "in_words")]
    pub kind: QuestionKind,
    /// What stands in the empty field.
    #[serde(default)]
    pub placeholder: String,
    /// What can be chosen.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Whether it has to be answered.
    #[serde(default = "yes")]
    pub is_required: bool,
    /// Fewest characters of an answer.
    #[serde(default)]
    pub min_length: i32,
    /// Most characters of an answer.
    #[serde(default = "answer_max")]
    pub max_length: i32,
}

/// The id of a question that has none yet.
pub(super) fn unnamed() -> FormQuestionId {
    FormQuestionId(Uuid::nil())
}

fn yes() -> bool {
    true
}

fn answer_max() -> i32 {
    ANSWER_MAX
}

/// Who may apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Eligibility {
    /// Roles that an applicant must have, all of them.
    pub required_roles: BTreeSet<RoleId>,
    /// Roles that an applicant must not have, none of them.
    pub blocked_roles: BTreeSet<RoleId>,
    /// The least age of the account, in seconds.
    pub account_age_seconds: i64,
    /// The least time in the guild, in seconds.
    pub membership_seconds: i64,
    /// How long a person waits after a rejection, in seconds.
    pub cooldown_seconds: i64,
    /// How many open applications a person may have here.
    pub open_max: i64,
}

impl Default for Eligibility {
    fn default() -> Self {
        Self {
            required_roles: BTreeSet::new(),
            blocked_roles: BTreeSet::new(),
            account_age_seconds: 0,
            membership_seconds: 0,
            cooldown_seconds: 7 * DAY,
            open_max: 1,
        }
    }
}

impl FormConfig {
    /// A form that asks nothing yet, closed.
    pub fn new(name: &str, title: Option<&str>, intro: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            title: title.unwrap_or(name).to_owned(),
            intro: intro.unwrap_or_default().to_owned(),
            state: FormState::Closed,
            eligibility: Eligibility::default(),
            policy: Policy::default(),
            questions: Vec::new(),
        }
    }

    /// The name by which it is found.
    pub fn key(&self) -> String {
        key(&self.name)
    }

    /// The question with this id.
    pub fn question(&self, id: FormQuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// The same with texts trimmed, if all of it is in bounds.
    pub fn checked(mut self) -> Result<Self, FormRefusal> {
        self.name = one_line(&self.name, 1, NAME_MAX, "The name of a form")?;
        self.title = one_line(&self.title, 1, TITLE_MAX, "The title of a form")?;
        self.intro = text(&self.intro, 0, INTRO_MAX, "The introduction of a form")?;
        if self.questions.len() > QUESTIONS_MAX {
            return Err(FormRefusal::TooManyQuestions);
        }
        self.questions = self.questions.into_iter().map(Question::checked).collect::<Result<_, _>>()?;
        let labels: BTreeSet<_> = self.questions.iter().map(|question| key(&question.label)).collect();
        if labels.len() < self.questions.len() {
            return Err(FormRefusal::SameQuestion);
        }
        if self.state == FormState::Open && self.questions.is_empty() {
            return Err(FormRefusal::NoQuestions);
        }
        self.eligibility.check()?;
        self.policy = self.policy.checked().map_err(|refusal| FormRefusal::BadPolicy(refusal.to_string()))?;
        Ok(self)
    }
}

/// A name as it is compared.
pub(super) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Question {
    /// A question with nothing special about it.
    pub fn new(label: &str, kind: QuestionKind) -> Self {
        Self {
            id: unnamed(),
            label: label.to_owned(),
            kind,
            placeholder: String::new(),
            choices: Vec::new(),
            is_required: true,
            min_length: 0,
            max_length: ANSWER_MAX,
        }
    }

    fn checked(mut self) -> Result<Self, FormRefusal> {
        self.label = one_line(&self.label, 1, LABEL_MAX, "A question")?;
        self.placeholder = one_line(&self.placeholder, 0, PLACEHOLDER_MAX, "The hint of a question")?;
        if self.kind != QuestionKind::Choice {
            self.choices.clear();
            let in_bounds = 0 <= self.min_length && (1..=ANSWER_MAX).contains(&self.max_length);
            if !in_bounds || self.min_length > self.max_length {
                return Err(FormRefusal::BadLength);
            }
            return Ok(self);
        }
        (self.min_length, self.max_length) = (0, ANSWER_MAX);
        let choices: Vec<String> =
            self.choices.iter().map(|choice| one_line(choice, 1, CHOICE_MAX, "A choice")).collect::<Result<_, _>>()?;
        let different: BTreeSet<_> = choices.iter().collect();
        if !(1..=CHOICES_MAX).contains(&choices.len()) || different.len() < choices.len() {
            return Err(FormRefusal::BadChoices);
        }
        self.choices = choices;
        Ok(self)
    }

    /// An answer as it is kept, if it is one to this question; empty is none.
    pub fn answer(&self, given: &str) -> Result<String, FormRefusal> {
        let answer = given.replace("\r\n", "\n").trim().to_owned();
        if answer.is_empty() {
            return Ok(answer);
        }
        let refuse = || Err(FormRefusal::BadAnswer { question: self.label.clone() });
        if self.kind == QuestionKind::Choice {
            return if self.choices.contains(&answer) { Ok(answer) } else { refuse() };
        }
        let length = answer.chars().count();
        let fits = |bound: i32| usize::try_from(bound).unwrap_or(0);
        let in_bounds = (fits(self.min_length)..=fits(self.max_length)).contains(&length);
        if in_bounds && !answer.contains('\0') { Ok(answer) } else { refuse() }
    }
}

impl Eligibility {
    fn check(&self) -> Result<(), FormRefusal> {
        if self.required_roles.len() > ROLES_MAX || self.blocked_roles.len() > ROLES_MAX {
            return Err(FormRefusal::TooManyRoles);
        }
        if let Some(role) = self.required_roles.intersection(&self.blocked_roles).next() {
            return Err(FormRefusal::RequiredAndBlocked { role: *role });
        }
        let bounds = [
            ("The age of an account", self.account_age_seconds, 0..=AGE_SECONDS_MAX, "off or up to 10 years"),
            ("The time in the server", self.membership_seconds, 0..=AGE_SECONDS_MAX, "off or up to 10 years"),
            ("The wait after a rejection", self.cooldown_seconds, 0..=COOLDOWN_SECONDS_MAX, "off or up to 365 days"),
            ("The number of open applications", self.open_max, OPEN_MAX, "1 to 5"),
        ];
        match bounds.into_iter().find(|(_, value, range, _)| !range.contains(value)) {
            Some((what, _, _, bounds)) => Err(FormRefusal::BadRule { what, bounds }),
            None => Ok(()),
        }
    }
}

/// What somebody answers at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page<'a> {
    /// Texts, in a modal.
    Inputs(Vec<&'a Question>),
    /// Choices, in menus of a message.
    Choices(Vec<&'a Question>),
}

impl<'a> Page<'a> {
    /// Its questions.
    pub fn questions(&self) -> &[&'a Question] {
        match self {
            Self::Inputs(questions) | Self::Choices(questions) => questions,
        }
    }
}

/// The pages of questions, in their order: neighbours of one sort share one, as many as fit.
pub fn pages(questions: &[Question]) -> Vec<Page<'_>> {
    let mut pages: Vec<Page<'_>> = Vec::new();
    for question in questions {
        match (pages.last_mut(), question.kind == QuestionKind::Choice) {
            (Some(Page::Inputs(page)), false) if page.len() < INPUTS_PER_PAGE => page.push(question),
            (Some(Page::Choices(page)), true) if page.len() < MENUS_PER_PAGE => page.push(question),
            (_, false) => pages.push(Page::Inputs(vec![question])),
            (_, true) => pages.push(Page::Choices(vec![question])),
        }
    }
    pages
}

/// Answers with the questions as they stand, in their order; questions without an answer are left out.
pub(super) fn answered(questions: &[Question], answers: &BTreeMap<FormQuestionId, String>) -> Vec<GivenAnswer> {
    let given = |question: &Question| {
        let answer = answers.get(&question.id)?.clone();
        Some(GivenAnswer { question_id: question.id.to_string(), label: question.label.clone(), answer })
    };
    questions.iter().filter_map(given).collect()
}

fn one_line(given: &str, min: usize, max: usize, what: &'static str) -> Result<String, FormRefusal> {
    let trimmed = text(given, min, max, what)?;
    if trimmed.chars().any(char::is_control) { Err(FormRefusal::BadText { what, min, max }) } else { Ok(trimmed) }
}

fn text(given: &str, min: usize, max: usize, what: &'static str) -> Result<String, FormRefusal> {
    let trimmed = given.trim();
    let fits = (min..=max).contains(&trimmed.chars().count()) && !trimmed.contains('\0');
    if fits { Ok(trimmed.to_owned()) } else { Err(FormRefusal::BadText { what, min, max }) }
}

/// States as rows spell them.
mod in_words {
    use sea_orm::ActiveEnum;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::domain::event::{spelled, unspelled};

    pub(super) fn serialize<E, S>(value: &E, serializer: S) -> Result<S::Ok, S::Error>
    where
        E: ActiveEnum<Value = String> + Copy,
        S: Serializer,
    {
        serializer.serialize_str(&spelled(*value))
    }

    pub(super) fn deserialize<'de, E, D>(deserializer: D) -> Result<E, D::Error>
    where
        E: ActiveEnum<Value = String>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        unspelled(&text).ok_or_else(|| D::Error::custom("a word that is none of those known here"))
    }
}
