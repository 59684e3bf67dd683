//! `/forms policy`: who may apply, and how applications are decided.

use crate::{
    discord::{CommandError, Context},
    domain::application::Policy,
};

/// Who may apply with a form, and how its applications are decided
#[poise::command(slash_command)]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn policy(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// A policy in words.
pub(super) fn words(_policy: &Policy) -> String {
    "stub".to_owned()
}
