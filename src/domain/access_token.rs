//! Access tokens: JSON Web Tokens (RFC 7519) signed with HS256 and nothing else.
//!
//! Invariants: the algorithm is ours, never the token's; a token says who somebody is, and their row says at each use
//! what they may do.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, Utc};
use entity::{
    id::{SessionId, UserId},
    session, user,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Domain, Error, Kind, Refusal, UserActor};
use crate::secret::Secret;

/// Who issues our tokens, and for whom.
const ISSUER: &str = "guildhall";
/// What clocks may differ by, in seconds.
const LEEWAY_SECONDS: i64 = 5;
/// How long a token lives, in seconds.
pub const LIFETIME_SECONDS: i64 = 900;
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 4096;

/// The secrets that sign tokens: the present one, and the one before it while its tokens live.
#[derive(Clone)]
pub struct SigningKeys {
    keys: Arc<Vec<SigningKey>>,
}

struct SigningKey {
    id: String,
    mac: Hmac<Sha256>,
}

impl SigningKeys {
    /// The first secret signs; all of them verify.
    pub fn new(present: &Secret, previous: Option<&Secret>) -> Self {
        let keys = [Some(present), previous].into_iter().flatten().map(SigningKey::new).collect();
        Self { keys: Arc::new(keys) }
    }

    /// What stands for a text where its digest alone would let others guess it; by the present secret first, and by
    /// the one before it.
    pub(super) fn seals(&self, purpose: &str, text: &[u8]) -> impl Iterator<Item = [u8; 32]> {
        // No token begins so: what is signed for one never passes for the other.
        let begin = format!("guildhall {purpose}\0");
        self.keys.iter().map(move |key| {
            key.mac.clone().chain_update(begin.as_bytes()).chain_update(text).finalize().into_bytes().into()
        })
    }

    /// A secret that lives as long as this value: for those who sign nothing that others read.
    pub(super) fn random() -> Self {
        let text = rand::distr::SampleString::sample_string(&rand::distr::Alphanumeric, &mut rand::rng(), 43);
        Self::new(&Secret::new(text), None)
    }
}

impl SigningKey {
    fn new(secret: &Secret) -> Self {
        let bytes = secret.expose().as_bytes();
        // Names the secret without telling it: another digest than any that is used elsewhere.
        let digest = Sha256::new().chain_update(b"guildhall signing key id\0").chain_update(bytes).finalize();
        let mac = Hmac::new_from_slice(bytes).expect("HMAC takes a key of any length");
        Self { id: BASE64.encode(&digest[..6]), mac }
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The person.
    pub sub: UserId,
    /// The session that it belongs to; ending that ends the token.
    pub sid: SessionId,
    /// Its purpose, by which no other token passes for it.
    typ: String,
    /// The same, as existing clients read it.
    #[serde(rename = "type")]
    purpose: String,
    /// For clients to show; what counts is the person's row.
    pub role: String,
    /// The program that the person signed in with.
    #[serde(rename = "clientName", default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Why a token does not open.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("Invalid or expired token")]
pub struct TokenRefusal;

impl Refusal for TokenRefusal {
    fn kind(&self) -> Kind {
        Kind::Unauthenticated
    }

    fn code(&self) -> &'static str {
        "token.invalid"
    }
}

/// Signs a token for a person, which is good while their session is.
pub(in crate::domain) fn sign(
    domain: &Domain,
    user: &user::Model,
    session: SessionId,
    client_name: Option<String>,
    seconds: i64,
) -> Secret {
    let now = domain.now().timestamp();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: ISSUER.to_owned(),
        sub: user.id,
        sid: session,
        typ: "access".to_owned(),
        purpose: "access".to_owned(),
        role: super::event::spelled(user.role),
        client_name,
        jti: domain.ids.uuid(),
        iat: now,
        nbf: now,
        exp: now + seconds,
    };
    Secret::new(encode(&domain.signing.keys[0], &claims))
}

fn encode(key: &SigningKey, claims: &impl Serialize) -> String {
    let header = Header { alg: "HS256", typ: "JWT", kid: &key.id };
    let part = |json: Result<Vec<u8>, serde_json::Error>| BASE64.encode(json.expect("plain structs become JSON"));
    let mut text = part(serde_json::to_vec(&header));
    text.push('.');
    text.push_str(&part(serde_json::to_vec(claims)));
    let signature = key.mac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
    text.push('.');
    text.push_str(&BASE64.encode(signature));
    text
}

