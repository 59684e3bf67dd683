//! A person's accounts elsewhere: connected with a proof, taken away, and which of them shows the person.
//!
//! Invariants: whoever changes the accounts of a person holds the lock on that person's row; the first account is the
//! primary one, and a person with accounts has exactly one primary; nobody gets an account by claiming it.

use entity::{
    id::UserId,
    identity::{self, Platform},
    user,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, TryInsertResult,
    sea_query::{Expr, ExprTrait as _, Query},
};
use serde_json::{Value, json};

use super::{UserRefusal, insert_person, lock_living, merge, spelling::canonical, subject};
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        error::CommonRefusal,
        event::{Author, spelled},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most accounts of one person.
const IDENTITIES_MAX: u64 = 50;

/// An account, in its canonical spelling.
pub type IdentityKey = (Platform, String);

/// An account that somebody names.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// The platform.
    pub platform: Platform,
    /// The account there, as it was sent.
    pub identity: String,
    /// Whether the person is to be shown by this one; the first one is in any case.
    pub is_primary: bool,
    /// What the platform says of the account; none leaves what is known.
    pub metadata: Option<Value>,
}

/// How an account came to a person.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The account.
    pub identity: identity::Model,
    /// The person who had only this account, and is now the same as its new owner.
    pub previous: Option<UserId>,
}

/// The person of an account, and whether they are new.
#[derive(Clone, Debug)]
pub struct Upserted {
    /// The person.
    pub row: user::Model,
    /// The account.
    pub identity: identity::Model,
    /// All of their accounts, the primary one first.
    pub identities: Vec<identity::Model>,
    /// They were made just now.
    pub created: bool,
}

/// An account on its way to a person.
struct Addition<'a> {
    key: (Platform, &'a str),
    is_primary: bool,
    is_proved: bool,
    metadata: Option<Value>,
}

async fn find(connection: &impl ConnectionTrait, key: (Platform, &str)) -> Result<Option<identity::Model>, Error> {
    Ok(identity::Entity::find_by_id((key.0, key.1.to_owned())).one(connection).await?)
}

/// Adds an account that nobody has to a person whose row is locked.
async fn add(
    txn: &WriteTransaction,
    author: &Author,
    owner: UserId,
    addition: Addition<'_>,
) -> Result<identity::Model, Error> {
    let held = identity::Entity::find().filter(identity::COLUMN.user_id.eq(owner)).count(txn.connection()).await?;
    if held >= IDENTITIES_MAX {
        return Err(UserRefusal::TooManyIdentities(IDENTITIES_MAX).into());
    }
    let is_primary = addition.is_primary || held == 0;
    if is_primary {
        no_primary(txn, author, owner).await?;
    }
    let (platform, identity) = addition.key;
    let row = identity::Model {
        platform,
        identity: identity.to_owned(),
        user_id: owner,
        is_primary,
        metadata: addition.metadata,
        verified_at: addition.is_proved.then_some(author.at()),
        created_at: author.at(),
        updated_at: author.at(),
    };
    let inserted = identity::Entity::insert(row.clone().into_active_model())
        .on_conflict_do_nothing_on([identity::Column::Platform, identity::Column::Identity])
        .exec_without_returning(txn.connection())
        .await?;
    if !matches!(inserted, TryInsertResult::Inserted(1..)) {
        // Another transaction was faster: this one is repeated and finds the account.
        return Err(sea_orm::DbErr::RecordNotUpdated.into());
    }
    let change = (Value::Null, json!({ "platform": spelled(platform), "is_primary": is_primary }));
    txn.append_event(author.event("identity.connected", None, subject(owner), change)).await?;
    Ok(row)
}

