//! `/settings role`: which role of a server has which right there.

use entity::{
    guild_role::RoleKind,
    id::{GuildId, RoleId},
};

use super::card;
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, text},
    domain::guild::role as roles,
};

/// A right, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Kind {
    /// Decides applications and requests about practice.
    #[name = "reviewer"]
    Reviewer,
    /// Votes on applications.
    #[name = "voter"]
    Voter,
    /// Is one of the community.
    #[name = "member"]
    Member,
    /// Looks after the currency.
    #[name = "treasurer"]
    Treasurer,
    /// Is not counted in voice channels.
    #[name = "no-track"]
    NoTrack,
    /// May change these settings.
    #[name = "manager"]
    Manager,
}

impl From<Kind> for RoleKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Reviewer => Self::Reviewer,
            Kind::Voter => Self::Voter,
            Kind::Member => Self::Member,
            Kind::Treasurer => Self::Treasurer,
            Kind::NoTrack => Self::NoTrack,
            Kind::Manager => Self::Manager,
        }
    }
}

/// All of them, with their names and what they are for.
const KINDS: [(RoleKind, &str, &str); 6] = [
    (RoleKind::Reviewer, "reviewer", "decides applications, and what members ask to be counted as practice"),
    (RoleKind::Voter, "voter", "votes on applications"),
    (RoleKind::Member, "member", "is one of the community"),
    (RoleKind::Treasurer, "treasurer", "looks after the currency"),
    (RoleKind::NoTrack, "no-track", "is not counted in voice channels"),
    (RoleKind::Manager, "manager", "may within my commands what Manage Server allows, but no API keys"),
];

/// Which role has which right here
#[poise::command(slash_command, subcommand_required, subcommands("set", "show"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn role(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Give a right to a role; without a role, take it away
#[poise::command(slash_command)]
async fn set(
    ctx: Context<'_>,
    #[description = "Which right"] kind: Kind,
    #[description = "The role that has it from now on; leave it out to take the right away"] role: Option<
        serenity::all::Role,
    >,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let role = role.and_then(|role| RoleId::new(role.id.get()));
    asked.answer(change(ctx.data(), &asked, kind.into(), role)).await
}

/// Who has which right by a role
#[poise::command(slash_command)]
async fn show(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked
        .answer(async {
            let guild = asked.member()?.guild_id;
            shown(ctx.data(), &asked, guild, String::new()).await
        })
        .await
}

async fn change(data: &Data, asked: &Asked, kind: RoleKind, role: Option<RoleId>) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let before = roles::set_role(data.app.domain(), &asked.actor().await?, guild, kind, role).await?;
    let name = KINDS.iter().find(|(known, ..)| *known == kind).map_or("", |(_, name, _)| name);
    let said = match (before, role) {
        (before, Some(role)) if before == Some(role) => format!("{} is `{name}` already.", text::role(role)),
        (Some(before), Some(role)) => {
            format!("✅ {} is `{name}` now, in place of {}.", text::role(role), text::role(before))
        }
        (None, Some(role)) => format!("✅ {} is `{name}` now.", text::role(role)),
        (Some(before), None) => format!("✅ {} is not `{name}` any more.", text::role(before)),
        (None, None) => format!("No role is `{name}`."),
    };
    shown(data, asked, guild, said).await
}

async fn shown(data: &Data, asked: &Asked, guild: GuildId, said: String) -> Result<Reply, CommandError> {
    let given = roles::roles(data.app.domain(), &asked.actor().await?, guild).await?;
    let lines = KINDS.map(|(kind, name, meaning)| {
        let role = given.iter().find(|(known, _)| *known == kind).map(|(_, role)| text::role(*role));
        format!("`{name}` · {}\n-# {meaning}", role.unwrap_or_else(|| "nobody".to_owned()))
    });
    let mut text = lines.join("\n");
    if given.iter().any(|(kind, _)| *kind == RoleKind::Manager) {
        text.push_str(
            "\n\nDiscord offers `/settings` to people with Manage Server only. Who shall see it by the role `manager` \
             is chosen in Server Settings › Integrations.",
        );
    }
    Ok(Reply::text(said).and_card(card::card("Roles", card::BLUE, text)))
}
