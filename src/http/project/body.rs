//! What clients send about projects.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::domain::project::{NewProject, ProjectChange};

/// Tells a null, which takes a value away, from a field that is not there.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(source: D) -> Result<Option<T>, D::Error> {
    T::deserialize(source).map(Some)
}

/// A project to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"title": "Guildhall", "description": "A bot for one server", "tags": ["rust", "discord"]}))]
pub(super) struct CreateProject {
    /// What it is called; `name` means the same.
    #[serde(alias = "name")]
    #[schema(min_length = 1, max_length = 255)]
    title: String,
    /// What it is.
    #[schema(min_length = 1, max_length = 10_000)]
    description: String,
    /// Where its source is, over http or https.
    #[schema(format = "uri", max_length = 2048)]
    github_url: Option<String>,
    /// Where it runs, over http or https.
    #[schema(format = "uri", max_length = 2048)]
    deployment_url: Option<String>,
    /// What it is about: texts of 1 to 64 characters without commas.
    #[schema(max_items = 32, default = json!([]))]
    tags: Option<Vec<String>>,
    /// Whether everybody sees it.
    #[schema(default = true)]
    is_public: Option<bool>,
}

impl From<CreateProject> for NewProject {
    fn from(body: CreateProject) -> Self {
        Self {
            title: body.title,
            description: body.description,
            github_url: body.github_url,
            deployment_url: body.deployment_url,
            tags: body.tags.unwrap_or_default(),
            is_public: body.is_public.unwrap_or(true),
        }
    }
}

/// What is to be different of a project; what is not named stays.
#[expect(clippy::option_option, reason = "a null takes a value away, a field that is not there leaves it")]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"title": "Guildhall 2", "deploymentUrl": null}))]
pub(super) struct ChangeProject {
    /// What it is called; `name` means the same.
    #[serde(default, alias = "name", deserialize_with = "given")]
    #[schema(min_length = 1, max_length = 255, nullable = false)]
    title: Option<String>,
    /// What it is.
    #[serde(default, deserialize_with = "given")]
    #[schema(min_length = 1, max_length = 10_000, nullable = false)]
    description: Option<String>,
    /// Where its source is; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = "uri", max_length = 2048)]
    github_url: Option<Option<String>>,
    /// Where it runs; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = "uri", max_length = 2048)]
    deployment_url: Option<Option<String>>,
    /// What it is about, instead of all tags that it has; null takes them away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, max_items = 32)]
    tags: Option<Option<Vec<String>>>,
    /// Whether everybody sees it.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    is_public: Option<bool>,
}

impl From<ChangeProject> for ProjectChange {
    fn from(body: ChangeProject) -> Self {
        Self {
            title: body.title,
            description: body.description,
            github_url: body.github_url,
            deployment_url: body.deployment_url,
            tags: body.tags.map(Option::unwrap_or_default),
            is_public: body.is_public,
        }
    }
}
