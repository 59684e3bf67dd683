//! What a key may do: scopes such as `read`, `discord:vanish:write` or `guild:42:discord:vanish:write`.

use std::{fmt, str::FromStr};

use entity::id::GuildId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The scope of everything that only administrators do. It covers every other scope as well.
pub const ADMIN: &str = "admin";

/// Most scopes of one key.
pub const SCOPES_MAX: usize = 64;

/// Every fine scope, `resource:action`, and what it allows.
pub const CATALOGUE: [(&str, &str); 12] = [
    ("applications:decide", "Decide, reopen and delete applications"),
    ("applications:read", "See applications and their votes"),
    ("applications:vote", "Vote on applications in the name of others"),
    ("applications:write", "Make applications, and bind them to messages"),
    ("discord:channels:read", "See the named channels of servers"),
    ("discord:channels:write", "Set and clear the named channels of servers"),
    ("discord:vanish:read", "See which channels vanish"),
    ("discord:vanish:write", "Set, change and remove vanishing channels"),
    ("practice:read", "See who has practised how much"),
    ("practice:write", "Start and stop practice sessions"),
    ("users:read", "See people and their accounts"),
    ("users:write", "Make the person of an account"),
];

/// The presets, and what each allows.
pub const PRESETS: [(&str, &str); 3] = [
    ("read", "Every scope that ends in :read"),
    ("write", "Every scope that ends in :write, :vote or :decide"),
    (ADMIN, "Everything"),
];

/// How scopes end that change something and are not for administrators only.
const WRITING: [&str; 3] = [":write", ":vote", ":decide"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    Read,
    Write,
    Admin,
    /// One of the catalogue.
    Fine(&'static str),
}

/// One thing that a key may do, everywhere or in one guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    guild_id: Option<GuildId>,
    grant: Grant,
}

/// A text that is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownScope;

impl fmt::Display for UnknownScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be read, write, admin or one of the scopes that the reference lists")
    }
}

impl Scope {
    /// Whether it allows this fine scope in this guild; `None` stands for every guild.
    pub fn covers(self, required: &str, guild_id: Option<GuildId>) -> bool {
        let here = self.guild_id.is_none() || self.guild_id == guild_id;
        here && match self.grant {
            Grant::Admin => true,
            Grant::Read => required.ends_with(":read"),
            Grant::Write => WRITING.iter().any(|end| required.ends_with(end)),
            Grant::Fine(fine) => fine == required,
        }
    }

    /// Whether everything that `other` allows is allowed by this one.
    fn contains(self, other: Self) -> bool {
        let here = self.guild_id.is_none() || self.guild_id == other.guild_id;
        here && match (self.grant, other.grant) {
            (Grant::Admin, _) => true,
            (own, Grant::Fine(fine)) => Self { guild_id: None, grant: own }.covers(fine, None),
            (own, other) => own == other,
        }
    }

    /// The same in one guild only; none where it is about another one.
    pub fn within(self, guild_id: GuildId) -> Option<Self> {
        let fits = self.guild_id.is_none_or(|own| own == guild_id);
        fits.then_some(Self { guild_id: Some(guild_id), grant: self.grant })
    }

