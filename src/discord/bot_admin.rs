//! Who administers this installation: the accounts that the settings name, and the application's owner or team.
//!
//! Invariant: somebody who leaves the team has their rights for five minutes at most; while Discord does not say who
//! is in it, nobody is.

use std::time::Duration;

use entity::id::DiscordUserId;
use tokio::{sync::Mutex, time::Instant};

use crate::discord_api::{self, DiscordApi, Lane};

/// How long Discord's answer is believed.
const LIFETIME: Duration = Duration::from_mins(5);

/// Those who administer this installation.
pub struct BotAdmins {
    named: Vec<DiscordUserId>,
    of_application: Mutex<Option<(Instant, Vec<DiscordUserId>)>>,
}

impl BotAdmins {
    /// With those whom the settings name; the others are asked for when somebody needs them.
    pub fn new(named: Vec<DiscordUserId>) -> Self {
        Self { named, of_application: Mutex::new(None) }
    }

    /// Whether this account is one of them.
    pub async fn contains(&self, api: &DiscordApi, user: DiscordUserId) -> Result<bool, discord_api::Error> {
        if self.named.contains(&user) {
            return Ok(true);
        }
        // Callers at the same time wait for one answer.
        let mut known = self.of_application.lock().await;
        if let Some((read_at, administrators)) = &*known
            && read_at.elapsed() < LIFETIME
        {
            return Ok(administrators.contains(&user));
        }
        let administrators = api.current_application(Lane::Interactive).await?.administrators;
        let found = administrators.contains(&user);
        *known = Some((Instant::now(), administrators));
        Ok(found)
    }
}
