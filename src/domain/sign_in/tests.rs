//! What only the domain can be asked: secrets that change, and nonces that were never given.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::{
    domain::{
        Domain, SigningKeys,
        api_key::{VerifiedKey, verify},
        testing::{
            self, TestDomain,
            wallet::{Draft, Wallet},
        },
    },
    secret::Secret,
};

const ADDRESS: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

async fn panel(domain: &Domain) -> Arc<VerifiedKey> {
    let key = testing::keys::insert(domain, &[], |row| row.allowed_origins = json!(["app.example.org"])).await;
    verify(domain, &key.secret, ADDRESS).await.unwrap()
}

async fn enter(domain: &Domain, key: &VerifiedKey, nonce: &str) -> Result<Tokens, crate::domain::Error> {
    let wallet = Wallet::of(1);
    let text = wallet.message(&Draft::new(nonce, domain.now()));
    Ok(sign_in_with_wallet(domain, Some(key), &text, &wallet.sign(&text)).await?.0)
}

async fn next(domain: &Domain, token: &Secret) -> Result<Tokens, crate::domain::Error> {
    let known = find_refresh(domain, token.expose()).await?;
    refresh(domain, known, None).await
}

/// The server before and after its operator has changed its secret.
fn secrets(domain: &TestDomain) -> (Domain, Domain) {
    let (old, new) = (Secret::new("o".repeat(32)), Secret::new("n".repeat(32)));
    let before = (**domain).clone().with_signing_keys(SigningKeys::new(&old, None));
    let after = (**domain).clone().with_signing_keys(SigningKeys::new(&new, Some(&old)));
    (before, after)
}

/// What was given before the secret changed is good after it; and a successor stays the same within its grace.
#[tokio::test]
async fn a_new_secret_ends_nothing() {
    let domain = testing::domain().await;
    let key = panel(&domain).await;
    let (before, after) = secrets(&domain);
    let first = enter(&before, &key, "abcdefgh").await.unwrap();
    let second = next(&before, &first.refresh).await.unwrap();
    let again = next(&after, &first.refresh).await.unwrap();
    assert_eq!(again.refresh.expose(), second.refresh.expose());
    for tokens in [&first, &second, &again] {
        assert!(crate::domain::access_token::verify(&after, tokens.access.expose()).await.is_ok());
    }
    let third = next(&after, &second.refresh).await.unwrap();
    domain.advance(TimeDelta::seconds(11));
    assert!(next(&after, &third.refresh).await.is_ok());
    let issued = issue_nonce(&before, None, None).await.unwrap();
    assert!(enter(&after, &key, &issued.nonce).await.is_ok());
    assert!(enter(&after, &key, &issued.nonce).await.is_err());
}

/// D21: one that looks like ours and is not in the store was used, or has ended, or is somebody's invention.
#[tokio::test]
async fn an_unknown_nonce_of_ours_is_none() {
    let (domain, other) = (testing::domain().await, testing::domain().await);
    let key = panel(&domain).await;
    let (own, _) = secrets(&domain);
    let (elsewhere, _) = secrets(&other);
    let nonce = issue_nonce(&elsewhere, None, None).await.unwrap().nonce;
    let refused = enter(&own, &key, &nonce).await.map(drop).unwrap_err();
    assert_eq!(refused.code(), Some("siwe.wrong_nonce"));
}

/// A session ends with its last breath, and a token says no more than its session.
#[tokio::test]
async fn a_token_of_the_operator_ends_with_its_session() {
    let domain = testing::domain().await;
    let key = panel(&domain).await;
    let person = enter(&domain, &key, "abcdefgh").await.unwrap().user;
    let token = issue_access_token(&domain, &testing::root(), person.id, 60, None).await.unwrap();
    let verify = async || crate::domain::access_token::verify(&domain, token.expose()).await;
    let signed_in = verify().await.unwrap();
    domain.advance(TimeDelta::seconds(59));
    assert!(verify().await.is_ok());
    domain.advance(TimeDelta::seconds(1));
    assert!(verify().await.is_err(), "the leeway is for clocks, not for sessions");
    let member = testing::member(u64::MAX);
    let refused = issue_access_token(&domain, &member, person.id, 60, None).await.map(drop).unwrap_err();
    assert_eq!(refused.code(), Some("forbidden"));
    assert!(sign_out(&domain, &testing::root()).await.is_err(), "the root key is nobody");
    assert!(sign_out(&domain, &crate::domain::Actor::User(signed_in.actor)).await.is_ok());
}
