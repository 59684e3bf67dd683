//! A person, whatever accounts they have elsewhere.

use sea_orm::entity::prelude::*;

use crate::id::UserId;

/// What a person may do in the whole installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Role {
    /// Has signed in, or used a command.
    #[sea_orm(string_value = "authenticated")]
    Authenticated,
    /// Is one of the community.
    #[sea_orm(string_value = "member")]
    Member,
    /// Administers the installation.
    #[sea_orm(string_value = "admin")]
    Admin,
}

/// Who sees a person's accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Privacy {
    /// Everybody who has signed in.
    #[sea_orm(string_value = "public")]
    Public,
    /// Members and administrators.
    #[sea_orm(string_value = "members")]
    Members,
    /// Administrators.
    #[sea_orm(string_value = "private")]
    Private,
}

/// Which direct messages of the bot a person wants, besides those that protect their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum DirectMessages {
    /// No other.
    #[sea_orm(string_value = "none")]
    None,
    /// What was decided about something that they asked for.
    #[sea_orm(string_value = "decisions")]
    Decisions,
    /// All.
    #[sea_orm(string_value = "all")]
    All,
}

/// One person. The table is not called `user`, which is a reserved word.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// Their id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// What they may do.
    pub role: Role,
    /// Since when they may do nothing.
    pub disabled_at: Option<DateTimeUtc>,
    /// The value of the counter `auth` at the last change of role or state; other processes follow it.
    pub generation: i64,
    /// The person that this one was found to be: a tombstone, through which the old id still leads there.
    pub merged_into: Option<UserId>,
    /// When an administrator took them away; their history stays.
    pub deleted_at: Option<DateTimeUtc>,
    /// When all that was held about them went; the id stays where sums need it.
    pub erased_at: Option<DateTimeUtc>,
    /// IANA name, such as `Europe/Berlin`; none takes the server's.
    #[sea_orm(column_type = "Text")]
    pub time_zone: Option<String>,
    /// Language tag of Discord; none takes the server's.
    #[sea_orm(column_type = "Text")]
    pub language: Option<String>,
    /// Who sees their accounts; none is `members`.
    pub privacy: Option<Privacy>,
    /// Which direct messages they want; none is `all`.
    pub direct_messages: Option<DirectMessages>,
    /// The name of their primary address, as it was last found.
    #[sea_orm(column_type = "Text")]
    pub ens_name: Option<String>,
    /// The picture of that name.
    #[sea_orm(column_type = "Text")]
    pub ens_avatar: Option<String>,
    /// When that is looked up next; none until they have a wallet.
    pub ens_due_at: Option<DateTimeUtc>,
    /// First seen.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// Their accounts elsewhere.
    #[sea_orm(has_many)]
    pub identities: HasMany<super::identity::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
