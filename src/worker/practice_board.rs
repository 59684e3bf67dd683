//! The text of a board that is posted on schedule.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use entity::{
    id::{GuildId, UserId},
    practice_post::PostPeriod,
};

use crate::{
    discord_api::{self, DiscordApi, Lane},
    domain::{
        Domain, Error,
        practice::{self, Board, Dates, Standing},
    },
};

/// How often a board is read again because somebody on it has left.
const ROUNDS_MAX: usize = 20;

/// Why there is no text now.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The store failed.
    #[error(transparent)]
    Domain(#[from] Error),
    /// Discord does not say who is a member.
    #[error(transparent)]
    Discord(#[from] discord_api::Error),
}

/// The board of some days, without members who have left or show themselves to nobody.
pub async fn text(
    domain: &Domain,
    api: &DiscordApi,
    guild_id: GuildId,
    (period, dates): (PostPeriod, Dates),
) -> Result<String, BoardError> {
    let (mut present, mut hidden) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..ROUNDS_MAX {
        let board = practice::board_of_post(domain, guild_id, dates, &hidden).await?;
        let before = hidden.len();
        for standing in &board.standings {
            if present.contains(&standing.user_id) {
                continue;
            }
            let known: &mut BTreeSet<UserId> =
                if is_member(api, guild_id, standing).await? { &mut present } else { &mut hidden };
            known.insert(standing.user_id);
        }
        if hidden.len() == before {
            return Ok(words(period, dates, &board));
        }
    }
    Ok(words(period, dates, &Board::default()))
}

async fn is_member(api: &DiscordApi, guild_id: GuildId, standing: &Standing) -> Result<bool, discord_api::Error> {
    let Some(account) = standing.discord_user_id else { return Ok(false) };
    match api.member(guild_id, account, Lane::Normal).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_gone() => Ok(false),
        Err(error) => Err(error),
    }
}

fn words(period: PostPeriod, dates: Dates, board: &Board) -> String {
    let day = |date: NaiveDate| date.format("%-d %B %Y").to_string();
    let when = match period {
        PostPeriod::Daily => day(dates.first),
        PostPeriod::Weekly => format!("{} to {}", day(dates.first), day(dates.last)),
        PostPeriod::Monthly => dates.first.format("%B %Y").to_string(),
    };
    if board.standings.is_empty() {
        return format!("🏆 **Practice, {when}**\nNobody practised.");
    }
    let lines: Vec<_> = board.standings.iter().map(line).collect();
    let more = if board.more { "\n… and more" } else { "" };
    format!("🏆 **Practice, {when}**\n{}{more}", lines.join("\n"))
}

fn line(standing: &Standing) -> String {
    let who = standing.discord_user_id.map(|id| format!("<@{id}>")).unwrap_or_default();
    let (hours, minutes) = (standing.seconds.div_euclid(3_600), standing.seconds.rem_euclid(3_600) / 60);
    format!("**{}.** {who} · {hours}h {minutes:02}m", standing.rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_names_its_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let dates = Dates { first: day("2026-03-23"), last: day("2026-03-29") };
        let none = words(PostPeriod::Weekly, dates, &Board::default());
        assert_eq!(none, "🏆 **Practice, 23 March 2026 to 29 March 2026**\nNobody practised.");
        let user_id = UserId(uuid::Uuid::nil());
        let standing =
            Standing { rank: 1, user_id, discord_user_id: entity::id::DiscordUserId::new(5), seconds: 3_720 };
        let board = Board { standings: vec![standing], ..Board::default() };
        let month = words(PostPeriod::Monthly, Dates::month(day("2026-03-29")), &board);
        assert_eq!(month, "🏆 **Practice, March 2026**\n**1.** <@5> · 1h 02m");
    }
}
