//! Messages of the bot's own that offer a form.

use sea_orm::entity::prelude::*;

use crate::id::{ChannelId, FormId, MessageId};

/// One message with a button.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "form_panel")]
pub struct Model {
    /// The message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: MessageId,
    /// Where it stands.
    pub channel_id: ChannelId,
    /// The form.
    pub form_id: FormId,
    /// When it was posted.
    pub created_at: DateTimeUtc,
    /// The form.
    #[sea_orm(belongs_to, from = "form_id", to = "id")]
    pub form: BelongsTo<super::form::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
