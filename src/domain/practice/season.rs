//! Seasons: stretches of days that a guild ranks by themselves. Their board is one of those days.

use entity::{
    id::{GuildId, PracticeSeasonId},
    practice_season::{self, Model},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, TryInsertResult,
};
use serde_json::{Value, json};

use super::{ACTIVITY_MAX, Dates, PracticeRefusal, change::text, person, split::local_date};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most seasons that are listed.
const SEASONS_MAX: u64 = 100;

struct Input {
    author: Author,
    ids: IdSource,
    guild_id: GuildId,
    name: String,
}

/// Begins a season with the guild's present day.
pub async fn start_season(domain: &Domain, actor: &Actor, guild_id: GuildId, name: String) -> Result<Model, Error> {
    actor.require(Right::ManagePractice, Some(guild_id))?;
    let name = text(Some(name), ACTIVITY_MAX, PracticeRefusal::BadSeason)?.ok_or(PracticeRefusal::BadSeason)?;
    if name.chars().any(char::is_control) {
        return Err(PracticeRefusal::BadSeason.into());
    }
    let input = Input { author: Author::new(domain, actor), ids: domain.ids.clone(), guild_id, name };
    domain.store.write(input, |txn, input| Box::pin(start_in(txn, input))).await
}

async fn start_in(txn: &WriteTransaction, input: &Input) -> Result<Model, Error> {
    let zone = person::zone(txn.connection(), None, Some(input.guild_id)).await?;
    let row = Model {
        id: PracticeSeasonId(input.ids.uuid()),
        guild_id: input.guild_id,
        open_guild_id: Some(input.guild_id),
        name: input.name.clone(),
        first_date: local_date(zone, input.author.at()),
        last_date: None,
        created_at: input.author.at(),
    };
    let inserted = practice_season::Entity::insert(row.clone().into_active_model())
        .on_conflict_do_nothing_on([practice_season::Column::OpenGuildId])
        .exec_without_returning(txn.connection())
        .await?;
    if !matches!(inserted, TryInsertResult::Inserted(1..)) {
        return Err(PracticeRefusal::SeasonRuns.into());
    }
    let after = json!({ "first_date": row.first_date });
    let subject = format!("practice_season/{}", row.id);
    txn.append_event(input.author.event("practice.season_started", row.guild_id, subject, (Value::Null, after)))
        .await?;
    Ok(row)
}

/// Ends the season that runs, with the guild's present day.
pub async fn end_season(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Model, Error> {
    actor.require(Right::ManagePractice, Some(guild_id))?;
    let input = Input { author: Author::new(domain, actor), ids: domain.ids.clone(), guild_id, name: String::new() };
    domain.store.write(input, |txn, input| Box::pin(end_in(txn, input))).await
}

async fn end_in(txn: &WriteTransaction, input: &Input) -> Result<Model, Error> {
    let zone = person::zone(txn.connection(), None, Some(input.guild_id)).await?;
    let found = practice_season::Entity::find()
        .filter(practice_season::COLUMN.open_guild_id.eq(input.guild_id))
        .lock_exclusive()
        .one(txn.connection())
        .await?;
    let mut row = found.ok_or(PracticeRefusal::NoSeason)?;
    let last = local_date(zone, input.author.at()).max(row.first_date);
    (row.open_guild_id, row.last_date) = (None, Some(last));
    let ended =
        practice_season::ActiveModel { open_guild_id: Set(None), last_date: Set(Some(last)), ..Default::default() };
    practice_season::Entity::update_many()
        .set(ended)
        .filter(practice_season::COLUMN.id.eq(row.id))
        .exec(txn.connection())
        .await?;
    let after = json!({ "first_date": row.first_date, "last_date": last });
    let subject = format!("practice_season/{}", row.id);
    txn.append_event(input.author.event("practice.season_ended", row.guild_id, subject, (Value::Null, after))).await?;
    Ok(row)
}

/// The season that runs, and its days so far.
pub async fn current_season(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
) -> Result<Option<(Model, Dates)>, Error> {
    let zone = person::zone(domain.store.reader(), None, Some(guild_id)).await?;
    let today = local_date(zone, domain.now());
    let first = seasons(domain, actor, guild_id).await?.into_iter().find(|season| season.last_date.is_none());
    Ok(first.map(|season| {
        let dates = Dates { first: season.first_date, last: today.max(season.first_date) };
        (season, dates)
    }))
}

/// The seasons of a guild, the newest first.
pub async fn seasons(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Vec<Model>, Error> {
    actor.require(Right::ReadPractice, Some(guild_id))?;
    let rows = practice_season::Entity::find()
        .filter(practice_season::COLUMN.guild_id.eq(guild_id))
        .order_by_desc(practice_season::COLUMN.first_date)
        .order_by_desc(practice_season::COLUMN.id)
        .limit(SEASONS_MAX);
    Ok(rows.all(domain.store.reader()).await?)
}
