//! Reading a file that somebody attached to a command.
//!
//! Invariant: only Discord's own file hosts are asked, without the bot token, for a bounded time and size.

use std::time::Duration;

use reqwest::Url;
use tokio::time::timeout;

use super::{DiscordApi, Result, error::Error};

/// Where Discord keeps attachments.
const HOSTS: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];
/// Largest file that is read, in bytes.
pub const FETCHED_BYTES_MAX: usize = 256 * 1024;
/// Longest wait for all of it.
const TIME_LIMIT: Duration = Duration::from_secs(5);

impl DiscordApi {
    /// The content of an attachment, at most 256 KiB.
    pub async fn fetch_attachment(&self, address: &str) -> Result<Vec<u8>> {
        const LATE: Error = Error::Unavailable { reason: "the file did not arrive in time" };
        let address = checked(address, self.0.transport.base_url())?;
        timeout(TIME_LIMIT, self.read_file(address)).await.unwrap_or(Err(LATE))
    }

    async fn read_file(&self, address: Url) -> Result<Vec<u8>> {
        const BROKEN: Error = Error::Unavailable { reason: "the file could not be read" };
        let request = self.0.transport.client().get(address);
        let mut response = request.send().await.map_err(|_| BROKEN)?;
        match response.status().as_u16() {
            200 => {}
            403 | 404 | 410 => return Err(Error::Invalid { reason: "the file is no longer there" }),
            _ => return Err(BROKEN),
        }
        let mut content = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| BROKEN)? {
            if content.len() + chunk.len() > FETCHED_BYTES_MAX {
                return Err(Error::Invalid { reason: "the file has more than 256 KiB" });
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content)
    }
}

/// Refuses every address but Discord's file hosts and, behind a proxy for the API, that proxy's own host.
fn checked(address: &str, base_url: &str) -> Result<Url> {
    const REFUSED: Error = Error::Invalid { reason: "the file is not at Discord" };
    let address = Url::parse(address).map_err(|_| REFUSED)?;
    let is_plain = address.username().is_empty() && address.password().is_none();
    let host = address.host_str().ok_or(REFUSED)?;
    let at_discord = address.scheme() == "https" && HOSTS.contains(&host) && address.port().is_none();
    let proxy = Url::parse(base_url).ok();
    let at_proxy = proxy.is_some_and(|proxy| proxy.scheme() == address.scheme() && proxy.host_str() == Some(host));
    if is_plain && (at_discord || at_proxy) { Ok(address) } else { Err(REFUSED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISCORD: &str = "https://discord.com";

    #[test]
    fn only_discord_is_asked_for_files() {
        assert!(checked("https://cdn.discordapp.com/ephemeral-attachments/1/2/a.json?ex=1&hm=2", DISCORD).is_ok());
        assert!(checked("https://media.discordapp.net/a", DISCORD).is_ok());
        for bad in [
            "http://cdn.discordapp.com/a",
            "https://cdn.discordapp.com.evil.example/a",
            "https://cdn.discordapp.com:444/a",
            "https://user@cdn.discordapp.com/a",
            "https://169.254.169.254/latest",
            "http://127.0.0.1/a",
            "file:///etc/passwd",
            "cdn.discordapp.com/a",
            "",
        ] {
            assert!(checked(bad, DISCORD).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_may_hold_files_too() {
        assert!(checked("http://127.0.0.1:81/a", "http://127.0.0.1:80").is_ok());
        assert!(checked("http://127.0.0.2/a", "http://127.0.0.1:80").is_err());
        assert!(checked("http://proxy.example/a", "https://proxy.example").is_err());
    }
}
