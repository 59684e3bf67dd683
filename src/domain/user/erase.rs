//! What is held about a person: shown to them whole, and forgotten when they want it.
//!
//! Invariant: both walk the registry of holdings, so that a table that is not in it cannot be forgotten silently.

use chrono::SecondsFormat;
use entity::{
    id::{DiscordUserId, UserId},
    identity::{self, Platform},
    user::{self, Role},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Map, Value, json};

use super::{
    UserRefusal,
    change::end_access,
    holdings::{EXPORT_ROWS_MAX, HOLDINGS, Part, Person, Rule},
    identity::IdentityKey,
    is_active, lock, own, resolve, subject,
};
use crate::{
    domain::{Actor, Domain, Error, Right, counter, event::Author},
    store::WriteTransaction,
};

/// Refuses unless the actor is the person, or manages people. Says whether they are the person.
async fn require_own(domain: &Domain, actor: &Actor, id: UserId) -> Result<bool, Error> {
    let own = own(domain, actor).await?;
    let is_own = match own {
        Some(own) => own == id || resolve(domain.store.reader(), id).await?.is_some_and(|row| row.id == own),
        None => false,
    };
    if !is_own {
        actor.require(Right::ManageUsers, None)?;
    }
    Ok(is_own)
}

async fn person(connection: &impl ConnectionTrait, id: UserId) -> Result<Person, Error> {
    let accounts = identity::Entity::find()
        .filter(identity::COLUMN.user_id.eq(id))
        .filter(identity::COLUMN.platform.eq(Platform::Discord))
        .all(connection)
        .await?;
    let discord = accounts.iter().filter_map(|account| account.identity.parse::<DiscordUserId>().ok()).collect();
    Ok(Person { id, discord, kept: None })
}

/// The account that leads to a person who is not forgotten as a whole: the one in Discord that asks, else the one that
/// they are shown by.
async fn kept(connection: &impl ConnectionTrait, input: &Input, id: UserId) -> Result<Option<IdentityKey>, Error> {
    if let Some(discord) = input.asked_by {
        return Ok(Some((Platform::Discord, discord.to_string())));
    }
    let primary = identity::Entity::find()
        .filter(identity::COLUMN.user_id.eq(id))
        .order_by_desc(identity::Column::IsPrimary)
        .order_by_asc(identity::Column::CreatedAt)
        .limit(1)
        .one(connection)
        .await?;
    Ok(primary.map(|account| (account.platform, account.identity)))
}

/// Everything that is held about a person, by table; for themself, or for whoever manages people.
pub async fn export(domain: &Domain, actor: &Actor, id: UserId) -> Result<Value, Error> {
    require_own(domain, actor, id).await?;
    let reader = domain.store.reader();
    let row = resolve(reader, id).await?.filter(|row| row.erased_at.is_none()).ok_or(UserRefusal::NotFound)?;
    let person = person(reader, row.id).await?;
    let mut tables = Map::new();
    let mut cut = Vec::new();
    for holding in HOLDINGS {
        let Rule::Work(work) = &holding.export else { continue };
        let rows = work(reader, &person).await?;
        if rows.len() as u64 == EXPORT_ROWS_MAX {
            cut.push(holding.table);
        }
        tables.insert(holding.table.to_owned(), rows.into());
    }
    Ok(json!({
        "userId": person.id,
        "exportedAt": domain.now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "newestRowsOnly": cut,
        "tables": tables,
    }))
}

struct Input {
    author: Author,
    id: UserId,
    is_own: bool,
    /// The Discord account of the person themself.
    asked_by: Option<DiscordUserId>,
    /// None is everything.
    part: Option<Part>,
}

/// Forgets a person, for themself or for whoever manages people. Keys and sessions end, accounts and settings go; what
/// sums need, and the log, keep the bare id.
pub async fn erase(domain: &Domain, actor: &Actor, id: UserId) -> Result<(), Error> {
    erase_what(domain, actor, id, None).await
}

/// Forgets a part of what is held about a person, for themself or for whoever manages people. The rest stays.
pub async fn erase_part(domain: &Domain, actor: &Actor, id: UserId, part: Part) -> Result<(), Error> {
    erase_what(domain, actor, id, Some(part)).await
}

async fn erase_what(domain: &Domain, actor: &Actor, id: UserId, part: Option<Part>) -> Result<(), Error> {
    let is_own = require_own(domain, actor, id).await?;
    let asked_by = actor.discord_user().filter(|_| is_own);
    let input = Input { author: Author::new(domain, actor), id, is_own, asked_by, part };
    domain.store.write(input, |txn, input| Box::pin(erase_in(txn, input))).await
}

async fn erase_in(txn: &WriteTransaction, input: &Input) -> Result<(), Error> {
    let row = lock(txn, input.id).await?;
    if row.erased_at.is_some() {
        return Err(UserRefusal::NotFound.into());
    }
    // Whoever is kept out stays known, or they would be new at their next command.
    if input.is_own && !is_active(&row) {
        return Err(UserRefusal::Disabled.into());
    }
    let author = if input.is_own { input.author.clone().by_person(row.id) } else { input.author.clone() };
    let mut person = person(txn.connection(), row.id).await?;
    match input.part {
        Some(part) => {
            person.kept = kept(txn.connection(), input, row.id).await?;
            forget_part(txn, &author, &person, part).await
        }
        None => forget(txn, &author, &person, row).await,
    }
}

/// What lets them in ends first, so that nothing opens whose rows are gone.
async fn forget_part(txn: &WriteTransaction, author: &Author, person: &Person, part: Part) -> Result<(), Error> {
    let holdings = || HOLDINGS.iter().filter(|holding| holding.part == Some(part));
    for holding in holdings() {
        if let Rule::Work(work) = &holding.end_access {
            work(txn, author, person.id).await?;
        }
    }
    for holding in holdings() {
        if let Rule::Work(work) = &holding.erase {
            work(txn, author, person).await?;
        }
    }
    let change = (Value::Null, json!({ "part": part.name() }));
    Ok(txn.append_event(author.event("user.part_erased", None, subject(person.id), change)).await?)
}

async fn forget(txn: &WriteTransaction, author: &Author, person: &Person, row: user::Model) -> Result<(), Error> {
    end_access(txn, author, row.id).await?;
    for holding in HOLDINGS {
        if let Rule::Work(work) = &holding.erase {
            work(txn, author, person).await?;
        }
    }
    let now = author.at();
    let empty = user::Model {
        role: Role::Authenticated,
        deleted_at: row.deleted_at.or(Some(now)),
        erased_at: Some(now),
        time_zone: None,
        language: None,
        privacy: None,
        direct_messages: None,
        ens_name: None,
        ens_avatar: None,
        ens_due_at: None,
        generation: counter::next(txn, counter::AUTH).await?,
        updated_at: now,
        ..row
    };
    let subject = subject(empty.id);
    empty.into_active_model().reset_all().update(txn.connection()).await?;
    Ok(txn.append_event(author.event("user.erased", None, subject, (Value::Null, Value::Null))).await?)
}
