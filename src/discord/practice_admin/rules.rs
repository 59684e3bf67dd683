//! `/practice-admin rules`: how practice is counted, with the effect of a change before it is saved.

use entity::practice_rule::PracticePrivacy;
use serde::{Deserialize, Serialize};

use super::{AREA, argument, channels};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
        settings::card,
    },
    domain::{
        self,
        practice::{self, Effect, Rule, RuleChange},
        proposal,
    },
};

/// What proposals of ours are called.
const KIND: &str = "practice.rule";

/// Who sees practice, as people choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poise::ChoiceParameter)]
enum Seen {
    /// Everybody.
    #[name = "public"]
    Public,
    /// Members.
    #[name = "server"]
    Server,
    /// Each only their own.
    #[name = "private"]
    Private,
}

impl From<Seen> for PracticePrivacy {
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::Public => Self::Public,
            Seen::Server => Self::Server,
            Seen::Private => Self::Private,
        }
    }
}

/// Who sees it, in words.
fn privacy_words(privacy: PracticePrivacy) -> &'static str {
    match privacy {
        PracticePrivacy::Public => "everybody",
        PracticePrivacy::Server => "members of this server",
        PracticePrivacy::Private => "each only their own",
    }
}

/// A change as its proposal holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Change {
    muted: Option<bool>,
    deafened: Option<bool>,
    alone: Option<bool>,
    afk: Option<bool>,
    bots: Option<bool>,
    minimum_seconds: Option<i64>,
    session_cap_seconds: Option<i64>,
    day_cap_seconds: Option<i64>,
    idle_check_seconds: Option<i64>,
    bridge_seconds: Option<i64>,
    manual_auto_seconds: Option<i64>,
    privacy: Option<Seen>,
}

impl Change {
    fn to_domain(&self) -> RuleChange {
        RuleChange {
            minimum_seconds: self.minimum_seconds,
            session_cap_seconds: self.session_cap_seconds,
            day_cap_seconds: self.day_cap_seconds,
            bridge_seconds: self.bridge_seconds,
            idle_check_seconds: self.idle_check_seconds,
            counts_muted: self.muted,
            counts_deafened: self.deafened,
            counts_alone: self.alone,
            counts_afk: self.afk,
            counts_bots: self.bots,
            manual_auto_seconds: self.manual_auto_seconds,
            privacy: self.privacy.map(Into::into),
            ..RuleChange::default()
        }
    }

    /// What nobody recorded, so that its effect on the past is unknown.
    fn touches_unrecorded(&self) -> bool {
        [self.muted, self.deafened, self.alone, self.afk, self.bots].iter().any(Option::is_some)
    }
}

/// How practice is counted; shows the effect before it is saved
#[poise::command(slash_command)]
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
pub async fn rules(
    ctx: Context<'_>,
    #[description = "Count time while muted"] muted: Option<bool>,
    #[description = "Count time while deafened"] deafened: Option<bool>,
    #[description = "Count time with nobody else in the channel"] alone: Option<bool>,
    #[description = "Count time in the AFK channel"] afk: Option<bool>,
    #[description = "Count bots"] bots: Option<bool>,
    #[description = "Shortest session that counts: off to 60m"]
    #[max_length = 32]
    min_session: Option<String>,
    #[description = "Most that one session counts: 1h to 24h"]
    #[max_length = 32]
    max_session: Option<String>,
    #[description = "Most that a day counts: 1h to 24h"]
    #[max_length = 32]
    daily_cap: Option<String>,
    #[description = "Ask timers whether somebody is still there: off, 15m to 12h"]
    #[max_length = 32]
    idle_check: Option<String>,
    #[description = "Longest time unseen, such as a restart of mine, that counts: off to 15m"]
    #[max_length = 32]
    bridge_gap: Option<String>,
    #[description = "What members may write down a day without a reviewer: off to 24h"]
    #[max_length = 32]
    manual_auto: Option<String>,
    #[description = "Who sees how much members practise"] privacy: Option<Seen>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let seconds = |typed: Option<String>| typed.as_deref().map(argument::seconds).transpose();
        let change = Change {
            muted,
            deafened,
            alone,
            afk,
            bots,
            minimum_seconds: seconds(min_session)?,
            session_cap_seconds: seconds(max_session)?,
            day_cap_seconds: seconds(daily_cap)?,
            idle_check_seconds: seconds(idle_check)?,
            bridge_seconds: seconds(bridge_gap)?,
            manual_auto_seconds: seconds(manual_auto)?,
            privacy,
        };
        preview(data, &asked, change).await
    };
    asked.answer(work).await
}

