//! The practice rule and the schedules of boards as files hold them.

use entity::{id::GuildId, practice_post::PostPeriod};
use sea_orm::{ConnectionTrait, DbErr, Iterable as _};
use serde::{Deserialize, Serialize};

use super::{
    HistoryRefusal,
    subject::{State, Subject},
};
use crate::domain::{
    event::{spelled, unspelled},
    practice::{
        PostConfig, Rule,
        post::{self, DAY_MINUTES},
        rule::{self, RuleText},
    },
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PracticePart {
    rule: Option<RuleText>,
    posts: Option<Vec<PostPart>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PostPart {
    period: String,
    slot: String,
    at_minute: i32,
}

/// What is set now.
pub(super) async fn export(connection: &impl ConnectionTrait, guild_id: GuildId) -> Result<PracticePart, DbErr> {
    let rule: Rule = rule::of(connection, guild_id).await?;
    let posts = post::all(connection, guild_id).await?.into_iter().map(|row| PostPart {
        period: spelled(row.period),
        slot: row.slot_key,
        at_minute: row.at_minute,
    });
    Ok(PracticePart { rule: Some(RuleText::from(&rule)), posts: Some(posts.collect()) })
}

/// The states that a part of a document asks for; schedules that it does not name are taken away.
pub(super) fn wanted(part: &PracticePart) -> Result<Vec<(Subject, State)>, HistoryRefusal> {
    let bad = |pointer: String, problem: String| HistoryRefusal::BadValue { pointer, problem };
    let mut wanted = Vec::new();
    if let Some(text) = &part.rule {
        let rule = text.rule().map_err(|refusal| bad("/practice/rule".to_owned(), refusal.to_string()))?;
        wanted.push((Subject::PracticeRule, State::PracticeRule(rule)));
    }
    let Some(parts) = &part.posts else { return Ok(wanted) };
    let mut posts: Vec<(PostPeriod, PostConfig)> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let at = |field: &str| format!("/practice/posts/{index}/{field}");
        let period = unspelled(&part.period)
            .ok_or_else(|| bad(at("period"), "must be one of daily, weekly, monthly".to_owned()))?;
        if posts.iter().any(|(named, _)| *named == period) {
            return Err(bad(at("period"), "is named twice".to_owned()));
        }
        if !DAY_MINUTES.contains(&part.at_minute) {
            return Err(bad(at("at_minute"), "must be from 0 to 1439".to_owned()));
        }
        let slot = part
            .slot
            .parse()
            .map_err(|refusal: crate::domain::slot::SlotRefusal| bad(at("slot"), refusal.to_string()))?;
        posts.push((period, PostConfig { slot, at_minute: part.at_minute }));
    }
    let state = |period| posts.iter().find(|(named, _)| *named == period).map(|(_, config)| config.clone());
    let all = PostPeriod::iter().map(|period| (Subject::PracticePost(period), State::PracticePost(state(period))));
    wanted.extend(all);
    Ok(wanted)
}
