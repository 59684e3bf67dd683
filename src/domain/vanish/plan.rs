//! Which messages of a page go, which stay, and when to look again. Pure: the page is what Discord shows at this
//! moment, so that a pin set a second ago counts.

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ChannelId, DiscordUserId, MessageId, RoleId},
    vanish_exemption::ExemptionKind,
    vanish_rule::Pins,
};

use super::schedule::{BULK_AGE, Effective};

/// What a rule needs to know of a message; never its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFacts {
    /// Its id, which tells its age.
    pub id: MessageId,
    /// Who wrote it.
    pub author_id: Option<DiscordUserId>,
    /// The author is a bot.
    pub by_bot: bool,
    /// It came from a webhook.
    pub by_webhook: bool,
    /// Discord's message type: <https://discord.com/developers/docs/resources/message#message-object-message-types>.
    pub kind: u8,
    /// It is pinned.
    pub pinned: bool,
}

impl MessageFacts {
    /// When it was sent.
    pub fn sent_at(&self) -> DateTime<Utc> {
        sent_at(self.id)
    }

    /// Discord lets nobody delete these: recipient and call notices, name and icon changes, thread starters.
    fn undeletable(&self) -> bool {
        matches!(self.kind, 1..=5 | 21)
    }

    /// Written by Discord itself: everything but messages, replies and command answers.
    fn system(&self) -> bool {
        !matches!(self.kind, 0 | 19 | 20 | 23)
    }
}

/// When Discord made an id.
pub fn sent_at(id: MessageId) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(id.created_at_milliseconds()).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Why a message stays although it is old enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Discord refuses to delete its kind.
    Undeletable,
    /// It is pinned, and the rule keeps pins.
    Pinned,
    /// A moderator keeps it, or it is a post of the bot that must stay.
    Kept,
    /// Its author or kind is exempt.
    Exempt,
    /// It opens a forum post.
    ForumPost,
}

/// Whose messages stay, gathered for one channel.
#[derive(Clone, Debug, Default)]
pub struct Exemptions {
    /// Accounts.
    pub users: HashSet<DiscordUserId>,
    /// Roles.
    pub roles: HashSet<RoleId>,
    /// Kinds without a target.
    pub kinds: HashSet<ExemptionKind>,
}

/// Everything that decides about the messages of one channel or thread.
#[derive(Clone, Debug)]
pub struct Judge {
    /// The rule.
    pub rule: Effective,
    /// Whose messages stay.
    pub exemptions: Exemptions,
    /// The channel or thread; a message of the same id opens a forum post.
    pub place_id: ChannelId,
    /// Messages with a fate of their own.
    pub kept: HashSet<MessageId>,
    /// Roles of authors, for the rules that ask for them.
    pub roles: HashMap<DiscordUserId, Vec<RoleId>>,
}

impl Judge {
    /// Why this message stays, whatever its age.
    pub fn reason_to_stay(&self, message: &MessageFacts) -> Option<Reason> {
        if message.undeletable() {
            return Some(Reason::Undeletable);
        }
        if message.id.get() == self.place_id.get() {
            return Some(Reason::ForumPost);
        }
        if message.pinned && self.rule.pins == Pins::Keep {
            return Some(Reason::Pinned);
        }
        if self.kept.contains(&message.id) {
            return Some(Reason::Kept);
        }
        self.exempt(message).then_some(Reason::Exempt)
    }

    fn exempt(&self, message: &MessageFacts) -> bool {
        let kinds = &self.exemptions.kinds;
        if message.by_webhook {
            return kinds.contains(&ExemptionKind::Webhooks);
        }
        let by_author = message.author_id.is_some_and(|author| {
            self.exemptions.users.contains(&author)
                || self
                    .roles
                    .get(&author)
                    .is_some_and(|roles| roles.iter().any(|role| self.exemptions.roles.contains(role)))
        });
        by_author
            || (message.by_bot && kinds.contains(&ExemptionKind::Bots))
            || (message.system() && kinds.contains(&ExemptionKind::System))
    }

    /// The authors whose roles must be known before this page can be judged.
    pub fn authors_to_resolve(&self, page: &[MessageFacts]) -> Vec<DiscordUserId> {
        if self.exemptions.roles.is_empty() {
            return Vec::new();
        }
        let mut authors: Vec<_> = page
            .iter()
            .filter(|message| !message.by_webhook && !message.by_bot)
            .filter_map(|message| message.author_id)
            .filter(|author| !self.roles.contains_key(author))
            .collect();
        authors.sort_unstable();
        authors.dedup();
        authors
    }
}

/// What is to be done now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Young enough for bulk deletion.
    pub young: Vec<MessageId>,
    /// To be deleted one by one.
    pub old: Vec<MessageId>,
}

