//! A member who uses a command is a person of the store from then on.

use std::time::Duration;

use entity::{
    id::DiscordUserId,
    identity::{self, Platform},
};
use moka::sync::Cache;
use sea_orm::EntityTrait;

use crate::{
    domain::{Actor, Domain, Error, event::Author},
    store::EventNote,
};

/// Most accounts that are remembered as known.
const KNOWN_MAX: u64 = 100_000;
/// How long they are: an erasure between the look and its note would else be missed for good.
const KNOWN_LIFETIME: Duration = Duration::from_hours(1);

/// Discord accounts whose person was seen in the store.
pub struct KnownAccounts(Cache<DiscordUserId, ()>);

impl Default for KnownAccounts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KNOWN_MAX).time_to_live(KNOWN_LIFETIME).build())
    }
}

impl KnownAccounts {
    /// Forgets everybody when some account loses its person: events do not name accounts.
    pub(in crate::domain) fn forget(&self, note: &EventNote) {
        if matches!(note.kind.as_str(), "identity.disconnected" | "user.erased" | "user.part_erased") {
            self.0.invalidate_all();
        }
    }
}

/// Makes the person behind a command, unless they are known: one who uses many commands costs one look.
pub async fn note_use(domain: &Domain, actor: &Actor) -> Result<(), Error> {
    let Some(discord) = actor.discord_user() else { return Ok(()) };
    let known = &domain.caches.known_accounts.0;
    if known.contains_key(&discord) {
        return Ok(());
    }
    let key = (Platform::Discord, discord.to_string());
    if identity::Entity::find_by_id(key).one(domain.store.reader()).await?.is_none() {
        let input = (Author::new(domain, actor), domain.ids.clone(), discord);
        domain
            .store
            .write(input, |txn, (author, ids, discord)| {
                Box::pin(async move { super::of_discord(txn, author, ids, *discord).await })
            })
            .await?;
    }
    known.insert(discord, ());
    Ok(())
}
