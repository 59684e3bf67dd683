//! Changes that were previewed and wait for their author's confirmation.
//!
//! A proposal is a row, so that its buttons work after a restart; confirming takes the row away, so that it happens
//! once.

use chrono::TimeDelta;
use entity::{
    id::{GuildId, ProposalId},
    proposal::{self, Model},
};
use sea_orm::{EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::Value;

use super::{Actor, Domain, Error, Member, error::CommonRefusal};

/// How long a proposal waits, in minutes: as long as Discord lets a reply be edited.
const LIFETIME_MINUTES: i64 = 15;

/// Remembers what a member has been shown.
pub async fn propose(domain: &Domain, member: &Member, kind: &'static str, data: Value) -> Result<ProposalId, Error> {
    let now = domain.now();
    let row = Model {
        id: ProposalId(domain.ids.uuid()),
        guild_id: member.guild_id,
        user_id: member.user_id,
        kind: kind.to_owned(),
        data,
        expires_at: now + TimeDelta::minutes(LIFETIME_MINUTES),
    };
    let id = row.id;
    domain
        .store
        .write((row, now), |txn, (row, now)| {
            Box::pin(async move {
                // The dead are cleared by the living, so that the table stays as small as its use.
                proposal::Entity::delete_many()
                    .filter(proposal::COLUMN.expires_at.lte(*now))
                    .exec(txn.connection())
                    .await?;
                proposal::Entity::insert(row.clone().into_active_model())
                    .exec_without_returning(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(id)
}

/// Looks at a proposal without using it up.
pub async fn peek(domain: &Domain, member: &Member, id: ProposalId) -> Result<Model, Error> {
    let found = proposal::Entity::find_by_id(id).one(domain.store.reader()).await?;
    let row = found.ok_or(CommonRefusal::ProposalGone)?;
    check(&row, member.guild_id, member)?;
    if row.expires_at <= domain.now() {
        return Err(CommonRefusal::ProposalGone.into());
    }
    Ok(row)
}

/// Takes a proposal for its author; everybody else, and everybody the second time, is refused.
pub async fn take(domain: &Domain, actor: &Actor, id: ProposalId) -> Result<Model, Error> {
    let Actor::Member(member) = actor else {
        return Err(CommonRefusal::NotYours.into());
    };
    let input = (member.clone(), id, domain.now());
    domain
        .store
        .write(input, |txn, (member, id, now)| {
            Box::pin(async move {
                let found = proposal::Entity::find_by_id(*id).one(txn.connection()).await?;
                let row = found.ok_or(CommonRefusal::ProposalGone)?;
                check(&row, member.guild_id, member)?;
                let taken = proposal::Entity::delete_by_id(*id)
                    .filter(proposal::COLUMN.expires_at.gt(*now))
                    .exec(txn.connection())
                    .await?;
                if taken.rows_affected == 0 {
                    return Err(CommonRefusal::ProposalGone.into());
                }
                Ok(row)
            })
        })
        .await
}

fn check(row: &Model, guild: GuildId, member: &Member) -> Result<(), Error> {
    if row.guild_id != guild || row.user_id != member.user_id {
        return Err(CommonRefusal::NotYours.into());
    }
    Ok(())
}
