//! What clients send about people.

use entity::{
    id::{DiscordUserId, UserId},
    identity::Platform,
    user::Role,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{domain::user::NewIdentity, http::error::Problem};

/// Longest value of metadata.
const METADATA_CHARACTERS_MAX: usize = 500;

/// What a person may do in the whole installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleName {
    /// Has signed in, or used a command.
    Authenticated,
    /// Is one of the community.
    Member,
    /// Administers the installation.
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Authenticated => Self::Authenticated,
            RoleName::Member => Self::Member,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Where accounts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum PlatformName {
    /// Discord, by the account's id.
    Discord,
    /// A chain of the Ethereum family, by address.
    Evm,
    /// Lens.
    Lens,
    /// Farcaster.
    Farcaster,
    /// Telegram.
    Telegram,
    /// GitHub.
    Github,
    /// E-mail.
    Email,
}

impl From<PlatformName> for Platform {
    fn from(name: PlatformName) -> Self {
        match name {
            PlatformName::Discord => Self::Discord,
            PlatformName::Evm => Self::Evm,
            PlatformName::Lens => Self::Lens,
            PlatformName::Farcaster => Self::Farcaster,
            PlatformName::Telegram => Self::Telegram,
            PlatformName::Github => Self::Github,
            PlatformName::Email => Self::Email,
        }
    }
}

impl From<Platform> for PlatformName {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Discord => Self::Discord,
            Platform::Evm => Self::Evm,
            Platform::Lens => Self::Lens,
            Platform::Farcaster => Self::Farcaster,
            Platform::Telegram => Self::Telegram,
            Platform::Github => Self::Github,
            Platform::Email => Self::Email,
        }
    }
}

/// What is said of an account.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    /// The name there.
    #[schema(max_length = 500)]
    username: Option<String>,
    /// The name that is shown there.
    #[schema(max_length = 500)]
    display_name: Option<String>,
    /// The picture.
    #[schema(max_length = 500)]
    avatar_url: Option<String>,
    /// The e-mail address there.
    #[schema(max_length = 500)]
    email: Option<String>,
    /// What the person says of themself there.
    #[schema(max_length = 500)]
    bio: Option<String>,
    /// The page of the account.
    #[schema(max_length = 500)]
    profile_url: Option<String>,
}

impl Metadata {
    fn checked(self) -> Result<Value, Problem> {
        let fields = [
            ("username", self.username),
            ("displayName", self.display_name),
            ("avatarUrl", self.avatar_url),
            ("email", self.email),
            ("bio", self.bio),
            ("profileUrl", self.profile_url),
        ];
        let mut kept = Map::new();
        for (name, value) in fields {
            let Some(value) = value else { continue };
            let is_bad = value.chars().count() > METADATA_CHARACTERS_MAX || value.contains('\0');
            if is_bad {
                let text = "must have at most 500 characters, none of them NUL";
                return Err(Problem::invalid_field(format!("/metadata/{name}"), text));
            }
            kept.insert(name.to_owned(), value.into());
        }
        Ok(kept.into())
    }
}

/// An account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"platform": "discord", "identity": "80351110224678912"}))]
pub(super) struct NamedAccount {
    /// The platform.
    pub(super) platform: PlatformName,
    /// The account there.
    #[schema(min_length = 1, max_length = 254, example = "80351110224678912")]
    pub(super) identity: String,
    /// Whether the person is to be shown by this one; the first one is in any case.
    #[serde(default)]
    pub(super) is_primary: bool,
}

impl NamedAccount {
    pub(super) fn account(self) -> NewIdentity {
        let Self { platform, identity, is_primary } = self;
        NewIdentity { platform: platform.into(), identity, is_primary, metadata: None }
    }
}

/// The account of a person to be made: a Discord account, or one of any platform.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"discordId": "80351110224678912"}))]
pub(super) struct NewUserBody {
    /// A Discord account.
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$", nullable = false)]
    discord_id: Option<DiscordUserId>,
    /// The platform of another account.
    #[schema(nullable = false)]
    platform: Option<PlatformName>,
    /// The account there.
    #[schema(min_length = 1, max_length = 254, nullable = false)]
    identity: Option<String>,
    /// Whether the person is to be shown by this one; the first one is in any case.
    #[serde(default)]
    is_primary: bool,
}

