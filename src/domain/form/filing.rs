//! Applications as their applicants see them.

use entity::{
    application::{self, ApplicationStatus, Model},
    application_vote, form,
    id::{ApplicationId, DiscordUserId},
    identity::{self, Platform},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::Applicant;
use crate::domain::{
    Domain, Error,
    application::{ApplicationRefusal, GivenAnswer, answers_of, own},
    vanish::PageRequest,
};

/// One's own application, and whether its answers may still change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mine {
    /// The application.
    pub row: Model,
    /// The title of its form, as long as there is one.
    pub title: Option<String>,
    /// What was asked and answered.
    pub answers: Vec<GivenAnswer>,
    /// Nobody has decided or voted, and there is a form to change it with.
    pub is_editable: bool,
}

/// One's own applications in all guilds, the newest first, and whether there are more.
pub async fn mine(domain: &Domain, applicant: &Applicant, page: PageRequest) -> Result<(Vec<Mine>, bool), Error> {
    let found = own(domain, &applicant.actor, page).await?;
    let mut all = Vec::with_capacity(found.rows.len());
    for row in found.rows {
        all.push(shown(domain.store.reader(), row).await?);
    }
    Ok((all, found.more))
}

/// One of one's own applications; those of others are not there.
pub async fn my_application(domain: &Domain, applicant: &Applicant, id: ApplicationId) -> Result<Mine, Error> {
    let reader = domain.store.reader();
    let theirs = theirs(reader, applicant.user_id()?).await?;
    let found = application::Entity::find_by_id(id).filter(theirs).one(reader).await?;
    shown(reader, found.ok_or(ApplicationRefusal::NotFound)?).await
}

/// What somebody has applied for: with this account, or with another one of the same person.
async fn theirs(connection: &impl ConnectionTrait, account: DiscordUserId) -> Result<Condition, DbErr> {
    let key = (Platform::Discord, account.to_string());
    let known = identity::Entity::find_by_id(key).one(connection).await?;
    Ok(Condition::any()
        .add(application::COLUMN.discord_user_id.eq(account))
        .add_option(known.map(|known| application::COLUMN.user_id.eq(known.user_id))))
}

async fn has_votes(connection: &impl ConnectionTrait, id: ApplicationId) -> Result<bool, DbErr> {
    let votes = application_vote::Entity::find().filter(application_vote::COLUMN.application_id.eq(id));
    Ok(votes.count(connection).await? > 0)
}

async fn shown(reader: &impl ConnectionTrait, row: Model) -> Result<Mine, Error> {
    let title = match row.form_id {
        Some(id) => form::Entity::find_by_id(id).one(reader).await?.map(|form| form.title),
        None => None,
    };
    let is_open = row.status == ApplicationStatus::Pending && title.is_some();
    let is_editable = is_open && !has_votes(reader, row.id).await?;
    Ok(Mine { answers: answers_of(&row)?, row, title, is_editable })
}

/// One's own application, held until the transaction ends, if its answers may still change.
pub(super) async fn editable(
    connection: &impl ConnectionTrait,
    (id, account): (ApplicationId, DiscordUserId),
) -> Result<Model, Error> {
    let theirs = theirs(connection, account).await?;
    let found = application::Entity::find_by_id(id).filter(theirs).lock_exclusive().one(connection).await?;
    let row = found.ok_or(ApplicationRefusal::NotFound)?;
    if row.status != ApplicationStatus::Pending {
        return Err(ApplicationRefusal::NotPending { status: row.status }.into());
    }
    if has_votes(connection, id).await? { Err(ApplicationRefusal::HasVotes.into()) } else { Ok(row) }
}
