//! The review post of an application: where it is, and whether it shows what is so.
//!
//! Invariant: a post that is behind has a due time, so that whatever stops us, it is brought up to date.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    application::{self, Model},
    id::{ApplicationId, ChannelId, MessageId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, LockBehavior, LockType},
};

use super::change::lock;
use crate::{
    domain::{
        Domain, Error,
        announcement::{pause, spare},
    },
    store::WriteTransaction,
};

/// How long a claimed post belongs to its claimer.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Most tries of one revision.
const ATTEMPTS_MAX: i32 = 8;
/// Longest code that is kept.
const CODE_MAX: usize = 64;

/// Takes at most `limit` applications whose post is behind, for a minute.
pub async fn claim_posts(domain: &Domain, limit: u64) -> Result<Vec<Model>, Error> {
    let now = domain.now();
    let waiting = application::Entity::find().filter(claimable(now)).limit(1).one(domain.store.reader()).await?;
    if waiting.is_none() {
        return Ok(Vec::new());
    }
    domain.store.write((now, limit), |txn, (now, limit)| Box::pin(claim_in(txn, *now, *limit))).await
}

async fn claim_in(txn: &WriteTransaction, now: DateTime<Utc>, limit: u64) -> Result<Vec<Model>, Error> {
    use application::{COLUMN, Column, Entity};
    let due = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(claimable(now))
        .order_by_asc(COLUMN.post_due_at)
        .order_by_asc(COLUMN.id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    let mut claimed = Entity::update_many()
        .col_expr(Column::PostLeasedUntil, Expr::value(now + LEASE))
        .col_expr(Column::PostAttempts, Expr::col(Column::PostAttempts).add(1))
        .filter(Column::Id.in_subquery(due))
        .filter(claimable(now))
        .exec_with_returning(txn.connection())
        .await?;
    claimed.sort_by_key(|row| (row.post_due_at, row.id));
    Ok(claimed)
}

/// Due, and held by nobody.
fn claimable(now: DateTime<Utc>) -> Condition {
    use application::COLUMN;
    Condition::all()
        .add(COLUMN.post_due_at.lte(now))
        .add(Condition::any().add(COLUMN.post_leased_until.is_null()).add(COLUMN.post_leased_until.lte(now)))
}

/// What became of a claimed post.
#[derive(Clone, Debug)]
pub enum PostOutcome {
    /// It is in Discord and shows the revision that was claimed; where it was posted anew, with its place.
    Shown {
        /// The post, its channel, and the thread below it; none where the post that was there was edited.
        place: Option<(ChannelId, MessageId, Option<ChannelId>)>,
    },
    /// The guild has nowhere to post it; the next change tries again.
    NoSlot,
    /// The post is gone; it is posted anew.
    Gone,
    /// Discord did not take it.
    Failed {
        /// A short code, such as `50013`.
        code: String,
        /// Discord's own wish, which lengthens our pause.
        retry_in: Option<Duration>,
    },
}

struct Settle {
    id: ApplicationId,
    revision: i32,
    outcome: PostOutcome,
    now: DateTime<Utc>,
}

/// Records what became of a claimed post, of the revision that it was claimed with.
pub async fn settle_post(domain: &Domain, id: ApplicationId, revision: i32, outcome: PostOutcome) -> Result<(), Error> {
    let input = Settle { id, revision, outcome, now: domain.now() };
    domain.store.write(input, |txn, input| Box::pin(settle_in(txn, input))).await
}

async fn settle_in(txn: &WriteTransaction, input: &Settle) -> Result<(), Error> {
    let now = input.now;
    if application::Entity::find_by_id(input.id).one(txn.connection()).await?.is_none() {
        return Ok(());
    }
    let mut row = lock(txn, input.id).await?;
    // What changed meanwhile is to be shown as well.
    let next = (row.revision > input.revision).then_some(now);
    let (code, due_at) = match &input.outcome {
        PostOutcome::Shown { place } => {
            if let Some((channel, message, thread)) = *place {
                row.review_channel_id = Some(channel);
                row.review_message_id = Some(message);
                row.review_thread_id = thread;
                if let Some(guild_id) = row.guild_id {
                    spare(txn, guild_id, (message, channel), now).await?;
                }
            }
            row.posted_revision = std::cmp::max(row.posted_revision, input.revision);
            (None, next)
        }
        PostOutcome::NoSlot => (Some("no_slot".to_owned()), next),
        PostOutcome::Gone => {
            row.review_channel_id = None;
            row.review_message_id = None;
            row.review_thread_id = None;
            (Some("gone".to_owned()), (row.post_attempts < ATTEMPTS_MAX).then_some(now))
        }
        PostOutcome::Failed { code, retry_in } => {
            let again =
                (row.post_attempts < ATTEMPTS_MAX).then(|| now + pause(std::cmp::max(row.post_attempts, 1), *retry_in));
            (Some(code.chars().take(CODE_MAX).collect()), again.or(next))
        }
    };
    let settled = application::ActiveModel {
        review_channel_id: Set(row.review_channel_id),
        review_message_id: Set(row.review_message_id),
        review_thread_id: Set(row.review_thread_id),
        posted_revision: Set(row.posted_revision),
        post_due_at: Set(due_at),
        post_leased_until: Set(None),
        post_attempts: Set(if code.is_none() { 0 } else { row.post_attempts }),
        post_code: Set(code),
        ..Default::default()
    };
    let of_row = application::COLUMN.id.eq(row.id);
    application::Entity::update_many().set(settled).filter(of_row).exec(txn.connection()).await?;
    Ok(())
}
