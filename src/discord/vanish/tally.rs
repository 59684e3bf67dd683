//! Counting what a rule would delete, by looking at the channel as the sweep would.

use std::fmt::Write as _;

use entity::id::{ChannelId, GuildId};

use super::card;
use crate::{
    discord::{CommandError, Data},
    discord_api::{self, Lane, Page},
    domain::vanish::{
        Stretch,
        plan::{self, Counts, Judge, MessageFacts, Walk},
    },
};

/// What was counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// The counts.
    pub counts: Counts,
    /// There is more than was read.
    pub more: bool,
}

impl Tally {
    /// How many messages would be deleted.
    pub fn due(&self) -> usize {
        self.counts.young + self.counts.old
    }

    /// The counts in words.
    pub fn lines(&self, old_per_second: u32) -> String {
        let least = if self.more { "more than " } else { "" };
        let Counts { read, young, old, staying } = self.counts;
        if self.due() == 0 && staying == 0 && !self.more {
            return "none".to_owned();
        }
        let mut lines = format!("• under 14 days: {least}**{young}**\n• older, one by one: {least}**{old}**");
        let _ = write!(lines, "\n• stay (pinned, kept or exempt): {least}**{staying}**");
        if self.due() > 0 {
            let time = card::span(plan::time_needed(&self.counts, old_per_second));
            let _ = write!(lines, "\n• time needed: about {least}{time}");
        }
        if self.more {
            let _ = write!(lines, "\n-# I stopped counting after {read} messages");
        }
        lines
    }
}

/// Counts in these stretches, reading at most `budget` messages in all.
pub async fn count(
    data: &Data,
    (guild, channel): (GuildId, ChannelId),
    is_forum: bool,
    stretches: Vec<Stretch>,
    budget: &mut usize,
) -> Result<Tally, CommandError> {
    let mut tally = Tally::default();
    for mut stretch in stretches {
        let place = stretch.judge.place_id;
        // A forum itself holds no messages, only its posts do.
        if is_forum && place == channel {
            continue;
        }
        match count_one(data, guild, &mut stretch, budget).await {
            Ok((counts, more)) => {
                tally.counts.read += counts.read;
                tally.counts.young += counts.young;
                tally.counts.old += counts.old;
                tally.counts.staying += counts.staying;
                tally.more |= more;
            }
            // A thread that is gone or hidden has nothing to count.
            Err(error) if place != channel && (error.is_gone() || error.is_permission_loss()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(tally)
}

async fn count_one(
    data: &Data,
    guild: GuildId,
    stretch: &mut Stretch,
    budget: &mut usize,
) -> discord_api::Result<(Counts, bool)> {
    let place = stretch.judge.place_id;
    let mut walk = Walk::new(data.app.domain().discord_now(), stretch.after, stretch.until);
    while !walk.finished() {
        if *budget == 0 {
            return Ok((walk.counts().clone(), true));
        }
        let limit = u8::try_from(*budget).unwrap_or(u8::MAX).min(discord_api::PAGE_MAX);
        let page = data.api.messages_after(place, Some(walk.read_up_to()), limit, Lane::Interactive).await?;
        let full = page.is_full;
        let facts = facts(page);
        *budget = budget.saturating_sub(facts.len());
        resolve_roles(data, guild, &mut stretch.judge, &facts).await?;
        walk.read_page(&stretch.judge, facts, full);
    }
    Ok((walk.counts().clone(), false))
}

async fn resolve_roles(
    data: &Data,
    guild: GuildId,
    judge: &mut Judge,
    page: &[MessageFacts],
) -> discord_api::Result<()> {
    for author in judge.authors_to_resolve(page) {
        let key = (guild, author);
        let roles = if let Some(roles) = data.roles.get(&key) {
            roles
        } else {
            let roles = match data.api.member(guild, author, Lane::Interactive).await {
                Ok(member) => member.roles,
                // Who has left has no roles.
                Err(error) if error.is_gone() => Vec::new(),
                Err(error) => return Err(error),
            };
            data.roles.insert(key, roles.clone());
            roles
        };
        judge.roles.insert(author, roles);
    }
    Ok(())
}

fn facts(page: Page) -> Vec<MessageFacts> {
    let unreadable = page.unreadable.into_iter().map(|id| MessageFacts {
        id,
        author_id: None,
        by_bot: false,
        by_webhook: false,
        // The sweep deletes nothing that it cannot read either.
        kind: 1,
        pinned: true,
    });
    let readable = page.messages.into_iter().map(|message| MessageFacts {
        id: message.id,
        author_id: message.author_id,
        by_bot: message.author_is_bot,
        by_webhook: message.webhook_id.is_some(),
        kind: message.kind,
        pinned: message.pinned,
    });
    readable.chain(unreadable).collect()
}
