//! What history, export and import refuse.

use crate::domain::{Kind, Refusal};

/// Why nothing was rolled back or imported.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HistoryRefusal {
    /// No such revision here.
    #[error("This server has no revision {position}. Choose one from /settings history")]
    NoRevision {
        /// What was asked for.
        position: i64,
    },
    /// Too much has happened since.
    #[error("More than {max} changes came after this revision. Roll back to a later one first")]
    TooFar {
        /// Most changes.
        max: u64,
    },
    /// Something else changed it between preview and confirmation.
    #[error(
        "{subject} was changed meanwhile, so that nothing was done. Run the command again to see the new difference"
    )]
    ChangedMeanwhile {
        /// In words.
        subject: String,
    },
    /// Not something that can be brought back.
    #[error("`{subject}` is nothing that can be set from a revision or a file")]
    BadSubject {
        /// As the event log spells it.
        subject: String,
    },
    /// The rule of a channel belongs to somebody else.
    #[error("<#{channel}> has a rule of another server, so that nothing was done")]
    OtherGuildRule {
        /// The channel.
        channel: String,
    },
    /// The file is too large.
    #[error("The file has more than {} KiB. Export the settings again and change that file", .max / 1024)]
    TooLarge {
        /// Most bytes.
        max: usize,
    },
    /// The file is no JSON.
    #[error("The file is not JSON: {problem}")]
    NotJson {
        /// The parser's words.
        problem: String,
    },
    /// The file is JSON of another kind.
    #[error("The file is no export of settings: its \"format\" must be \"guildhall-settings\" and its \"version\" 1")]
    WrongFormat,
    /// The file is from elsewhere.
    #[error("The file belongs to the server {guild}, whose channels and roles do not exist here. Import it there")]
    OtherGuild {
        /// The file's guild.
        guild: String,
    },
    /// One value of the file.
    #[error("{pointer}: {problem}")]
    BadValue {
        /// Where, as a JSON pointer into the file.
        pointer: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Refusal for HistoryRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NoRevision { .. } => Kind::NotFound,
            Self::ChangedMeanwhile { .. } | Self::OtherGuildRule { .. } => Kind::Conflict,
            Self::TooFar { .. } | Self::TooLarge { .. } => Kind::LimitReached,
            Self::BadSubject { .. }
            | Self::NotJson { .. }
            | Self::WrongFormat
            | Self::OtherGuild { .. }
            | Self::BadValue { .. } => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoRevision { .. } => "history.no_revision",
            Self::TooFar { .. } => "history.too_far",
            Self::ChangedMeanwhile { .. } => "history.changed_meanwhile",
            Self::BadSubject { .. } => "history.bad_subject",
            Self::OtherGuildRule { .. } => "history.other_guild_rule",
            Self::TooLarge { .. } => "import.too_large",
            Self::NotJson { .. } => "import.not_json",
            Self::WrongFormat => "import.wrong_format",
            Self::OtherGuild { .. } => "import.other_guild",
            Self::BadValue { .. } => "import.bad_value",
        }
    }
}