impl NewUserBody {
    pub(super) fn account(self) -> Result<NewIdentity, Problem> {
        let is_primary = self.is_primary;
        let (platform, identity) = match (self.discord_id, self.platform, self.identity) {
            (Some(discord), None, None) => (Platform::Discord, discord.to_string()),
            (None, Some(platform), Some(identity)) => (platform.into(), identity),
            (None, Some(_), None) => return Err(Problem::invalid_field("/identity", "is missing")),
            (None, None, Some(_)) => return Err(Problem::invalid_field("/platform", "is missing")),
            (None, None, None) => {
                return Err(Problem::invalid_field("/discordId", "is missing, and so are platform and identity"));
            }
            (Some(_), _, _) => {
                return Err(Problem::invalid_field("/discordId", "goes without platform and identity"));
            }
        };
        Ok(NewIdentity { platform, identity, is_primary, metadata: None })
    }
}

/// An account for a person.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountFor {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    pub(super) user_id: UserId,
    /// The platform.
    platform: PlatformName,
    /// The account there.
    #[schema(min_length = 1, max_length = 254, example = "80351110224678912")]
    identity: String,
    /// Whether the person is to be shown by this one; the first one is in any case.
    #[serde(default)]
    is_primary: bool,
}

impl AccountFor {
    pub(super) fn account(self) -> NewIdentity {
        let Self { platform, identity, is_primary, .. } = self;
        NewIdentity { platform: platform.into(), identity, is_primary, metadata: None }
    }
}

/// An account that somebody says is theirs. Tokens of the platform that come with it are neither read nor kept.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClaimedAccount {
    /// The platform.
    platform: PlatformName,
    /// The account there.
    #[schema(min_length = 1, max_length = 254, example = "80351110224678912")]
    identity: String,
    /// What is said of it; null leaves what is known.
    metadata: Option<Metadata>,
    /// Whether to be shown by this one from now on.
    #[serde(default)]
    is_primary: bool,
    /// For a wallet: the text that it signed (EIP-4361), as for `POST /api/auth/verify`.
    #[schema(max_length = 8192)]
    pub(super) message: Option<String>,
    /// The signature of that text.
    pub(super) signature: Option<String>,
}

impl ClaimedAccount {
    pub(super) fn account(self) -> Result<NewIdentity, Problem> {
        let Self { platform, identity, is_primary, metadata, .. } = self;
        let metadata = metadata.map(Metadata::checked).transpose()?;
        Ok(NewIdentity { platform: platform.into(), identity, is_primary, metadata })
    }
}

/// Accounts, of which the first that has a person counts.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"evm": "0x71c7656ec7ab88b098defb751b7401b5f6d8976f", "discord": "80351110224678912"}))]
pub(super) struct Lookup {
    /// An address.
    #[schema(max_length = 254)]
    evm: Option<String>,
    /// A Lens account.
    #[schema(max_length = 254)]
    lens: Option<String>,
    /// A Farcaster account.
    #[schema(max_length = 254)]
    farcaster: Option<String>,
    /// A Telegram account.
    #[schema(max_length = 254)]
    telegram: Option<String>,
    /// A Discord account.
    #[schema(max_length = 254)]
    discord: Option<String>,
    /// A GitHub account.
    #[schema(max_length = 254)]
    github: Option<String>,
}

impl Lookup {
    /// In the order in which they count.
    pub(super) fn accounts(self) -> impl Iterator<Item = (Platform, String)> {
        let all = [
            (Platform::Evm, self.evm),
            (Platform::Lens, self.lens),
            (Platform::Farcaster, self.farcaster),
            (Platform::Telegram, self.telegram),
            (Platform::Discord, self.discord),
            (Platform::Github, self.github),
        ];
        all.into_iter().filter_map(|(platform, account)| Some((platform, account?)))
    }
}

/// Two people who are one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MergeUsers {
    /// Who becomes the other one.
    #[schema(value_type = String, format = "uuid")]
    pub(super) source_user_id: UserId,
    /// Who stays.
    #[schema(value_type = String, format = "uuid")]
    pub(super) target_user_id: UserId,
}
