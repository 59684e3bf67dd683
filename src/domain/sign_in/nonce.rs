//! Numbers that may stand in one signed message only.
//!
//! Ours are stored until they are used, and deleted by that. They carry a seal, so that a used one does not pass for a
//! client's own. A client's own is remembered from its use on, for its signer, for much longer than a message is good.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{auth_nonce, id::ApiKeyId};
use rand::distr::{Alphanumeric, SampleString as _};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, TryInsertResult};

use super::{
    digest,
    refusal::SignInRefusal,
    signature::{Address, hexadecimal},
};
use crate::{
    domain::{Domain, Error, SigningKeys},
    store::WriteTransaction,
};

/// Random characters of one of ours: 131 bits.
const RANDOM_CHARACTERS: usize = 22;
/// Characters of its seal.
const SEAL_CHARACTERS: usize = 10;
/// How long one of ours waits.
const LIFETIME: TimeDelta = TimeDelta::seconds(300);
/// How long a client's own is remembered.
const MEMORY: TimeDelta = TimeDelta::hours(24);

/// A number for one message.
#[derive(Clone, Debug)]
pub struct IssuedNonce {
    /// The number.
    pub nonce: String,
    /// Its end.
    pub expires_at: DateTime<Utc>,
}

/// Makes a number for a message that is to be signed. Whoever may sign in may ask for one; where a key or an address is
/// named, it is good for these only.
pub async fn issue_nonce(domain: &Domain, key: Option<ApiKeyId>, address: Option<&str>) -> Result<IssuedNonce, Error> {
    let address = address.map(|text| Address::parse(text).ok_or(SignInRefusal::BadAddress)).transpose()?;
    let random = Alphanumeric.sample_string(&mut rand::rng(), RANDOM_CHARACTERS);
    let nonce = format!("{random}{}", seals(&domain.signing, &random).next().unwrap_or_default());
    let now = domain.now();
    let expires_at = now + LIFETIME;
    let row = auth_nonce::Model {
        digest: digest(&nonce),
        is_used: false,
        api_key_id: key,
        address: address.map(|address| address.lower_case()),
        created_at: now,
        expires_at,
    };
    domain
        .store
        .write(row, |txn, row: &auth_nonce::Model| {
            Box::pin(async move {
                let row = row.clone().into_active_model();
                auth_nonce::Entity::insert(row).exec_without_returning(txn.connection()).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(IssuedNonce { nonce, expires_at })
}

fn seals(keys: &SigningKeys, random: &str) -> impl Iterator<Item = String> {
    keys.seals("nonce", random.as_bytes()).map(|seal| hexadecimal(&seal[..SEAL_CHARACTERS / 2]))
}

/// A number that is about to be used.
pub(super) struct Burn {
    row: auth_nonce::Model,
}

impl Burn {
    /// The number of a message of this signer, who uses this key.
    pub(super) fn new(domain: &Domain, nonce: &str, key: ApiKeyId, address: Address) -> Self {
        let is_ours = nonce.len() == RANDOM_CHARACTERS + SEAL_CHARACTERS
            && nonce
                .split_at_checked(RANDOM_CHARACTERS)
                .is_some_and(|(random, seal)| seals(&domain.signing, random).any(|own| own == seal));
        let (now, address) = (domain.now(), address.lower_case());
        let text = if is_ours { nonce.to_owned() } else { format!("{address} {nonce}") };
        let row = auth_nonce::Model {
            digest: digest(&text),
            is_used: !is_ours,
            api_key_id: Some(key),
            address: Some(address),
            created_at: now,
            expires_at: now + MEMORY,
        };
        Self { row }
    }

    /// Uses it up, or refuses: of any number of processes, one is first.
    pub(super) async fn carry_out(&self, txn: &WriteTransaction) -> Result<(), Error> {
        let row = &self.row;
        let is_first = if row.is_used {
            let inserted = auth_nonce::Entity::insert(row.clone().into_active_model())
                .on_conflict_do_nothing()
                .exec_without_returning(txn.connection())
                .await?;
            matches!(inserted, TryInsertResult::Inserted(1..))
        } else {
            let column = auth_nonce::COLUMN;
            let of_key = Condition::any().add(column.api_key_id.is_null()).add(column.api_key_id.eq(row.api_key_id));
            let address = row.address.clone();
            let of_address = Condition::any().add(column.address.is_null()).add(column.address.eq(address));
            let deleted = auth_nonce::Entity::delete_many()
                .filter(column.digest.eq(row.digest.clone()))
                .filter(column.is_used.eq(false))
                .filter(column.expires_at.gt(row.created_at))
                .filter(of_key)
                .filter(of_address)
                .exec(txn.connection())
                .await?;
            deleted.rows_affected == 1
        };
        if is_first { Ok(()) } else { Err(SignInRefusal::WrongNonce.into()) }
    }
}