/// Reads a token that one of our secrets has signed and that is good at this moment.
pub fn read(keys: &SigningKeys, token: &str, now: DateTime<Utc>) -> Result<Claims, TokenRefusal> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenRefusal);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefusal)?;
    let (header, claims) = signed.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or(TokenRefusal)?;
    let key = signer(keys, header)?;
    let signature = BASE64.decode(signature).map_err(|_| TokenRefusal)?;
    // Compares in a time that does not depend on where the signatures differ.
    key.mac.clone().chain_update(signed.as_bytes()).verify_slice(&signature).map_err(|_| TokenRefusal)?;
    let claims = BASE64.decode(claims).map_err(|_| TokenRefusal)?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenRefusal)?;
    let now = now.timestamp();
    let fits = claims.iss == ISSUER && claims.aud == ISSUER && claims.typ == "access";
    let in_time = claims.nbf.saturating_sub(LEEWAY_SECONDS) <= now && now <= claims.exp.saturating_add(LEEWAY_SECONDS);
    if fits && in_time { Ok(claims) } else { Err(TokenRefusal) }
}

/// The secret that a header names. A header that asks for anything but what we sign is refused.
fn signer<'a>(keys: &'a SigningKeys, header: &str) -> Result<&'a SigningKey, TokenRefusal> {
    let header = BASE64.decode(header).map_err(|_| TokenRefusal)?;
    let header: Map<String, Value> = serde_json::from_slice(&header).map_err(|_| TokenRefusal)?;
    let is_ours = header.len() == 3 && header.get("alg").is_some_and(|alg| alg == "HS256");
    let is_jwt = header.get("typ").is_some_and(|typ| typ == "JWT");
    let id = header.get("kid").and_then(Value::as_str).filter(|_| is_ours && is_jwt).ok_or(TokenRefusal)?;
    keys.keys.iter().find(|key| key.id == id).ok_or(TokenRefusal)
}

/// A person who was recognised by their token.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who acts, with the role of their row.
    pub actor: UserActor,
    /// What the token said.
    pub claims: Claims,
}