impl Deletions {
    /// How many messages.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Walks the pages of a place from its cursor upwards and gathers what is due.
#[derive(Clone, Debug)]
pub struct Walk {
    now: DateTime<Utc>,
    /// Last message of the range; none walks to the newest.
    until: Option<MessageId>,
    deletions: Deletions,
    passed_over: Option<MessageId>,
    /// Messages that wait for their time, oldest first, at most as many as `keep_last` keeps.
    waiting: VecDeque<(MessageId, DateTime<Utc>)>,
    counts: Counts,
    read_up_to: MessageId,
    finished: bool,
}

/// What a walk has seen; the preview shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages read.
    pub read: usize,
    /// Due and young enough for bulk deletion.
    pub young: usize,
    /// Due, to be deleted one by one.
    pub old: usize,
    /// Due by age, but they stay.
    pub staying: usize,
}

impl Walk {
    /// Starts behind `cursor`. `now` is the earlier of our clock and Discord's, so that nothing goes too early.
    pub fn new(now: DateTime<Utc>, cursor: MessageId, until: Option<MessageId>) -> Self {
        Self {
            now,
            until,
            deletions: Deletions::default(),
            passed_over: None,
            waiting: VecDeque::new(),
            counts: Counts::default(),
            read_up_to: cursor,
            finished: false,
        }
    }

    /// Judges one page, in any order; `full` says that Discord may have more behind it.
    pub fn read_page(&mut self, judge: &Judge, mut page: Vec<MessageFacts>, full: bool) {
        page.sort_unstable_by_key(|message| message.id);
        for message in &page {
            if message.id <= self.read_up_to {
                continue;
            }
            if self.until.is_some_and(|until| message.id > until) {
                self.finished = true;
                return;
            }
            self.judge(judge, message);
            // Later messages are due later, so that without a count there is nothing more to find.
            if !self.waiting.is_empty() && judge.rule.keep_last.is_none() {
                self.finished = true;
                return;
            }
        }
        self.finished |= !full;
    }

    fn judge(&mut self, judge: &Judge, message: &MessageFacts) {
        self.read_up_to = message.id;
        self.counts.read += 1;
        let due_at = judge.rule.due_at(message.sent_at());
        if judge.reason_to_stay(message).is_some() {
            self.counts.staying += usize::from(due_at <= self.now);
            self.passed_over.get_or_insert(message.id);
        } else if due_at <= self.now {
            self.delete(message.id);
        } else {
            self.waiting.push_back((message.id, due_at));
            if judge.rule.keep_last.is_some_and(|keep| self.waiting.len() > keep)
                && let Some((oldest, _)) = self.waiting.pop_front()
            {
                self.delete(oldest);
            }
        }
    }

    fn delete(&mut self, id: MessageId) {
        if self.now - sent_at(id) < BULK_AGE {
            self.counts.young += 1;
            self.deletions.young.push(id);
        } else {
            self.counts.old += 1;
            self.deletions.old.push(id);
        }
    }

    /// Whether there is nothing more to read.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Where the next page begins: behind this message.
    pub fn read_up_to(&self) -> MessageId {
        self.read_up_to
    }

    /// How many deletions have been gathered.
    pub fn gathered(&self) -> &Deletions {
        &self.deletions
    }

    /// What was seen so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What to delete, at most `young_max` and `old_max`; the rest is left for the next walk.
    pub fn conclude(mut self, young_max: usize, old_max: usize) -> Conclusion {
        let left_over = [self.deletions.young.get(young_max).copied(), self.deletions.old.get(old_max).copied()]
            .into_iter()
            .flatten()
            .min();
        self.deletions.young.truncate(young_max);
        self.deletions.old.truncate(old_max);
        let first_waiting = self.waiting.front().copied();
        let first_undecided = [left_over, first_waiting.map(|(id, _)| id)].into_iter().flatten().min();
        Conclusion {
            // Everything below the first undecided message is decided.
            cursor: first_undecided.map_or(self.read_up_to, |id| MessageId::new(id.get() - 1).unwrap_or(id)),
            next_due: first_waiting.map(|(_, due_at)| due_at),
            more: left_over.is_some() || !self.finished,
            deletions: self.deletions,
            passed_over: self.passed_over,
            counts: self.counts,
        }
    }
}

/// The end of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// What to delete now.
    pub deletions: Deletions,
    /// Everything up to here is decided once those are gone.
    pub cursor: MessageId,
    /// Oldest message that stays for a reason that may end.
    pub passed_over: Option<MessageId>,
    /// When the oldest waiting message is due.
    pub next_due: Option<DateTime<Utc>>,
    /// There is more to do at once.
    pub more: bool,
    /// What was seen.
    pub counts: Counts,
}

/// How long deleting takes: bulk calls at the sweep's pace, old messages at the slow lane's.
pub fn time_needed(counts: &Counts, old_per_second: u32) -> TimeDelta {
    let bulk_calls = i64::try_from(counts.young.div_ceil(100)).unwrap_or(i64::MAX);
    let old = i64::try_from(counts.old).unwrap_or(i64::MAX) / i64::from(old_per_second.max(1));
    TimeDelta::seconds(bulk_calls.saturating_add(old))
}

#[cfg(test)]
mod tests;