/// Takes the mark from whichever account has it.
async fn no_primary(txn: &WriteTransaction, author: &Author, owner: UserId) -> Result<(), Error> {
    identity::Entity::update_many()
        .col_expr(identity::Column::IsPrimary, Expr::value(false))
        .col_expr(identity::Column::UpdatedAt, Expr::value(author.at()))
        .filter(identity::COLUMN.user_id.eq(owner))
        .filter(identity::COLUMN.is_primary.eq(true))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// The person of an account that has just been proved, in the platform's canonical spelling; made on their first act.
/// Refuses a person who was deleted. Whoever lets them in has to ask besides whether they are disabled.
pub(in crate::domain) async fn of_identity(
    txn: &WriteTransaction,
    author: &Author,
    ids: &IdSource,
    key: (Platform, &str),
) -> Result<UserId, Error> {
    let Some(known) = find(txn.connection(), key).await? else {
        let row = insert_person(txn, author, ids, user::Role::Authenticated).await?;
        let addition = Addition { key, is_primary: true, is_proved: true, metadata: None };
        return Ok(add(txn, author, row.id, addition).await?.user_id);
    };
    let owner = user::Entity::find_by_id(known.user_id).one(txn.connection()).await?.ok_or(UserRefusal::NotFound)?;
    if !super::is_there(&owner) {
        return Err(UserRefusal::Deleted.into());
    }
    if known.verified_at.is_none() {
        prove(txn, author, known, None).await?;
    }
    Ok(owner.id)
}

/// Notes that an account has been proved, and what its platform says of it.
async fn prove(
    txn: &WriteTransaction,
    author: &Author,
    before: identity::Model,
    metadata: Option<Value>,
) -> Result<identity::Model, Error> {
    let mut after = before;
    after.verified_at = Some(author.at());
    after.metadata = metadata.or(after.metadata);
    after.updated_at = author.at();
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    Ok(after)
}

/// Connects an account whose ownership has just been proved, in the platform's canonical spelling, to a person who has
/// proved who they are as well. Whoever had only this account is then the same person: the two are merged. Somebody
/// who has more, is disabled, or may do more, is not taken over.
pub(in crate::domain) async fn connect_proved(
    txn: &WriteTransaction,
    author: &Author,
    user_id: UserId,
    key: (Platform, &str),
    metadata: Option<Value>,
) -> Result<Connected, Error> {
    let owner = lock_living(txn, user_id).await?;
    let Some(known) = find(txn.connection(), key).await? else {
        let addition = Addition { key, is_primary: false, is_proved: true, metadata };
        let identity = add(txn, author, owner.id, addition).await?;
        return Ok(Connected { identity, previous: None });
    };
    if known.user_id == owner.id {
        let identity = prove(txn, author, known, metadata).await?;
        return Ok(Connected { identity, previous: None });
    }
    let found = user::Entity::find_by_id(known.user_id).lock_exclusive().one(txn.connection()).await?;
    let other = found.ok_or(UserRefusal::NotFound)?;
    let held = identity::Entity::find().filter(identity::COLUMN.user_id.eq(other.id)).count(txn.connection()).await?;
    if held != 1 || !super::is_active(&other) || other.role > owner.role {
        return Err(UserRefusal::IdentityTaken.into());
    }
    let previous = other.id;
    merge::merge_locked(txn, author, other, owner).await?;
    let known = find(txn.connection(), key).await?.ok_or(sea_orm::DbErr::RecordNotUpdated)?;
    let identity = prove(txn, author, known, metadata).await?;
    Ok(Connected { identity, previous: Some(previous) })
}

struct Connect {
    author: Author,
    ids: IdSource,
    user_id: Option<UserId>,
    key: IdentityKey,
    new: NewIdentity,
}

impl Connect {
    fn new(domain: &Domain, actor: &Actor, user_id: Option<UserId>, new: NewIdentity) -> Result<Self, Error> {
        let key = (new.platform, canonical(new.platform, &new.identity)?);
        Ok(Self { author: Author::new(domain, actor), ids: domain.ids.clone(), user_id, key, new })
    }

    fn addition(&self, is_proved: bool) -> Addition<'_> {
        let metadata = self.new.metadata.clone();
        Addition { key: (self.key.0, &self.key.1), is_primary: self.new.is_primary, is_proved, metadata }
    }
}

/// Connects an account to a person on an administrator's word.
pub async fn connect(
    domain: &Domain,
    actor: &Actor,
    user_id: UserId,
    new: NewIdentity,
) -> Result<identity::Model, Error> {
    actor.require(Right::ManageUsers, None)?;
    let input = Connect::new(domain, actor, Some(user_id), new)?;
    domain.store.write(input, |txn, input| Box::pin(connect_in(txn, input))).await
}

async fn connect_in(txn: &WriteTransaction, input: &Connect) -> Result<identity::Model, Error> {
    let owner = lock_living(txn, input.user_id.ok_or(UserRefusal::NotFound)?).await?;
    match find(txn.connection(), (input.key.0, &input.key.1)).await? {
        None => add(txn, &input.author, owner.id, input.addition(true)).await,
        Some(known) if known.user_id == owner.id => Err(UserRefusal::AlreadyConnected.into()),
        Some(_) => Err(UserRefusal::IdentityTaken.into()),
    }
}

