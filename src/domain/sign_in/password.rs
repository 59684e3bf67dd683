//! Passwords of e-mail addresses, digested with argon2id.
//!
//! Invariants: a digest takes place in a thread that nobody else needs, and at most two at once, because each takes
//! 19 MiB; whether an address is known changes neither the answer to a wrong password nor the work for it. Nobody
//! proves an address here: it is a name to sign in with, and never connects anything.

use std::{sync::Arc, time::Duration};

use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use entity::{
    id::UserId,
    identity::{self, Platform},
    password_credential,
    session::{EndReason, Method},
    user,
};
use rand::distr::{Alphanumeric, SampleString as _};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    end_sessions,
    refusal::SignInRefusal,
    session::{Client, Draft, Tokens},
};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author, user as users},
    id_source::IdSource,
    secret::Secret,
    store::WriteTransaction,
};

/// Shortest and longest password in characters.
const CHARACTERS_MIN: usize = 10;
const CHARACTERS_MAX: usize = 128;
/// Longest e-mail address: <https://www.rfc-editor.org/errata/eid1690>.
const EMAIL_BYTES_MAX: usize = 254;
/// Passwords that are digested at once.
const AT_ONCE: usize = 2;
/// Longest wait for one's turn.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Characters of a password that we make: 119 bits.
const GENERATED_CHARACTERS: usize = 20;
/// The digest of no password, which takes as long to compare as any other.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$R3VpbGRoYWxsTm9ib2R5cw$iIai28BuV8XeJDs49cZ7LnlkCFcQ6BfYkQHsp5zFSJo";

/// Where passwords are digested; cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// What a password turned out to be.
enum Checked {
    Wrong,
    Right,
    /// Right, and digested with other parameters than today's: this is its digest with those.
    Renewed(String),
}

impl Passwords {
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let turn = timeout(WAIT_MAX, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(SignInRefusal::Busy.into()) };
        let done = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(turn);
            outcome
        });
        done.await.map_err(|_| SignInRefusal::Busy.into())
    }

    async fn digest(&self, password: Secret) -> Result<String, Error> {
        self.work(move || phc(&password)).await
    }

    async fn check(&self, password: Secret, expected: Option<String>) -> Result<Checked, Error> {
        self.work(move || {
            let is_known = expected.is_some();
            let expected = expected.unwrap_or_else(|| NOBODYS.to_owned());
            let Ok(expected) = PasswordHash::new(&expected) else { return Checked::Wrong };
            let is_right = argon2().verify_password(password.expose().as_bytes(), &expected).is_ok();
            match is_right && is_known {
                false => Checked::Wrong,
                true if is_of_today(&expected) => Checked::Right,
                true => Checked::Renewed(phc(&password)),
            }
        })
        .await
    }
}

/// OWASP's parameters: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, Params::default())
}

fn phc(password: &Secret) -> String {
    let salt: [u8; 16] = rand::random();
    let digest = argon2().hash_password_with_salt(password.expose().as_bytes(), &salt);
    digest.expect("the parameters are constants, and the salt has the right length").to_string()
}

fn is_of_today(digest: &PasswordHash) -> bool {
    let today = Params::default();
    let is_same = Params::try_from(digest).is_ok_and(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost()) == (today.m_cost(), today.t_cost(), today.p_cost())
    });
    is_same && digest.algorithm.as_str() == "argon2id"
}

fn read_password(text: &str) -> Result<Secret, SignInRefusal> {
    let is_fitting = (CHARACTERS_MIN..=CHARACTERS_MAX).contains(&text.chars().take(CHARACTERS_MAX + 1).count());
    if is_fitting { Ok(Secret::new(text)) } else { Err(SignInRefusal::BadPassword) }
}

/// An address as identities spell it.
fn read_email(text: &str) -> Result<String, SignInRefusal> {
    let email = text.trim().to_lowercase();
    let is_plain = email.chars().all(|character| !character.is_control() && !character.is_whitespace());
    let is_address =
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if is_plain && is_address && email.len() <= EMAIL_BYTES_MAX { Ok(email) } else { Err(SignInRefusal::BadEmail) }
}

struct Register {
    author: Author,
    ids: IdSource,
    email: String,
    phc: String,
    draft: Draft,
}

/// Makes a person with an e-mail address and a password, and signs them in. Whoever wants may do so. An address that
/// somebody has is refused, after the same work.
pub async fn register(domain: &Domain, email: &str, password: &str) -> Result<Tokens, Error> {
    let (email, password) = (read_email(email)?, read_password(password)?);
    let phc = domain.passwords.digest(password).await?;
    let (draft, refresh) = Draft::new(domain, Method::Password, Client::default());
    let input = Register { author: Author::sign_in(domain), ids: domain.ids.clone(), email, phc, draft };
    let (user, session) = domain.store.write(input, |txn, input| Box::pin(register_in(txn, input))).await?;
    Ok(Tokens::new(domain, user, session, refresh))
}

async fn register_in(txn: &WriteTransaction, input: &Register) -> Result<(user::Model, entity::session::Model), Error> {
    let account = (Platform::Email, input.email.as_str());
    let known = identity::Entity::find_by_id((Platform::Email, input.email.clone()));
    if known.one(txn.connection()).await?.is_some() {
        return Err(SignInRefusal::NotRegistrable.into());
    }
    let id = users::of_identity(txn, &input.author, &input.ids, account).await?;
    // Nobody has proved that the address is theirs.
    identity::Entity::update_many()
        .col_expr(identity::Column::VerifiedAt, Expr::value(None::<chrono::DateTime<chrono::Utc>>))
        .filter(identity::COLUMN.platform.eq(Platform::Email))
        .filter(identity::COLUMN.identity.eq(input.email.clone()))
        .exec(txn.connection())
        .await?;
    store_password(txn, &input.author, &input.email, &input.phc).await?;
    input.draft.begin(txn, &input.author, id).await
}

