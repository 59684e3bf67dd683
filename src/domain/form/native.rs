//! Discord's own requests to join, which come in as applications of one form of the guild where it says so.

use entity::{
    application, form,
    id::{DiscordUserId, FormId, GuildId},
    native_link::{self, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::OnConflict};
use serde_json::{Value, json};

use super::{FormRefusal, FormView, row};
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        application::{self as applications, GivenAnswer, NewApplication, Terms},
        event::Author,
    },
    store::WriteTransaction,
};

/// Most answers of a request that are kept.
const ANSWERS_MAX: usize = 25;
/// Longest question of a request that is kept, in characters.
const LABEL_MAX: usize = 200;
/// Longest answer of a request that is kept, in characters.
const ANSWER_MAX: usize = 4_000;

/// A request to join, as Discord tells it.
#[derive(Clone, Debug)]
pub struct NativeRequest {
    /// Its id.
    pub id: u64,
    /// Who wants to join.
    pub user_id: DiscordUserId,
    /// The guild's questions and their words.
    pub answers: Vec<(String, String)>,
}

struct Link {
    author: Author,
    guild_id: GuildId,
    form_id: FormId,
    is_on: bool,
}

/// Lets join requests come in as applications of this form from now on, or no more; says whether that is new.
pub async fn link_native(
    domain: &Domain,
    actor: &Actor,
    (guild_id, form_id): (GuildId, FormId),
    is_on: bool,
) -> Result<bool, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let input = Link { author: Author::new(domain, actor), guild_id, form_id, is_on };
    domain.store.write(input, |txn, input| Box::pin(link_in(txn, input))).await
}

async fn link_in(txn: &WriteTransaction, input: &Link) -> Result<bool, Error> {
    let Link { author, guild_id, form_id, is_on } = input;
    let connection = txn.connection();
    let own = form::Entity::find_by_id(*form_id).filter(form::COLUMN.guild_id.eq(*guild_id));
    own.one(connection).await?.ok_or(FormRefusal::NoForm)?;
    let changed = if *is_on {
        let row = Model { guild_id: *guild_id, form_id: *form_id, linked_at: author.at() };
        let taken = OnConflict::column(native_link::Column::GuildId)
            .update_columns([native_link::Column::FormId, native_link::Column::LinkedAt])
            .action_and_where(native_link::COLUMN.form_id.ne(*form_id))
            .to_owned();
        let insert = native_link::Entity::insert(row.into_active_model()).on_conflict(taken);
        insert.exec_without_returning(connection).await?
    } else {
        let own = native_link::Entity::delete_by_id(*guild_id).filter(native_link::COLUMN.form_id.eq(*form_id));
        own.exec(connection).await?.rows_affected
    };
    if changed == 0 {
        return Ok(false);
    }
    let states = if *is_on { (Value::Null, json!({})) } else { (json!({}), Value::Null) };
    let kind = if *is_on { "form.native_linked" } else { "form.native_unlinked" };
    txn.append_event(author.event(kind, *guild_id, row::subject(*guild_id, *form_id), states)).await?;
    Ok(true)
}

/// The form as whose applications a guild's join requests come in; none where they do not.
pub async fn native_form(domain: &Domain, guild_id: GuildId) -> Result<Option<FormView>, Error> {
    let reader = domain.store.reader();
    let Some(link) = native_link::Entity::find_by_id(guild_id).one(reader).await? else { return Ok(None) };
    match form::Entity::find_by_id(link.form_id).one(reader).await? {
        Some(form) => row::view(reader, form).await.map(Some),
        None => Ok(None),
    }
}

/// Makes the application of a request that waits, once; none where the guild does not want it, or where who asks is
/// blocked or the form has accepted enough: such a request stays in Discord's own list.
pub async fn mirror_request(
    domain: &Domain,
    guild_id: GuildId,
    request: &NativeRequest,
) -> Result<Option<application::Model>, Error> {
    let Some(form) = native_form(domain, guild_id).await? else { return Ok(None) };
    let cut = |text: &str, max: usize| text.chars().take(max).collect::<String>();
    let answers = (1..).zip(request.answers.iter().take(ANSWERS_MAX)).map(|(number, (label, answer))| GivenAnswer {
        question_id: format!("native-{number}"),
        label: cut(label, LABEL_MAX),
        answer: cut(answer, ANSWER_MAX),
    });
    let new = NewApplication {
        guild_id: Some(guild_id),
        form_id: Some(form.id),
        user_id: None,
        discord_user_id: Some(request.user_id),
        message_id: None,
        native_request_id: Some(request.id.to_string()),
        answers: answers.collect(),
        policy: form.config.policy,
        // Discord lets nobody ask twice at once.
        terms: Terms { cooldown_seconds: 0, open_max: None },
    };
    match applications::submit(domain, &Actor::System, new).await {
        Err(Error::Refused(refusal)) => {
            tracing::info!(code = refusal.code(), %guild_id, "a join request stays in Discord's own list");
            Ok(None)
        }
        made => made.map(Some),
    }
}
