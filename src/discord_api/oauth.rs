//! Signing in with Discord: OAuth 2.0, authorization code with PKCE.
//!
//! <https://discord.com/developers/docs/topics/oauth2>. A person's token is used for one question and dropped: it is
//! neither stored nor told.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, RequestBuilder, Url, redirect::Policy};
use serde::Deserialize;

use super::{error::SetupError, transport::USER_AGENT};

/// Longest time for both calls together, waiting for a connection included.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Why nobody has come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// Discord does not know the code, or gave it for another verifier.
    #[error("Discord refused the sign-in")]
    Refused,
    /// Discord does not take our id and secret.
    #[error("Discord refused the application's id or secret")]
    Misconfigured,
    /// No answer came, or none that makes sense.
    #[error("Discord does not answer")]
    Unavailable,
}

impl OAuthError {
    /// Whether it is the person who has to begin again, and not Discord or the operator who is at fault.
    pub fn is_refusal(self) -> bool {
        self == Self::Refused
    }
}

/// The application, as people sign in with it. Clones share one connection pool.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    client: Client,
    base_url: Url,
    id: String,
    secret: String,
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").field("id", &self.0.id).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
}

#[derive(Deserialize)]
struct Me {
    id: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl OAuth {
    /// Prepares the client; sends nothing.
    pub fn new(base_url: Option<&str>, id: &str, secret: &str, connect_timeout: Duration) -> Result<Self, SetupError> {
        let mut builder = Client::builder()
            .use_rustls_tls()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .connect_timeout(connect_timeout)
            .timeout(TIME_MAX);
        if base_url.is_some() {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|_| SetupError::Client)?;
        let base_url = Url::parse(base_url.unwrap_or("https://discord.com")).map_err(|_| SetupError::BaseUrl)?;
        Ok(Self(Arc::new(Inner { client, base_url, id: id.to_owned(), secret: secret.to_owned() })))
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.0.base_url.clone();
        url.set_path(path);
        url
    }

    /// Where a browser goes to ask its person.
    pub fn authorize_url(&self, redirect_uri: &str, state: &str, challenge: &str) -> String {
        let mut url = self.url("/oauth2/authorize");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.0.id)
            .append_pair("scope", "identify")
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state)
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256");
        url.into()
    }

    /// Whose account a code is about.
    pub async fn account(&self, redirect_uri: &str, code: &str, verifier: &str) -> Result<u64, OAuthError> {
        tokio::time::timeout(TIME_MAX, self.ask(redirect_uri, code, verifier))
            .await
            .unwrap_or(Err(OAuthError::Unavailable))
    }

    async fn ask(&self, redirect_uri: &str, code: &str, verifier: &str) -> Result<u64, OAuthError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let request = self.0.client.post(self.url("/api/v10/oauth2/token"));
        let (status, body) = send(request.basic_auth(&self.0.id, Some(&self.0.secret)).form(&form)).await?;
        if !(200..300).contains(&status) {
            return Err(refusal(status, &body));
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| OAuthError::Unavailable)?;
        if !granted.token_type.eq_ignore_ascii_case("bearer") {
            return Err(OAuthError::Unavailable);
        }
        let request = self.0.client.get(self.url("/api/v10/users/@me")).bearer_auth(&granted.access_token);
        let (status, body) = send(request).await?;
        if status != 200 {
            return Err(if status == 401 { OAuthError::Refused } else { OAuthError::Unavailable });
        }
        let me: Me = serde_json::from_slice(&body).map_err(|_| OAuthError::Unavailable)?;
        me.id.parse().map_err(|_| OAuthError::Unavailable)
    }
}

/// What an error of <https://www.rfc-editor.org/rfc/rfc6749#section-5.2> means to the person.
fn refusal(status: u16, body: &[u8]) -> OAuthError {
    let error = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error).unwrap_or_default();
    match (status, error.as_str()) {
        (_, "invalid_client" | "unauthorized_client") | (401, _) => OAuthError::Misconfigured,
        (400, _) => OAuthError::Refused,
        _ => OAuthError::Unavailable,
    }
}

async fn send(request: RequestBuilder) -> Result<(u16, Vec<u8>), OAuthError> {
    let mut response = request.send().await.map_err(|_| OAuthError::Unavailable)?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| OAuthError::Unavailable)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(OAuthError::Unavailable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_for_browsers_says_all_that_discord_asks_for() {
        let oauth = OAuth::new(None, "42", "hidden", Duration::from_secs(1)).unwrap();
        let url = oauth.authorize_url("https://hall.example/api/auth/discord/callback", "s/t", "c");
        assert_eq!(
            url,
            "https://discord.com/oauth2/authorize?response_type=code&client_id=42&scope=identify&redirect_uri=https%3A\
             %2F%2Fhall.example%2Fapi%2Fauth%2Fdiscord%2Fcallback&state=s%2Ft&code_challenge=c&code_challenge_method=S256"
        );
        assert!(!format!("{oauth:?}").contains("hidden"));
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, body, error) in [
            (400, r#"{"error":"invalid_grant"}"#, OAuthError::Refused),
            (400, r#"{"error":"invalid_client"}"#, OAuthError::Misconfigured),
            (401, "", OAuthError::Misconfigured),
            (500, "<html>", OAuthError::Unavailable),
            (429, "{}", OAuthError::Unavailable),
        ] {
            assert_eq!(refusal(status, body.as_bytes()), error, "{status} {body}");
        }
    }
}
