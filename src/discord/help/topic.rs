//! What the command tree says about itself, and who may run which part of it.

use std::sync::LazyLock;

use crate::{
    discord::{Asked, Command, commands},
    domain::actor::permission,
};

/// A command that can be run.
#[derive(Debug)]
pub struct Topic {
    /// Its name with those above it, such as `slot set` below `settings`: `settings slot set`.
    pub name: String,
    /// The topmost name.
    pub category: String,
    /// What it does.
    pub description: String,
    /// An entry of the Apps menu of a message.
    pub is_menu: bool,
    needs: u64,
    only_in_servers: bool,
}

impl Topic {
    /// As people find it.
    pub fn label(&self) -> String {
        if self.is_menu { self.name.clone() } else { format!("/{} – {}", self.name, self.description) }
    }

    /// Whether it is this command, or below it.
    pub fn is_in(&self, name: &str) -> bool {
        let own = self.name.to_lowercase();
        own == name || own.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))
    }
}

/// A category with what it is about.
struct Category {
    name: String,
    about: String,
}

struct Tree {
    topics: Vec<Topic>,
    categories: Vec<Category>,
    names: Vec<String>,
}

/// The tree never changes while the program runs.
static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let mut tree = Tree { topics: Vec::new(), categories: Vec::new(), names: Vec::new() };
    for command in commands() {
        add(&mut tree.topics, &command, "", &command);
        if command.slash_action.is_some() {
            let name = command.name.to_string();
            tree.names.push(name.clone());
            tree.categories.push(Category { name, about: description(&command) });
        }
    }
    tree
});

fn description(command: &Command) -> String {
    command.description.as_deref().unwrap_or_default().to_owned()
}

/// Adds what can be run at or below a command; rights belong to the top.
fn add(topics: &mut Vec<Topic>, command: &Command, above: &str, top: &Command) {
    let needs = top.default_member_permissions.bits();
    let topic = |name: String, is_menu: bool| Topic {
        name,
        category: top.name.to_string(),
        description: description(command),
        is_menu,
        needs,
        only_in_servers: top.guild_only,
    };
    if command.context_menu_action.is_some() {
        let name = command.context_menu_name.as_deref().unwrap_or(&command.name);
        topics.push(topic(name.to_owned(), true));
    }
    if command.slash_action.is_none() {
        return;
    }
    let name = if above.is_empty() { command.name.to_string() } else { format!("{above} {}", command.name) };
    if command.subcommands.is_empty() {
        topics.push(topic(name, false));
        return;
    }
    for below in &command.subcommands {
        add(topics, below, &name, top);
    }
}

/// Every command that can be run.
pub fn all() -> &'static [Topic] {
    &TREE.topics
}

/// The topmost names, in the order of the tree.
pub fn categories() -> &'static [String] {
    &TREE.names
}

/// What a category is about.
pub fn about(name: &str) -> &'static str {
    TREE.categories.iter().find(|category| category.name == name).map_or("", |category| category.about.as_str())
}

/// Who reads, with what they may do where they ask.
pub struct Reader {
    in_server: bool,
    permissions: u64,
}

impl Reader {
    /// Whoever asks.
    pub fn of(asked: &Asked) -> Self {
        let member = asked.member.as_ref();
        Self { in_server: member.is_some(), permissions: member.map_or(0, |member| member.permissions) }
    }

    /// Whether Discord offers a command to them, unless an administrator decided otherwise.
    pub fn may(&self, topic: &Topic) -> bool {
        let needs = topic.needs;
        let has = self.permissions & permission::ADMINISTRATOR != 0 || self.permissions & needs == needs;
        match (self.in_server, topic.only_in_servers) {
            (true, _) => has,
            (false, true) => false,
            (false, false) => needs == 0,
        }
    }

    /// Whether any command of a category is theirs.
    pub fn may_any(&self, category: &str) -> bool {
        all().iter().any(|topic| topic.category == category && self.may(topic))
    }

    /// Whether they may change the server's settings.
    pub fn is_manager(&self) -> bool {
        let bits = permission::ADMINISTRATOR | permission::MANAGE_GUILD;
        self.in_server && self.permissions & bits != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(permissions: u64) -> Reader {
        Reader { in_server: true, permissions }
    }

    fn names(reader: &Reader) -> Vec<&'static str> {
        all().iter().filter(|topic| reader.may(topic)).map(|topic| topic.name.as_str()).collect()
    }

    #[test]
    fn people_see_what_they_may_run() {
        let everybody = names(&reader(0));
        assert!(everybody.contains(&"help") && everybody.contains(&"status"), "{everybody:?}");
        assert!(!everybody.iter().any(|name| name.starts_with("settings")), "{everybody:?}");
        for bits in [permission::MANAGE_GUILD, permission::ADMINISTRATOR] {
            assert!(names(&reader(bits)).contains(&"settings slot set"));
        }
        let in_direct_message = names(&Reader { in_server: false, permissions: 0 });
        assert_eq!(
            in_direct_message,
            [
                "my profile",
                "my vanish",
                "my practice",
                "my applications",
                "my data export",
                "my data erase",
                "help",
                "status"
            ]
        );
    }

    #[test]
    fn a_topic_holds_what_is_below_it() {
        let below = |name: &str| all().iter().filter(|topic| topic.is_in(name)).count();
        assert_eq!(below("settings slot"), 5);
        assert_eq!(below("settings slot set"), 1);
        assert!(below("settings") > below("settings slot"));
        assert_eq!(below("settings slo"), 0);
    }

    #[test]
    fn descriptions_fit_into_discord() {
        for topic in all() {
            assert!((1..=100).contains(&topic.description.chars().count()) || topic.is_menu, "{topic:?}");
        }
    }
}
