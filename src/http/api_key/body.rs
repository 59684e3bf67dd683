//! What clients send about keys.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    api_key::Preset,
    id::{GuildId, UserId},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, Visitor},
};
use utoipa::ToSchema;

use crate::{
    domain::{
        Domain, KeyDialect,
        api_key::{KeyChange, NewKey, RateLimit, Shape},
    },
    http::error::Problem,
};

/// Longest life that can be asked for in seconds: 100 years.
const EXPIRES_IN_MAX: i64 = 3_153_600_000;

/// A common choice of scopes and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeyType {
    /// Reads; 100 requests per minute unless told otherwise.
    DiscordBot,
    /// Does everything; 500 requests per hour unless told otherwise.
    Admin,
}

impl KeyType {
    /// As programs spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DiscordBot => "discord_bot",
            Self::Admin => "admin",
        }
    }
}

impl From<KeyType> for Preset {
    fn from(name: KeyType) -> Self {
        match name {
            KeyType::DiscordBot => Self::DiscordBot,
            KeyType::Admin => Self::Admin,
        }
    }
}

impl From<Preset> for KeyType {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::DiscordBot => Self::DiscordBot,
            Preset::Admin => Self::Admin,
        }
    }
}

/// At most so many requests in any such time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RateLimitView {
    /// Its name among the key's limits.
    #[schema(pattern = "^[a-z0-9_-]{1,32}$", example = "default")]
    name: String,
    /// Requests.
    #[schema(minimum = 1, maximum = 1_000_000, example = 100)]
    limit: u32,
    /// Milliseconds.
    #[schema(minimum = 1000, maximum = 86_400_000, example = 60_000)]
    window_ms: u64,
}

impl From<RateLimitView> for RateLimit {
    fn from(view: RateLimitView) -> Self {
        Self { name: view.name, limit: view.limit, window_ms: view.window_ms }
    }
}

/// Fields that the server alone sets.
const SERVERS_OWN: [&str; 14] = [
    "id",
    "keyHash",
    "keyPrefix",
    "apiKey",
    "generation",
    "createdAt",
    "createdBy",
    "updatedAt",
    "lastUsedAt",
    "totalRequests",
    "revokedAt",
    "revokedBy",
    "rotatedFrom",
    "replacedBy",
];
/// Fields that are chosen when a key is made, and stay.
const CHOSEN_ONCE: [&str; 3] = ["userId", "guildId", "type"];

/// The fields of a body that no other field took. Unknown ones are ignored; of those that a client may not set, the
/// first is kept, so that it is refused instead of silently left aside.
#[derive(Default)]
struct Rest(Option<&'static str>);

impl Rest {
    fn refuse(&self) -> Result<(), Problem> {
        match self.0 {
            Some(name) => Err(Problem::invalid_field(format!("/{name}"), "cannot be set")),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Rest {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Rest;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Rest, A::Error> {
                let mut found = None;
                while let Some((name, _)) = entries.next_entry::<String, IgnoredAny>()? {
                    let mut refused = SERVERS_OWN.into_iter().chain(CHOSEN_ONCE);
                    found = found.or_else(|| refused.find(|refused| *refused == name));
                }
                Ok(Rest(found))
            }
        }
        source.deserialize_map(Fields)
    }
}

/// Tells a null, which takes a value away, from a field that is not there.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(source: D) -> Result<Option<T>, D::Error> {
    T::deserialize(source).map(Some)
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"name": "Stats page", "scopes": ["read"], "expiresIn": 7_776_000}))]
pub(super) struct CreateKey {
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "Stats page")]
    name: String,
    /// For people.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// The program that will use it.
    #[schema(min_length = 1, max_length = 100)]
    client_name: Option<String>,
    /// Whose key it is.
    #[schema(value_type = Option<String>, format = "uuid")]
    user_id: Option<UserId>,
    /// The only server that it may touch; its scopes are bound to that server too.
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$", example = "42")]
    guild_id: Option<GuildId>,
    /// A common choice of scopes and limits.
    r#type: Option<KeyType>,
    /// What it may do; without it what its type allows, else `read` and `write`.
    #[schema(max_items = 64, example = json!(["read", "discord:vanish:write"]))]
    scopes: Option<Vec<String>>,
    /// Domains for which it may sign people in: hosts, hosts with a port, or `*.` before a host.
    #[schema(max_items = 64, example = json!(["app.example.org", "*.example.org"]))]
    allowed_origins: Option<Vec<String>>,
    /// Addresses and networks that it may be used from; without it, everywhere.
    #[schema(max_items = 64, example = json!(["203.0.113.0/24"]))]
    ip_allowlist: Option<Vec<String>>,
    /// Its own limits; without them those of its type, else those of its class.
    #[schema(max_items = 10)]
    rate_limits: Option<Vec<RateLimitView>>,
    /// Its life in seconds; give this or `expiresAt`. Without both it has no end.
    #[schema(minimum = 1, maximum = 3_153_600_000_i64, example = 7_776_000)]
    expires_in: Option<i64>,
    /// The end of its life; give this or `expiresIn`.
    expires_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    #[schema(ignore)]
    rest: Rest,
}

