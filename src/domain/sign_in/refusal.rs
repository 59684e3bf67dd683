//! What sign-in refuses, in words that existing clients know.

use crate::domain::{Kind, Refusal};

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    /// The message breaks the grammar.
    #[error("The message cannot be read: {0} is wrong or missing")]
    Unreadable(&'static str),
    /// The signature is no hexadecimal text.
    #[error("The signature cannot be read: it must be 0x and hexadecimal digits")]
    UnreadableSignature,
    /// The key names no origin, and the root key never does.
    #[error("This API key may not sign people in: it has no allowed origins")]
    NoOrigins,
    /// The key is of one server.
    #[error("This API key may not sign people in: it is bound to one server")]
    BoundKey,
    /// The domain is none of the key's.
    #[error("Invalid domain")]
    WrongDomain,
    /// The URI is of no origin of the key's.
    #[error("Invalid URI")]
    WrongUri,
    /// The chain is none that the settings name.
    #[error("Invalid chain ID")]
    WrongChain,
    /// The message is too old, or has ended.
    #[error("Message expired")]
    Expired,
    /// The message is from the future, or begins there.
    #[error("Message not yet valid")]
    NotYetValid,
    /// The message ends too late.
    #[error("Message expires too late: at most 24 hours from now")]
    TooLong,
    /// The nonce was used, has ended, or is somebody else's.
    #[error("Invalid nonce")]
    WrongNonce,
    /// Another account has signed, or another message.
    #[error("Invalid signature")]
    WrongSignature,
    /// Only a chain could say whether a contract has signed.
    #[error("Contract wallets cannot sign in: the signature must have 65 bytes")]
    ContractWalletUnsupported,
    /// The text is no address.
    #[error("The address must be 0x and 40 hexadecimal digits, with a right checksum where their case is mixed")]
    BadAddress,
    /// The token is unknown, used, or has ended.
    #[error("Invalid or expired refresh token")]
    WrongRefreshToken,
    /// The person is switched off or gone.
    #[error("This account is disabled")]
    Disabled,
    /// The text is no e-mail address.
    #[error("The e-mail address must have one @ and at most 254 characters")]
    BadEmail,
    /// The password is too short or too long.
    #[error("The password must have 10 to 128 characters")]
    BadPassword,
    /// There is no such account, or the password is another one.
    #[error("Invalid e-mail address or password")]
    WrongPassword,
    /// The address cannot be registered, whatever the reason.
    #[error("This e-mail address cannot be registered. Sign in, or ask an administrator for a new password")]
    NotRegistrable,
    /// Too many passwords are being checked.
    #[error("Passwords cannot be checked at the moment. Please try again")]
    Busy,
    /// The way to Discord and back took too long, was gone twice, or began in another browser.
    #[error("This sign-in has ended, or began in another browser. Please begin again")]
    WrongState,
    /// There is no e-mail address that the person could sign in with.
    #[error("This person has no e-mail address to sign in with")]
    NoEmail,
}

impl Refusal for SignInRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreadable(_) | Self::UnreadableSignature => Kind::Malformed,
            Self::NoOrigins | Self::BoundKey => Kind::Forbidden,
            Self::WrongDomain
            | Self::WrongUri
            | Self::WrongChain
            | Self::Expired
            | Self::NotYetValid
            | Self::TooLong
            | Self::WrongNonce
            | Self::WrongSignature
            | Self::WrongRefreshToken
            | Self::Disabled
            | Self::WrongPassword
            | Self::WrongState => Kind::Unauthenticated,
            Self::ContractWalletUnsupported | Self::BadAddress | Self::BadEmail | Self::BadPassword => Kind::Invalid,
            Self::NotRegistrable | Self::NoEmail => Kind::Conflict,
            Self::Busy => Kind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "siwe.unreadable_message",
            Self::UnreadableSignature => "siwe.unreadable_signature",
            Self::NoOrigins => "key.no_origins",
            Self::BoundKey => "key.bound_to_guild",
            Self::WrongDomain => "siwe.wrong_domain",
            Self::WrongUri => "siwe.wrong_uri",
            Self::WrongChain => "siwe.wrong_chain",
            Self::Expired => "siwe.expired",
            Self::NotYetValid => "siwe.not_yet_valid",
            Self::TooLong => "siwe.expires_too_late",
            Self::WrongNonce => "siwe.wrong_nonce",
            Self::WrongSignature => "siwe.wrong_signature",
            Self::ContractWalletUnsupported => "contract_wallet_unsupported",
            Self::BadAddress => "sign_in.bad_address",
            Self::WrongRefreshToken => "refresh_token.invalid",
            Self::Disabled => "user.disabled",
            Self::BadEmail => "sign_in.bad_email",
            Self::BadPassword => "sign_in.bad_password",
            Self::WrongPassword => "sign_in.wrong_password",
            Self::NotRegistrable => "sign_in.not_registrable",
            Self::Busy => "sign_in.busy",
            Self::WrongState => "sign_in.wrong_state",
            Self::NoEmail => "user.no_email",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::ContractWalletUnsupported => Some("/signature"),
            Self::BadAddress => Some("/address"),
            Self::BadEmail => Some("/email"),
            Self::BadPassword => Some("/password"),
            _ => None,
        }
    }
}
