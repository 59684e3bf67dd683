//! What a person says of themself: time zone, language, who sees their accounts, and what the bot writes to them.

use chrono_tz::Tz;
use entity::{
    id::UserId,
    user::{self, DirectMessages, Privacy},
};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::{Value, json};

use super::{UserRefusal, is_active, lock, own, subject};
use crate::{
    domain::{Actor, Domain, Error, counter, event::Author, guild},
    id_source::IdSource,
    store::WriteTransaction,
};

/// A person's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// IANA name; none takes the server's.
    pub time_zone: Option<String>,
    /// Language tag of Discord; none takes the server's.
    pub language: Option<String>,
    /// Who sees their accounts.
    pub privacy: Option<Privacy>,
    /// Which direct messages they want.
    pub direct_messages: Option<DirectMessages>,
}

impl Profile {
    /// Who sees their accounts: members and administrators, unless they say otherwise.
    pub fn privacy(&self) -> Privacy {
        self.privacy.unwrap_or(Privacy::Members)
    }

    /// Which direct messages they want: all, unless they say otherwise.
    pub fn direct_messages(&self) -> DirectMessages {
        self.direct_messages.unwrap_or(DirectMessages::All)
    }
}

impl From<user::Model> for Profile {
    fn from(row: user::Model) -> Self {
        Self {
            time_zone: row.time_zone,
            language: row.language,
            privacy: row.privacy,
            direct_messages: row.direct_messages,
        }
    }
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// IANA name, in any case.
    pub time_zone: Option<Option<String>>,
    /// Language tag of Discord, in any case.
    pub language: Option<Option<String>>,
    /// Who sees their accounts.
    pub privacy: Option<Option<Privacy>>,
    /// Which direct messages they want.
    pub direct_messages: Option<Option<DirectMessages>>,
}

/// One's own settings; those of somebody who is not known yet are the defaults.
pub async fn profile(domain: &Domain, actor: &Actor) -> Result<Profile, Error> {
    let Some(id) = own(domain, actor).await? else { return Ok(Profile::default()) };
    let row = super::resolve(domain.store.reader(), id).await?.ok_or(UserRefusal::NotFound)?;
    Ok(row.into())
}

#[expect(clippy::option_option, reason = "a none inside takes the value away, a none outside leaves it")]
struct Input {
    author: Author,
    ids: IdSource,
    actor: Actor,
    time_zone: Option<Option<Tz>>,
    language: Option<Option<&'static str>>,
    privacy: Option<Option<Privacy>>,
    direct_messages: Option<Option<DirectMessages>>,
}

/// Changes one's own settings.
pub async fn set_profile(domain: &Domain, actor: &Actor, change: ProfileChange) -> Result<Profile, Error> {
    let input = Input {
        author: Author::new(domain, actor),
        ids: domain.ids.clone(),
        actor: actor.clone(),
        time_zone: change.time_zone.map(|name| name.as_deref().map(guild::parse_time_zone).transpose()).transpose()?,
        language: change.language.map(|tag| tag.as_deref().map(guild::parse_language).transpose()).transpose()?,
        privacy: change.privacy,
        direct_messages: change.direct_messages,
    };
    domain.store.write(input, |txn, input| Box::pin(set_in(txn, input))).await
}

async fn set_in(txn: &WriteTransaction, input: &Input) -> Result<Profile, Error> {
    let id = own_in(txn, input).await?;
    let before = lock(txn, id).await?;
    if !is_active(&before) {
        return Err(UserRefusal::Disabled.into());
    }
    let mut after = before.clone();
    let mut fields = Vec::new();
    if let Some(zone) = input.time_zone {
        after.time_zone = zone.map(|zone| zone.name().to_owned());
        fields.push("time_zone");
    }
    if let Some(language) = input.language {
        after.language = language.map(str::to_owned);
        fields.push("language");
    }
    if let Some(privacy) = input.privacy {
        after.privacy = privacy;
        fields.push("privacy");
    }
    if let Some(wish) = input.direct_messages {
        after.direct_messages = wish;
        fields.push("direct_messages");
    }
    if after == before {
        return Ok(after.into());
    }
    after.generation = counter::next(txn, counter::AUTH).await?;
    after.updated_at = input.author.at();
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    // What they chose is theirs to know: the log names the fields only.
    let change = (Value::Null, json!({ "fields": fields }));
    txn.append_event(input.author.event("user.profile_changed", None, subject(id), change)).await?;
    Ok(after.into())
}

async fn own_in(txn: &WriteTransaction, input: &Input) -> Result<UserId, Error> {
    match input.actor.discord_user() {
        Some(discord) => super::of_discord(txn, &input.author, &input.ids, discord).await,
        None => super::identity::own_id(&input.actor),
    }
}
