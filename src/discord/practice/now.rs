//! `/practice now`: who practises.

use chrono::{DateTime, Utc};
use entity::{
    id::DiscordUserId,
    practice_session::{SessionSource, SessionState},
};
use serenity::all::CreateEmbed;

use super::card;
use crate::{
    discord::{Asked, CommandError, Context, Reply, text},
    domain::practice::{self, SessionView},
};

/// Most people that are listed.
const LISTED_MAX: usize = 25;

/// Show who is practising in this server right now
#[poise::command(slash_command, guild_only)]
pub(super) async fn now(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let actor = asked.actor().await?;
        let (domain, guild_id) = (data.app.domain(), asked.member()?.guild_id);
        let found = practice::now_practising(domain, &actor, guild_id, LISTED_MAX as u64 + 1).await?;
        if found.is_empty() {
            let start = data.commands.mention("practice start");
            return Ok(Reply::text(format!("Nobody is practising right now. {start} starts a timer.")).public());
        }
        let now = domain.now();
        let mut lines = text::lines(found.iter().take(LISTED_MAX).map(|one| line(one, now)), 3_900);
        if found.len() > LISTED_MAX {
            lines.push_str("\n… and more");
        }
        let card = CreateEmbed::new().title("Practising right now").colour(card::GREEN).description(lines);
        Ok(Reply::card(card).public())
    };
    asked.answer_publicly(work).await
}

fn line((account, view): &(Option<DiscordUserId>, SessionView), now: DateTime<Utc>) -> String {
    let row = &view.row;
    let who = account.map_or_else(|| "somebody".to_owned(), text::user);
    let sign = match (row.state, row.source) {
        (SessionState::Paused, _) => "⏸️",
        (_, SessionSource::Voice) => "🔊",
        _ => "⏱️",
    };
    let activity = row.activity.as_ref().map_or_else(String::new, |name| format!(" · {}", text::escape(name, 50)));
    // What runs is counted on once a minute, and a reader wants to see the time that they would count themselves.
    let live = row.running_since.map_or(0, |_| (now - row.observed_until).num_seconds().clamp(0, 90));
    format!("{sign} {who}{activity} · {}", card::span((view.seconds + live) / 60 * 60))
}
