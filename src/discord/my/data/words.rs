//! What people read before and after an erasure.

use serde_json::Value;

use crate::{discord::text, domain::user::holdings::Part};

/// The button.
pub const VERB: &str = "Forget…";

/// The question.
pub fn title(part: Option<Part>) -> &'static str {
    match part {
        None => "Shall I forget you?",
        Some(Part::Profile) => "Shall I forget your profile?",
        Some(Part::Accounts) => "Shall I forget your other accounts?",
        Some(Part::Keys) => "Shall I forget your API keys?",
        Some(Part::Sessions) => "Shall I sign you out everywhere?",
        Some(Part::Projects) => "Shall I forget your projects?",
        Some(Part::Messages) => "Shall I forget what I wrote to you?",
        Some(Part::Vanish) => "Shall I forget your vanishing messages?",
        Some(Part::Practice) => "Shall I forget what you have practised?",
        Some(Part::Applications) => "Shall I forget your applications?",
    }
}

/// What goes.
pub fn goes(part: Option<Part>) -> &'static str {
    match part {
        None => "Your keys and sign-ins end, and your settings, accounts, projects, practice and applications go.",
        Some(Part::Profile) => {
            "Your time zone, your language, your privacy and what you want to be written go back to the defaults."
        }
        Some(Part::Accounts) => {
            "Every account but this one in Discord is nobody's again: whoever signs in with one is somebody new."
        }
        Some(Part::Keys) => "Your keys end at once, and their names, networks and origins go.",
        Some(Part::Sessions) => "You are signed out on every device, and I forget which ones there were.",
        Some(Part::Projects) => "Your projects go, also those that are public.",
        Some(Part::Messages) => "I forget what I wrote to you, and what I still wanted to write.",
        Some(Part::Vanish) => {
            "The times that you chose for your own messages go, and exemptions for you end, so that the rules of channels \
             reach your messages again."
        }
        Some(Part::Practice) => {
            "Your sessions, your hours and your goals go, in every server, and a timer that runs ends uncounted."
        }
        Some(Part::Applications) => {
            "What you wrote in applications goes, with what others noted about them, and open ones are taken back. Your \
             reasons for votes go."
        }
    }
}

/// What stays.
pub fn stays(part: Option<Part>) -> &'static str {
    match part {
        None => {
            "The log of what was done, and counts, under a bare number that leads to nobody. Messages in channels are \
             Discord's: delete them there."
        }
        Some(Part::Profile) => "Everything else, such as your accounts.",
        Some(Part::Accounts) => "This account in Discord, what leads to it, and the log of what was done.",
        Some(Part::Keys) => "Counts of their use, which name nobody, and the log of what was done.",
        Some(Part::Sessions | Part::Projects | Part::Practice) => "Everything else, and the log of what was done.",
        Some(Part::Applications) => {
            "That there were applications, how they were decided, and how you voted, under a bare number that leads to \
             nobody."
        }
        Some(Part::Messages) => {
            "The messages themselves are Discord's: delete them there. A message with a key stays noted until I have \
             taken it back."
        }
        Some(Part::Vanish) => {
            "The rules of the channels, and the log of what was done. Messages that have got their moment already still \
             vanish then."
        }
    }
}

/// What was done.
pub fn done(part: Option<Part>) -> &'static str {
    match part {
        None => "✅ You are forgotten",
        Some(Part::Profile) => "✅ Your profile is forgotten",
        Some(Part::Accounts) => "✅ Your other accounts are forgotten",
        Some(Part::Keys) => "✅ Your API keys are forgotten",
        Some(Part::Sessions) => "✅ You are signed out everywhere",
        Some(Part::Projects) => "✅ Your projects are forgotten",
        Some(Part::Messages) => "✅ What I wrote to you is forgotten",
        Some(Part::Vanish) => "✅ Your vanishing messages are forgotten",
        Some(Part::Practice) => "✅ What you have practised is forgotten",
        Some(Part::Applications) => "✅ Your applications are forgotten",
    }
}

/// How many rows of each kind there are, in words; kinds without any are left out.
pub fn held(tables: &Value, part: Option<Part>) -> Vec<String> {
    let all = tables.as_object().into_iter().flatten();
    let asked = all.filter(|(table, _)| part.is_none_or(|part| part.holds(table)));
    let counted = asked.map(|(table, rows)| (name(table), rows.as_array().map_or(0, Vec::len)));
    counted.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name}: **{count}**")).collect()
}

fn name(table: &str) -> String {
    match table {
        "user_account" => "your profile",
        "identity" => "your accounts",
        "api_key" => "API keys",
        "api_key_caller" => "networks that your keys were used from",
        "api_key_claim" => "links to new keys",
        "session" => "signed-in devices",
        "project" => "projects",
        "direct_message" => "direct messages from me",
        "proposal" => "changes that wait for you",
        "vanish_exemption" => "vanish exemptions for you",
        "vanish_own" => "times for your own messages",
        "practice_session" => "practice sessions",
        "practice_day" => "days with practice",
        "practice_correction" => "corrections of practice",
        "practice_goal" => "practice goals",
        "application" => "applications",
        "application_vote" => "votes on applications",
        "application_note" => "notes about applications",
        "application_block" => "servers where you may not apply",
        "event" => "entries of the log",
        other => return text::escape(&other.replace('_', " "), 40),
    }
    .to_owned()
}
