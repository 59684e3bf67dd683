//! How the ids of our buttons, menus and forms are written: `v1|area|verb|argument|…`, at most 100 characters.
//!
//! Workers attach buttons to messages as commands do, so that both write them here.

/// The version of our custom ids; older ones are answered with the advice to run the command again.
pub const CUSTOM_ID_VERSION: &str = "v1";

/// Makes a custom id.
pub fn custom_id(area: &str, verb: &str, arguments: &[&str]) -> String {
    let mut id = format!("{CUSTOM_ID_VERSION}|{area}|{verb}");
    for argument in arguments {
        id.push('|');
        id.push_str(argument);
    }
    debug_assert!(id.len() <= 100, "custom ids have at most 100 characters");
    id
}