    /// Whether it allows everything, in every guild or in its own.
    pub fn is_admin(self) -> bool {
        self.grant == Grant::Admin
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let (guild_id, what) = match text.strip_prefix("guild:") {
            Some(rest) => {
                let (guild, what) = rest.split_once(':').ok_or(UnknownScope)?;
                (Some(guild.parse().map_err(|_| UnknownScope)?), what)
            }
            None => (None, text),
        };
        let grant = match what {
            "read" => Grant::Read,
            "write" => Grant::Write,
            ADMIN => Grant::Admin,
            fine => {
                let known = CATALOGUE.iter().find(|(name, _)| *name == fine);
                Grant::Fine(known.map(|(name, _)| *name).ok_or(UnknownScope)?)
            }
        };
        Ok(Self { guild_id, grant })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(guild) = self.guild_id {
            write!(f, "guild:{guild}:")?;
        }
        f.write_str(match self.grant {
            Grant::Read => "read",
            Grant::Write => "write",
            Grant::Admin => ADMIN,
            Grant::Fine(fine) => fine,
        })
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// All that a key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(pub Vec<Scope>);

impl Scopes {
    /// Everything.
    pub fn all() -> Self {
        Self(vec![Scope { guild_id: None, grant: Grant::Admin }])
    }

    /// Everything inside one guild.
    pub fn all_of(guild_id: GuildId) -> Self {
        Self(vec![Scope { guild_id: Some(guild_id), grant: Grant::Admin }])
    }

    /// Whether one of them allows this fine scope in this guild.
    pub fn cover(&self, required: &str, guild_id: Option<GuildId>) -> bool {
        self.0.iter().any(|scope| scope.covers(required, guild_id))
    }

    /// Whether one of them allows this fine scope in some guild.
    pub fn cover_somewhere(&self, required: &str) -> bool {
        self.0.iter().any(|scope| scope.covers(required, scope.guild_id))
    }

    /// The first of `other` that goes beyond these, if any does.
    pub fn beyond(&self, other: &Self) -> Option<Scope> {
        other.0.iter().copied().find(|other| !self.0.iter().any(|own| own.contains(*other)))
    }

    /// As texts.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap_or_else(|_| panic!("{text} is a scope"))
    }

    fn scopes(texts: &[&str]) -> Scopes {
        Scopes(texts.iter().map(|text| scope(text)).collect())
    }

    #[test]
    fn presets_cover_what_they_say() {
        assert!(scope("read").covers("discord:vanish:read", None));
        assert!(!scope("read").covers("discord:vanish:write", None));
        assert!(!scope("write").covers("discord:vanish:read", None));
        assert!(!scope("read").covers(ADMIN, None) && !scope("write").covers(ADMIN, None));
        assert!(scope("admin").covers(ADMIN, None) && scope("admin").covers("discord:vanish:write", None));
        assert!(scope("discord:vanish:read").covers("discord:vanish:read", None));
        assert!(!scope("discord:vanish:read").covers("discord:channels:read", None));
    }

    #[test]
    fn a_scope_of_a_guild_says_nothing_about_others() {
        let (one, other) = (GuildId::new(42), GuildId::new(43));
        let bound = scope("guild:42:write");
        assert!(bound.covers("discord:vanish:write", one));
        assert!(!bound.covers("discord:vanish:write", other));
        assert!(!bound.covers("discord:vanish:write", None));
        assert_eq!(bound.to_string(), "guild:42:write");
        assert!(scopes(&["read", "guild:42:write"]).cover_somewhere("discord:vanish:write"));
        assert!(!scopes(&["read", "guild:42:read"]).cover_somewhere("discord:vanish:write"));
    }

    #[test]
    fn nobody_gives_away_more_than_they_have() {
        let maker = scopes(&["read", "guild:42:discord:vanish:write"]);
        assert_eq!(maker.beyond(&scopes(&["read", "discord:vanish:read", "guild:42:read"])), None);
        assert_eq!(maker.beyond(&scopes(&["guild:42:discord:vanish:write"])), None);
        for more in ["write", "admin", "discord:vanish:write", "guild:43:discord:vanish:write", "guild:42:write"] {
            assert_eq!(maker.beyond(&scopes(&["read", more])), Some(scope(more)));
        }
        assert_eq!(Scopes::all().beyond(&scopes(&["admin", "write", "guild:1:admin"])), None);
    }

    #[test]
    fn texts_that_are_no_scopes() {
        for text in ["", "root", "Read", "guild:", "guild:0:read", "guild:42", "guild:42:", "discord:vanish", "*:read"]
        {
            assert_eq!(text.parse::<Scope>(), Err(UnknownScope), "{text}");
        }
    }
}
