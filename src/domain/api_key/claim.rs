//! Keys that somebody in chat has asked for, and that are minted when they are handed over: by a link, or by a button.
//!
//! Invariants: nothing secret waits here; an order is filled once, in the transaction that marks it as used; five wrong
//! codes end a link.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    api_key, api_key_claim,
    id::{ApiKeyClaimId, ApiKeyId, DiscordUserId, GuildId},
};
use rand::RngExt as _;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{
    IssuedKey, KeyStatus, NewKey,
    issue::{Draft, draft, insert, require_creatable},
    read,
    refusal::KeyRefusal,
    revoke::Panic,
    rotate::{Life, Rotation, rotate_in},
    specification::require,
};
use crate::{
    domain::{Account, Actor, Domain, Error, Kind, Refusal, error::CommonRefusal, event::Author, user},
    secret::Secret,
    store::WriteTransaction,
};

/// Most orders of one person that wait at once.
const OPEN_MAX: u64 = 20;
/// Wrong codes that end a link.
const WRONG_CODES_MAX: i32 = 5;
/// Digits of a code.
const CODE_DIGITS: usize = 6;
/// Bytes of a link's token: 256 bits.
const TOKEN_BYTES: usize = 32;
/// Characters of a token as links spell it.
const TOKEN_CHARACTERS: usize = 2 * TOKEN_BYTES;
/// Days that the trace of an order is kept.
const KEPT_DAYS: i64 = 1;

/// Why a key is not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRefusal {
    /// It was handed over, or took too long, or somebody has tried too many codes.
    #[error("This was used already, or has ended: ask for the key again with /apikey")]
    Gone,
    /// The code is not the one that was shown.
    #[error("That is not the code: {left} more tries")]
    WrongCode {
        /// Tries that are left.
        left: i32,
    },
    /// Too many wait.
    #[error("You have asked for {OPEN_MAX} keys that you have not taken. Take or cancel them, or wait for ten minutes")]
    TooManyOpen,
}

impl Refusal for ClaimRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Gone => Kind::Gone,
            Self::WrongCode { .. } => Kind::Forbidden,
            Self::TooManyOpen => Kind::LimitReached,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Gone => "claim.gone",
            Self::WrongCode { .. } => "claim.wrong_code",
            Self::TooManyOpen => "claim.too_many_open",
        }
    }
}

/// What somebody in chat wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wanted {
    /// A new key.
    Key(NewKey),
    /// A key in place of an old one.
    Rotation {
        /// The old one.
        id: ApiKeyId,
        /// Seconds that the old one works on.
        grace_seconds: i64,
    },
}

/// An order as its owner sees it.
#[derive(Clone, Debug)]
pub struct OrderView {
    /// What it is for.
    pub wanted: Wanted,
    /// The guild that the key will be bound to.
    pub guild_id: Option<GuildId>,
    /// Until when it can be filled.
    pub expires_at: DateTime<Utc>,
}

/// The two halves of a link, which travel by different ways.
pub struct ClaimLink {
    /// The last part of the link's path.
    pub token: Secret,
    /// What its reader has to enter there.
    pub code: String,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
}

/// Whose rights the order rests on, now.
fn require_wanted(domain: &Domain, actor: &Actor, wanted: &Wanted, guild: Option<GuildId>) -> Result<(), Error> {
    match wanted {
        Wanted::Key(new) => require_creatable(domain, actor, new),
        Wanted::Rotation { .. } => require(actor, guild),
    }
}

fn of_row(row: &api_key_claim::Model) -> Result<Wanted, Error> {
    Ok(serde_json::from_value(row.specification.clone())?)
}

fn person(actor: &Actor) -> Result<DiscordUserId, CommonRefusal> {
    actor.discord_user().ok_or(CommonRefusal::NotYours)
}

struct NewOrder {
    author: Author,
    row: api_key_claim::Model,
    wanted: Wanted,
    ids: crate::id_source::IdSource,
}

