//! What forms refuse.

use chrono::{DateTime, Utc};
use entity::id::RoleId;

use super::{ANSWER_MAX, CHOICE_MAX, CHOICES_MAX, PANELS_MAX, QUESTIONS_MAX, ROLES_MAX, row::FORMS_MAX};
use crate::domain::{Kind, Refusal};

/// What forms refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormRefusal {
    /// There is no such form here.
    #[error("There is no such form in this server")]
    NoForm,
    /// A text is too long, or has more than one line.
    #[error("{what} must have {min} to {max} characters")]
    BadText {
        /// Which one.
        what: &'static str,
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// The name is another form's.
    #[error("This server has a form of that name already")]
    NameTaken,
    /// The name is that of the form that every server has.
    #[error("That name belongs to the form that every server has")]
    NameReserved,
    /// The guild has as many as it may.
    #[error("A server can have at most {FORMS_MAX} forms")]
    TooManyForms,
    /// The form asks as much as it may.
    #[error("A form can ask at most {QUESTIONS_MAX} questions")]
    TooManyQuestions,
    /// Two questions with one text.
    #[error("The form asks that already")]
    SameQuestion,
    /// An open form that asks nothing.
    #[error("An open form needs at least one question")]
    NoQuestions,
    /// No such question.
    #[error("The form has no such question")]
    NoQuestion,
    /// No such place.
    #[error("The form has no such place: there are {count}")]
    NoPlace {
        /// How many questions there are.
        count: usize,
    },
    /// Lengths out of bounds.
    #[error("The lengths of an answer must be 0 to {ANSWER_MAX} characters, the shorter one first")]
    BadLength,
    /// Choices that no menu can show.
    #[error("A question with choices needs 1 to {CHOICES_MAX} different ones of at most {CHOICE_MAX} characters")]
    BadChoices,
    /// Too many roles.
    #[error("A list can have at most {ROLES_MAX} roles")]
    TooManyRoles,
    /// Nobody can have a role and not have it.
    #[error("The role <@&{role}> cannot be required and blocked at once")]
    RequiredAndBlocked {
        /// Which one.
        role: RoleId,
    },
    /// A number out of bounds.
    #[error("{what} must be {bounds}")]
    BadRule {
        /// Which one.
        what: &'static str,
        /// What it may be.
        bounds: &'static str,
    },
    /// A policy that cannot decide.
    #[error("{0}")]
    BadPolicy(String),
    /// The form has as many panels as it may.
    #[error("A form can have at most {PANELS_MAX} panels: delete one of their messages first")]
    TooManyPanels,
    /// The file cannot be read.
    #[error("The file is no form: {0}")]
    BadFile(String),
    /// The answer does not fit the question.
    #[error("That is no answer to “{question}”: its length or its choice does not fit")]
    BadAnswer {
        /// The question.
        question: String,
    },
    /// An answer is missing.
    #[error("These questions still need an answer: {}", questions.join(", "))]
    Unanswered {
        /// Which ones.
        questions: Vec<String>,
    },
    /// There is no draft.
    #[error("There is no draft of this form: it was sent, discarded, or is older than 7 days")]
    NoDraft,
    /// A draft of another kind is in the way.
    #[error("You have another draft of this form: send or discard it first")]
    OtherDraft,
    /// Somebody who is not in the guild, or asks from elsewhere.
    #[error("Only members of the form's server can apply, from within it")]
    OnlyMembers,
    /// The form takes no applications.
    #[error("This form is closed: it takes no applications at the moment")]
    Closed,
    /// A role is missing.
    #[error("This form is for people who have the role <@&{role}>")]
    LacksRole {
        /// Which one.
        role: RoleId,
    },
    /// A role is in the way.
    #[error("This form is not for people who have the role <@&{role}>")]
    HasBlockedRole {
        /// Which one.
        role: RoleId,
    },
    /// The account is too young.
    #[error("Your Discord account is too young for this form: it is old enough <t:{}:R>", at.timestamp())]
    AccountTooYoung {
        /// When it is old enough.
        at: DateTime<Utc>,
    },
    /// They have not been here long enough.
    #[error("You have not been in this server long enough for this form: you have <t:{}:R>", at.timestamp())]
    MemberTooNew {
        /// When they have.
        at: DateTime<Utc>,
    },
    /// They were rejected not long ago.
    #[error("Your last application was rejected: you can apply again <t:{}:R>", until.timestamp())]
    CoolingDown {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// They have enough open ones.
    #[error("You have {open} open of the {max} applications that you may have with this form at once")]
    TooManyOpen {
        /// How many they have.
        open: u64,
        /// How many they may have.
        max: i64,
    },
    /// The form has accepted as many as it may.
    #[error("This form has accepted {limit} applications, which is the most")]
    Full {
        /// How many.
        limit: u32,
    },
    /// The guild takes none from them.
    #[error("{}", blocked(*until))]
    Blocked {
        /// Until when; none is for good.
        until: Option<DateTime<Utc>>,
    },
}

fn blocked(until: Option<DateTime<Utc>>) -> String {
    match until {
        Some(until) => format!("This server takes no applications from you until <t:{}:f>", until.timestamp()),
        None => "This server takes no applications from you".to_owned(),
    }
}

impl Refusal for FormRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NoForm | Self::NoQuestion | Self::NoDraft => Kind::NotFound,
            Self::BadText { .. }
            | Self::NoPlace { .. }
            | Self::BadLength
            | Self::BadChoices
            | Self::TooManyRoles
            | Self::RequiredAndBlocked { .. }
            | Self::BadRule { .. }
            | Self::BadPolicy(_)
            | Self::BadFile(_)
            | Self::BadAnswer { .. }
            | Self::Unanswered { .. } => Kind::Invalid,
            Self::NameTaken
            | Self::NameReserved
            | Self::SameQuestion
            | Self::NoQuestions
            | Self::OtherDraft
            | Self::Full { .. }
            | Self::Closed => Kind::Conflict,
            Self::TooManyForms
            | Self::TooManyQuestions
            | Self::TooManyPanels
            | Self::CoolingDown { .. }
            | Self::TooManyOpen { .. } => Kind::LimitReached,
            Self::OnlyMembers
            | Self::LacksRole { .. }
            | Self::HasBlockedRole { .. }
            | Self::AccountTooYoung { .. }
            | Self::MemberTooNew { .. }
            | Self::Blocked { .. } => Kind::Forbidden,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoForm => "form.no_form",
            Self::BadText { .. } => "form.bad_text",
            Self::NameTaken => "form.name_taken",
            Self::NameReserved => "form.name_reserved",
            Self::TooManyForms => "form.too_many_forms",
            Self::TooManyQuestions => "form.too_many_questions",
            Self::SameQuestion => "form.same_question",
            Self::NoQuestions => "form.no_questions",
            Self::NoQuestion => "form.no_question",
            Self::NoPlace { .. } => "form.no_place",
            Self::BadLength => "form.bad_length",
            Self::BadChoices => "form.bad_choices",
            Self::TooManyRoles => "form.too_many_roles",
            Self::RequiredAndBlocked { .. } => "form.required_and_blocked",
            Self::BadRule { .. } => "form.bad_rule",
            Self::BadPolicy(_) => "form.bad_policy",
            Self::TooManyPanels => "form.too_many_panels",
            Self::BadFile(_) => "form.bad_file",
            Self::BadAnswer { .. } => "form.bad_answer",
            Self::Unanswered { .. } => "form.unanswered",
            Self::NoDraft => "form.no_draft",
            Self::OtherDraft => "form.other_draft",
            Self::OnlyMembers => "form.only_members",
            Self::Closed => "form.closed",
            Self::LacksRole { .. } => "form.lacks_role",
            Self::HasBlockedRole { .. } => "form.has_blocked_role",
            Self::AccountTooYoung { .. } => "form.account_too_young",
            Self::MemberTooNew { .. } => "form.member_too_new",
            Self::CoolingDown { .. } => "form.cooling_down",
            Self::TooManyOpen { .. } => "form.too_many_open",
            Self::Full { .. } => "form.full",
            Self::Blocked { .. } => "form.blocked",
        }
    }
}
