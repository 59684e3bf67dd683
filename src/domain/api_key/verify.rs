//! Whether a key opens, decided at its use.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use entity::api_key::{self, KeyState, Preset};
use ipnet::IpNet;

use super::{format, limit::RateLimit, refusal::KeyRefusal};
use crate::domain::{
    Domain, Error, KeyActor,
    scope::{Scope, Scopes},
};

/// A key whose row has been read.
#[derive(Clone, Debug)]
pub struct VerifiedKey {
    /// Who acts with it.
    pub actor: Arc<KeyActor>,
    /// Its own limits; empty takes its class's.
    pub rate_limits: Vec<RateLimit>,
    /// Domains for which it may sign people in.
    pub allowed_origins: Vec<String>,
    /// The row, whose state is asked at each use.
    pub row: api_key::Model,
    networks: Vec<IpNet>,
}

impl VerifiedKey {
    pub(super) fn new(row: api_key::Model) -> Result<Self, serde_json::Error> {
        let scopes: Scopes = serde_json::from_value(row.scopes.clone())?;
        let actor = Arc::new(KeyActor { id: row.id, scopes, guild_id: row.guild_id });
        Ok(Self {
            actor,
            rate_limits: serde_json::from_value(row.rate_limits.clone())?,
            allowed_origins: serde_json::from_value(row.allowed_origins.clone())?,
            networks: serde_json::from_value(row.ip_allowlist.clone())?,
            row,
        })
    }

    /// Whether its class is that of administrators.
    pub fn is_admin(&self) -> bool {
        self.row.preset == Some(Preset::Admin) || self.actor.scopes.0.iter().any(|scope: &Scope| scope.is_admin())
    }

    /// When it stops to work, as things stand.
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        super::status::ends_at(&self.row)
    }

    /// Refuses unless it is good now, and from there.
    fn check(&self, now: DateTime<Utc>, from: IpAddr) -> Result<(), KeyRefusal> {
        match self.row.state {
            KeyState::Revoked => return Err(KeyRefusal::Revoked),
            KeyState::Disabled => return Err(KeyRefusal::Disabled),
            KeyState::Delivering => return Err(KeyRefusal::Delivering),
            KeyState::Active | KeyState::Retiring => {}
        }
        if let Some(end) = self.ends_at().filter(|end| *end <= now) {
            return Err(KeyRefusal::Expired(end));
        }
        let from = from.to_canonical();
        if self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&from)) {
            return Ok(());
        }
        Err(KeyRefusal::AddressNotAllowed)
    }
}

/// The key that was presented, if it is good now and from there.
pub async fn verify(domain: &Domain, presented: &str, from: IpAddr) -> Result<Arc<VerifiedKey>, Error> {
    if !format::is_plausible(presented) {
        return Err(KeyRefusal::Unknown.into());
    }
    let digest = format::digest(presented);
    let key = domain.caches.keyring.key(domain, &digest).await?.ok_or(KeyRefusal::Unknown)?;
    key.check(domain.now(), from)?;
    // A key is as good as its owner, whose row is asked at each use as well.
    if let Some(owner) = key.row.user_id
        && domain.caches.keyring.person(domain, owner).await?.is_none()
    {
        return Err(KeyRefusal::Disabled.into());
    }
    Ok(key)
}
