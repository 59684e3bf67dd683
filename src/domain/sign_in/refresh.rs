//! Refresh tokens: each is used once, for the next one.
//!
//! A successor is derived from its predecessor under the server's secret. So it can be given again within the grace,
//! to a client that lost the answer, without being stored.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ApiKeyId, SessionId},
    refresh_token,
    session::{self, EndReason},
    user,
};
use sea_orm::{EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, sea_query::Expr};

use super::{
    digest,
    refusal::SignInRefusal,
    session::{Tokens, end, present},
};
use crate::{
    domain::{Actor, Domain, Error, UserActor, event::Author},
    secret::Secret,
    store::WriteTransaction,
};

/// What refresh tokens begin with.
pub const REFRESH_PREFIX: &str = "crt_ref_";
/// Random characters behind it: 256 bits.
const RANDOM_CHARACTERS: usize = 43;
/// How long a token waits to be used.
pub(super) const IDLE_MAX: TimeDelta = TimeDelta::days(30);
/// How long a token that was just used is answered the same again.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// A refresh token that we have given once.
#[derive(Clone)]
pub struct KnownRefresh {
    /// Its family.
    pub session: SessionId,
    digest: Vec<u8>,
    /// The token that follows on it, by each of our secrets.
    successors: Vec<String>,
}

/// Looks a token up without using it.
pub async fn find_refresh(domain: &Domain, presented: &str) -> Result<KnownRefresh, Error> {
    let random = presented.strip_prefix(REFRESH_PREFIX).filter(|random| random.len() == RANDOM_CHARACTERS);
    if random.is_none() {
        return Err(SignInRefusal::WrongRefreshToken.into());
    }
    let digest = digest(presented);
    let found = refresh_token::Entity::find_by_id(digest.clone()).one(domain.store.reader()).await?;
    let row = found.ok_or(SignInRefusal::WrongRefreshToken)?;
    let seals = domain.signing.seals("refresh token", presented.as_bytes());
    let successors = seals.map(|seal| format!("{REFRESH_PREFIX}{}", BASE64.encode(seal))).collect();
    Ok(KnownRefresh { session: row.session_id, digest, successors })
}

struct Input {
    known: KnownRefresh,
    key: Option<ApiKeyId>,
    author: Author,
    now: DateTime<Utc>,
}

/// What a token leads to. That a family was ended is no error, because an error would undo it.
enum Outcome {
    Given { user: Box<user::Model>, session: Box<session::Model>, successor: String },
    Ended,
}

/// Uses a token for the next one. Whoever has it is its person; where a key is shown, it must be the one that they
/// signed in with.
pub async fn refresh(domain: &Domain, known: KnownRefresh, key: Option<ApiKeyId>) -> Result<Tokens, Error> {
    let author = Author::sign_in(domain);
    let input = Input { known, key, now: author.at(), author };
    match domain.store.write(input, |txn, input| Box::pin(refresh_in(txn, input))).await? {
        Outcome::Given { user, session, successor } => Ok(Tokens::new(domain, *user, *session, Secret::new(successor))),
        Outcome::Ended => Err(SignInRefusal::WrongRefreshToken.into()),
    }
}

async fn refresh_in(txn: &WriteTransaction, input: &Input) -> Result<Outcome, Error> {
    let Input { known, now, .. } = input;
    // One refresh of a family at a time.
    let found = session::Entity::find_by_id(known.session).lock_exclusive().one(txn.connection()).await?;
    let session = found.ok_or(SignInRefusal::WrongRefreshToken)?;
    let is_of_another = input.key.is_some_and(|key| session.api_key_id.is_some_and(|own| own != key));
    if session.revoked_at.is_some() || session.expires_at <= *now || is_of_another {
        return Err(SignInRefusal::WrongRefreshToken.into());
    }
    let user = present(txn, session.user_id).await?;
    let won = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::value(*now))
        .filter(refresh_token::COLUMN.digest.eq(known.digest.clone()))
        .filter(refresh_token::COLUMN.used_at.is_null())
        .filter(refresh_token::COLUMN.expires_at.gt(*now))
        .exec(txn.connection())
        .await?;
    let successor =
        if won.rows_affected == 1 { Some(succeed(txn, input, &session).await?) } else { repeated(txn, input).await? };
    if let Some(successor) = successor {
        return Ok(Outcome::Given { user: Box::new(user), session: Box::new(session), successor });
    }
    let actor = Actor::User(UserActor { id: user.id, role: user.role });
    let author = input.author.signed_by(&actor);
    end(txn, &author, session.id, ("session.reuse_detected", EndReason::ReuseDetected)).await?;
    Ok(Outcome::Ended)
}

/// Writes the successor of a token that was just used.
async fn succeed(txn: &WriteTransaction, input: &Input, session: &session::Model) -> Result<String, Error> {
    let successor = input.known.successors.first().cloned().unwrap_or_default();
    let row = refresh_token::Model {
        digest: digest(&successor),
        session_id: session.id,
        predecessor: Some(input.known.digest.clone()),
        created_at: input.now,
        expires_at: (input.now + IDLE_MAX).min(session.expires_at),
        used_at: None,
    };
    refresh_token::Entity::insert(row.into_active_model()).exec_without_returning(txn.connection()).await?;
    Ok(successor)
}

/// The successor of a token that was used a moment ago and whose successor waits; none if somebody else has the token.
async fn repeated(txn: &WriteTransaction, input: &Input) -> Result<Option<String>, Error> {
    let found = refresh_token::Entity::find_by_id(input.known.digest.clone()).one(txn.connection()).await?;
    let row = found.ok_or(SignInRefusal::WrongRefreshToken)?;
    // It was never used, and has ended.
    let used_at = row.used_at.ok_or(SignInRefusal::WrongRefreshToken)?;
    if input.now - used_at > GRACE {
        return Ok(None);
    }
    let next = refresh_token::Entity::find()
        .filter(refresh_token::COLUMN.predecessor.eq(input.known.digest.clone()))
        .filter(refresh_token::COLUMN.used_at.is_null())
        .one(txn.connection())
        .await?;
    // The secret may have changed in between, so that each of them is tried.
    let same = |next: &refresh_token::Model| input.known.successors.iter().find(|one| digest(one) == next.digest);
    Ok(next.as_ref().and_then(same).cloned())
}