/// The person of a token, as their row says at this moment.
pub async fn verify(domain: &Domain, token: &str) -> Result<SignedIn, Error> {
    let claims = read(&domain.signing, token, domain.now())?;
    let session = domain.caches.keyring.session(domain, claims.sid).await?;
    let is_open = |session: &session::Model| session.revoked_at.is_none() && session.expires_at > domain.now();
    if !session.as_ref().as_ref().is_some_and(is_open) {
        return Err(TokenRefusal.into());
    }
    let user = domain.caches.keyring.person(domain, claims.sub).await?.ok_or(TokenRefusal)?;
    Ok(SignedIn { actor: UserActor { id: user.id, role: user.role }, claims })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{sign_in, testing, user as users};

    fn keys() -> SigningKeys {
        SigningKeys::new(&Secret::new("present-secret-of-at-least-32-bytes"), None)
    }

    fn now() -> DateTime<Utc> {
        testing::start()
    }

    fn claims() -> Value {
        let now = now().timestamp();
        json!({
            "iss": "guildhall", "aud": "guildhall", "sub": Uuid::nil(), "sid": Uuid::nil(), "typ": "access",
            "type": "access", "role": "member", "jti": Uuid::nil(), "iat": now, "nbf": now, "exp": now + 60,
        })
    }

    fn signed(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = keys().keys[0].mac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
        format!("{text}.{}", BASE64.encode(signature))
    }

    fn header() -> Value {
        json!({ "alg": "HS256", "typ": "JWT", "kid": keys().keys[0].id })
    }

    fn with(mut object: Value, name: &str, value: Value) -> Value {
        object[name] = value;
        object
    }

    fn opens(token: &str) -> bool {
        read(&keys(), token, now()).is_ok()
    }

    #[test]
    fn a_right_token_opens_until_it_ends() {
        let token = signed(&header(), &claims());
        assert!(opens(&token));
        let at = |seconds| now() + chrono::TimeDelta::seconds(seconds);
        assert!(read(&keys(), &token, at(65)).is_ok() && read(&keys(), &token, at(66)).is_err());
        assert!(read(&keys(), &token, at(-5)).is_ok() && read(&keys(), &token, at(-6)).is_err());
    }

    /// D24: nothing in a token chooses how it is checked, and each claim must be there and be right.
    #[test]
    fn wrong_tokens_do_not_open() {
        for (name, value) in [
            ("alg", json!("none")),
            ("alg", json!("HS512")),
            ("alg", json!("RS256")),
            ("alg", json!("hs256")),
            ("kid", json!("another")),
            ("kid", Value::Null),
            ("jwk", json!({})),
            ("jku", json!("https://example.org")),
            ("crit", json!([])),
        ] {
            assert!(!opens(&signed(&with(header(), name, value.clone()), &claims())), "{name} {value}");
        }
        for (name, value) in [
            ("exp", json!("2099-01-01")),
            ("exp", json!((now().timestamp() + 60).to_string())),
            ("exp", Value::Null),
            ("exp", json!(now().timestamp() - 6)),
            ("nbf", json!("now")),
            ("iss", json!("somebody")),
            ("aud", json!("somebody")),
            ("aud", json!(["guildhall"])),
            ("typ", json!("refresh")),
            ("sub", json!("root")),
        ] {
            assert!(!opens(&signed(&header(), &with(claims(), name, value.clone()))), "{name} {value}");
        }
        for missing in ["exp", "nbf", "iss", "aud", "sub", "sid", "typ", "jti"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(missing);
            assert!(!opens(&signed(&header(), &claims)), "{missing}");
        }
    }

    #[test]
    fn broken_texts_do_not_open() {
        let token = signed(&header(), &claims());
        let (signed_part, signature) = token.rsplit_once('.').unwrap();
        for text in [
            "",
            ".",
            "..",
            "...",
            "a.b.c",
            signed_part,
            &format!("{signed_part}."),
            &format!("{token}."),
            &format!("{token}="),
            &format!(".{token}"),
            &format!("{signed_part}.{}", &signature[1..]),
            &"x".repeat(TOKEN_BYTES_MAX + 1),
        ] {
            assert!(!opens(text), "{text}");
        }
        let none = json!({ "alg": "none", "typ": "JWT", "kid": keys().keys[0].id });
        assert!(!opens(&format!("{}.{}.", BASE64.encode(none.to_string()), BASE64.encode(claims().to_string()))));
    }

    #[test]
    fn seals_are_of_a_secret_a_purpose_and_a_text() {
        let (old, new) = (Secret::new("o".repeat(32)), Secret::new("n".repeat(32)));
        let seal = |keys: &SigningKeys, purpose: &str, text: &[u8]| keys.seals(purpose, text).next().unwrap();
        let before = SigningKeys::new(&old, None);
        let after = SigningKeys::new(&new, Some(&old));
        assert_eq!(seal(&before, "a", b"text"), seal(&before, "a", b"text"));
        assert_ne!(seal(&before, "a", b"text"), seal(&before, "b", b"text"));
        assert_ne!(seal(&before, "a", b"text"), seal(&before, "a", b"texts"));
        assert_ne!(seal(&before, "a", b"text"), seal(&after, "a", b"text"));
        assert!(after.seals("a", b"text").any(|one| one == seal(&before, "a", b"text")), "the one before still counts");
    }

    #[test]
    fn tokens_of_the_secret_before_still_open() {
        let (old, new) = (Secret::new("o".repeat(32)), Secret::new("n".repeat(32)));
        let token = encode(&SigningKeys::new(&old, None).keys[0], &claims());
        assert!(read(&SigningKeys::new(&new, Some(&old)), &token, now()).is_ok());
        assert!(read(&SigningKeys::new(&new, None), &token, now()).is_err());
    }

    /// D27: a role or a switch counts from the next use on.
    #[tokio::test]
    async fn the_row_decides_and_not_the_token() {
        let domain = testing::domain().await;
        let new = users::NewUser { role: user::Role::Admin, discord_user_id: None };
        let row = users::create(&domain, &testing::root(), new).await.unwrap();
        let token =
            sign_in::issue_access_token(&domain, &testing::root(), row.id, LIFETIME_SECONDS, None).await.unwrap();
        assert_eq!(verify(&domain, token.expose()).await.unwrap().actor.role, user::Role::Admin);
        users::set_role(&domain, &testing::root(), row.id, user::Role::Member).await.unwrap();
        assert_eq!(verify(&domain, token.expose()).await.unwrap().actor.role, user::Role::Member);
        users::set_disabled(&domain, &testing::root(), row.id, true).await.unwrap();
        assert_eq!(verify(&domain, token.expose()).await.unwrap_err().code(), Some("token.invalid"));
    }
}