async fn store_password(txn: &WriteTransaction, author: &Author, email: &str, phc: &str) -> Result<(), Error> {
    let row = password_credential::ActiveModel {
        platform: Set(Platform::Email),
        identity: Set(email.to_owned()),
        phc: Set(phc.to_owned()),
        created_at: Set(author.at()),
        updated_at: Set(author.at()),
    };
    let key = [password_credential::Column::Platform, password_credential::Column::Identity];
    let replaced = [password_credential::Column::Phc, password_credential::Column::UpdatedAt];
    password_credential::Entity::insert(row)
        .on_conflict(OnConflict::columns(key).update_columns(replaced).to_owned())
        .exec_without_returning(txn.connection())
        .await?;
    Ok(())
}

struct SignIn {
    author: Author,
    email: String,
    /// The digest that the password fits.
    phc: String,
    renewed: Option<String>,
    draft: Draft,
}

/// Signs a person in by e-mail address and password.
pub async fn sign_in_with_password(domain: &Domain, email: &str, password: &str) -> Result<Tokens, Error> {
    // What cannot be registered is wrong, and takes no work whoever asks.
    let wrong = |_| SignInRefusal::WrongPassword;
    let (email, password) = (read_email(email).map_err(wrong)?, read_password(password).map_err(wrong)?);
    let found = password_credential::Entity::find_by_id((Platform::Email, email.clone()));
    let expected = found.one(domain.store.reader()).await?.map(|row| row.phc);
    let renewed = match domain.passwords.check(password, expected.clone()).await? {
        Checked::Wrong => return Err(SignInRefusal::WrongPassword.into()),
        Checked::Right => None,
        Checked::Renewed(phc) => Some(phc),
    };
    let (draft, refresh) = Draft::new(domain, Method::Password, Client::default());
    let author = Author::sign_in(domain);
    let input = SignIn { author, email, phc: expected.unwrap_or_default(), renewed, draft };
    let (user, session) = domain.store.write(input, |txn, input| Box::pin(sign_in(txn, input))).await?;
    Ok(Tokens::new(domain, user, session, refresh))
}

async fn sign_in(txn: &WriteTransaction, input: &SignIn) -> Result<(user::Model, entity::session::Model), Error> {
    let key = (Platform::Email, input.email.clone());
    let found = password_credential::Entity::find_by_id(key.clone()).lock_shared().one(txn.connection()).await?;
    // The password may have been changed while it was being checked.
    let is_same = found.is_some_and(|row| row.phc == input.phc);
    let identity = identity::Entity::find_by_id(key).one(txn.connection()).await?.filter(|_| is_same);
    let identity = identity.ok_or(SignInRefusal::WrongPassword)?;
    if let Some(phc) = &input.renewed {
        store_password(txn, &input.author, &input.email, phc).await?;
    }
    input.draft.begin(txn, &input.author, identity.user_id).await
}

/// A password for somebody, and whose it is.
pub struct Generated {
    /// The address that it opens.
    pub email: String,
    /// The password.
    pub password: Secret,
}

/// A password that nobody can guess.
pub fn generate_password() -> Secret {
    Secret::new(Alphanumeric.sample_string(&mut rand::rng(), GENERATED_CHARACTERS))
}

/// Whose password is set.
#[derive(Clone, Debug)]
enum Whose {
    Person(UserId),
    Email(String),
}

struct Reset {
    author: Author,
    whose: Whose,
    phc: String,
}

/// Gives the person of an id or of an e-mail address another password, and ends their sessions.
pub async fn set_password(domain: &Domain, actor: &Actor, who: &str, password: Secret) -> Result<Generated, Error> {
    actor.require(Right::ManageUsers, None)?;
    let whose = match who.parse() {
        Ok(id) => Whose::Person(id),
        Err(_) => Whose::Email(read_email(who)?),
    };
    let password = read_password(password.expose())?;
    let phc = domain.passwords.digest(password.clone()).await?;
    let input = Reset { author: Author::new(domain, actor), whose, phc };
    let email = domain.store.write(input, |txn, input| Box::pin(reset(txn, input))).await?;
    Ok(Generated { email, password })
}

async fn reset(txn: &WriteTransaction, input: &Reset) -> Result<String, Error> {
    let emails = identity::Entity::find().filter(identity::COLUMN.platform.eq(Platform::Email));
    let (found, missing) = match &input.whose {
        Whose::Person(id) => {
            let own = emails.filter(identity::COLUMN.user_id.eq(*id)).order_by_desc(identity::Column::IsPrimary);
            (own.order_by_asc(identity::Column::Identity).one(txn.connection()).await?, SignInRefusal::NoEmail.into())
        }
        Whose::Email(email) => {
            let named = emails.filter(identity::Column::Identity.eq(email.clone()));
            (named.one(txn.connection()).await?, Error::from(users::UserRefusal::NotFound))
        }
    };
    let identity = found.ok_or(missing)?;
    store_password(txn, &input.author, &identity.identity, &input.phc).await?;
    let subject = users::subject(identity.user_id);
    let change = (Value::Null, json!({ "platform": "email" }));
    txn.append_event(input.author.event("user.password_set", None, subject, change)).await?;
    end_sessions(txn, &input.author, identity.user_id, EndReason::PasswordChanged).await?;
    Ok(identity.identity)
}

#[cfg(test)]
mod tests;
