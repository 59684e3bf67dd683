//! All that is held about people: one line per table, which says what becomes of its rows when two people turn out to
//! be one, when a person asks for their data, when they are taken away, and when they want to be forgotten.
//!
//! Invariant: every column that names a person is in this list; a test reads the columns of the schema and fails on
//! one that is not. What a feature adds, it adds here as well.

mod applications;
mod chat;
mod keys;
mod log;
mod person;
mod practice;
mod sessions;
mod work;

use entity::id::{DiscordUserId, UserId};
use futures_util::future::BoxFuture;
use sea_orm::DatabaseConnection;
use serde_json::Value;

use crate::{
    domain::{Error, event::Author, user::IdentityKey},
    store::WriteTransaction,
};

/// Most rows of one table in an export, the newest.
pub const EXPORT_ROWS_MAX: u64 = 10_000;

/// A part of what is held about a person, which they can have forgotten without the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What they say of themself.
    Profile,
    /// Their accounts, but for one that keeps leading to them.
    Accounts,
    /// Their API keys.
    Keys,
    /// The devices that they are signed in on.
    Sessions,
    /// What they show of their work.
    Projects,
    /// What the bot wrote to them.
    Messages,
    /// What is special about their messages in vanishing channels.
    Vanish,
    /// What they have practised, and their goals.
    Practice,
    /// What they have applied for, and how they voted.
    Applications,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Profile,
        Self::Accounts,
        Self::Keys,
        Self::Sessions,
        Self::Projects,
        Self::Messages,
        Self::Vanish,
        Self::Practice,
        Self::Applications,
    ];

    /// As commands, requests and events spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Accounts => "accounts",
            Self::Keys => "keys",
            Self::Sessions => "sessions",
            Self::Projects => "projects",
            Self::Messages => "messages",
            Self::Vanish => "vanish",
            Self::Practice => "practice",
            Self::Applications => "applications",
        }
    }

    /// The part that somebody spells.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Whether this table belongs to it.
    pub fn holds(self, table: &str) -> bool {
        HOLDINGS.iter().any(|holding| holding.table == table && holding.part == Some(self))
    }
}

/// A person, by every name that a table may know them by.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    /// Their Discord accounts.
    pub discord: Vec<DiscordUserId>,
    /// The account that goes on leading to them; none when they are forgotten as a whole.
    pub kept: Option<IdentityKey>,
}

impl Person {
    /// As rows and events name whoever acted.
    pub fn actor(&self) -> String {
        format!("user:{}", self.id)
    }

    /// The same, for what they did in chat.
    pub fn members(&self) -> impl Iterator<Item = String> {
        self.discord.iter().map(|id| format!("member:{id}"))
    }
}

/// What becomes of a table's rows.
pub enum Rule<W> {
    /// Nothing, for this reason.
    Nothing(&'static str),
    /// This.
    Work(W),
}

/// Gives the rows of the first person to the second one, within the merge.
pub type Merge = for<'a> fn(&'a WriteTransaction, &'a Author, (UserId, UserId)) -> BoxFuture<'a, Result<(), Error>>;
/// Shows the rows of a person, the newest first: no secret, no digest.
pub type Export = for<'a> fn(&'a DatabaseConnection, &'a Person) -> BoxFuture<'a, Result<Vec<Value>, Error>>;
/// Ends what lets a person in.
pub type EndAccess = for<'a> fn(&'a WriteTransaction, &'a Author, UserId) -> BoxFuture<'a, Result<(), Error>>;
/// Forgets a person; what sums need keeps their id only.
pub type Erase = for<'a> fn(&'a WriteTransaction, &'a Author, &'a Person) -> BoxFuture<'a, Result<(), Error>>;

/// One table.
pub struct Holding {
    /// Its name.
    pub table: &'static str,
    /// The part that it belongs to; none is forgotten with everything only.
    pub part: Option<Part>,
    /// The columns that name a person.
    pub columns: &'static [&'static str],
    /// When two people are one.
    pub merge: Rule<Merge>,
    /// When they ask for their data.
    pub export: Rule<Export>,
    /// When they are deleted or erased.
    pub end_access: Rule<EndAccess>,
    /// When they want to be forgotten.
    pub erase: Rule<Erase>,
}