/// Remembers what somebody wants, after a look at whether they may have it. The key belongs to them.
pub async fn order(domain: &Domain, actor: &Actor, wanted: Wanted) -> Result<ApiKeyClaimId, Error> {
    let guild_id = match &wanted {
        Wanted::Key(new) => new.guild_id,
        Wanted::Rotation { id, .. } => {
            let old = read::key(domain, actor, *id).await?.row;
            let status = KeyStatus::of(&old, domain.now());
            if status != KeyStatus::Active {
                return Err(KeyRefusal::NotRotatable(status).into());
            }
            old.guild_id
        }
    };
    require_wanted(domain, actor, &wanted, guild_id)?;
    let author = Author::new(domain, actor);
    let nobodys = secret_bytes();
    let row = api_key_claim::Model {
        id: ApiKeyClaimId(domain.ids.uuid()),
        // Until somebody asks for a link, none leads here.
        token_digest: Sha256::digest(nobodys).to_vec(),
        code_digest: Vec::new(),
        specification: serde_json::Value::Null,
        discord_user_id: person(actor)?,
        guild_id,
        wrong_codes: 0,
        expires_at: author.at() + domain.limits.keys.claim_lifetime,
        used_at: None,
        key_id: None,
        created_by: actor.to_string(),
        created_at: author.at(),
    };
    let id = row.id;
    let input = NewOrder { author, row, wanted, ids: domain.ids.clone() };
    domain.store.write(input, |txn, input| Box::pin(order_in(txn, input))).await?;
    Ok(id)
}

async fn order_in(txn: &WriteTransaction, input: &NewOrder) -> Result<(), Error> {
    let now = input.author.at();
    let mut row = input.row.clone();
    // The dead are cleared by the living, so that the table stays as small as its use.
    api_key_claim::Entity::delete_many()
        .filter(api_key_claim::COLUMN.expires_at.lte(now - TimeDelta::days(KEPT_DAYS)))
        .exec(txn.connection())
        .await?;
    let open = api_key_claim::Entity::find()
        .filter(api_key_claim::COLUMN.discord_user_id.eq(row.discord_user_id))
        .filter(api_key_claim::COLUMN.used_at.is_null())
        .filter(api_key_claim::COLUMN.expires_at.gt(now))
        .count(txn.connection())
        .await?;
    if open >= OPEN_MAX {
        return Err(ClaimRefusal::TooManyOpen.into());
    }
    let mut wanted = input.wanted.clone();
    if let Wanted::Key(new) = &mut wanted {
        new.user_id = Some(user::of_discord(txn, &input.author, &input.ids, row.discord_user_id).await?);
    }
    row.specification = serde_json::to_value(wanted)?;
    api_key_claim::Entity::insert(row.into_active_model()).exec_without_returning(txn.connection()).await?;
    Ok(())
}

fn secret_bytes() -> [u8; TOKEN_BYTES] {
    let mut bytes = [0; TOKEN_BYTES];
    rand::fill(&mut bytes);
    bytes
}

/// The order, for whoever made it, while it can be filled.
pub async fn view_order(domain: &Domain, actor: &Actor, id: ApiKeyClaimId) -> Result<OrderView, Error> {
    let found = api_key_claim::Entity::find_by_id(id).one(domain.store.reader()).await?;
    let row = open(found, domain.now())?;
    if row.discord_user_id != person(actor)? {
        return Err(CommonRefusal::NotYours.into());
    }
    Ok(OrderView { wanted: of_row(&row)?, guild_id: row.guild_id, expires_at: row.expires_at })
}

fn open(found: Option<api_key_claim::Model>, now: DateTime<Utc>) -> Result<api_key_claim::Model, ClaimRefusal> {
    found.filter(|row| row.used_at.is_none() && row.expires_at > now).ok_or(ClaimRefusal::Gone)
}

