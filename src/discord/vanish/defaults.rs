//! `/vanish default`: what rules take where they leave something out.

use entity::{
    vanish_default, vanish_rule,
    vanish_rule::{Pins, Threads},
};
use serde::{Deserialize, Serialize};
use serenity::all::{ButtonStyle, CreateEmbed};

use super::{
    argument::{self, ClearChoice, PinsChoice, ThreadsChoice},
    card, confirm_row, peek, propose, take,
};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press},
    domain::{
        Error, Right,
        vanish::{self, DefaultChange},
    },
};

/// A change as its proposal holds it: values to set, and names of those to unset.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Change {
    after_seconds: Option<i64>,
    keep_last: Option<i32>,
    pins_deleted: Option<bool>,
    threads_included: Option<bool>,
    own_min_seconds: Option<i64>,
    own_max_seconds: Option<i64>,
    clear: Vec<String>,
}

impl Change {
    fn clears(&self, name: &str) -> bool {
        self.clear.iter().any(|cleared| cleared == name)
    }

    fn pins(&self) -> Option<Pins> {
        self.pins_deleted.map(|deleted| if deleted { Pins::Delete } else { Pins::Keep })
    }

    fn threads(&self) -> Option<Threads> {
        self.threads_included.map(|included| if included { Threads::Include } else { Threads::Skip })
    }

    fn is_empty(&self) -> bool {
        let set = self.after_seconds.is_some()
            || self.keep_last.is_some()
            || self.pins_deleted.is_some()
            || self.threads_included.is_some()
            || self.own_min_seconds.is_some()
            || self.own_max_seconds.is_some();
        !set && self.clear.is_empty()
    }

    fn to_domain(&self) -> DefaultChange {
        #[expect(clippy::option_option, reason = "as the domain takes a change: left alone, cleared or set")]
        fn side<T>(value: Option<T>, cleared: bool) -> Option<Option<T>> {
            if cleared { Some(None) } else { value.map(Some) }
        }
        DefaultChange {
            after_seconds: side(self.after_seconds, self.clears("after")),
            keep_last: side(self.keep_last, self.clears("keep_last")),
            pins: side(self.pins(), self.clears("pins")),
            threads: side(self.threads(), self.clears("threads")),
            own_min_seconds: side(self.own_min_seconds, self.clears("own")),
            own_max_seconds: side(self.own_max_seconds, self.clears("own")),
        }
    }
}

/// What rules take where they leave something out
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command, guild_only)]
pub async fn default(
    ctx: Context<'_>,
    #[description = "Lifetime such as 1d 6h; from 10s to 365d"]
    #[autocomplete = "argument::complete_duration"]
    after: Option<String>,
    #[description = "Keep at most this many messages"]
    #[min = 1]
    #[max = 1000]
    keep_last: Option<i32>,
    #[description = "Pinned messages"] pins: Option<PinsChoice>,
    #[description = "Threads of the channels"] threads: Option<ThreadsChoice>,
    #[description = "Members may let their own messages vanish: after at least"]
    #[autocomplete = "argument::complete_duration"]
    own_min: Option<String>,
    #[description = "The same: after at most"]
    #[autocomplete = "argument::complete_duration"]
    own_max: Option<String>,
    #[description = "Unset one of them, or all"] clear: Option<ClearChoice>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let change = Change {
            after_seconds: argument::after(after.as_deref().unwrap_or_default())?,
            keep_last,
            pins_deleted: pins.map(|choice| choice == PinsChoice::Delete),
            threads_included: threads.map(|choice| choice == ThreadsChoice::Include),
            own_min_seconds: argument::after(own_min.as_deref().unwrap_or_default())?,
            own_max_seconds: argument::after(own_max.as_deref().unwrap_or_default())?,
            clear: match clear {
                None => Vec::new(),
                Some(ClearChoice::All) => ["after", "keep_last", "pins", "threads", "own"].map(str::to_owned).to_vec(),
                Some(choice) => vec![poise::ChoiceParameter::name(&choice).to_owned()],
            },
        };
        preview(data, &asked, change).await
    };
    asked.answer(work).await
}

async fn preview(data: &Data, asked: &Asked, change: Change) -> Result<Reply, CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    let now = vanish::defaults(data.app.domain(), &actor, guild).await?;
    if change.is_empty() {
        let card =
            CreateEmbed::new().title("Server default").description(card::default_values(&now)).colour(card::GREY);
        return Ok(Reply::card(card));
    }
    actor.require(Right::ManageVanishDefaults, Some(guild))?;
    let contradicted = [
        (change.after_seconds.is_some(), "after"),
        (change.keep_last.is_some(), "keep_last"),
        (change.pins_deleted.is_some(), "pins"),
        (change.threads_included.is_some(), "threads"),
        (change.own_min_seconds.is_some() || change.own_max_seconds.is_some(), "own"),
    ];
    if let Some((_, name)) = contradicted.into_iter().find(|(set, name)| *set && change.clears(name)) {
        return Err(CommandError::Input {
            problem: format!("`{name}` cannot be set and cleared at once"),
            example: "/vanish default clear:after",
        });
    }
    let wanted = change.to_domain().on(&now).map_err(Error::from)?;
    let rules = vanish::rules(data.app.domain(), &actor, Some(guild), None).await?.rows;
    let reached = rules.iter().filter(|rule| inherits(rule, &now, &wanted)).count();
    let card = CreateEmbed::new()
        .title("Change the server default?")
        .description(format!(
            "**{reached}** vanishing channels take it over; what is old enough by it goes at once. A channel without \
             a rule still never vanishes."
        ))
        .field("Now", card::default_values(&now), true)
        .field("Then", card::default_values(&wanted), true)
        .colour(card::YELLOW);
    let id = propose(data, asked, "vanish.default", &change).await?;
    let style = if reached > 0 { ButtonStyle::Danger } else { ButtonStyle::Success };
    Ok(Reply::card(card).row(confirm_row("default", id, "Apply", style)))
}

/// Whether the change reaches this rule.
fn inherits(rule: &vanish_rule::Model, now: &vanish_default::Model, then: &vanish_default::Model) -> bool {
    (rule.after_seconds.is_none() && now.after_seconds != then.after_seconds)
        || (rule.keep_last.is_none() && now.keep_last != then.keep_last)
        || (rule.pins.is_none() && now.pins != then.pins)
        || (rule.threads.is_none() && now.threads != then.threads)
}

/// [Apply].
pub(super) async fn apply(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let change: Change = peek(data, asked, press).await?;
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    take(data, asked, press).await?;
    let now = vanish::set_defaults(data.app.domain(), &actor, guild, change.to_domain()).await?;
    let card = CreateEmbed::new()
        .title("✅ The server default is set")
        .description(card::default_values(&now))
        .colour(card::GREEN);
    Ok(Reply::card(card))
}
