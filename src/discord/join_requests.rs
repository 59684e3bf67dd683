//! Discord's own requests to join, told to the domain. serenity does not know their events, which therefore come raw.
//!
//! Invariant: what is missed while the connection is away is read when it comes back, so that each request that waits
//! becomes one application.

use entity::{application::ApplicationStatus, id::GuildId};
use serde_json::Value;
use serenity::all::{Context, Event, RawEventHandler};

use super::CommandError;
use crate::{
    discord_api::{DiscordApi, JoinRequest, JoinState, Lane},
    domain::{
        Domain, application,
        form::{self, NativeRequest},
    },
};

/// Most pages of waiting requests that one look reads, a hundred each.
const PAGES_MAX: usize = 10;

/// Takes what the gateway tells of join requests.
pub(super) struct JoinRequests {
    domain: Domain,
}

impl JoinRequests {
    pub(super) fn new(domain: Domain) -> Self {
        Self { domain }
    }
}

#[::serenity::async_trait]
impl RawEventHandler for JoinRequests {
    async fn raw_event(&self, _: Context, event: Event) {
        let Event::Unknown(event) = event else { return };
        if let Err(error) = take(&self.domain, &event.kind, &event.value).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a join request could not be noted");
        }
    }
}

async fn take(domain: &Domain, kind: &str, told: &Value) -> Result<(), CommandError> {
    let guild = told["guild_id"].as_str().and_then(|id| id.parse().ok()).and_then(GuildId::new);
    let Some(guild) = guild else { return Ok(()) };
    match kind {
        "GUILD_JOIN_REQUEST_CREATE" | "GUILD_JOIN_REQUEST_UPDATE" => {
            let Ok(request) = JoinRequest::from_event(told["request"].to_string().as_bytes()) else { return Ok(()) };
            follow(domain, guild, request).await
        }
        "GUILD_JOIN_REQUEST_DELETE" => {
            let Some(id) = told["id"].as_str() else { return Ok(()) };
            application::decide_natively(domain, id, ApplicationStatus::Withdrawn).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What waits is mirrored; what was decided in Discord's own list closes the vote on it.
async fn follow(domain: &Domain, guild: GuildId, request: JoinRequest) -> Result<(), CommandError> {
    let id = request.id.to_string();
    let status = match request.state {
        JoinState::Started => return Ok(()),
        JoinState::Submitted => {
            let JoinRequest { id, user_id, answers, .. } = request;
            form::mirror_request(domain, guild, &NativeRequest { id, user_id, answers }).await?;
            return Ok(());
        }
        JoinState::Approved => ApplicationStatus::Approved,
        JoinState::Rejected => ApplicationStatus::Rejected,
    };
    application::decide_natively(domain, &id, status).await?;
    Ok(())
}

/// Who has asked to join and still waits becomes an applicant where the guild wants that; says how many wait.
pub(super) async fn read_waiting(domain: &Domain, api: &DiscordApi, guild: GuildId) -> Result<usize, CommandError> {
    if form::native_form(domain, guild).await?.is_none() {
        return Ok(0);
    }
    let (mut after, mut waiting) = (0, 0);
    for _ in 0..PAGES_MAX {
        let page = api.join_requests(guild, after, Lane::Normal).await?;
        let Some(last) = page.last().map(|request| request.id).filter(|last| *last > after) else { break };
        after = last;
        for request in page {
            waiting += 1;
            follow(domain, guild, request).await?;
        }
    }
    Ok(waiting)
}
