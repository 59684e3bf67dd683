//! Sessions: how they begin and how they end.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ApiKeyId, SessionId, UserId},
    refresh_token,
    session::{self, EndReason, Method},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::{
    digest, random_text,
    refresh::{IDLE_MAX, REFRESH_PREFIX},
    refusal::SignInRefusal,
};
use crate::{
    domain::{
        Actor, Domain, Error, Right, UserActor, access_token,
        access_token::LIFETIME_SECONDS,
        counter,
        error::CommonRefusal,
        event::{Author, spelled},
        user as users,
    },
    secret::Secret,
    store::WriteTransaction,
};

/// The end of a session, however often it is refreshed.
const LIFETIME: TimeDelta = TimeDelta::days(90);

/// What a person is given.
pub struct Tokens {
    /// For requests.
    pub access: Secret,
    /// For the next access token, once.
    pub refresh: Secret,
    /// Seconds that the access token lives.
    pub expires_in: i64,
    /// The person.
    pub user: user::Model,
    /// The session.
    pub session: session::Model,
}

impl Tokens {
    pub(super) fn new(domain: &Domain, user: user::Model, session: session::Model, refresh: Secret) -> Self {
        let left = (session.expires_at - domain.now()).num_seconds();
        let expires_in = left.clamp(0, LIFETIME_SECONDS);
        let access = access_token::sign(domain, &user, session.id, session.client_name.clone(), expires_in);
        Self { access, refresh, expires_in, user, session }
    }
}

/// The program that somebody signs in with.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) key: Option<ApiKeyId>,
    pub(super) name: Option<String>,
}

/// A session that waits for its person.
#[derive(Clone)]
pub(super) struct Draft {
    id: SessionId,
    method: Method,
    client: Client,
    refresh_digest: Vec<u8>,
    now: DateTime<Utc>,
}

impl Draft {
    /// The draft, and the first refresh token, which is not part of it.
    pub(super) fn new(domain: &Domain, method: Method, client: Client) -> (Self, Secret) {
        let refresh = format!("{REFRESH_PREFIX}{}", random_text());
        let id = SessionId(domain.ids.uuid());
        let draft = Self { id, method, client, refresh_digest: digest(&refresh), now: domain.now() };
        (draft, Secret::new(refresh))
    }

    /// Begins the session of a person who has just shown who they are; refuses one who is switched off.
    pub(super) async fn begin(
        &self,
        txn: &WriteTransaction,
        author: &Author,
        user_id: UserId,
    ) -> Result<(user::Model, session::Model), Error> {
        let user = present(txn, user_id).await?;
        let author = &author.signed_by(&Actor::User(UserActor { id: user.id, role: user.role }));
        let row = insert(txn, author, self, (user_id, self.now + LIFETIME)).await?;
        let token = refresh_token::Model {
            digest: self.refresh_digest.clone(),
            session_id: self.id,
            predecessor: None,
            created_at: self.now,
            expires_at: self.now + IDLE_MAX,
            used_at: None,
        };
        refresh_token::Entity::insert(token.into_active_model()).exec_without_returning(txn.connection()).await?;
        Ok((user, row))
    }
}

async fn insert(
    txn: &WriteTransaction,
    author: &Author,
    draft: &Draft,
    (user_id, expires_at): (UserId, DateTime<Utc>),
) -> Result<session::Model, Error> {
    let row = session::Model {
        id: draft.id,
        user_id,
        method: draft.method,
        api_key_id: draft.client.key,
        client_name: draft.client.name.clone(),
        // Nobody knows it yet, so that nobody has to be told.
        generation: 0,
        created_at: draft.now,
        expires_at,
        revoked_at: None,
        revoked_reason: None,
    };
    session::Entity::insert(row.clone().into_active_model()).exec_without_returning(txn.connection()).await?;
    let after = json!({ "user_id": user_id, "method": spelled(row.method), "api_key_id": row.api_key_id });
    txn.append_event(author.event("session.started", None, subject(row.id), (Value::Null, after))).await?;
    Ok(row)
}

