//! Gaps of a session that its owner wants to count.

use entity::id::PracticeSegmentId;
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, card, oneself};
use crate::{
    discord::{
        Asked, CommandError, Data, Reply,
        component::{Press, custom_id},
    },
    domain::practice::{self, NOTE_MAX},
};

/// [Claim gap]: asks what the reviewer should know.
#[expect(clippy::unused_async, reason = "forms are opened by futures")]
pub(super) async fn form(_: &Data, _: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let id: PracticeSegmentId = press.argument(0)?;
    let most = u16::try_from(NOTE_MAX).unwrap_or(u16::MAX);
    let input = CreateInputText::new(InputTextStyle::Paragraph, "What did you do meanwhile?", "note")
        .placeholder("A reviewer of the server reads it")
        .required(false)
        .max_length(most);
    let form = CreateModal::new(custom_id(AREA, "claimed", &[&id.to_string()]), "Claim a gap");
    Ok(form.components(vec![CreateActionRow::InputText(input)]))
}

/// The form.
pub(super) async fn submitted(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, _) = oneself(asked)?;
    let note = Some(press.input("note").to_owned());
    let claimed = practice::claim_gap(data.app.domain(), &actor, press.argument(0)?, note).await?;
    let what = card::span(claimed.delta_seconds);
    Ok(Reply::text(format!("📨 **{what}** waits for a reviewer of this server, and counts once they accept it.")))
}