/// What a person says of an account themself: of one that is theirs they may change what is shown. Whether another one
/// is anybody's is not told.
pub async fn connect_claimed(domain: &Domain, actor: &Actor, new: NewIdentity) -> Result<identity::Model, Error> {
    let own = own_id(actor)?;
    let input = Connect::new(domain, actor, Some(own), new)?;
    domain.store.write(input, |txn, input| Box::pin(claim_in(txn, input))).await
}

async fn claim_in(txn: &WriteTransaction, input: &Connect) -> Result<identity::Model, Error> {
    let owner = lock_living(txn, input.user_id.ok_or(UserRefusal::NotFound)?).await?;
    let known = find(txn.connection(), (input.key.0, &input.key.1)).await?;
    let Some(mut known) = known.filter(|known| known.user_id == owner.id) else {
        return Err(UserRefusal::ProofRequired(input.new.platform).into());
    };
    if input.new.is_primary && !known.is_primary {
        mark_primary(txn, &input.author, &known).await?;
        known.is_primary = true;
    }
    if let Some(metadata) = &input.new.metadata {
        known.metadata = Some(metadata.clone());
        known.updated_at = input.author.at();
        known.clone().into_active_model().reset_all().update(txn.connection()).await?;
    }
    Ok(known)
}

/// Whether looking for somebody by a Discord account may make them, at the one address that is known for it.
pub fn creates_on_read(domain: &Domain, actor: &Actor) -> bool {
    domain.limits.creates_users_on_read && actor.may(Right::WriteUsers, None)
}

/// The person of an account, made where nobody has it. Nobody gets a second account this way.
pub async fn upsert(domain: &Domain, actor: &Actor, new: NewIdentity) -> Result<Upserted, Error> {
    actor.require(Right::WriteUsers, None)?;
    let input = Connect::new(domain, actor, None, new)?;
    domain.store.write(input, |txn, input| Box::pin(upsert_in(txn, input))).await
}

async fn upsert_in(txn: &WriteTransaction, input: &Connect) -> Result<Upserted, Error> {
    if let Some(identity) = find(txn.connection(), (input.key.0, &input.key.1)).await? {
        let found = user::Entity::find_by_id(identity.user_id).one(txn.connection()).await?;
        let row = found.filter(super::is_there).ok_or(UserRefusal::Deleted)?;
        let identities = identity::Entity::find()
            .filter(identity::COLUMN.user_id.eq(row.id))
            .order_by_desc(identity::Column::IsPrimary)
            .order_by_asc(identity::Column::CreatedAt)
            .limit(IDENTITIES_MAX)
            .all(txn.connection())
            .await?;
        return Ok(Upserted { row, identity, identities, created: false });
    }
    let row = insert_person(txn, &input.author, &input.ids, user::Role::Authenticated).await?;
    let identity = add(txn, &input.author, row.id, input.addition(false)).await?;
    Ok(Upserted { row, identities: vec![identity.clone()], identity, created: true })
}

/// Connects an account to a person who is new in this transaction; refuses one that somebody has.
pub(super) async fn connect_new(
    txn: &WriteTransaction,
    author: &Author,
    owner: UserId,
    key: (Platform, &str),
) -> Result<(), Error> {
    if find(txn.connection(), key).await?.is_some() {
        return Err(UserRefusal::IdentityTaken.into());
    }
    add(txn, author, owner, Addition { key, is_primary: true, is_proved: true, metadata: None }).await?;
    Ok(())
}

struct Existing {
    author: Author,
    key: IdentityKey,
    owner: Option<UserId>,
}

impl Existing {
    /// What is no account of the platform is nobody's.
    fn new(
        domain: &Domain,
        actor: &Actor,
        owner: Option<UserId>,
        (platform, text): (Platform, &str),
    ) -> Result<Self, Error> {
        if owner.is_none() || owner != own_id(actor).ok() {
            actor.require(Right::ManageUsers, None)?;
        }
        let identity = canonical(platform, text).map_err(|_| UserRefusal::IdentityNotFound)?;
        Ok(Self { author: Author::new(domain, actor), key: (platform, identity), owner })
    }

