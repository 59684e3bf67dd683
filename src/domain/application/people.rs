//! What applications hold about people: when two are one, when somebody asks for it, and when they want to be forgotten.

use entity::{
    application::{self, ApplicationStatus, DecidedHow},
    application_block, application_note, application_step,
    application_step::StepState,
    application_vote,
    id::{ApplicationId, UserId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, SelectStatement},
};
use serde_json::json;

use crate::{
    domain::{Error, event::Author, user::holdings::Person},
    store::WriteTransaction,
};

/// The applications of the first person are those of the second one.
pub(in crate::domain) async fn move_applications(
    txn: &WriteTransaction,
    (from, to): (UserId, UserId),
) -> Result<(), Error> {
    let moved = application::ActiveModel { user_id: Set(Some(to)), ..Default::default() };
    let theirs = application::COLUMN.user_id.eq(from);
    application::Entity::update_many().set(moved).filter(theirs).exec(txn.connection()).await?;
    Ok(())
}

/// The votes of the first person are those of the second one. Where both have voted on an open application, the second
/// one's vote stays; where it is decided, both stay, because they have decided it.
pub(in crate::domain) async fn move_votes(txn: &WriteTransaction, (from, to): (UserId, UserId)) -> Result<(), Error> {
    let (from, to) = (from.to_string(), to.to_string());
    let open = application::Entity::find()
        .select_only()
        .column(application::Column::Id)
        .filter(application::Column::Status.eq(ApplicationStatus::Pending))
        .into_query();
    // A list of ids, because a statement cannot both change a table and ask it.
    let both: Vec<ApplicationId> = application_vote::Entity::find()
        .select_only()
        .column(application_vote::Column::ApplicationId)
        .filter(application_vote::Column::Voter.eq(from.as_str()))
        .filter(application_vote::Column::ApplicationId.in_subquery(voted_on(&to)))
        .into_tuple()
        .all(txn.connection())
        .await?;
    application_vote::Entity::delete_many()
        .filter(application_vote::Column::Voter.eq(from.as_str()))
        .filter(application_vote::Column::ApplicationId.is_in(both.iter().copied()))
        .filter(application_vote::Column::ApplicationId.in_subquery(open))
        .exec(txn.connection())
        .await?;
    application_vote::Entity::update_many()
        .set(application_vote::ActiveModel { voter: Set(to), ..Default::default() })
        .filter(application_vote::Column::Voter.eq(from.as_str()))
        .filter(application_vote::Column::ApplicationId.is_not_in(both.iter().copied()))
        .exec(txn.connection())
        .await?;
    Ok(())
}

fn voted_on(voter: &str) -> SelectStatement {
    application_vote::Entity::find()
        .select_only()
        .column(application_vote::Column::ApplicationId)
        .filter(application_vote::Column::Voter.eq(voter))
        .into_query()
}

/// A person's own applications.
pub(in crate::domain) fn own_applications(person: &Person) -> Condition {
    Condition::any()
        .add(application::COLUMN.user_id.eq(person.id))
        .add(application::COLUMN.discord_user_id.is_in(person.discord.iter().copied()))
}

/// All names that a person's votes are kept under.
pub(in crate::domain) fn own_votes(person: &Person) -> Condition {
    let accounts = person.discord.iter().map(ToString::to_string);
    let names = accounts.chain(std::iter::once(person.id.to_string()));
    Condition::all().add(application_vote::Column::Voter.is_in(names))
}

