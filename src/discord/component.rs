//! Buttons, select menus and modals. Their state is in the custom id and in the store, so that they work after a
//! restart.

use serenity::all::{ComponentInteraction, ComponentInteractionDataKind, ModalInteraction};

use super::{
    Asked, CommandError, Data, apikey, applications, apply, forms, help, menu, my, practice, practice_admin, settings,
    vanish,
};
use crate::discord_api::CUSTOM_ID_VERSION;
pub use crate::discord_api::custom_id;

/// A press, as features see it.
pub struct Press<'a> {
    /// What the button does.
    pub verb: &'a str,
    /// What it is about.
    pub arguments: Vec<&'a str>,
    /// The values chosen in a select menu.
    pub values: Vec<String>,
    /// The texts entered in a modal, by custom id of the input.
    pub inputs: Vec<(String, String)>,
}

impl Press<'_> {
    /// An argument that can be read as this type.
    pub fn argument<T: std::str::FromStr>(&self, index: usize) -> Result<T, CommandError> {
        self.arguments.get(index).and_then(|text| text.parse().ok()).ok_or_else(outdated)
    }

    /// The text entered under this name.
    pub fn input(&self, name: &str) -> &str {
        self.inputs.iter().find(|(id, _)| id == name).map_or("", |(_, text)| text.as_str())
    }
}

/// What a button of an older version is answered with.
pub fn outdated() -> CommandError {
    CommandError::Input {
        problem: "This button is from an older version of me. Please run the command again".to_owned(),
        example: "/help",
    }
}

fn split(id: &str) -> Option<(&str, &str, Vec<&str>)> {
    let mut parts = id.split('|');
    (parts.next()? == CUSTOM_ID_VERSION).then_some(())?;
    Some((parts.next()?, parts.next()?, parts.collect()))
}

/// A button or select menu.
pub async fn pressed(data: &Data, interaction: &ComponentInteraction) -> Result<(), CommandError> {
    let asked = Asked::component(data, interaction);
    let values = match &interaction.data.kind {
        ComponentInteractionDataKind::StringSelect { values } => values.clone(),
        ComponentInteractionDataKind::ChannelSelect { values } => values.iter().map(ToString::to_string).collect(),
        ComponentInteractionDataKind::RoleSelect { values } => values.iter().map(ToString::to_string).collect(),
        ComponentInteractionDataKind::UserSelect { values } => values.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    route(data, &asked, &interaction.data.custom_id, values, Vec::new()).await
}

/// A modal that was sent.
pub async fn submitted(data: &Data, interaction: &ModalInteraction) -> Result<(), CommandError> {
    let asked = Asked::modal(data, interaction);
    let mut inputs = Vec::new();
    for row in &interaction.data.components {
        for component in &row.components {
            if let serenity::all::ActionRowComponent::InputText(input) = component {
                inputs.push((input.custom_id.clone(), input.value.clone().unwrap_or_default()));
            }
        }
    }
    route(data, &asked, &interaction.data.custom_id, Vec::new(), inputs).await
}

async fn route(
    data: &Data,
    asked: &Asked,
    id: &str,
    values: Vec<String>,
    inputs: Vec<(String, String)>,
) -> Result<(), CommandError> {
    let Some((area, verb, arguments)) = split(id) else {
        return asked.answer_beside(async { Err(outdated()) }).await;
    };
    let press = Press { verb, arguments, values, inputs };
    match area {
        "apply" => Box::pin(apply::pressed(data, asked, &press)).await,
        "forms" => Box::pin(forms::pressed(data, asked, &press)).await,
        "vanish" => vanish::pressed(data, asked, &press).await,
        "menu" => menu::chosen(data, asked, &press).await,
        "my" => my::pressed(data, asked, &press).await,
        "practice" => Box::pin(practice::pressed(data, asked, &press)).await,
        "practice-admin" => Box::pin(practice_admin::pressed(data, asked, &press)).await,
        "application" => Box::pin(applications::pressed(data, asked, &press)).await,
        "settings" => settings::pressed(data, asked, &press).await,
        "slot" => settings::slot_pressed(data, asked, &press).await,
        // On the heap: it holds many calls.
        "apikey" => Box::pin(apikey::pressed(data, asked, &press)).await,
        "help" => help::pressed(data, asked, &press).await,
        _ => asked.answer_beside(async { Err(outdated()) }).await,
    }
}