    /// The account, with its owner's row locked; of this owner, where one is named.
    async fn lock(&self, txn: &WriteTransaction) -> Result<identity::Model, Error> {
        let found = find(txn.connection(), (self.key.0, &self.key.1)).await?.ok_or(UserRefusal::IdentityNotFound)?;
        let owner = user::Entity::find_by_id(found.user_id).lock_exclusive().one(txn.connection()).await?;
        let owner = owner.ok_or(UserRefusal::NotFound)?;
        if let Some(named) = self.owner
            && lock_living(txn, named).await?.id != owner.id
        {
            return Err(UserRefusal::IdentityNotFound.into());
        }
        // It may have moved while the row was waited for.
        let again = find(txn.connection(), (self.key.0, &self.key.1)).await?;
        again.filter(|again| again.user_id == owner.id).ok_or_else(|| sea_orm::DbErr::RecordNotUpdated.into())
    }
}

/// Takes an account from its owner; only from this one, where one is named. For themself, or for administrators.
pub async fn disconnect(
    domain: &Domain,
    actor: &Actor,
    owner: Option<UserId>,
    identity: (Platform, &str),
) -> Result<UserId, Error> {
    let input = Existing::new(domain, actor, owner, identity)?;
    domain.store.write(input, |txn, input| Box::pin(disconnect_in(txn, input))).await
}

async fn disconnect_in(txn: &WriteTransaction, input: &Existing) -> Result<UserId, Error> {
    use identity::Column as C;
    let row = input.lock(txn).await?;
    // The row and the guard are one statement: an account goes only while another one stays.
    let this =
        || Expr::col(C::Platform).eq(spelled(row.platform)).and(Expr::col(C::Identity).eq(row.identity.as_str()));
    let others = Query::select()
        .expr(Expr::val(1))
        .from(identity::Entity)
        .cond_where(Condition::all().add(C::UserId.eq(row.user_id)).add(this().not()))
        .to_owned();
    let deleted = identity::Entity::delete_many()
        .filter(C::Platform.eq(row.platform))
        .filter(C::Identity.eq(row.identity.as_str()))
        .filter(C::UserId.eq(row.user_id))
        .filter(Expr::exists(others))
        .exec(txn.connection())
        .await?;
    if deleted.rows_affected == 0 {
        return Err(UserRefusal::OnlyIdentity.into());
    }
    if row.is_primary {
        let oldest = identity::Entity::find()
            .filter(C::UserId.eq(row.user_id))
            .order_by_asc(C::CreatedAt)
            .order_by_asc(C::Platform)
            .order_by_asc(C::Identity)
            .one(txn.connection())
            .await?;
        if let Some(oldest) = oldest {
            mark_primary(txn, &input.author, &oldest).await?;
        }
    }
    let change = (json!({ "platform": spelled(row.platform), "is_primary": row.is_primary }), Value::Null);
    txn.append_event(input.author.event("identity.disconnected", None, subject(row.user_id), change)).await?;
    Ok(row.user_id)
}

/// Shows a person by this account from now on; says of whom, and whether anything changed.
pub async fn set_primary(
    domain: &Domain,
    actor: &Actor,
    owner: Option<UserId>,
    identity: (Platform, &str),
) -> Result<(UserId, bool), Error> {
    let input = Existing::new(domain, actor, owner, identity)?;
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let row = input.lock(txn).await?;
                if !row.is_primary {
                    mark_primary(txn, &input.author, &row).await?;
                    let change = (Value::Null, json!({ "platform": spelled(row.platform) }));
                    let event = input.author.event("identity.primary_set", None, subject(row.user_id), change);
                    txn.append_event(event).await?;
                }
                Ok((row.user_id, !row.is_primary))
            })
        })
        .await
}

/// Marks an account of a person whose row is locked.
pub(in crate::domain) async fn mark_primary(
    txn: &WriteTransaction,
    author: &Author,
    row: &identity::Model,
) -> Result<(), Error> {
    // First none, because the store allows no two for a moment.
    no_primary(txn, author, row.user_id).await?;
    identity::Entity::update_many()
        .col_expr(identity::Column::IsPrimary, Expr::value(true))
        .col_expr(identity::Column::UpdatedAt, Expr::value(author.at()))
        .filter(identity::COLUMN.platform.eq(row.platform))
        .filter(identity::COLUMN.identity.eq(row.identity.as_str()))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// The signed-in person.
pub(super) fn own_id(actor: &Actor) -> Result<UserId, Error> {
    match actor {
        Actor::User(user) => Ok(user.id),
        _ => Err(CommonRefusal::Unauthenticated("Not authenticated").into()),
    }
}
