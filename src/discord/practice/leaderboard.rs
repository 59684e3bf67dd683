//! `/practice leaderboard`: who of the server has practised most.

use std::{fmt::Write as _, sync::Arc};

use entity::id::{DiscordUserId, GuildId, RoleId};
use futures_util::future::join_all;
use serenity::all::{ButtonStyle, CreateActionRow, CreateButton, CreateEmbed, CreateEmbedFooter};

use super::{
    picture,
    stats::complete_activity,
    view::{self, BoardView, MetricChoice, PeriodChoice, Stretch},
};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press, text},
    discord_api::{self, Lane},
    domain::{
        duration,
        practice::{self, AMONG_MAX, Board, Dates, LeaderboardQuery, Metric, Period, Person, Standing, board_dates},
    },
};

const PLAIN: &str = "/practice leaderboard period:week";
const EXAMPLE: &str = "/practice leaderboard period:custom from:2026-11-01 to:2026-11-30";
/// Rows of a page.
const PAGE: u64 = 10;
/// Times that a page is read again because somebody on it turned out to have left.
const READ_MAX: usize = 3;
/// Discord's code for an account that is not in a server.
const UNKNOWN_MEMBER: u32 = 10_007;
const GOLD: u32 = 0x00f0_b232;

/// Who of this server has practised most
#[poise::command(slash_command, guild_only)]
pub async fn leaderboard(
    ctx: Context<'_>,
    #[description = "How long a stretch"] period: PeriodChoice,
    #[description = "Which time; all without it"] metric: Option<MetricChoice>,
    #[description = "Only practice of this activity"]
    #[autocomplete = "complete_activity"]
    #[max_length = 50]
    activity: Option<String>,
    #[description = "For custom: the first day, such as 2026-11-01"]
    #[max_length = 10]
    from: Option<String>,
    #[description = "For custom: the last day, such as 2026-11-30"]
    #[max_length = 10]
    to: Option<String>,
    #[description = "Only who has this role"] role: Option<serenity::all::RoleId>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let period = view::period(period, from.as_deref(), to.as_deref(), EXAMPLE)?;
        let activity = activity.map(|activity| activity.trim().to_owned()).filter(|activity| !activity.is_empty());
        let stretch = Stretch { period, day: None, metric: metric.map_or(Metric::All, Into::into), activity };
        let role = role.and_then(|role| RoleId::new(role.get()));
        show(data, &asked, BoardView { page: 0, role, stretch }).await
    };
    asked.answer_publicly(Box::pin(work)).await
}

/// ◀ and ▶.
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    show(data, asked, BoardView::of(press)?).await
}

/// [My rank], for whoever presses it. Who is on the board is shown with those around them.
pub(super) async fn own(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let view = BoardView::of(press)?;
    let guild = asked.member()?.guild_id;
    practice::note_present(data.app.domain(), guild, asked.user()?).await?;
    let read = read(data, asked, &view).await?;
    let Some(own) = read.board.own else {
        let start = data.commands.mention("practice start");
        return Ok(Reply::text(format!(
            "You are not on this board: it has no practice of yours. {start} starts a timer."
        )));
    };
    let said = format!("You are **#{}** with **{}**.", own.rank, duration::format(own.seconds));
    Ok(Reply::card(CreateEmbed::new().title(title(&view, read.dates)).colour(GOLD).description(said)))
}

/// Who has the role that a board is narrowed to, as of some minutes ago.
async fn holders(
    data: &Data,
    guild: GuildId,
    role: Option<RoleId>,
) -> Result<Option<Arc<Vec<DiscordUserId>>>, CommandError> {
    let Some(role) = role else { return Ok(None) };
    let problem = |problem: &str| CommandError::Input { problem: problem.to_owned(), example: PLAIN };
    // Everybody has the role that is named as the server is.
    if role.get() == guild.get() {
        return Ok(None);
    }
    if !data.sees_members {
        return Err(problem("I do not see who has which role here any more, so that boards cannot be narrowed to one"));
    }
    if let Some(known) = data.role_holders.get(&(guild, role)) {
        return Ok(Some(known));
    }
    let found = data.api.role_holders(guild, role, Lane::Interactive).await?;
    let found = found.filter(|holders| holders.len() <= AMONG_MAX);
    let Some(holders) = found.map(Arc::new) else {
        return Err(problem("Too many people are in this server or have this role for a board of it"));
    };
    data.role_holders.insert((guild, role), holders.clone());
    Ok(Some(holders))
}

struct Read {
    board: Board,
    dates: Option<Dates>,
}