/// The person, who is there and not switched off.
pub(super) async fn present(txn: &WriteTransaction, id: UserId) -> Result<user::Model, Error> {
    let found = user::Entity::find_by_id(id).one(txn.connection()).await?;
    Ok(found.filter(users::is_active).ok_or(SignInRefusal::Disabled)?)
}

/// What events call a session.
pub(super) fn subject(id: SessionId) -> String {
    format!("session/{id}")
}

struct Issue {
    author: Author,
    draft: Draft,
    user_id: UserId,
    seconds: i64,
}

/// An access token for a person, without a refresh token: for the operator's scripts.
pub async fn issue_access_token(
    domain: &Domain,
    actor: &Actor,
    user_id: UserId,
    seconds: i64,
    client_name: Option<String>,
) -> Result<Secret, Error> {
    actor.require(Right::ManageUsers, None)?;
    let (draft, _) = Draft::new(domain, Method::Operator, Client { key: None, name: client_name });
    let input = Issue { author: Author::new(domain, actor), draft, user_id, seconds };
    let written = domain.store.write(input, |txn, input| {
        Box::pin(async move {
            let found = user::Entity::find_by_id(input.user_id).one(txn.connection()).await?;
            let user = found.ok_or(users::UserRefusal::NotFound)?;
            let end = input.draft.now + TimeDelta::seconds(input.seconds);
            let session = insert(txn, &input.author, &input.draft, (user.id, end)).await?;
            Ok::<_, Error>((user, session))
        })
    });
    let (user, session) = written.await?;
    Ok(access_token::sign(domain, &user, session.id, session.client_name, seconds))
}

/// Ends all sessions of the person who asks; says how many there were.
pub async fn sign_out(domain: &Domain, actor: &Actor) -> Result<u64, Error> {
    let Actor::User(UserActor { id, .. }) = actor else {
        return Err(CommonRefusal::Unauthenticated("Not authenticated").into());
    };
    let input = (Author::new(domain, actor), *id);
    domain.store.write(input, |txn, (author, id)| Box::pin(end_sessions(txn, author, *id, EndReason::SignedOut))).await
}

/// Ends all sessions of a person, of which every process learns; says how many there were.
pub(in crate::domain) async fn end_sessions(
    txn: &WriteTransaction,
    author: &Author,
    user_id: UserId,
    reason: EndReason,
) -> Result<u64, Error> {
    let generation = counter::next(txn, counter::AUTH).await?;
    let ended = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(author.at()))
        .col_expr(session::Column::RevokedReason, Expr::value(spelled(reason)))
        .col_expr(session::Column::Generation, Expr::value(generation))
        .filter(session::COLUMN.user_id.eq(user_id))
        .filter(session::COLUMN.revoked_at.is_null())
        .exec(txn.connection())
        .await?
        .rows_affected;
    if ended > 0 {
        let after = json!({ "ended": ended, "reason": spelled(reason) });
        let event = author.event("session.all_ended", None, users::subject(user_id), (Value::Null, after));
        txn.append_event(event).await?;
    }
    Ok(ended)
}

/// Ends one session, of which every process learns.
pub(super) async fn end(
    txn: &WriteTransaction,
    author: &Author,
    id: SessionId,
    (kind, reason): (&'static str, EndReason),
) -> Result<(), Error> {
    let generation = counter::next(txn, counter::AUTH).await?;
    let ended = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(author.at()))
        .col_expr(session::Column::RevokedReason, Expr::value(spelled(reason)))
        .col_expr(session::Column::Generation, Expr::value(generation))
        .filter(session::COLUMN.id.eq(id))
        .filter(session::COLUMN.revoked_at.is_null())
        .exec(txn.connection())
        .await?;
    if ended.rows_affected == 1 {
        let after = json!({ "reason": spelled(reason) });
        txn.append_event(author.event(kind, None, subject(id), (Value::Null, after))).await?;
    }
    Ok(())
}
