//! Names of wallets: the Ethereum Name Service, read over JSON-RPC (`eth_call`).
//!
//! <https://docs.ens.domains/resolution/names#reverse-resolution>. Invariants: a name counts only where it leads back to
//! the address that claims it; what the node cannot say now is an error, and never "no name". Names that need more than
//! the registry and a resolver on the chain (wildcards, gateways) and names beyond ASCII are taken for none.

mod abi;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Url, redirect::Policy};
use serde::Deserialize;
use serde_json::{Value, json};

use abi::{Node, Word};

/// The registry, at the same address on every network that has one.
const REGISTRY: &str = "0x00000000000c2e074ec69a0dfb2997ba6c7d2e1e";
/// Longest time for one question.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Longest time to open a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest name that is taken, and longest label of it.
const NAME_MAX: usize = 255;
const LABEL_MAX: usize = 63;
/// Longest address of a picture that is taken.
const AVATAR_MAX: usize = 500;
/// The code of an error that the contract itself has raised: <https://eips.ethereum.org/EIPS/eip-1474>.
const REVERTED: i64 = 3;

/// What a wallet is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name, such as `ada.eth`.
    pub name: String,
    /// Its picture, an `https:` or `ipfs:` address.
    pub avatar: Option<String>,
}

/// Why nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnsError {
    /// The node does not answer, or not with what was asked for.
    #[error("the node does not answer")]
    Unavailable,
    /// The node is on a network without this service.
    #[error("the node's network has no registry of names")]
    WrongNetwork,
    /// The address of the node cannot be used.
    #[error("the node's address cannot be used")]
    BadAddress,
}

/// A node that is asked. Clones share one connection pool.
#[derive(Clone)]
pub struct EnsClient(Arc<Inner>);

struct Inner {
    client: Client,
    url: Url,
}

/// The address may hold the operator's key for the node.
impl fmt::Debug for EnsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnsClient").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer {
    result: Option<String>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: i64,
    #[serde(default)]
    message: String,
}

impl EnsClient {
    /// Prepares the client; sends nothing.
    pub fn new(rpc_url: &str) -> Result<Self, EnsError> {
        let url = Url::parse(rpc_url).map_err(|_| EnsError::BadAddress)?;
        let mut builder = Client::builder()
            .use_rustls_tls()
            .user_agent(concat!("guildhall/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(TIME_MAX);
        if url.scheme() == "http" {
            // Only a node on this machine may be asked so.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|_| EnsError::BadAddress)?;
        Ok(Self(Arc::new(Inner { client, url })))
    }

    /// What the wallet of this address, in lower case, is called; none where it is called nothing that counts.
    pub async fn name_of(&self, address: &str) -> Result<Option<Named>, EnsError> {
        let digits = address.strip_prefix("0x").unwrap_or(address);
        let reverse = abi::node(&format!("{digits}.addr.reverse"));
        let Some(resolver) = self.resolver(&reverse).await? else { return Ok(None) };
        let Some(name) = self.call(&resolver, &abi::question("name(bytes32)", &reverse)).await? else {
            return Ok(None);
        };
        let Some(name) = abi::text(&name).filter(|name| is_plain(name)) else { return Ok(None) };
        let node = abi::node(&name);
        let Some(resolver) = self.resolver(&node).await? else { return Ok(None) };
        let forward = self.call(&resolver, &abi::question("addr(bytes32)", &node)).await?;
        if forward.and_then(|answer| abi::address(&answer)).as_deref() != Some(address) {
            return Ok(None);
        }
        let avatar = self.call(&resolver, &abi::question_of_text(&node, "avatar")).await?;
        let avatar = avatar.and_then(|answer| abi::text(&answer)).filter(|avatar| is_picture(avatar));
        Ok(Some(Named { name, avatar }))
    }

    /// The contract that answers for a name; none where the name is nobody's.
    async fn resolver(&self, node: &Node) -> Result<Option<String>, EnsError> {
        let answer = self.call(REGISTRY, &abi::question("resolver(bytes32)", node)).await?;
        let answer = answer.filter(|answer| !answer.is_empty()).ok_or(EnsError::WrongNetwork)?;
        let address = abi::address(&answer).ok_or(EnsError::Unavailable)?;
        Ok((address != abi::NOBODY).then_some(address))
    }

    /// What a contract answers; none where it refuses the question.
    async fn call(&self, contract: &str, question: &[Word]) -> Result<Option<Vec<u8>>, EnsError> {
        let call = json!({ "to": contract, "data": abi::hexadecimal(question) });
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"] });
        let answer: Answer = tokio::time::timeout(TIME_MAX, self.ask(&request)).await.map_err(|_| UNAVAILABLE)??;
        match (answer.result, answer.error) {
            (Some(result), None) => abi::bytes(&result).map(Some).ok_or(UNAVAILABLE),
            (_, Some(error)) if error.code == REVERTED || error.message.contains("revert") => Ok(None),
            _ => Err(UNAVAILABLE),
        }
    }

    async fn ask(&self, request: &Value) -> Result<Answer, EnsError> {
        let sent = self.0.client.post(self.0.url.clone()).json(request).send().await;
        let mut response = sent.map_err(|_| UNAVAILABLE)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| UNAVAILABLE)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(UNAVAILABLE);
            }
            body.extend_from_slice(&chunk);
        }
        // Some nodes answer a refused question with a status that says so: the body tells.
        serde_json::from_slice(&body).map_err(|_| UNAVAILABLE)
    }
}

const UNAVAILABLE: EnsError = EnsError::Unavailable;

/// Whether a name is spelled as names are compared, in characters that look like nothing else.
fn is_plain(name: &str) -> bool {
    let fits = |one: u8| one.is_ascii_lowercase() || one.is_ascii_digit() || matches!(one, b'-' | b'_');
    let label = |label: &str| (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(fits);
    name.len() <= NAME_MAX && name.contains('.') && name.split('.').all(label)
}

/// Whether somebody's page may show what is there.
fn is_picture(avatar: &str) -> bool {
    let fits = avatar.len() <= AVATAR_MAX && !avatar.chars().any(|one| one.is_control() || one.is_whitespace());
    fits && Url::parse(avatar).is_ok_and(|url| matches!(url.scheme(), "https" | "ipfs"))
}
