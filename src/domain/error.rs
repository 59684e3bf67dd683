//! How the domain says no.

use sea_orm::DbErr;

use crate::store::WriteError;

/// What a refusal means to its reader; each face maps it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read.
    Malformed,
    /// The request was understood and is not acceptable as it is.
    Invalid,
    /// Nobody has shown who they are.
    Unauthenticated,
    /// The actor may not do this.
    Forbidden,
    /// There is no such thing, or the actor may not know of it.
    NotFound,
    /// It does not fit the present state.
    Conflict,
    /// It was there once.
    Gone,
    /// A quota is used up.
    LimitReached,
    /// Something that is needed does not answer.
    Unavailable,
}

/// An expected no, shown to the user as it is.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// Its class.
    fn kind(&self) -> Kind;

    /// Its stable code, such as `vanish.after_too_short`.
    fn code(&self) -> &'static str;

    /// The parameter at fault, as a JSON pointer in the HTTP spelling such as `/duration`.
    fn pointer(&self) -> Option<&'static str> {
        None
    }

    /// The rights that were needed and those that the actor has.
    fn rights(&self) -> Option<(Vec<String>, Vec<String>)> {
        None
    }
}

/// Why a domain function did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Expected: its text is for the user.
    #[error("{0}")]
    Refused(Box<dyn Refusal>),
    /// Unexpected: logged with its chain, shown as an internal error.
    #[error("the store failed")]
    Store(#[from] DbErr),
    /// A row does not hold what this program wrote.
    #[error("a row of the store cannot be read")]
    Corrupt(#[from] serde_json::Error),
}

impl<R: Refusal> From<R> for Error {
    fn from(refusal: R) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Error {
    /// The refusal's code, if it is one.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.code()),
            _ => None,
        }
    }

    /// The store does not answer: full, locked or unreachable. Waiting helps.
    pub fn is_unavailable(&self) -> bool {
        let Self::Store(error) = self else { return false };
        crate::store::unreachable(error) || crate::store::transaction_conflict(error)
    }
}

impl WriteError for Error {
    fn database_error(&self) -> Option<&DbErr> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Refusals that every feature shares.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommonRefusal {
    /// Nobody has shown who they are.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The actor lacks a right.
    #[error("Insufficient permissions: {required} is needed")]
    Forbidden {
        /// What was needed, in words.
        required: String,
        /// What the actor has.
        available: Vec<String>,
    },
    /// A text is too long or holds what it may not.
    #[error("{what} must have 1 to {max} characters")]
    BadText {
        /// Which text.
        what: &'static str,
        /// Most characters.
        max: usize,
    },
    /// The button belongs to somebody else.
    #[error("Only the person who ran the command can press this button")]
    NotYours,
    /// The confirmation is used up or too old.
    #[error("This confirmation has ended: run the command again")]
    ProposalGone,
}

impl Refusal for CommonRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Unauthenticated(_) => Kind::Unauthenticated,
            Self::Forbidden { .. } | Self::NotYours => Kind::Forbidden,
            Self::BadText { .. } => Kind::Invalid,
            Self::ProposalGone => Kind::Gone,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::BadText { .. } => "bad_text",
            Self::NotYours => "not_yours",
            Self::ProposalGone => "confirmation_ended",
        }
    }

    fn rights(&self) -> Option<(Vec<String>, Vec<String>)> {
        match self {
            Self::Forbidden { required, available } => Some((vec![required.clone()], available.clone())),
            _ => None,
        }
    }
}