async fn preview(data: &Data, asked: &Asked, change: Change) -> Result<Reply, CommandError> {
    let (domain, actor, guild) = (data.app.domain(), asked.actor().await?, asked.member()?.guild_id);
    let now = practice::rule(domain, &actor, guild).await?;
    if change == Change::default() {
        return Ok(Reply::card(card::card("How practice is counted", card::BLUE, lines(&now).join("\n"))));
    }
    let wanted = change.to_domain();
    let effect = practice::simulate(domain, &actor, guild, &wanted).await?;
    let then = now.clone().with(&wanted).map_err(domain::Error::from)?;
    let changed: Vec<_> =
        lines(&now).into_iter().zip(lines(&then)).filter(|(before, after)| before != after).map(difference).collect();
    if changed.is_empty() {
        return Ok(Reply::text("These rules hold already: no changes."));
    }
    let mut words = format!("{}\n\n**The last 7 days**\n{}", changed.join("\n"), effect_words(&effect));
    if change.touches_unrecorded() {
        words.push_str(
            "\nWho was muted, deafened, alone or away is not recorded, so that these switches show in time to come only.",
        );
    }
    let what = serde_json::to_value(&change).map_err(domain::Error::from)?;
    let id = proposal::propose(domain, asked.member()?, KIND, what).await?.to_string();
    let embed = card::card("Count practice like this?", card::AMBER, words);
    Ok(Reply::card(embed).row(card::row(vec![
        card::primary("Save", custom_id(AREA, "save", &[&id])),
        card::button("Cancel", custom_id(AREA, "cancel", &[&id])),
    ])))
}

fn difference((before, after): (String, String)) -> String {
    let value = after.split_once(": ").map_or(after.as_str(), |(_, value)| value);
    format!("{before} → {value}")
}

fn effect_words(effect: &Effect) -> String {
    if effect.sessions == 0 {
        return "Nobody practised here, so that there is nothing to compare.".to_owned();
    }
    let count = card::count(usize::try_from(effect.sessions).unwrap_or(usize::MAX), "session", "sessions");
    let partial = if effect.is_partial { ", the newest of more" } else { "" };
    let affected = card::count(usize::try_from(effect.people_affected).unwrap_or(usize::MAX), "person", "people");
    format!(
        "{count}{partial}: {} → {} ({}), for {affected} different.\nWhat was counted stays; these rules hold for sessions \
         that begin from now on.",
        argument::hours(effect.seconds_before),
        argument::hours(effect.seconds_after),
        argument::difference(effect.seconds_after - effect.seconds_before),
    )
}

/// The rules, one a line.
fn lines(rule: &Rule) -> Vec<String> {
    let yes = |counts: bool| if counts { "counts" } else { "does not count" };
    vec![
        format!("Voice channels: {}", channels::mode_words(rule.channel_mode)),
        format!("Muted: {}", yes(rule.counts_muted)),
        format!("Deafened: {}", yes(rule.counts_deafened)),
        format!("Alone: {}", yes(rule.counts_alone)),
        format!("AFK channel: {}", yes(rule.counts_afk)),
        format!("Bots: {}", yes(rule.counts_bots)),
        format!("Shortest session: {}", argument::length(rule.minimum_seconds)),
        format!("Longest session: {}", argument::length(rule.session_cap_seconds)),
        format!("Most of a day: {}", argument::length(rule.day_cap_seconds)),
        format!("Idle check: {}", argument::length(rule.idle_check_seconds)),
        format!("Bridged gap: {}", argument::length(rule.bridge_seconds)),
        format!("Written down without a reviewer, a day: {}", argument::length(rule.manual_auto_seconds)),
        format!("Seen by: {}", privacy_words(rule.privacy)),
    ]
}

/// [Save].
pub async fn save(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (domain, actor, guild) = (data.app.domain(), asked.actor().await?, asked.member()?.guild_id);
    let taken = proposal::take(domain, &actor, press.argument(0)?).await?;
    if taken.kind != KIND {
        return Err(outdated());
    }
    let change: Change = serde_json::from_value(taken.data).map_err(domain::Error::from)?;
    let rule = practice::set_rule(domain, &actor, guild, change.to_domain()).await?;
    Ok(Reply::card(card::card("✅ Practice is counted like this", card::GREEN, lines(&rule).join("\n"))))
}

/// [Cancel].
pub async fn cancel(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    proposal::take(data.app.domain(), &asked.actor().await?, press.argument(0)?).await?;
    Ok(Reply::text("Cancelled. Nothing was changed."))
}
