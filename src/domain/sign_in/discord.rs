//! Signing in with a Discord account: OAuth 2.0 with PKCE (RFC 7636). The calls are an edge's; here are the way there,
//! the way back, and what comes of it.
//!
//! Invariant: whoever comes back has begun in the same browser, comes once, and comes soon.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{DiscordUserId, UserId},
    identity::Platform,
    oauth_state,
    session::{self, Method},
    user,
};
use sea_orm::{EntityTrait, IntoActiveModel, QueryFilter};
use sha2::{Digest as _, Sha256};

use super::{
    digest, random_text,
    refusal::SignInRefusal,
    session::{Client, Draft, Tokens},
};
use crate::{
    domain::{Domain, Error, UserActor, event::Author, user as users},
    id_source::IdSource,
    secret::Secret,
    store::WriteTransaction,
};

/// How long the way there and back may take.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// A way that has begun.
pub struct Begun {
    /// What Discord is to send back.
    pub state: Secret,
    /// What the browser keeps, and shows when it comes back.
    pub browser: Secret,
    /// What Discord keeps: a digest of the verifier.
    pub challenge: String,
}

/// The verifier of a way. It is derived from what only the browser has, so that it need not be stored.
fn verifier(domain: &Domain, way: &str) -> String {
    let seal = domain.signing.seals("oauth verifier", way.as_bytes()).next();
    BASE64.encode(seal.unwrap_or_default())
}

fn way(state: &str, browser: &str) -> String {
    format!("{state} {browser}")
}

/// Begins the way to Discord: to sign in, or for a signed-in person, to connect their account there.
pub async fn begin_discord(domain: &Domain, person: Option<UserActor>) -> Result<Begun, Error> {
    let (state, browser) = (random_text(), random_text());
    let way = way(&state, &browser);
    let now = domain.now();
    let row = oauth_state::Model {
        digest: digest(&way),
        user_id: person.map(|person| person.id),
        created_at: now,
        expires_at: now + LIFETIME,
    };
    domain
        .store
        .write(row, |txn, row: &oauth_state::Model| {
            Box::pin(async move {
                let row = row.clone().into_active_model();
                oauth_state::Entity::insert(row).exec_without_returning(txn.connection()).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    let challenge = BASE64.encode(Sha256::digest(verifier(domain, &way)));
    Ok(Begun { state: Secret::new(state), browser: Secret::new(browser), challenge })
}

/// Who comes back from Discord.
pub struct Returned {
    /// The signed-in person who connects an account; none for a sign-in.
    pub person: Option<UserId>,
    /// What Discord compares with the challenge.
    pub verifier: Secret,
}

/// Ends the way, once.
pub async fn return_from_discord(domain: &Domain, state: &str, browser: &str) -> Result<Returned, Error> {
    let way = way(state, browser);
    let input = (digest(&way), domain.now());
    let written = domain.store.write(input, |txn, (digest, now): &(Vec<u8>, DateTime<Utc>)| {
        Box::pin(async move {
            let found = oauth_state::Entity::find_by_id(digest.clone()).one(txn.connection()).await?;
            let deleted = oauth_state::Entity::delete_many()
                .filter(oauth_state::COLUMN.digest.eq(digest.clone()))
                .filter(oauth_state::COLUMN.expires_at.gt(*now))
                .exec(txn.connection())
                .await?;
            let found = found.filter(|_| deleted.rows_affected == 1);
            Ok::<_, Error>(found.ok_or(SignInRefusal::WrongState)?)
        })
    });
    let person = written.await?.user_id;
    Ok(Returned { person, verifier: Secret::new(verifier(domain, &way)) })
}

struct SignIn {
    /// Whom the account is connected to, if not to whoever has it.
    person: Option<UserId>,
    author: Author,
    ids: IdSource,
    account: String,
    draft: Draft,
}

/// Signs in the person of an account that Discord has just vouched for. They are made on their first time.
pub async fn sign_in_with_discord(domain: &Domain, account: DiscordUserId) -> Result<Tokens, Error> {
    sign_in(domain, None, account).await
}

/// Connects an account that Discord has just vouched for to the person who began the way, and signs them in by it. An
/// account that another person has stays theirs.
pub async fn connect_discord(domain: &Domain, person: UserId, account: DiscordUserId) -> Result<Tokens, Error> {
    sign_in(domain, Some(person), account).await
}

async fn sign_in(domain: &Domain, person: Option<UserId>, account: DiscordUserId) -> Result<Tokens, Error> {
    let (draft, refresh) = Draft::new(domain, Method::Discord, Client::default());
    let author = Author::sign_in(domain);
    let input = SignIn { author, ids: domain.ids.clone(), person, account: account.to_string(), draft };
    let (user, session) = domain.store.write(input, |txn, input| Box::pin(sign_in_in(txn, input))).await?;
    Ok(Tokens::new(domain, user, session, refresh))
}

async fn sign_in_in(txn: &WriteTransaction, input: &SignIn) -> Result<(user::Model, session::Model), Error> {
    let account = (Platform::Discord, input.account.as_str());
    let id = match input.person {
        Some(person) => users::connect_proved(txn, &input.author, person, account, None).await?.identity.user_id,
        None => users::of_identity(txn, &input.author, &input.ids, account).await?,
    };
    input.draft.begin(txn, &input.author, id).await
}
