//! The commands as Discord is told: every change of what people see shows in one snapshot, and Discord's limits hold.

use guildhall::discord::command_list;
use serde_json::Value;

/// Discord's limits: <https://discord.com/developers/docs/interactions/application-commands>.
const CHAT_INPUT_MAX: usize = 100;
const MENU_MAX_PER_KIND: usize = 15;
const COMMAND_CHARACTERS_MAX: usize = 8_000;
const OPTIONS_MAX: usize = 25;
const CHOICES_MAX: usize = 25;

/// Commands that tell of the bot itself or of who asks, and those that its administrators also use in direct messages.
const EVERYWHERE: [&str; 4] = ["apikey", "help", "my", "status"];

/// Commands that every member of a server may use.
const FOR_EVERYBODY: [&str; 2] = ["apply", "practice"];

/// Types of commands and of options that hold further options.
const CHAT_INPUT: u64 = 1;
const SUBCOMMAND: u64 = 1;
const SUBCOMMAND_GROUP: u64 = 2;

#[test]
fn every_change_of_the_commands_is_meant() {
    let settings = {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings
    };
    settings.bind(|| insta::assert_json_snapshot!("commands", command_list(false)));
}

#[test]
fn the_commands_keep_discords_limits() {
    let list = command_list(false);
    let commands = list.as_array().expect("a list of commands");
    let of_kind = |kind: u64| commands.iter().filter(move |command| kind_of(command) == kind).count();
    assert!(of_kind(CHAT_INPUT) <= CHAT_INPUT_MAX);
    for menu in [2, 3] {
        assert!(of_kind(menu) <= MENU_MAX_PER_KIND);
    }
    for command in commands {
        let path = command["name"].as_str().expect("every command has a name").to_owned();
        check(command, &path, kind_of(command) == CHAT_INPUT, 0);
        let characters = characters_of(command);
        assert!(characters <= COMMAND_CHARACTERS_MAX, "/{path} has {characters} characters in all");
    }
}

#[test]
fn a_command_that_concerns_a_server_cannot_be_used_outside_one() {
    for command in command_list(false).as_array().expect("a list of commands") {
        let name = command["name"].as_str().unwrap_or_default();
        if EVERYWHERE.contains(&name) {
            continue;
        }
        assert_eq!(command["contexts"], serde_json::json!([0]), "`{name}` must be for servers alone");
        let managed = kind_of(command) != CHAT_INPUT
            || command["default_member_permissions"].is_string()
            || FOR_EVERYBODY.contains(&name);
        assert!(managed, "`{name}` must say which permission shows it");
    }
}

/// A command without a type is typed.
fn kind_of(command: &Value) -> u64 {
    command["type"].as_u64().unwrap_or(CHAT_INPUT)
}

fn options(of: &Value) -> &[Value] {
    of["options"].as_array().map_or(&[], Vec::as_slice)
}

fn check(node: &Value, path: &str, typed: bool, depth: usize) {
    let name = node["name"].as_str().unwrap_or_default();
    let named = (1..=32).contains(&name.chars().count());
    let typable = name.chars().all(|c| c == '-' || c == '_' || c == '\'' || (c.is_alphanumeric() && !c.is_uppercase()));
    assert!(named && (!typed || typable), "`{path}`: {name:?} is no name for Discord");
    let description = node["description"].as_str().unwrap_or_default().chars().count();
    if typed {
        assert!((1..=100).contains(&description), "`{path}`: its description has {description} characters");
    } else {
        assert_eq!(description, 0, "`{path}`: a menu has no description");
    }
    let below = options(node);
    assert!(below.len() <= OPTIONS_MAX, "`{path}` has {} options", below.len());
    assert!(node["choices"].as_array().is_none_or(|all| all.len() <= CHOICES_MAX), "`{path}` has too many choices");
    let distinct: std::collections::BTreeSet<_> = below.iter().map(|option| option["name"].to_string()).collect();
    assert_eq!(distinct.len(), below.len(), "`{path}` has two options of one name");
    let holds_commands = |option: &Value| matches!(option["type"].as_u64(), Some(SUBCOMMAND | SUBCOMMAND_GROUP));
    assert!(
        below.iter().all(holds_commands) || !below.iter().any(holds_commands),
        "`{path}` mixes options and commands"
    );
    let optional_first = below.windows(2).any(|pair| pair[0]["required"] != true && pair[1]["required"] == true);
    assert!(!optional_first, "`{path}` asks for a needed option after one that is not");
    assert!(depth <= 3, "`{path}` is nested too deeply");
    for option in below {
        let name = option["name"].as_str().unwrap_or_default();
        check(option, &format!("{path} {name}"), true, depth + 1);
    }
}

/// What Discord counts: names, descriptions and values of choices, the longest translation of each.
fn characters_of(node: &Value) -> usize {
    let longest = |key: &str| {
        let own = node[key].as_str().map_or(0, |text| text.chars().count());
        let translations = node[format!("{key}_localizations")].as_object().into_iter().flatten();
        translations.filter_map(|(_, text)| Some(text.as_str()?.chars().count())).fold(own, usize::max)
    };
    let value = match &node["value"] {
        Value::String(text) => text.chars().count(),
        Value::Number(number) => number.to_string().len(),
        _ => 0,
    };
    let inside = ["options", "choices"].into_iter().flat_map(|key| node[key].as_array().into_iter().flatten());
    longest("name") + longest("description") + value + inside.map(characters_of).sum::<usize>()
}
