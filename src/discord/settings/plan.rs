//! A set of changes that somebody is shown before it is made: rolling back, and importing.

use entity::id::ProposalId;
use serde::{Deserialize, Serialize};

use super::{card, history};
use crate::{
    discord::{
        Asked, CommandError, Data, Reply,
        component::{custom_id, outdated},
        text,
    },
    domain::{self, history as revisions, history::PlannedChange, proposal},
};

/// What proposals of ours are called.
const KIND: &str = "settings.plan";

/// Where the changes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// An earlier revision.
    Rollback {
        /// Its number.
        position: i64,
    },
    /// A file.
    Import,
    /// A form's file.
    Form,
}

impl Kind {
    fn title(self) -> String {
        match self {
            Self::Rollback { position } => format!("Roll back to revision {position}?"),
            Self::Import => "Import these settings?".to_owned(),
            Self::Form => "Import this form?".to_owned(),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Rollback { .. } => "Roll back",
            Self::Import | Self::Form => "Apply",
        }
    }
}

/// What a proposal holds.
#[derive(Serialize, Deserialize)]
struct Plan {
    kind: Kind,
    changes: Vec<PlannedChange>,
}

/// Shows what would change, with a button that does it.
pub async fn preview(
    data: &Data,
    asked: &Asked,
    kind: Kind,
    changes: Vec<PlannedChange>,
) -> Result<Reply, CommandError> {
    if changes.is_empty() {
        let said = match kind {
            Kind::Rollback { position } => format!("Everything is as it was after revision {position}"),
            Kind::Import | Kind::Form => "The file says what is set already".to_owned(),
        };
        return Ok(Reply::text(format!("✅ {said}: no changes.")).row(card::row(vec![back()])));
    }
    let count = card::count(changes.len(), "change", "changes");
    let lines = text::lines(changes.iter().map(entry), card::TEXT_MAX - 200);
    let plan = serde_json::to_value(Plan { kind, changes }).map_err(domain::Error::from)?;
    let id = proposal::propose(data.app.domain(), asked.member()?, KIND, plan).await?.to_string();
    let embed = card::card(&kind.title(), card::AMBER, format!("{count}, all or none:\n{lines}"));
    Ok(Reply::card(embed).row(card::row(vec![
        card::danger(kind.label(), custom_id("settings", "apply", &[&id])),
        card::button("Cancel", custom_id("settings", "cancel", &[&id])),
    ])))
}

/// One change: what, and the difference.
fn entry(change: &PlannedChange) -> String {
    let sign = match (change.from.is_null(), change.to.is_null()) {
        (true, _) => "➕",
        (_, true) => "➖",
        _ => "✏️",
    };
    let mut entry = format!("{sign} {}", history::subject(&change.subject));
    for line in history::difference(&change.changes()) {
        entry.push_str("\n　");
        entry.push_str(&line);
    }
    entry
}

fn back() -> serenity::all::CreateButton {
    card::button("History", custom_id("settings", "history", &[]))
}

async fn take(data: &Data, asked: &Asked, id: ProposalId) -> Result<Plan, CommandError> {
    let taken = proposal::take(data.app.domain(), &asked.actor().await?, id).await?;
    if taken.kind != KIND {
        return Err(outdated());
    }
    Ok(serde_json::from_value(taken.data).map_err(domain::Error::from)?)
}

/// Makes the changes that were shown.
pub async fn apply(data: &Data, asked: &Asked, id: ProposalId) -> Result<Reply, CommandError> {
    let Plan { changes, kind } = take(data, asked, id).await?;
    let guild = asked.member()?.guild_id;
    let count = card::count(changes.len(), "change", "changes");
    revisions::apply_changes(data.app.domain(), &asked.actor().await?, guild, changes).await?;
    let said = match kind {
        Kind::Form => format!("✅ Imported. {} shows it.", data.commands.mention("forms list")),
        _ => format!("✅ {count} made. I ask Discord about the channels of slots within seconds."),
    };
    Ok(Reply::text(said).row(card::row(vec![back()])))
}

/// Forgets the changes that were shown.
pub async fn cancel(data: &Data, asked: &Asked, id: ProposalId) -> Result<Reply, CommandError> {
    take(data, asked, id).await?;
    Ok(Reply::text("Cancelled: nothing was changed.").row(card::row(vec![back()])))
}