/// The page. Whoever turns out to have left is noted, and the page is read again without them.
async fn read(data: &Data, asked: &Asked, view: &BoardView) -> Result<Read, CommandError> {
    let (domain, actor, guild) = (data.app.domain(), asked.actor().await?, asked.member()?.guild_id);
    let Stretch { period, day, metric, activity } = view.stretch.clone();
    let dates = board_dates(domain, guild, period, day).await?;
    let query = LeaderboardQuery {
        guild_id: Some(guild),
        dates,
        metric,
        activity,
        limit: PAGE,
        offset: view.page * PAGE,
        among: holders(data, guild, view.role).await?,
        own: Some(Person::Discord(asked.user()?)),
        is_public: true,
        ..LeaderboardQuery::default()
    };
    for _ in 1..READ_MAX {
        let board = practice::leaderboard(domain, &actor, &query).await?;
        let departed = departed(data, guild, &board.standings).await;
        if departed.is_empty() {
            return Ok(Read { board, dates });
        }
        practice::note_departed(domain, guild, &departed).await?;
    }
    let mut board = practice::leaderboard(domain, &actor, &query).await?;
    let departed = departed(data, guild, &board.standings).await;
    practice::note_departed(domain, guild, &departed).await?;
    board.standings.retain(|one| one.discord_user_id.is_none_or(|account| !departed.contains(&account)));
    Ok(Read { board, dates })
}

/// Whom of a page Discord does not find in the server. Who was found is believed for some minutes.
async fn departed(data: &Data, guild: GuildId, standings: &[Standing]) -> Vec<DiscordUserId> {
    let looks = standings.iter().filter_map(|one| one.discord_user_id).map(|account| async move {
        if data.roles.contains_key(&(guild, account)) {
            return None;
        }
        match data.api.member(guild, account, Lane::Interactive).await {
            Ok(member) => {
                data.roles.insert((guild, account), member.roles);
                None
            }
            Err(discord_api::Error::NotFound { code: UNKNOWN_MEMBER }) => Some(account),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a member of a board was not looked up");
                None
            }
        }
    });
    join_all(looks).await.into_iter().flatten().collect()
}

async fn show(data: &Data, asked: &Asked, view: BoardView) -> Result<Reply, CommandError> {
    let Read { board, dates } = read(data, asked, &view).await?;
    let mut about = String::new();
    if let Some(activity) = &view.stretch.activity {
        about = format!("activity **{}**\n", text::escape(activity, 50));
    }
    if let Some(role) = view.role {
        let _ = writeln!(about, "only {}", text::role(role));
    }
    let lines: Vec<String> = board.standings.iter().map(line).collect();
    if lines.is_empty() {
        let start = data.commands.mention("practice start");
        let _ = write!(about, "Nobody has practised in this time yet. {start} starts a timer.");
    }
    about.push_str(&text::lines(lines, 3_500));
    let card = CreateEmbed::new()
        .title(title(&view, dates))
        .colour(GOLD)
        .description(about)
        .footer(CreateEmbedFooter::new(format!("page {}", view.page + 1)));
    let turn = |verb: &str, page: u64, label: &str, is_off: bool| {
        let id = BoardView { page, ..view.clone() }.id(verb)?;
        Some(CreateButton::new(id).label(label).style(ButtonStyle::Secondary).disabled(is_off))
    };
    let buttons = [
        turn("board_back", view.page.saturating_sub(1), "◀", view.page == 0),
        turn("board_on", view.page + 1, "▶", !board.more),
        turn("board_own", view.page, "My rank", false),
    ];
    let buttons: Vec<_> = buttons.into_iter().flatten().collect();
    let reply = Reply::card(card).public();
    Ok(if buttons.is_empty() { reply } else { reply.row(CreateActionRow::Buttons(buttons)) })
}

fn line(standing: &Standing) -> String {
    let mark = match standing.rank {
        1 => "🥇",
        2 => "🥈",
        3 => "🥉",
        _ => "▫️",
    };
    let who = standing.discord_user_id.map_or_else(|| "somebody without a Discord account".to_owned(), text::user);
    format!("{mark} **#{}** {who} · {}", standing.rank, duration::format(standing.seconds))
}

fn title(view: &BoardView, dates: Option<Dates>) -> String {
    let metric = match view.stretch.metric {
        Metric::All => "Practice",
        Metric::Voice => "Practice in voice channels",
        Metric::Timer => "Practice by timer",
    };
    let when = match (view.stretch.period, dates) {
        (Period::All, _) | (_, None) => "all time".to_owned(),
        (_, Some(dates)) => picture::dates(dates),
    };
    format!("{metric}, {when}")
}
