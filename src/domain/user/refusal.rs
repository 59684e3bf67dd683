//! What is refused about people and their accounts.

use entity::identity::Platform;

use super::spelling;
use crate::domain::{Kind, Refusal};

/// Why something about a person was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    /// There is no such person.
    #[error("User not found")]
    NotFound,
    /// An administrator took them away.
    #[error("This account belongs to a deleted user; an administrator can bring it back")]
    Deleted,
    /// An administrator switched them off.
    #[error("This user is disabled: ask an administrator")]
    Disabled,
    /// A person cannot be merged with themself.
    #[error("Source and target are the same user")]
    MergeSame,
    /// Nothing would move.
    #[error("The source user has no identities to merge")]
    MergeNone,
    /// The account is not connected, or not to this person.
    #[error("Identity not found")]
    IdentityNotFound,
    /// The person has no account that may be shown.
    #[error("No identities found for user")]
    NoIdentities,
    /// The account belongs to the person already.
    #[error("Identity is already connected to this user")]
    AlreadyConnected,
    /// The account belongs to somebody else.
    #[error("Identity is already connected to another user")]
    IdentityTaken,
    /// Without it nobody could ever be this person again.
    #[error("Cannot disconnect the only identity of a user")]
    OnlyIdentity,
    /// The person has as many accounts as one may have.
    #[error("A user can have at most {0} identities")]
    TooManyIdentities(u64),
    /// Whoever says that an account is theirs has to show it.
    #[error("{}", proof(*.0))]
    ProofRequired(Platform),
    /// No account of the platform is spelled so.
    #[error("{}", spelling::wanted(*.0))]
    Malformed(Platform),
}

fn proof(platform: Platform) -> &'static str {
    match platform {
        Platform::Evm => "Connecting a wallet needs a proof: a signed challenge (EIP-4361), or an administrator",
        Platform::Discord => "Connecting a Discord account needs a proof: a sign-in with Discord, or an administrator",
        _ => "Connecting this account needs a proof that only an administrator can give",
    }
}

impl Refusal for UserRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::IdentityNotFound | Self::NoIdentities => Kind::NotFound,
            Self::Deleted | Self::Disabled => Kind::Forbidden,
            Self::MergeSame
            | Self::MergeNone
            | Self::AlreadyConnected
            | Self::IdentityTaken
            | Self::OnlyIdentity
            | Self::TooManyIdentities(_) => Kind::Conflict,
            Self::ProofRequired(_) | Self::Malformed(_) => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "user.not_found",
            Self::Deleted => "user.deleted",
            Self::Disabled => "user.disabled",
            Self::MergeSame => "user.merge_same",
            Self::MergeNone => "user.merge_none",
            Self::IdentityNotFound => "identity.not_found",
            Self::NoIdentities => "identity.none",
            Self::AlreadyConnected => "identity.already_connected",
            Self::IdentityTaken => "identity.taken",
            Self::OnlyIdentity => "identity.only_one",
            Self::TooManyIdentities(_) => "identity.too_many",
            Self::ProofRequired(_) => "identity.proof_required",
            Self::Malformed(_) => "identity.malformed",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::Malformed(_) | Self::ProofRequired(_) => Some("/identity"),
            _ => None,
        }
    }
}
