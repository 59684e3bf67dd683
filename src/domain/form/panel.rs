//! Messages of the bot's own that offer a form.

use entity::{
    form, form_panel,
    id::{ChannelId, FormId, GuildId, MessageId},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::{FormRefusal, row};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author},
    store::WriteTransaction,
};

/// Most panels of a form.
pub const PANELS_MAX: u64 = 10;

/// Where a form is offered, the newest first.
pub async fn panels(
    domain: &Domain,
    actor: &Actor,
    (guild_id, id): (GuildId, FormId),
) -> Result<Vec<form_panel::Model>, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let rows = form_panel::Entity::find()
        .filter(form_panel::COLUMN.form_id.eq(id))
        .order_by_desc(form_panel::Column::CreatedAt)
        .limit(PANELS_MAX)
        .all(domain.store.reader())
        .await?;
    Ok(rows)
}

struct Panel {
    author: Author,
    guild_id: GuildId,
    row: form_panel::Model,
}

/// Remembers a message that offers a form.
pub async fn note_panel(
    domain: &Domain,
    actor: &Actor,
    (guild_id, form_id): (GuildId, FormId),
    (channel_id, message_id): (ChannelId, MessageId),
) -> Result<(), Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let author = Author::new(domain, actor);
    let row = form_panel::Model { message_id, channel_id, form_id, created_at: author.at() };
    domain.store.write(Panel { author, guild_id, row }, |txn, input| Box::pin(note_in(txn, input))).await
}

async fn note_in(txn: &WriteTransaction, input: &Panel) -> Result<(), Error> {
    let Panel { author, guild_id, row } = input;
    let form = form::Entity::find_by_id(row.form_id)
        .filter(form::COLUMN.guild_id.eq(*guild_id))
        .lock_exclusive()
        .one(txn.connection())
        .await?;
    form.ok_or(FormRefusal::NoForm)?;
    let own = form_panel::Entity::find().filter(form_panel::COLUMN.form_id.eq(row.form_id));
    if own.count(txn.connection()).await? >= PANELS_MAX {
        return Err(FormRefusal::TooManyPanels.into());
    }
    form_panel::Entity::insert(row.clone().into_active_model())
        .on_conflict_do_nothing()
        .exec_without_returning(txn.connection())
        .await?;
    let after = json!({ "channel_id": row.channel_id, "message_id": row.message_id });
    let subject = row::subject(*guild_id, row.form_id);
    txn.append_event(author.event("form.panel_posted", *guild_id, subject, (Value::Null, after))).await?;
    Ok(())
}

/// Forgets messages that are gone; those of other guilds stay.
pub async fn forget_panel(
    domain: &Domain,
    actor: &Actor,
    (guild_id, form_id): (GuildId, FormId),
    message_id: MessageId,
) -> Result<(), Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    domain
        .store
        .write((form_id, message_id), |txn, (form_id, message_id)| {
            Box::pin(async move {
                form_panel::Entity::delete_by_id(*message_id)
                    .filter(form_panel::COLUMN.form_id.eq(*form_id))
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await
}