/// Sets what the key of an order may do.
pub async fn choose_scopes(
    domain: &Domain,
    actor: &Actor,
    id: ApiKeyClaimId,
    scopes: Vec<String>,
) -> Result<(), Error> {
    let Wanted::Key(new) = view_order(domain, actor, id).await?.wanted else { return Err(ClaimRefusal::Gone.into()) };
    let wanted = NewKey { scopes: Some(scopes), ..new };
    require_creatable(domain, actor, &wanted)?;
    let specification = serde_json::to_value(Wanted::Key(wanted))?;
    let changed = change(domain, id, specification, |change, specification| {
        change.col_expr(api_key_claim::Column::Specification, Expr::value(specification.clone()))
    });
    changed.await
}

/// Ends an order that nobody wants any more.
pub async fn cancel_order(domain: &Domain, actor: &Actor, id: ApiKeyClaimId) -> Result<(), Error> {
    view_order(domain, actor, id).await?;
    change(domain, id, domain.now(), |change, now| change.col_expr(api_key_claim::Column::UsedAt, Expr::value(*now)))
        .await
}

/// A link to the order's key, whose code is to be shown apart from it. A second link ends the first.
pub async fn link_order(domain: &Domain, actor: &Actor, id: ApiKeyClaimId) -> Result<ClaimLink, Error> {
    let view = view_order(domain, actor, id).await?;
    require_wanted(domain, actor, &view.wanted, view.guild_id)?;
    let token = crate::domain::instance::hex(&secret_bytes());
    let code = format!("{:0CODE_DIGITS$}", rand::rng().random_range(0..1_000_000));
    let expires_at = domain.now() + domain.limits.keys.claim_lifetime;
    let digests = (Sha256::digest(&token).to_vec(), code_digest(&token, &code).to_vec(), expires_at);
    change(domain, id, digests, |change, (token, code, expires_at)| {
        change
            .col_expr(api_key_claim::Column::TokenDigest, Expr::value(token.clone()))
            .col_expr(api_key_claim::Column::CodeDigest, Expr::value(code.clone()))
            .col_expr(api_key_claim::Column::WrongCodes, Expr::value(0))
            .col_expr(api_key_claim::Column::ExpiresAt, Expr::value(*expires_at))
    })
    .await?;
    Ok(ClaimLink { token: Secret::new(token), code, expires_at })
}

/// Of token and code together: the code alone could be found by trying.
fn code_digest(token: &str, code: &str) -> [u8; 32] {
    Sha256::new_with_prefix(token).chain_update(b":").chain_update(code).finalize().into()
}

type Change = sea_orm::UpdateMany<api_key_claim::Entity>;

/// Changes an order that is still open; refused when it is not.
async fn change<T: Send + Sync + 'static>(
    domain: &Domain,
    id: ApiKeyClaimId,
    value: T,
    set: fn(Change, &T) -> Change,
) -> Result<(), Error> {
    domain
        .store
        .write((id, value, set, domain.now()), |txn, (id, value, set, now)| {
            Box::pin(async move {
                let changed = set(api_key_claim::Entity::update_many(), value)
                    .filter(api_key_claim::COLUMN.id.eq(*id))
                    .filter(api_key_claim::COLUMN.used_at.is_null())
                    .filter(api_key_claim::COLUMN.expires_at.gt(*now))
                    .exec(txn.connection())
                    .await?;
                if changed.rows_affected == 0 { Err(ClaimRefusal::Gone.into()) } else { Ok(()) }
            })
        })
        .await
}

/// The key of an order, ready to be written.
enum Prepared {
    New(Box<Draft>),
    Rotated(Box<Rotation>),
}

