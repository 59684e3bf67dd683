//! What projects refuse, in words for people.

use super::{
    DESCRIPTION_CHARACTERS_MAX, PROJECTS_MAX, SEARCH_CHARACTERS_MAX, TAG_CHARACTERS_MAX, TAGS_MAX,
    TITLE_CHARACTERS_MAX, URL_CHARACTERS_MAX,
};
use crate::domain::{Kind, Refusal};

/// Why a project stays as it is, or is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectRefusal {
    /// There is no such project, or not for who asks.
    #[error("Project not found or access denied")]
    NotFound,
    /// Only people have projects.
    #[error("A project belongs to a person, and an API key stands for nobody: send the Bearer token of a person")]
    NobodysProject,
    /// The title is empty or too long.
    #[error("The title must have 1 to {TITLE_CHARACTERS_MAX} characters, and no control characters")]
    BadTitle,
    /// The description is empty or too long.
    #[error("The description must have 1 to {DESCRIPTION_CHARACTERS_MAX} characters")]
    BadDescription,
    /// The address of the source cannot be one.
    #[error("githubUrl must be an address of http or https with at most {URL_CHARACTERS_MAX} characters")]
    BadGithubUrl,
    /// The address of the deployment cannot be one.
    #[error("deploymentUrl must be an address of http or https with at most {URL_CHARACTERS_MAX} characters")]
    BadDeploymentUrl,
    /// A tag that cannot be one, or too many.
    #[error(
        "There can be {TAGS_MAX} tags of 1 to {TAG_CHARACTERS_MAX} characters, without commas and control characters"
    )]
    BadTags,
    /// A text that cannot be searched for.
    #[error("The text to search for can have {SEARCH_CHARACTERS_MAX} characters")]
    BadSearch,
    /// Quota.
    #[error("One person can have {PROJECTS_MAX} projects: delete one first")]
    TooMany,
}

impl Refusal for ProjectRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::NobodysProject => Kind::Forbidden,
            Self::TooMany => Kind::LimitReached,
            _ => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "project.not_found",
            Self::NobodysProject => "project.nobodys",
            Self::BadTitle => "project.bad_title",
            Self::BadDescription => "project.bad_description",
            Self::BadGithubUrl => "project.bad_github_url",
            Self::BadDeploymentUrl => "project.bad_deployment_url",
            Self::BadTags => "project.bad_tags",
            Self::BadSearch => "project.bad_search",
            Self::TooMany => "project.too_many",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::BadTitle => Some("/title"),
            Self::BadDescription => Some("/description"),
            Self::BadGithubUrl => Some("/githubUrl"),
            Self::BadDeploymentUrl => Some("/deploymentUrl"),
            Self::BadTags => Some("/tags"),
            _ => None,
        }
    }
}
