//! `/practice-admin export`: what is counted here as a table, in files that Discord takes.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use entity::id::{GuildId, PracticeSessionId};
use serenity::all::CreateButton;

use super::AREA;
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
        settings::card,
        text,
    },
    discord_api::Attachment,
    domain::{
        Actor, Domain,
        practice::{self, AdjustmentRow, CsvRow, ExportCursor},
    },
};

/// A file is closed once it is as long; Discord takes 10 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// The first line.
const HEADER: &str = "kind,id,user_id,discord_user_id,source,started_at,ended_at,seconds,activity\n";

/// Everything that is counted here as a CSV file
#[poise::command(slash_command)]
pub async fn export(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    asked.answer(part(data, &asked, 1, None)).await
}

/// [Next part].
pub async fn next_part(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let at = DateTime::from_timestamp_micros(press.argument(1)?).ok_or_else(outdated)?;
    let id: PracticeSessionId = press.argument(2)?;
    part(data, asked, press.argument(0)?, Some((at, id))).await
}

async fn part(data: &Data, asked: &Asked, number: u32, after: Option<ExportCursor>) -> Result<Reply, CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    let (csv, next) = csv(data.app.domain(), &actor, guild, after).await?;
    let filename = format!("practice-{guild}-{number}.csv");
    let description = Some("Counted practice of this server as CSV".to_owned());
    let said = match &next {
        None if number == 1 => "All that is counted here: sessions that have ended, and adjustments.".to_owned(),
        None => format!("Part {number}, the last one."),
        Some((at, _)) => format!("Part {number}: sessions that began up to {}. There are more.", text::absolute(*at)),
    };
    let reply = Reply::text(said).file(Attachment { filename, bytes: csv.into_bytes(), description });
    Ok(match next {
        Some(next) => reply.row(card::row(vec![button(number + 1, next)])),
        None => reply,
    })
}

fn button(number: u32, (at, id): ExportCursor) -> CreateButton {
    let arguments = [number.to_string(), at.timestamp_micros().to_string(), id.to_string()];
    let arguments = arguments.each_ref().map(String::as_str);
    card::primary("Next part", custom_id(AREA, "export", &arguments))
}

/// A part of the table, and where the next one begins. Adjustments are in the last one.
async fn csv(
    domain: &Domain,
    actor: &Actor,
    guild: GuildId,
    mut after: Option<ExportCursor>,
) -> Result<(String, Option<ExportCursor>), CommandError> {
    let mut csv = HEADER.to_owned();
    loop {
        let (rows, next) = practice::export_page(domain, actor, (None, Some(guild)), after).await?;
        for row in &rows {
            session(&mut csv, row);
        }
        after = next;
        if after.is_none() {
            break;
        }
        if csv.len() >= PART_BYTES {
            return Ok((csv, after));
        }
    }
    let mut after = None;
    loop {
        let (rows, next) = practice::adjustments_page(domain, actor, guild, after).await?;
        for row in &rows {
            adjustment(&mut csv, row);
        }
        after = next;
        // A last part holds tens of thousands of adjustments beside its sessions; what would pass Discord's limit is
        // refused by it as too large, and nothing is left out in silence.
        if after.is_none() {
            return Ok((csv, None));
        }
    }
}

fn session(csv: &mut String, row: &CsvRow) {
    let account = row.discord_user_id.map(|id| id.to_string()).unwrap_or_default();
    let source = match row.source {
        entity::practice_session::SessionSource::Http => "http",
        entity::practice_session::SessionSource::Command => "command",
        entity::practice_session::SessionSource::Voice => "voice",
        entity::practice_session::SessionSource::Manual => "manual",
    };
    let _ = writeln!(
        csv,
        "session,{},{},{account},{source},{},{},{},{}",
        row.session_id,
        row.user_id,
        moment(row.started_at),
        row.ended_at.map(moment).unwrap_or_default(),
        row.seconds,
        cell(row.activity.as_deref().unwrap_or_default()),
    );
}

fn adjustment(csv: &mut String, row: &AdjustmentRow) {
    let account = row.discord_user_id.map(|id| id.to_string()).unwrap_or_default();
    let _ = writeln!(csv, "adjustment,{},{},{account},,{},,{},", row.id, row.user_id, moment(row.at), row.seconds);
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A text of a member as one cell: quoted, on one line, and no formula for a spreadsheet.
fn cell(value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    let guard = if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    let line = value.replace(['\r', '\n'], " ").replace('"', "\"\"");
    format!("\"{guard}{line}\"")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use entity::id::DiscordUserId;

    use super::*;
    use crate::domain::{
        practice::{NewEntry, Person},
        testing,
    };

    #[test]
    fn cells_are_inert() {
        assert_eq!(cell("scales, slow"), "\"scales, slow\"");
        assert_eq!(cell("say \"hi\"\nnow"), "\"say \"\"hi\"\" now\"");
        assert_eq!(cell("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
        assert_eq!(cell(""), "");
    }

    #[tokio::test]
    async fn the_rows_sum_up_to_what_is_counted() {
        let domain = testing::domain().await;
        let (root, guild) = (testing::root(), testing::guild());
        let person = Person::Discord(DiscordUserId::new(5).unwrap());
        for day in 1..=3 {
            let started_at = domain.now() - TimeDelta::days(day);
            let new = NewEntry {
                person,
                guild_id: guild,
                started_at,
                ended_at: started_at + TimeDelta::minutes(20 * day),
                activity: Some("scales, \"slow\"".to_owned()),
                note: None,
            };
            practice::log(&domain, &root, new).await.unwrap();
        }
        for seconds in [600, -300] {
            practice::adjust(&domain, &root, (person, guild), seconds, "a mistake".to_owned()).await.unwrap();
        }
        let (text, next) = csv(&domain, &root, guild, None).await.unwrap();
        assert!(next.is_none());
        let rows: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(rows.len(), 5);
        let seconds = |row: &&str| row.split(',').nth(7).unwrap().parse::<i64>().unwrap();
        let sum: i64 = rows.iter().map(seconds).sum();
        assert_eq!(sum, practice::total_seconds(&domain, &root, Some(guild)).await.unwrap());
        assert_eq!(sum, 7_500);
    }
}
