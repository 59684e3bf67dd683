//! What a rule would do, for previews: which messages to look at, and how to judge them.

use chrono::TimeDelta;
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_place,
    vanish_rule::{self, RuleState, Schedule, Threads},
};

use super::{
    NewRule, VanishRefusal,
    backlog::backlog_after,
    plan::Judge,
    read::{self, RuleView},
    rule,
    schedule::Effective,
    sweep::judge_of,
};
use crate::domain::{Actor, Domain, Error, Right, guild};

/// Most channels and threads that one preview looks into.
const PLACES_MAX: usize = 25;

/// Messages of one channel or thread.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// What decides about them.
    pub judge: Judge,
    /// They come after this one …
    pub after: MessageId,
    /// … up to this one; none goes to the newest.
    pub until: Option<MessageId>,
}

/// A rule as it would be.
#[derive(Clone, Debug)]
pub struct Prospect {
    /// The rule.
    pub rule: vanish_rule::Model,
    /// With the guild's defaults.
    pub effective: Effective,
    /// What is already under the rule, and may be due at once.
    pub at_once: Vec<Stretch>,
    /// What comes under it after the arm delay.
    pub backlog: Vec<Stretch>,
    /// There are more places than a preview looks into.
    pub more_places: bool,
    /// No message stays longer than this past its time.
    pub lateness_bound: TimeDelta,
}

/// What setting this rule would mean; refuses what setting it would refuse.
pub async fn prospect(domain: &Domain, actor: &Actor, new: &NewRule) -> Result<Prospect, Error> {
    actor.require(Right::ManageVanish(new.channel_id), Some(new.guild_id))?;
    let now = domain.now();
    let existing = read::cached(domain, new.channel_id).await?;
    let rule = rule::merged(new, (*existing).as_ref(), now)?;
    let RuleView { default, places, .. } = read::view(domain, actor, new.guild_id, new.channel_id).await?;
    let zone = guild::time_zone(domain, new.guild_id).await?;
    let effective = Effective::of(&rule, default.as_ref(), zone).ok_or(VanishRefusal::AfterMissing)?;
    let at_once = stretches(domain, &rule, &effective, &places).await?;
    let backlog = match backlog_after(new.backlog, now) {
        None => Vec::new(),
        Some(after) => {
            let key = (rule.guild_id, rule.channel_id);
            let judge = judge_of(domain, key, rule.channel_id, effective.clone()).await?;
            vec![Stretch { judge, after, until: Some(rule.starts_after) }]
        }
    };
    Ok(Prospect {
        lateness_bound: effective.lateness_bound(domain.widening()),
        more_places: places.len() > PLACES_MAX,
        rule,
        effective,
        at_once,
        backlog,
    })
}

/// What sweeping a channel now would look at; refuses what [`super::run_now`] would refuse.
pub async fn run_prospect(
    domain: &Domain,
    actor: &Actor,
    guild: GuildId,
    channel: ChannelId,
) -> Result<Prospect, Error> {
    actor.require(Right::ManageVanish(channel), Some(guild))?;
    let view = read::view(domain, actor, guild, channel).await?;
    let rule = view.rule.ok_or(VanishRefusal::NoRule)?;
    if matches!(rule.state, RuleState::Paused | RuleState::Suspended) {
        return Err(VanishRefusal::Held.into());
    }
    // As the sweep does that somebody asked for.
    let effective = view.effective.ok_or(VanishRefusal::AfterMissing)?;
    let effective = Effective { schedule: Schedule::Rolling, ..effective };
    Ok(Prospect {
        lateness_bound: effective.lateness_bound(domain.widening()),
        more_places: view.places.len() > PLACES_MAX,
        at_once: stretches(domain, &rule, &effective, &view.places).await?,
        backlog: Vec::new(),
        rule: (*rule).clone(),
        effective,
    })
}

/// Where the rule already has work, the channel first.
async fn stretches(
    domain: &Domain,
    rule: &vanish_rule::Model,
    effective: &Effective,
    places: &[vanish_place::Model],
) -> Result<Vec<Stretch>, Error> {
    let own = places.iter().filter(|place| place.place_id == rule.channel_id);
    let threads =
        places.iter().filter(|place| place.place_id != rule.channel_id && effective.threads == Threads::Include);
    let mut stretches = Vec::new();
    for place in own.chain(threads).take(PLACES_MAX) {
        let key = (rule.guild_id, rule.channel_id);
        let judge = judge_of(domain, key, place.place_id, effective.clone()).await?;
        stretches.push(Stretch { judge, after: place.cursor, until: None });
    }
    Ok(stretches)
}
