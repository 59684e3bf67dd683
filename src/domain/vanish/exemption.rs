//! Whose messages rules leave alone.

use chrono::{DateTime, Utc};
use entity::{
    id::{ChannelId, DiscordUserId, GuildId, RoleId},
    vanish_exemption::{self, ExemptionKind, Model},
};
use sea_orm::{
    ActiveEnum, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use serde_json::{Value, json};

use super::{EXEMPTIONS_PER_GUILD_MAX, VanishRefusal, rule::wake_place};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author, guild},
    store::{NewEvent, WriteTransaction},
};

/// What is exempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExemptionTarget {
    /// One account.
    User(DiscordUserId),
    /// Everybody with a role.
    Role(RoleId),
    /// Every bot.
    Bots,
    /// Every webhook.
    Webhooks,
    /// Discord's own messages.
    System,
}

impl ExemptionTarget {
    fn columns(self) -> (ExemptionKind, i64) {
        match self {
            Self::User(user) => (ExemptionKind::User, user.get().cast_signed()),
            Self::Role(role) => (ExemptionKind::Role, role.get().cast_signed()),
            Self::Bots => (ExemptionKind::Bots, 0),
            Self::Webhooks => (ExemptionKind::Webhooks, 0),
            Self::System => (ExemptionKind::System, 0),
        }
    }
}

/// One exemption, added or taken away.
#[derive(Clone, Copy, Debug)]
pub struct ExemptionChange {
    /// The guild.
    pub guild_id: GuildId,
    /// The channel; none for every channel of the guild.
    pub channel_id: Option<ChannelId>,
    /// What is exempt.
    pub target: ExemptionTarget,
    /// Add it, or take it away.
    pub add: bool,
}

/// The exemptions that apply to a channel, or all of the guild's.
pub async fn exemptions(
    domain: &Domain,
    actor: &Actor,
    guild: GuildId,
    channel: Option<ChannelId>,
) -> Result<Vec<Model>, Error> {
    actor.require(Right::ReadVanish, Some(guild))?;
    let mut query = vanish_exemption::Entity::find().filter(vanish_exemption::COLUMN.guild_id.eq(guild));
    if let Some(channel) = channel {
        query = query.filter(vanish_exemption::COLUMN.channel_bits.is_in([0, channel.get().cast_signed()]));
    }
    Ok(query
        .order_by_asc(vanish_exemption::Column::CreatedAt)
        .limit(EXEMPTIONS_PER_GUILD_MAX)
        .all(domain.store.reader())
        .await?)
}

/// Adds or takes away an exemption; says whether anything changed.
pub async fn change_exemption(domain: &Domain, actor: &Actor, change: ExemptionChange) -> Result<bool, Error> {
    let right = change.channel_id.map_or(Right::ManageVanishDefaults, Right::ManageVanish);
    actor.require(right, Some(change.guild_id))?;
    let input = (actor.clone(), change, domain.now());
    domain.store.write(input, |txn, (actor, change, now)| Box::pin(write(txn, actor, *change, *now))).await
}

async fn write(
    txn: &WriteTransaction,
    actor: &Actor,
    change: ExemptionChange,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    use vanish_exemption::Column as C;
    let (kind, target_bits) = change.target.columns();
    let channel_bits = change.channel_id.map_or(0, |channel| channel.get().cast_signed());
    let row = Model { guild_id: change.guild_id, channel_bits, kind, target_bits, created_at: now };
    let key = (change.guild_id, channel_bits, kind, target_bits);
    let changed = if change.add {
        guild::ensure(txn, change.guild_id, now).await?;
        let count = vanish_exemption::Entity::find()
            .filter(vanish_exemption::COLUMN.guild_id.eq(change.guild_id))
            .count(txn.connection())
            .await?;
        if count >= EXEMPTIONS_PER_GUILD_MAX {
            return Err(VanishRefusal::TooManyExemptions.into());
        }
        vanish_exemption::Entity::insert(row.clone().into_active_model())
            .on_conflict(
                OnConflict::columns([C::GuildId, C::ChannelBits, C::Kind, C::TargetBits]).do_nothing().to_owned(),
            )
            .exec_without_returning(txn.connection())
            .await?
            > 0
    } else {
        vanish_exemption::Entity::delete_by_id(key).exec(txn.connection()).await?.rows_affected > 0
    };
    if !changed {
        return Ok(false);
    }
    if let (Some(channel), false) = (change.channel_id, change.add) {
        super::watch::rescan(txn, channel).await?;
        wake_place(txn, channel, now).await?;
    } else if !change.add {
        super::watch::rescan_guild(txn, change.guild_id, now).await?;
    }
    let settings = exemption_settings(&row);
    txn.append_event(NewEvent {
        kind: if change.add { "vanish.exemption_added" } else { "vanish.exemption_removed" },
        guild_id: Some(change.guild_id),
        subject: exemption_subject(&row),
        actor: actor.to_string(),
        source: actor.source().name(),
        before: if change.add { Value::Null } else { settings.clone() },
        after: if change.add { settings } else { Value::Null },
        at: now,
    })
    .await?;
    Ok(true)
}

/// Takes away every exemption of an account that is to be forgotten; the log does not name it.
pub(in crate::domain) async fn forget_account(
    txn: &WriteTransaction,
    author: &Author,
    account: DiscordUserId,
) -> Result<(), Error> {
    let (kind, target_bits) = ExemptionTarget::User(account).columns();
    let rows = vanish_exemption::Entity::find()
        .filter(vanish_exemption::Column::Kind.eq(kind))
        .filter(vanish_exemption::COLUMN.target_bits.eq(target_bits))
        .all(txn.connection())
        .await?;
    for row in rows {
        let key = (row.guild_id, row.channel_bits, kind, target_bits);
        vanish_exemption::Entity::delete_by_id(key).exec(txn.connection()).await?;
        match ChannelId::new(row.channel_bits.cast_unsigned()) {
            Some(channel) => {
                super::watch::rescan(txn, channel).await?;
                wake_place(txn, channel, author.at()).await?;
            }
            None => super::watch::rescan_guild(txn, row.guild_id, author.at()).await?,
        }
        let channel =
            if row.channel_bits == 0 { "all".to_owned() } else { row.channel_bits.cast_unsigned().to_string() };
        let subject = format!("vanish_exemption/{}/{channel}/{}/erased", row.guild_id, kind.to_value());
        let change = (Value::Null, Value::Null);
        txn.append_event(author.event("vanish.exemption_removed", row.guild_id, subject, change)).await?;
    }
    Ok(())
}

/// An exemption's subject in the event log.
pub(crate) fn exemption_subject(row: &Model) -> String {
    let or_all = |bits: i64| if bits == 0 { "all".to_owned() } else { bits.cast_unsigned().to_string() };
    format!(
        "vanish_exemption/{}/{}/{}/{}",
        row.guild_id,
        or_all(row.channel_bits),
        row.kind.to_value(),
        or_all(row.target_bits)
    )
}

/// An exemption as the event log shows it.
pub(crate) fn exemption_settings(row: &Model) -> Value {
    let or_null = |bits: i64| if bits == 0 { Value::Null } else { bits.cast_unsigned().to_string().into() };
    json!({
        "guild_id": row.guild_id,
        "channel_id": or_null(row.channel_bits),
        "kind": row.kind.to_value(),
        "target_id": or_null(row.target_bits),
    })
}
