//! `/practice start`.

use entity::{
    id::ChannelId,
    practice_session::{Model, SessionSource},
};

use super::{argument, card, oneself};
use crate::{
    discord::{Asked, CommandError, Context, text},
    domain::practice::{self, NewSession},
};

/// Who sees that somebody practises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub(super) enum Visibility {
    /// The server.
    #[name = "server"]
    Server,
    /// Nobody else.
    #[name = "private"]
    Private,
}

/// Start a timer; if one of yours runs, you get that one
#[poise::command(slash_command, guild_only)]
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
pub(super) async fn start(
    ctx: Context<'_>,
    #[description = "What you practise"]
    #[autocomplete = "argument::complete_activity"]
    #[max_length = 50]
    activity: Option<String>,
    #[description = "How long you want to practise, such as 1h"]
    #[autocomplete = "argument::complete_goal"]
    #[max_length = 64]
    goal: Option<String>,
    #[description = "In rounds of this length (25m)"]
    #[autocomplete = "argument::complete_focus"]
    #[max_length = 64]
    focus: Option<String>,
    #[description = "With breaks of this length (5m)"]
    #[autocomplete = "argument::complete_break"]
    #[max_length = 64]
    #[rename = "break"]
    pause: Option<String>,
    #[description = "How many rounds (4)"]
    #[min = 1]
    #[max = 12]
    rounds: Option<i32>,
    #[description = "What you want to remember; only you see it"]
    #[max_length = 1000]
    note: Option<String>,
    #[description = "Who sees that you practise (server)"] visibility: Option<Visibility>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, person) = oneself(&asked)?;
        let guild_id = Some(asked.member()?.guild_id);
        let new = NewSession {
            channel_id: asked.channel_id,
            activity,
            note,
            goal_seconds: goal.as_deref().map(argument::seconds).transpose()?,
            rounds: argument::rounds(focus.as_deref(), pause.as_deref(), rounds)?,
            is_private: visibility == Some(Visibility::Private),
            ..NewSession::of(person, guild_id, SessionSource::Command)
        };
        let started = practice::start(data.app.domain(), &actor, new).await?;
        let said = if started.is_new { String::new() } else { said_of_running(&started.session) };
        Ok(card::reply(&started.session.into(), &[], &said))
    };
    asked.answer(work).await
}

fn said_of_running(row: &Model) -> String {
    match (row.source, row.channel_id) {
        (SessionSource::Voice, channel) => format!(
            "Your time in {} counts already, so that you need no timer.",
            channel.map_or_else(|| "voice".to_owned(), |id: ChannelId| text::channel(id))
        ),
        _ => "A timer of yours runs already. It goes on as it was.".to_owned(),
    }
}