/// Their applications stay as numbers in states: without answers, notes or accounts, and the open ones are taken back.
/// Where they decided about others, their id stands in the place of their account.
pub(in crate::domain) async fn erase_applications(
    txn: &WriteTransaction,
    author: &Author,
    person: &Person,
) -> Result<(), Error> {
    let (connection, own) = (txn.connection(), own_applications(person));
    let ids = || {
        let own = application::Entity::find().select_only().column(application::Column::Id);
        own.filter(own_applications(person)).into_query()
    };
    let of_own = application_note::Column::ApplicationId.in_subquery(ids());
    application_note::Entity::delete_many().filter(of_own).exec(connection).await?;
    let given_up = application_step::ActiveModel {
        state: Set(StepState::Skipped),
        due_at: Set(None),
        leased_until: Set(None),
        ..Default::default()
    };
    application_step::Entity::update_many()
        .set(given_up)
        .filter(application_step::Column::ApplicationId.in_subquery(ids()))
        .filter(application_step::Column::State.eq(StepState::Waiting))
        .exec(connection)
        .await?;
    let withdrawn = application::ActiveModel {
        status: Set(ApplicationStatus::Withdrawn),
        decided_how: Set(Some(DecidedHow::Applicant)),
        decided_by: Set(Some(person.actor())),
        decided_at: Set(Some(author.at())),
        due_at: Set(None),
        waits_for_owner: Set(false),
        ..Default::default()
    };
    application::Entity::update_many()
        .set(withdrawn)
        .col_expr(application::Column::Decision, sea_orm::ExprTrait::add(Expr::col(application::Column::Decision), 1))
        .filter(own.clone())
        .filter(application::Column::Status.eq(ApplicationStatus::Pending))
        .exec(connection)
        .await?;
    let blank = application::ActiveModel {
        user_id: Set(Some(person.id)),
        discord_user_id: Set(None),
        message_id: Set(None),
        native_request_id: Set(None),
        answers: Set(json!([])),
        reason: Set(None),
        post_attempts: Set(0),
        updated_at: Set(author.at()),
        ..Default::default()
    };
    application::Entity::update_many()
        .set(blank)
        .col_expr(application::Column::Revision, sea_orm::ExprTrait::add(Expr::col(application::Column::Revision), 1))
        .col_expr(application::Column::PostDueAt, Expr::value(Some(author.at())))
        .filter(own)
        .exec(connection)
        .await?;
    application::Entity::update_many()
        .col_expr(application::Column::DecidedBy, Expr::value(Some(person.actor())))
        .filter(application::Column::DecidedBy.is_in(person.members()))
        .exec(connection)
        .await?;
    Ok(())
}

/// Their votes stay, because they have decided something: without reasons, and under their id with the place of the
/// account among theirs.
pub(in crate::domain) async fn erase_votes(txn: &WriteTransaction, person: &Person) -> Result<(), Error> {
    let blank = application_vote::ActiveModel { voter_name: Set(None), reason: Set(None), ..Default::default() };
    application_vote::Entity::update_many().set(blank).filter(own_votes(person)).exec(txn.connection()).await?;
    for (place, account) in person.discord.iter().enumerate() {
        let voter = Set(format!("{}/{place}", person.id));
        application_vote::Entity::update_many()
            .set(application_vote::ActiveModel { voter, ..Default::default() })
            .filter(application_vote::Column::Voter.eq(account.to_string()))
            .exec(txn.connection())
            .await?;
    }
    Ok(())
}

/// Where they wrote about others, their id stands in the place of their account.
pub(in crate::domain) async fn erase_notes(txn: &WriteTransaction, person: &Person) -> Result<(), Error> {
    application_note::Entity::update_many()
        .col_expr(application_note::Column::Author, Expr::value(person.actor()))
        .filter(application_note::Column::Author.is_in(person.members()))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// A block stays, because whoever is blocked cannot lift it; what was written about it goes, and who blocked others is
/// named by their id.
pub(in crate::domain) async fn erase_blocks(txn: &WriteTransaction, person: &Person) -> Result<(), Error> {
    application_block::Entity::update_many()
        .col_expr(application_block::Column::Reason, Expr::value(None::<String>))
        .filter(application_block::COLUMN.discord_user_id.is_in(person.discord.iter().copied()))
        .exec(txn.connection())
        .await?;
    application_block::Entity::update_many()
        .col_expr(application_block::Column::BlockedBy, Expr::value(person.actor()))
        .filter(application_block::Column::BlockedBy.is_in(person.members()))
        .exec(txn.connection())
        .await?;
    Ok(())
}
