//! `/practice log`: time that nobody timed.

use chrono::TimeDelta;

use super::{argument, card, oneself};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, text},
    domain::practice::{self, Filed, NewEntry},
};

/// Write down practice that was not timed
#[poise::command(slash_command, guild_only)]
pub(super) async fn log(
    ctx: Context<'_>,
    #[description = "How long, such as 1h 30m"]
    #[autocomplete = "argument::complete_length"]
    #[max_length = 64]
    duration: String,
    #[description = "When it began: 18:30, yesterday 18:30, 2h ago; or just now"]
    #[autocomplete = "argument::complete_when"]
    #[max_length = 64]
    when: String,
    #[description = "What you did; a reviewer may read it"]
    #[max_length = 1000]
    note: String,
    #[description = "What you practised"]
    #[autocomplete = "argument::complete_activity"]
    #[max_length = 50]
    activity: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        // A reviewer's own word needs no other reviewer.
        let (actor, (_, person)) = (asked.actor().await?, oneself(&asked)?);
        let guild_id = asked.member()?.guild_id;
        let seconds = argument::seconds(&duration)?;
        let zone = argument::reader_zone(ctx, &asked).await?;
        let started_at = argument::begin(&when, data.app.domain().now(), zone, seconds)?;
        let length = TimeDelta::try_seconds(seconds).and_then(|length| started_at.checked_add_signed(length));
        let ended_at = length.ok_or_else(|| CommandError::Input {
            problem: "That is longer than I can count".to_owned(),
            example: "/practice log duration:1h when:just now note:scales",
        })?;
        let new = NewEntry { person, guild_id, started_at, ended_at, activity, note: Some(note) };
        let filed = practice::log(data.app.domain(), &actor, new).await?;
        Ok(filed_reply(data, &filed))
    };
    asked.answer(work).await
}

/// What became of a request.
pub(super) fn filed_reply(data: &Data, filed: &Filed) -> Reply {
    let row = &filed.correction;
    let span = row
        .started_at
        .zip(row.ended_at)
        .map_or_else(String::new, |(from, to)| format!(" ({} to {})", text::absolute(from), text::absolute(to)));
    let sign = if row.delta_seconds < 0 { "−" } else { "" };
    let what = format!("**{sign}{}**{span}", card::span(row.delta_seconds.abs()));
    let history = data.commands.mention("practice history");
    Reply::text(if filed.is_accepted() {
        format!("✅ It counts: {what}. {history} shows it.")
    } else {
        format!("📨 {what} waits for a reviewer of this server, and counts once they accept it.")
    })
}