/// Mints the key of an order, under the rights of this actor.
async fn prepare(
    domain: &Domain,
    (author, actor): (Author, &Actor),
    wanted: &Wanted,
    delivering: bool,
) -> Result<(Prepared, Secret), Error> {
    match wanted {
        Wanted::Key(new) => {
            let (draft, secret) = draft(domain, author, &NewKey { delivering, ..new.clone() })?;
            Ok((Prepared::New(Box::new(draft)), secret))
        }
        Wanted::Rotation { id, grace_seconds } => {
            let grace = TimeDelta::seconds(*grace_seconds);
            let how = (delivering, Life::Renewed);
            let (rotation, secret) = Rotation::new(domain, (author, actor), (*id, grace), how).await?;
            Ok((Prepared::Rotated(Box::new(rotation)), secret))
        }
    }
}

/// Writes the key of a locked order and marks the order, once.
async fn mint(
    txn: &WriteTransaction,
    order: &api_key_claim::Model,
    prepared: &Prepared,
    now: DateTime<Utc>,
) -> Result<api_key::Model, Error> {
    let key = match prepared {
        Prepared::New(draft) => insert(txn, draft).await?,
        Prepared::Rotated(rotation) => rotate_in(txn, rotation).await?.0,
    };
    let used = api_key_claim::Entity::update_many()
        .col_expr(api_key_claim::Column::UsedAt, Expr::value(now))
        .col_expr(api_key_claim::Column::KeyId, Expr::value(key.id))
        .filter(api_key_claim::COLUMN.id.eq(order.id))
        .filter(api_key_claim::COLUMN.used_at.is_null())
        .filter(api_key_claim::COLUMN.expires_at.gt(now))
        .exec(txn.connection())
        .await?;
    // Whoever was faster has the key; what this transaction minted is rolled back.
    if used.rows_affected == 1 { Ok(key) } else { Err(ClaimRefusal::Gone.into()) }
}

struct Fill {
    prepared: Prepared,
    id: ApiKeyClaimId,
    now: DateTime<Utc>,
}

/// Mints the key of an order for whoever made it. It opens nothing before its delivery is confirmed.
pub async fn fill_order(domain: &Domain, actor: &Actor, id: ApiKeyClaimId) -> Result<IssuedKey, Error> {
    let view = view_order(domain, actor, id).await?;
    require_wanted(domain, actor, &view.wanted, view.guild_id)?;
    let author = Author::new(domain, actor);
    let now = author.at();
    let (prepared, secret) = prepare(domain, (author, actor), &view.wanted, true).await?;
    let input = Fill { prepared, id, now };
    let row = domain.store.write(input, |txn, input| {
        Box::pin(async move {
            let found = api_key_claim::Entity::find_by_id(input.id).lock_exclusive().one(txn.connection()).await?;
            let order = open(found, input.now)?;
            mint(txn, &order, &input.prepared, input.now).await
        })
    });
    Ok(IssuedKey { row: row.await?, secret })
}

