//! Signing in with a wallet: EIP-4361.

use entity::{
    api_key::{self, KeyState},
    id::{ApiKeyId, SessionId, UserId},
    identity::Platform,
    session::{self, Method},
    user,
};
use sea_orm::EntityTrait;
use serde_json::Value;

use super::{
    nonce::Burn,
    origin::Origin,
    refusal::SignInRefusal,
    session::{Client, Draft, Tokens},
    signature::{self, Address},
    siwe::Message,
};
use crate::{
    domain::{
        Actor, Domain, Error,
        access_token::SignedIn,
        api_key::VerifiedKey,
        event::Author,
        user::{self as users, Connected, NewIdentity, UserRefusal},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// The program for which a message is signed, as its key says.
struct Asker {
    key: ApiKeyId,
    name: Option<String>,
    origins: Vec<String>,
    is_bound: bool,
}

impl Asker {
    fn of(key: &VerifiedKey) -> Self {
        let (origins, row) = (key.allowed_origins.clone(), &key.row);
        Self { key: row.id, name: row.client_name.clone(), origins, is_bound: row.guild_id.is_some() }
    }

    /// The program that a session was begun with, if its key is still good.
    async fn of_session(domain: &Domain, id: SessionId) -> Result<Option<Self>, Error> {
        let reader = domain.store.reader();
        let session = session::Entity::find_by_id(id).one(reader).await?;
        let Some(key) = session.and_then(|session| session.api_key_id) else { return Ok(None) };
        let row = api_key::Entity::find_by_id(key).one(reader).await?;
        let Some(row) = row.filter(|row| row.state == KeyState::Active) else { return Ok(None) };
        let origins = serde_json::from_value(row.allowed_origins)?;
        Ok(Some(Self { key: row.id, name: row.client_name, origins, is_bound: row.guild_id.is_some() }))
    }
}

/// An address whose owner has signed, and the number that is to be used up.
struct Proved {
    address: Address,
    burn: Burn,
}

/// Checks all of a signed message but whether its number was used, which only the store knows.
fn prove(domain: &Domain, asker: Option<&Asker>, text: &str, signed: &str) -> Result<Proved, SignInRefusal> {
    let message = Message::parse(text)?;
    signature::check_form(signed)?;
    let asker = asker.filter(|asker| !asker.origins.is_empty()).ok_or(SignInRefusal::NoOrigins)?;
    if asker.is_bound {
        return Err(SignInRefusal::BoundKey);
    }
    let is_allowed = |origin: Option<Origin>| origin.is_some_and(|origin| origin.is_allowed(&asker.origins));
    if !is_allowed(Origin::of_domain(message.scheme, message.domain)) {
        return Err(SignInRefusal::WrongDomain);
    }
    if !is_allowed(Origin::of_uri(message.uri)) {
        return Err(SignInRefusal::WrongUri);
    }
    if !domain.limits.sign_in.chain_ids.contains(&message.chain_id) {
        return Err(SignInRefusal::WrongChain);
    }
    message.check_times(domain.now())?;
    let address = message.address();
    signature::check(text, signed, address)?;
    Ok(Proved { address, burn: Burn::new(domain, message.nonce, asker.key, address) })
}

struct SignIn {
    author: Author,
    ids: IdSource,
    proved: Proved,
    draft: Draft,
}

/// Signs a person in by a message that their wallet has signed for an origin of this key; the root key has none. They
/// are made on their first time. A refusal does not use the nonce up.
pub async fn sign_in_with_wallet(
    domain: &Domain,
    key: Option<&VerifiedKey>,
    message: &str,
    signature: &str,
) -> Result<(Tokens, Address), Error> {
    let asker = key.map(Asker::of);
    let proved = prove(domain, asker.as_ref(), message, signature)?;
    let address = proved.address;
    let client = asker.map_or_else(Client::default, |asker| Client { key: Some(asker.key), name: asker.name });
    let (draft, refresh) = Draft::new(domain, Method::Wallet, client);
    let input = SignIn { author: Author::sign_in(domain), ids: domain.ids.clone(), proved, draft };
    let (user, session) = domain.store.write(input, |txn, input| Box::pin(sign_in(txn, input))).await?;
    Ok((Tokens::new(domain, user, session, refresh), address))
}

async fn sign_in(txn: &WriteTransaction, input: &SignIn) -> Result<(user::Model, session::Model), Error> {
    input.proved.burn.carry_out(txn).await?;
    let identity = input.proved.address.lower_case();
    let id = users::of_identity(txn, &input.author, &input.ids, (Platform::Evm, &identity)).await?;
    input.draft.begin(txn, &input.author, id).await
}

struct Connect {
    author: Author,
    user_id: UserId,
    proved: Proved,
    is_primary: bool,
    metadata: Option<Value>,
}

/// Connects a wallet to the signed-in person who proves it by a message for an origin of the key that is shown, else of
/// the one that they signed in with. The nonce is used up by that, and only by that.
pub async fn connect_wallet(
    domain: &Domain,
    signed_in: &SignedIn,
    key: Option<&VerifiedKey>,
    new: NewIdentity,
    (message, signature): (&str, &str),
) -> Result<Connected, Error> {
    let claimed = users::canonical(new.platform, &new.identity)?;
    let asker = match key {
        Some(key) => Some(Asker::of(key)),
        None => Asker::of_session(domain, signed_in.claims.sid).await?,
    };
    let proved = prove(domain, asker.as_ref(), message, signature)?;
    if new.platform != Platform::Evm || claimed != proved.address.lower_case() {
        return Err(UserRefusal::ProofRequired(new.platform).into());
    }
    let author = Author::new(domain, &Actor::User(signed_in.actor));
    let (is_primary, metadata) = (new.is_primary, new.metadata);
    let input = Connect { author, user_id: signed_in.actor.id, proved, is_primary, metadata };
    domain.store.write(input, |txn, input| Box::pin(connect(txn, input))).await
}

async fn connect(txn: &WriteTransaction, input: &Connect) -> Result<Connected, Error> {
    input.proved.burn.carry_out(txn).await?;
    let identity = input.proved.address.lower_case();
    let (key, metadata) = ((Platform::Evm, identity.as_str()), input.metadata.clone());
    let mut connected = users::connect_proved(txn, &input.author, input.user_id, key, metadata).await?;
    if input.is_primary && !connected.identity.is_primary {
        users::mark_primary(txn, &input.author, &connected.identity).await?;
        connected.identity.is_primary = true;
    }
    Ok(connected)
}