const FOLLOWS_ACCOUNT: &str = "names the Discord account, which moves with its identity";
const LETS_NOBODY_IN: &str = "lets nobody in";

/// Every table that names a person.
pub const HOLDINGS: &[Holding] = &[
    Holding {
        table: "user_account",
        part: Some(Part::Profile),
        columns: &["id", "merged_into"],
        merge: Rule::Nothing("the merge itself writes both rows and the tombstones before them"),
        export: Rule::Work(person::export_account),
        end_access: Rule::Nothing("the row says whether they are let in, and whoever takes them away writes it"),
        erase: Rule::Work(person::erase_profile),
    },
    Holding {
        table: "identity",
        part: Some(Part::Accounts),
        columns: &["user_id", "identity"],
        merge: Rule::Work(person::move_identities),
        export: Rule::Work(person::export_identities),
        end_access: Rule::Nothing("a deleted person may be brought back"),
        erase: Rule::Work(person::erase_identities),
    },
    Holding {
        table: "api_key",
        part: Some(Part::Keys),
        columns: &["user_id", "created_by", "state_by"],
        merge: Rule::Work(keys::move_keys),
        export: Rule::Work(keys::export_keys),
        end_access: Rule::Work(keys::revoke_keys),
        erase: Rule::Work(keys::erase_keys),
    },
    Holding {
        table: "api_key_caller",
        part: Some(Part::Keys),
        columns: &["key_id"],
        merge: Rule::Nothing("belongs to the key"),
        export: Rule::Work(keys::export_callers),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(keys::erase_callers),
    },
    Holding {
        table: "api_key_claim",
        part: Some(Part::Keys),
        columns: &["discord_user_id", "created_by"],
        merge: Rule::Nothing(FOLLOWS_ACCOUNT),
        export: Rule::Work(keys::export_claims),
        end_access: Rule::Nothing("a key that it would make opens nothing without its owner"),
        erase: Rule::Work(keys::erase_claims),
    },
    Holding {
        table: "session",
        part: Some(Part::Sessions),
        columns: &["user_id"],
        merge: Rule::Work(sessions::move_sessions),
        export: Rule::Work(sessions::export_sessions),
        end_access: Rule::Work(sessions::end_sessions),
        erase: Rule::Work(sessions::erase_sessions),
    },
    Holding {
        table: "password_credential",
        part: Some(Part::Accounts),
        columns: &["identity"],
        merge: Rule::Nothing("names the account, which moves with its identity"),
        export: Rule::Nothing("is a digest that is told to nobody"),
        end_access: Rule::Nothing("opens nothing while the person is away"),
        erase: Rule::Nothing("goes with the account"),
    },
    Holding {
        table: "oauth_state",
        part: None,
        columns: &["user_id"],
        merge: Rule::Nothing("leads to the person through the tombstone, and is forgotten within ten minutes"),
        export: Rule::Nothing("is forgotten within ten minutes"),
        end_access: Rule::Nothing("connects nothing to a person who is away"),
        erase: Rule::Nothing("is forgotten within ten minutes"),
    },
    Holding {
        table: "auth_nonce",
        part: None,
        columns: &["address"],
        merge: Rule::Nothing("is about the address, whoever has it"),
        export: Rule::Nothing("is forgotten within a day"),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Nothing("is forgotten within a day"),
    },
    Holding {
        table: "project",
        part: Some(Part::Projects),
        columns: &["user_id"],
        merge: Rule::Work(work::move_projects),
        export: Rule::Work(work::export_projects),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(work::erase_projects),
    },
    Holding {
        table: "practice_session",
        columns: &["user_id", "open_user_id"],
        part: Some(Part::Practice),
        merge: Rule::Work(practice::move_sessions),
        export: Rule::Work(practice::export_sessions),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(practice::erase_sessions),
    },
    Holding {
        table: "practice_day",
        columns: &["user_id"],
        part: Some(Part::Practice),
        merge: Rule::Work(practice::add_days),
        export: Rule::Work(practice::export_days),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(practice::erase_days),
    },
    Holding {
        table: "practice_activity_day",
        columns: &["user_id"],
        part: Some(Part::Practice),
        merge: Rule::Work(practice::add_activity_days),
        export: Rule::Work(practice::export_activity_days),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(practice::erase_activity_days),
    },
    Holding {
        table: "guild_departure",
        columns: &["user_id"],
        part: None,
        merge: Rule::Work(practice::forget_departures),
        export: Rule::Work(practice::export_departures),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(practice::erase_departures),
    },
    Holding {
        table: "practice_total",
        columns: &["user_id"],
        part: Some(Part::Practice),
        merge: Rule::Work(practice::add_totals),
        export: Rule::Nothing("is the sum of the days"),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(practice::erase_totals),
    },
    Holding {
        table: "practice_correction",
        columns: &["user_id", "decided_by"],
        part: Some(Part::Practice),
        merge: Rule::Work(practice::move_corrections),
        export: Rule::Work(practice::export_corrections),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(practice::erase_corrections),
    },
    Holding {
        table: "practice_goal",
        columns: &["user_id"],
        part: Some(Part::Practice),
        merge: Rule::Work(practice::move_goals),
        export: Rule::Work(practice::export_goals),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(practice::erase_goals),
    },
    Holding {
        table: "application",
        columns: &["user_id", "discord_user_id", "decided_by"],
        part: Some(Part::Applications),
        merge: Rule::Work(applications::move_applications),
        export: Rule::Work(applications::export_applications),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(applications::erase_applications),
    },
    Holding {
        table: "application_vote",
        columns: &["voter"],
        part: Some(Part::Applications),
        merge: Rule::Work(applications::move_votes),
        export: Rule::Work(applications::export_votes),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(applications::erase_votes),
    },
    Holding {
        table: "application_note",
        columns: &["author"],
        part: Some(Part::Applications),
        merge: Rule::Nothing(FOLLOWS_ACCOUNT),
        export: Rule::Work(applications::export_notes),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(applications::erase_notes),
    },
    Holding {
        table: "application_block",
        columns: &["discord_user_id", "blocked_by"],
        part: None,
        merge: Rule::Nothing(FOLLOWS_ACCOUNT),
        export: Rule::Work(applications::export_blocks),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(applications::erase_blocks),
    },
    Holding {
        table: "direct_message",
        part: Some(Part::Messages),
        columns: &["discord_user_id"],
        merge: Rule::Nothing(FOLLOWS_ACCOUNT),
        export: Rule::Work(chat::export_messages),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(chat::erase_messages),
    },
    Holding {
        table: "announcement",
        part: Some(Part::Messages),
        columns: &["data"],
        merge: Rule::Nothing(FOLLOWS_ACCOUNT),
        export: Rule::Nothing("repeats what direct messages say"),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(chat::erase_announcements),
    },
    Holding {
        table: "proposal",
        part: None,
        columns: &["user_id"],
        merge: Rule::Nothing(FOLLOWS_ACCOUNT),
        export: Rule::Work(chat::export_proposals),
        end_access: Rule::Nothing("only the account itself can press its button"),
        erase: Rule::Work(chat::erase_proposals),
    },
    Holding {
        table: "vanish_exemption",
        part: Some(Part::Vanish),
        columns: &["target_bits"],
        merge: Rule::Nothing(FOLLOWS_ACCOUNT),
        export: Rule::Work(chat::export_exemptions),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(chat::erase_exemptions),
    },
    Holding {
        table: "vanish_own",
        part: Some(Part::Vanish),
        columns: &["discord_user_id"],
        merge: Rule::Nothing(FOLLOWS_ACCOUNT),
        export: Rule::Work(chat::export_own_times),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(chat::erase_own_times),
    },
    Holding {
        table: "event",
        part: None,
        columns: &["actor", "subject"],
        merge: Rule::Nothing("what was done stays as it was done; old ids lead to the person"),
        export: Rule::Work(log::export_events),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(log::redact_events),
    },
    Holding {
        table: "idempotency_record",
        part: None,
        columns: &["principal"],
        merge: Rule::Nothing("is forgotten within a day"),
        export: Rule::Nothing("holds answers that the person was given, for a day"),
        end_access: Rule::Nothing(LETS_NOBODY_IN),
        erase: Rule::Work(log::erase_answers),
    },
];