/// The key of an order never reached its owner and is revoked: the order can be filled again, by another way.
pub async fn reopen_order(domain: &Domain, id: ApiKeyClaimId, key: ApiKeyId) -> Result<(), Error> {
    super::abandon_delivery(domain, key).await?;
    domain
        .store
        .write((id, key), |txn, (id, key)| {
            Box::pin(async move {
                api_key_claim::Entity::update_many()
                    .col_expr(api_key_claim::Column::UsedAt, Expr::value(None::<DateTime<Utc>>))
                    .col_expr(api_key_claim::Column::KeyId, Expr::value(None::<ApiKeyId>))
                    .filter(api_key_claim::COLUMN.id.eq(*id))
                    .filter(api_key_claim::COLUMN.key_id.eq(*key))
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await
}

fn token_digest(token: &str) -> Result<Vec<u8>, ClaimRefusal> {
    let is_token = token.len() == TOKEN_CHARACTERS && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_token { Ok(Sha256::digest(token).to_vec()) } else { Err(ClaimRefusal::Gone) }
}

/// What a link leads to, without using it up.
pub async fn view_link(domain: &Domain, token: &str) -> Result<OrderView, Error> {
    let found = api_key_claim::Entity::find()
        .filter(api_key_claim::COLUMN.token_digest.eq(token_digest(token)?))
        .one(domain.store.reader())
        .await?;
    let row = open(found, domain.now())?;
    Ok(OrderView { wanted: of_row(&row)?, guild_id: row.guild_id, expires_at: row.expires_at })
}

struct Reveal {
    prepared: Prepared,
    token_digest: Vec<u8>,
    code_digest: [u8; 32],
    now: DateTime<Utc>,
}

/// What a code leads to.
enum Revealed {
    Key(Box<api_key::Model>),
    WrongCode(i32),
}

/// Mints the key of a link for whoever has its code, once.
pub async fn reveal(domain: &Domain, token: &str, code: &str) -> Result<IssuedKey, Error> {
    let token_digest = token_digest(token)?;
    let found = api_key_claim::Entity::find()
        .filter(api_key_claim::COLUMN.token_digest.eq(token_digest.clone()))
        .one(domain.store.reader())
        .await?;
    let order = open(found, domain.now())?;
    // Their rights were looked at when they asked; whoever loses them in these minutes is stopped by a panic.
    let maker = Actor::Account(Account { user_id: order.discord_user_id, is_bot_admin: false });
    let author = Author::new(domain, &maker);
    let now = author.at();
    let (prepared, secret) = prepare(domain, (author, &Actor::System), &of_row(&order)?, false).await?;
    let input = Reveal { prepared, token_digest, code_digest: code_digest(token, code), now };
    match domain.store.write(input, |txn, input| Box::pin(reveal_in(txn, input))).await? {
        Revealed::Key(row) => Ok(IssuedKey { row: *row, secret }),
        Revealed::WrongCode(left) if left > 0 => Err(ClaimRefusal::WrongCode { left }.into()),
        Revealed::WrongCode(_) => Err(ClaimRefusal::Gone.into()),
    }
}

async fn reveal_in(txn: &WriteTransaction, input: &Reveal) -> Result<Revealed, Error> {
    let found = api_key_claim::Entity::find()
        .filter(api_key_claim::COLUMN.token_digest.eq(input.token_digest.clone()))
        .lock_exclusive()
        .one(txn.connection())
        .await?;
    let order = open(found, input.now)?;
    if bool::from(order.code_digest.ct_eq(input.code_digest.as_slice())) {
        let key = mint(txn, &order, &input.prepared, input.now).await?;
        return Ok(Revealed::Key(Box::new(key)));
    }
    // Counted for good, so that this is no error: an error would undo it.
    let wrong = order.wrong_codes + 1;
    let ended = (wrong >= WRONG_CODES_MAX).then_some(input.now);
    api_key_claim::Entity::update_many()
        .col_expr(api_key_claim::Column::WrongCodes, Expr::value(wrong))
        .col_expr(api_key_claim::Column::UsedAt, Expr::value(ended))
        .filter(api_key_claim::COLUMN.id.eq(order.id))
        .exec(txn.connection())
        .await?;
    Ok(Revealed::WrongCode(WRONG_CODES_MAX - wrong))
}

/// Ends every order of a guild, or of the installation, so that none brings a key after a panic.
pub async fn end_orders(domain: &Domain, actor: &Actor, which: Panic) -> Result<u64, Error> {
    let guild = match which {
        Panic::Guild(guild) => Some(guild),
        Panic::Instance => None,
    };
    require(actor, guild)?;
    domain
        .store
        .write((guild, domain.now()), |txn, (guild, now)| {
            Box::pin(async move {
                let mut ended = api_key_claim::Entity::update_many()
                    .col_expr(api_key_claim::Column::UsedAt, Expr::value(*now))
                    .filter(api_key_claim::COLUMN.used_at.is_null());
                if let Some(guild) = guild {
                    ended = ended.filter(api_key_claim::COLUMN.guild_id.eq(*guild));
                }
                Ok(ended.exec(txn.connection()).await?.rows_affected)
            })
        })
        .await
}

#[cfg(test)]
mod tests;
