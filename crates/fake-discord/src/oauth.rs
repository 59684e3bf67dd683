//! People who sign in elsewhere with their Discord account: consents, codes and tokens of `OAuth2`.
//!
//! The application is a confidential client: it proves itself by its secret. A code serves once, for a minute; an
//! access token lives a week; a refresh token is replaced each time that it is used.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::FakeDiscord;

/// How long a code may wait to be exchanged.
const CODE_LIFE: TimeDelta = TimeDelta::seconds(60);
/// How long an access token opens anything.
pub(crate) const TOKEN_LIFE: TimeDelta = TimeDelta::days(7);
/// How many codes and grants are remembered; the oldest go first.
const MAX_REMEMBERED: usize = 1000;

/// What the person in front of the browser does on the page that asks for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nobody is signed in, so that Discord shows its own sign-in page.
    SignedOut,
    /// This account is signed in and agrees.
    Allow(u64),
    /// The person presses "Cancel".
    Deny,
}

/// A code that was handed to the browser.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) user: u64,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    /// The S256 challenge of PKCE, if the client sent one.
    pub(crate) challenge: Option<String>,
    pub(crate) ends_at: DateTime<Utc>,
}

/// What a person has allowed, with the tokens that prove it.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) user: u64,
    pub(crate) scopes: Vec<String>,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) ends_at: DateTime<Utc>,
}

impl Grant {
    pub(crate) fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|one| one == scope)
    }
}

pub(crate) struct OAuth {
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) consent: Consent,
    codes: BTreeMap<String, Code>,
    grants: VecDeque<Grant>,
    made: u64,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            redirect_uris: Vec::new(),
            consent: Consent::SignedOut,
            codes: BTreeMap::new(),
            grants: VecDeque::new(),
            made: 0,
        }
    }
}

/// What is sent in place of a verifier, by RFC 7636.
pub(crate) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

impl OAuth {
    /// A new text that stands for something, 30 letters as Discord's are.
    fn token(&mut self, what: &str) -> String {
        self.made += 1;
        let mut text = challenge_of(&format!("{what} {}", self.made));
        text.truncate(30);
        text
    }

    pub(crate) fn add_code(&mut self, code: Code, now: DateTime<Utc>) -> String {
        self.codes.retain(|_, one| one.ends_at > now);
        if self.codes.len() >= MAX_REMEMBERED {
            self.codes.pop_first();
        }
        let text = self.token("code");
        self.codes.insert(text.clone(), Code { ends_at: now + CODE_LIFE, ..code });
        text
    }

    /// A code that is still good.
    pub(crate) fn code(&self, text: &str, now: DateTime<Utc>) -> Option<&Code> {
        self.codes.get(text).filter(|one| now < one.ends_at)
    }

    /// Takes a code away, and gives the tokens for it.
    pub(crate) fn redeem(&mut self, text: &str, now: DateTime<Utc>) -> Option<Grant> {
        let code = self.codes.remove(text)?;
        Some(self.grant(code.user, code.scopes, now))
    }

    /// Replaces the tokens of a grant by its refresh token.
    pub(crate) fn refresh(&mut self, refresh_token: &str, now: DateTime<Utc>) -> Option<Grant> {
        let at = self.grants.iter().position(|one| one.refresh_token == refresh_token)?;
        let old = self.grants.remove(at)?;
        Some(self.grant(old.user, old.scopes, now))
    }

    fn grant(&mut self, user: u64, scopes: Vec<String>, now: DateTime<Utc>) -> Grant {
        let (access_token, refresh_token) = (self.token("access"), self.token("refresh"));
        let grant = Grant { user, scopes, access_token, refresh_token, ends_at: now + TOKEN_LIFE };
        self.grants.push_back(grant.clone());
        if self.grants.len() > MAX_REMEMBERED {
            self.grants.pop_front();
        }
        grant
    }

    /// The grant of an access token that still opens something.
    pub(crate) fn by_access_token(&self, token: &str, now: DateTime<Utc>) -> Option<&Grant> {
        self.grants.iter().find(|one| one.access_token == token && now < one.ends_at)
    }

    /// Ends a person's grants, by either token of one of them. Discord says that whichever is named, all tokens of
    /// the authorization go.
    pub(crate) fn revoke(&mut self, token: &str) {
        let named = self.grants.iter().find(|one| one.access_token == token || one.refresh_token == token);
        if let Some(user) = named.map(|one| one.user) {
            self.grants.retain(|one| one.user != user);
        }
    }
}

/// Signing in with a Discord account.
impl FakeDiscord {
    /// Replaces the redirect URIs that are registered in the developer portal; at first there are none.
    pub fn set_redirect_uris(&self, uris: &[&str]) {
        let uris = uris.iter().map(|one| (*one).to_owned()).collect();
        self.with(|state| state.oauth.redirect_uris = uris);
    }

    /// What the person in front of the browser does from now on when asked for consent; at first nobody is signed in.
    pub fn set_consent(&self, consent: Consent) {
        self.with(|state| {
            if let Consent::Allow(user) = consent {
                assert!(state.users.contains_key(&user), "there is no user {user}");
            }
            state.oauth.consent = consent;
        });
    }

    /// How many grants of a person still have tokens that work.
    pub fn live_grants(&self, user: u64) -> usize {
        self.peek(|state| {
            let now = state.now();
            state.oauth.grants.iter().filter(|one| one.user == user && now < one.ends_at).count()
        })
    }
}
