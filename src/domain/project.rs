//! What people show of their work: made, changed and taken away by their owners, seen by whom they let.
//!
//! Invariants: a private project is not there for anybody but its owner and administrators; a change touches only what
//! it names; a project's tags say of themselves whether it is public, so that they are counted without it.

mod check;
mod read;
mod refusal;
mod write;

use entity::{
    id::{ProjectId, UserId},
    project, user,
};

use super::{Actor, Right, vanish::PageRequest};

pub use read::{popular_tags, project, projects};
pub use refusal::ProjectRefusal;
pub use write::{change, create, delete};

/// Most projects of one person.
pub const PROJECTS_MAX: u64 = 1_000;
/// Longest title, in characters.
pub const TITLE_CHARACTERS_MAX: usize = 255;
/// Longest description, in characters.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 10_000;
/// Longest address, in characters.
pub const URL_CHARACTERS_MAX: usize = 2_048;
/// Most tags of a project.
pub const TAGS_MAX: usize = 32;
/// Longest tag, in characters.
pub const TAG_CHARACTERS_MAX: usize = 64;
/// Longest text to search for, in characters.
pub const SEARCH_CHARACTERS_MAX: usize = 200;
/// Most tags that are called popular.
pub const POPULAR_TAGS_MAX: u64 = 20;

/// A project to be made.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// What it is called.
    pub title: String,
    /// What it is.
    pub description: String,
    /// Where its source is.
    pub github_url: Option<String>,
    /// Where it runs.
    pub deployment_url: Option<String>,
    /// What it is about.
    pub tags: Vec<String>,
    /// Whether everybody sees it.
    pub is_public: bool,
}

/// What is to be different of a project; what is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// What it is called.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Where its source is.
    pub github_url: Option<Option<String>>,
    /// Where it runs.
    pub deployment_url: Option<Option<String>>,
    /// What it is about, instead of all tags that it has.
    pub tags: Option<Vec<String>>,
    /// Whether everybody sees it.
    pub is_public: Option<bool>,
}

/// Which of the projects that somebody may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Those that everybody sees.
    #[default]
    Public,
    /// Those that not everybody sees.
    Private,
    /// Both.
    All,
}

/// Which projects to list.
#[derive(Clone, Debug)]
pub struct ProjectFilter {
    /// Those whose title or description has this text.
    pub search: Option<String>,
    /// Those that have all of these tags.
    pub tags: Vec<String>,
    /// Those of this person.
    pub user_id: Option<UserId>,
    /// Those that everybody sees, or not.
    pub shown: Shown,
    /// Which part of the list.
    pub page: PageRequest,
}

/// A project as it is shown.
#[derive(Clone, Debug)]
pub struct ProjectView {
    /// Its row.
    pub row: project::Model,
    /// Its tags, in the order of its owner.
    pub tags: Vec<String>,
}

/// A project with its owner.
#[derive(Clone, Debug)]
pub struct OwnedProject {
    /// The project.
    pub project: ProjectView,
    /// Whose it is.
    pub owner: user::Model,
}

/// A list of projects.
#[derive(Clone, Debug)]
pub struct Projects {
    /// They, newest first.
    pub rows: Vec<OwnedProject>,
    /// There are more behind them.
    pub more: bool,
}

/// Who looks at projects, or changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Viewer {
    /// Sees and changes all.
    Administrator,
    /// Sees and changes their own, and sees what is public.
    Person(UserId),
    /// Sees what is public.
    Stranger,
}

impl Viewer {
    fn of(actor: Option<&Actor>) -> Self {
        match actor {
            Some(actor) if actor.may(Right::ManageProjects, None) => Self::Administrator,
            Some(Actor::User(user)) => Self::Person(user.id),
            // A key stands for nobody, also where it has an owner.
            _ => Self::Stranger,
        }
    }

    /// Whether what this person has is theirs, or theirs to look after.
    fn has(self, owner: UserId) -> bool {
        match self {
            Self::Administrator => true,
            Self::Person(id) => id == owner,
            Self::Stranger => false,
        }
    }

    fn sees(self, row: &project::Model) -> bool {
        row.is_public || self.has(row.user_id)
    }
}

/// What events call a project.
fn subject(id: ProjectId) -> String {
    format!("project/{id}")
}

#[cfg(test)]
mod tests;