impl CreateKey {
    /// What the domain is asked for.
    pub(super) fn specification(self, domain: &Domain) -> Result<NewKey, Problem> {
        // The owner, the server and the type are fields of their own here.
        self.rest.refuse()?;
        let expires_at = match (self.expires_in, self.expires_at) {
            (Some(_), Some(_)) => {
                return Err(Problem::invalid_field("/expiresAt", "give expiresIn or expiresAt, not both"));
            }
            (Some(seconds), None) if (1..=EXPIRES_IN_MAX).contains(&seconds) => {
                Some(domain.now() + TimeDelta::seconds(seconds))
            }
            (Some(_), None) => {
                return Err(Problem::invalid_field("/expiresIn", "must be from 1 to 3153600000 seconds"));
            }
            (None, at) => at,
        };
        let shape = match domain.limits().keys.shape {
            KeyDialect::Live => Shape::Live,
            KeyDialect::Test => Shape::Test,
            KeyDialect::Compatible => Shape::Cartel,
        };
        Ok(NewKey {
            description: self.description,
            client_name: self.client_name,
            user_id: self.user_id,
            guild_id: self.guild_id,
            preset: self.r#type.map(Into::into),
            scopes: self.scopes,
            allowed_origins: self.allowed_origins.unwrap_or_default(),
            ip_allowlist: self.ip_allowlist.unwrap_or_default(),
            rate_limits: self.rate_limits.into_iter().flatten().map(Into::into).collect(),
            expires_at,
            ..NewKey::named(self.name, shape)
        })
    }
}

/// What is to be different of a key; what is not named stays.
#[expect(clippy::option_option, reason = "a null takes a value away, a field that is not there leaves it")]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"name": "Stats page 2", "expiresAt": null}))]
pub(super) struct ChangeKey {
    /// The name.
    #[serde(default, deserialize_with = "given")]
    #[schema(min_length = 1, max_length = 100, nullable = false)]
    name: Option<String>,
    /// The description; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 500)]
    description: Option<Option<String>>,
    /// The program that uses it; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    client_name: Option<Option<String>>,
    /// What it may do.
    #[serde(default, deserialize_with = "given")]
    #[schema(max_items = 64, nullable = false)]
    scopes: Option<Vec<String>>,
    /// Domains for which it may sign people in; null takes them away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    allowed_origins: Option<Option<Vec<String>>>,
    /// Addresses and networks that it may be used from; null or an empty list is everywhere.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    ip_allowlist: Option<Option<Vec<String>>>,
    /// Its own limits; null or an empty list takes those of its class.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<RateLimitView>>, max_items = 10)]
    rate_limits: Option<Option<Vec<RateLimitView>>>,
    /// The end of its life; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    expires_at: Option<Option<DateTime<Utc>>>,
    /// Switched on, or off. A revoked key stays off.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    is_active: Option<bool>,
    /// Why it is switched off.
    #[schema(max_length = 500)]
    reason: Option<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    rest: Rest,
}

impl ChangeKey {
    /// What the domain is asked for.
    pub(super) fn change(self) -> Result<KeyChange, Problem> {
        self.rest.refuse()?;
        let limits = |limits: Option<Vec<RateLimitView>>| limits.into_iter().flatten().map(Into::into).collect();
        Ok(KeyChange {
            name: self.name,
            description: self.description,
            client_name: self.client_name,
            scopes: self.scopes,
            allowed_origins: self.allowed_origins.map(Option::unwrap_or_default),
            ip_allowlist: self.ip_allowlist.map(Option::unwrap_or_default),
            rate_limits: self.rate_limits.map(limits),
            expires_at: self.expires_at,
            enabled: self.is_active,
            reason: self.reason,
        })
    }
}
