//! All settings of a guild as one document.

use entity::{
    channel_slot, guild,
    id::{ChannelId, GuildId},
    vanish_exemption, vanish_rule,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

use super::{
    document::{
        DefaultPart, Document, ExemptionPart, FORMAT, GeneralPart, RolePart, RulePart, SlotPart, VERSION, VanishPart,
    },
    practice,
    subject::Hold,
    vanish::{self, ExemptionKey, RuleConfig},
};
use crate::domain::{
    Actor, Domain, Error, Right,
    guild::{General, role},
    slot::SlotConfig,
};

/// Most rows of one kind.
const ROWS_MAX: u64 = 10_000;

/// The settings of a guild, without anything that happens by itself: counters, health, confirmations.
pub async fn export(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Value, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    actor.require(Right::ReadVanish, Some(guild_id))?;
    let reader = domain.store.reader();
    let general = guild::Entity::find_by_id(guild_id).one(reader).await?;
    let general = general.as_ref().map(General::of_row).unwrap_or_default();
    let slots = slots(reader, guild_id).await?;
    let slots = slots.iter().filter_map(|(key, config)| SlotPart::of(key, config));
    let given = role::all(reader, guild_id).await?;
    let rules = rules(reader, guild_id).await?;
    let exemptions = exemptions(reader, guild_id).await?;
    let default = vanish::present_default(reader, guild_id, Hold::No).await?;
    let document = Document {
        format: FORMAT.to_owned(),
        version: VERSION,
        guild_id,
        general: Some(GeneralPart::of(&general)),
        slots: Some(slots.collect()),
        roles: Some(given.into_iter().map(|(kind, role_id)| RolePart::of(kind, role_id)).collect()),
        vanish: Some(VanishPart {
            default: Some(DefaultPart::of(&default)),
            rules: Some(rules.iter().map(|(channel, rule)| RulePart::of(*channel, rule)).collect()),
            exemptions: Some(exemptions.iter().map(|key| ExemptionPart::of(*key)).collect()),
        }),
        practice: Some(practice::export(reader, guild_id).await?),
    };
    Ok(serde_json::to_value(document)?)
}

/// The configured slots of a guild, by name.
pub(super) async fn slots(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
) -> Result<Vec<(String, SlotConfig)>, DbErr> {
    let rows = channel_slot::Entity::find()
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .order_by_asc(channel_slot::COLUMN.key)
        .limit(ROWS_MAX)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.key.clone(), SlotConfig::of_row(&row))).collect())
}

/// The vanish rules of a guild, by channel.
pub(super) async fn rules(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
) -> Result<Vec<(ChannelId, RuleConfig)>, DbErr> {
    let rows = vanish_rule::Entity::find()
        .filter(vanish_rule::COLUMN.guild_id.eq(guild_id))
        .order_by_asc(vanish_rule::Column::ChannelId)
        .limit(ROWS_MAX)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.channel_id, RuleConfig::of_row(&row))).collect())
}

/// The exemptions of a guild.
pub(super) async fn exemptions(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
) -> Result<Vec<ExemptionKey>, DbErr> {
    let rows = vanish_exemption::Entity::find()
        .filter(vanish_exemption::COLUMN.guild_id.eq(guild_id))
        .order_by_asc(vanish_exemption::Column::ChannelBits)
        .order_by_asc(vanish_exemption::Column::Kind)
        .order_by_asc(vanish_exemption::Column::TargetBits)
        .limit(ROWS_MAX)
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| ExemptionKey { channel_bits: row.channel_bits, kind: row.kind, target_bits: row.target_bits })
        .collect())
}
