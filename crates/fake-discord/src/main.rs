//! A stand-in for Discord to try the bot against, with a small shell to act as a person.

#![expect(
    clippy::disallowed_methods,
    reason = "the stand-in is no part of the product: it keeps its own time, and tests of it wait for sockets"
)]

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use clap::Parser;
use fake_discord::{
    APPLICATION_ID, CLIENT_SECRET, ChannelKind, Consent, FakeDiscord, FakeMessage, GUILD_MEMBERS, Interaction,
    MESSAGE_CONTENT, TOKEN,
};
use serde_json::{Map, Value, json};

/// A local stand-in for Discord with one small guild.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The port to listen on (127.0.0.1 only).
    #[arg(long, default_value_t = 8190)]
    port: u16,
    /// Switches Message Content Intent on in the developer portal.
    #[arg(long)]
    message_content: bool,
    /// Switches Server Members Intent on in the developer portal.
    #[arg(long)]
    members: bool,
    /// Registers a redirect URI for signing in; may be given several times.
    #[arg(long)]
    redirect_uri: Vec<String>,
}

const HELP: &str = "\
/vanish set after:1h channel:#ledger     use a command as the owner in #general; channels are written
                                         #ledger, people and roles @ann, two words in \"quotes\"
complete /vanish set after:1             suggestions for the last option
menu Keep message                        use a message menu on the last message
press Apply                              press a button of the last reply
choose CUSTOM_ID VALUE ...               choose in a menu of the last reply
fill FIELD:text FIELD:\"more text\"        fill in and send the form that was opened
say TEXT                                 write in #general
messages                                 what is in #general
dm / general                             where commands are used from now on
letters                                  what the bot wrote in direct messages
letter Revoke…                           press a button of the newest direct message that has it
dms closed / dms open                    close and open the owner's direct messages
consent allow / consent deny / consent none
                                         what the owner answers when asked to sign in
commands                                 what the bot registered
advance MINUTES                          move the stand-in's clock
problems                                 breaches of Discord's rules and schema so far
help, quit";

struct Shell {
    fake: FakeDiscord,
    guild: u64,
    channel: u64,
    /// Where commands are used: the channel, or the direct messages.
    place: u64,
    owner: u64,
    /// Ids by `#channel` and `@person or role`.
    names: Arc<HashMap<String, u64>>,
    last: Option<Interaction>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let fake = FakeDiscord::builder().port(arguments.port).start().await?;
    let wanted = [(arguments.message_content, MESSAGE_CONTENT), (arguments.members, GUILD_MEMBERS)];
    fake.declare_intents(wanted.iter().filter(|(is_on, _)| *is_on).map(|(_, intent)| intent).sum());
    let uris: Vec<&str> = arguments.redirect_uri.iter().map(String::as_str).collect();
    fake.set_redirect_uris(&uris);
    let mut shell = seeded(fake);
    line(&format!(
        "Discord's stand-in listens. Point the bot at it:\n\n  DISCORD_TOKEN={TOKEN} \\\n  GUILDHALL_DISCORD__API_PROXY={} cargo run\n\nIts client id is {APPLICATION_ID}, its client secret {CLIENT_SECRET}. The guild is {}, #general is {}, you are {}. Type help.",
        shell.fake.base_url(),
        shell.guild,
        shell.channel,
        shell.owner
    ));
    // What the client would not let a person do is a panic in tests; here its message is enough.
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("something went wrong");
        line(text);
    }));
    // Reading blocks, so it is done away from the server's own threads.
    while let Some(text) = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await? {
        let text = text?;
        if matches!(text.trim(), "quit" | "exit") {
            break;
        }
        shell = run(shell, text).await;
    }
    Ok(())
}

fn line(text: &str) {
    // Nobody reads any more when this fails.
    drop(writeln!(std::io::stdout(), "{text}"));
}

fn seeded(fake: FakeDiscord) -> Shell {
    let guild = fake.add_guild("Guildhall Test");
    let owner = fake.owner(guild);
    let mut names = HashMap::new();
    for (name, kind) in [
        ("general", ChannelKind::Text),
        ("applications", ChannelKind::Text),
        ("ledger", ChannelKind::Text),
        ("practice room", ChannelKind::Voice),
        ("ideas", ChannelKind::Forum),
    ] {
        names.insert(format!("#{name}"), fake.add_channel(guild, name, kind));
    }
    let channel = names["#general"];
    names.insert("@Reviewer".to_owned(), fake.add_role(guild, "Reviewer", 0));
    for name in ["ann", "bo", "cy"] {
        let user = fake.add_member(guild, name);
        names.insert(format!("@{name}"), user);
        let from = Utc::now() - TimeDelta::hours(2);
        fake.seed(channel, user, 5, from, TimeDelta::minutes(5));
    }
    fake.set_application_owner(owner);
    fake.set_consent(Consent::Allow(owner));
    Shell { fake, guild, channel, place: channel, owner, names: Arc::new(names), last: None }
}

/// Runs one line; a refusal leaves the shell as it was.
async fn run(shell: Shell, text: String) -> Shell {
    let kept = Shell { fake: shell.fake.clone(), names: shell.names.clone(), last: shell.last.clone(), ..shell };
    let task = tokio::spawn(async move {
        let mut shell = shell;
        shell.line(text.trim()).await;
        shell
    });
    task.await.unwrap_or(kept)
}

impl Shell {
    async fn line(&mut self, text: &str) {
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        match verb {
            "" => {}
            _ if text.starts_with('/') => {
                let (path, options) = self.options(&text[1..]);
                let used = self.fake.command(self.owner, self.place, &path, options);
                self.show(used).await;
            }
            "dm" => self.place = self.fake.dm(self.owner),
            "general" => self.place = self.channel,
            "letters" => {
                for message in self.fake.messages(self.fake.dm(self.owner)) {
                    show_message(&message, Duration::ZERO);
                }
            }
            "letter" => {
                let letters = self.fake.messages(self.fake.dm(self.owner));
                let with_button = |one: &&FakeMessage| one.buttons().iter().any(|button| button.label == rest);
                let Some(letter) = letters.iter().rev().find(with_button) else {
                    return line("no direct message has that button");
                };
                let used = self.fake.press_label(self.owner, letter, rest);
                self.show(used).await;
            }
            "consent" => self.fake.set_consent(match rest {
                "allow" => Consent::Allow(self.owner),
                "deny" => Consent::Deny,
                _ => Consent::SignedOut,
            }),
            "dms" => self.fake.set_dms_open(self.owner, rest == "open"),
            "complete" => self.complete(rest.trim_start_matches('/')).await,
            "menu" => {
                let Some(message) = self.fake.messages(self.channel).pop() else {
                    return line("there is no message");
                };
                let used = self.fake.message_menu(self.owner, self.channel, rest, message.id);
                self.show(used).await;
            }
            "press" | "choose" | "fill" => self.answer(verb, rest).await,
            "say" => match self.fake.try_send(self.channel, self.owner, rest) {
                Ok(id) => line(&id.to_string()),
                Err(rule) => line(&format!("the rule {rule:?} of AutoMod blocks this")),
            },
            "messages" => {
                for message in self.fake.messages(self.channel) {
                    line(&format!("{} {}: {}", message.id, message.author_id, message.text()));
                }
            }
            "commands" => self.list(),
            "advance" => match rest.parse() {
                Ok(minutes) => self.fake.advance(TimeDelta::minutes(minutes)),
                Err(_) => line("advance takes a number of minutes"),
            },
            "problems" => {
                let mut found = self.fake.validate();
                found.extend(self.fake.violations());
                found.extend(self.fake.unknown_routes());
                line(&if found.is_empty() { "none".to_owned() } else { found.join("\n") });
            }
            _ => line(HELP),
        }
    }

    async fn answer(&mut self, verb: &str, rest: &str) {
        let Some(last) = &self.last else {
            return line("there is no reply yet");
        };
        let used = match verb {
            "press" => self.fake.press_label(self.owner, last, rest),
            "choose" => {
                let mut words = rest.split_whitespace();
                let menu = words.next().unwrap_or_default();
                let values: Vec<&str> = words.collect();
                self.fake.select(self.owner, last, menu, &values)
            }
            _ => {
                let values: Map<String, Value> =
                    pairs(rest).1.into_iter().map(|(key, text)| (key, json!(text))).collect();
                self.fake.submit_modal(self.owner, last, Value::Object(values))
            }
        };
        self.show(used).await;
    }

    async fn complete(&self, text: &str) {
        let (path, options) = self.options(text);
        let last = pairs(text).1.pop();
        let focused = last.map(|(key, _)| key).unwrap_or_default();
        let (owner, channel) = (self.owner, self.place);
        for choice in self.fake.autocomplete(owner, channel, &path, options, &focused).await {
            line(&format!("{} = {}", choice.name, choice.value));
        }
    }

    fn list(&self) {
        for guild in [None, Some(self.guild)] {
            for command in self.fake.registered_commands(guild) {
                line(&format!("{} {}", command["name"], command["description"]));
            }
        }
    }

    /// The command's path and its options, each as the type the command wants.
    fn options(&self, text: &str) -> (String, Value) {
        let (path, given) = pairs(text);
        let mut options = Map::new();
        for (key, value) in given {
            let option = self.option(&path, &key);
            let mut choices = option["choices"].as_array().into_iter().flatten();
            let named = |choice: &&Value| {
                choice["name"].as_str().is_some_and(|name| name.to_lowercase().starts_with(&value.to_lowercase()))
            };
            let parsed = match choices.find(named) {
                Some(choice) => choice["value"].clone(),
                None => match option["type"].as_u64() {
                    Some(4 | 5 | 10) => serde_json::from_str(&value).unwrap_or_else(|_| json!(value)),
                    Some(6..=9) => json!(self.names.get(&value).map_or(value, u64::to_string)),
                    _ => json!(value),
                },
            };
            options.insert(key, parsed);
        }
        (path, Value::Object(options))
    }

    /// What the bot registered about an option; null for one that it did not.
    fn option(&self, path: &str, option: &str) -> Value {
        let mut words = path.split_whitespace();
        let name = words.next().unwrap_or_default();
        let mut all = self.fake.registered_commands(None);
        all.extend(self.fake.registered_commands(Some(self.guild)));
        let Some(mut part) = all.into_iter().find(|one| one["name"] == name) else {
            return Value::Null;
        };
        for word in words.chain([option]) {
            let mut next = part["options"].as_array().into_iter().flatten();
            let Some(next) = next.find(|one| one["name"] == word).cloned() else {
                return Value::Null;
            };
            part = next;
        }
        part
    }

    async fn show(&mut self, used: Interaction) {
        let callback = used.first_callback().await;
        if callback.kind == 9 {
            line(&format!("a form opens: {:#}", callback.data));
        } else {
            let message = used.reply_within(Duration::from_mins(1)).await;
            show_message(&message, callback.after);
            for more in used.followups() {
                show_message(&more, callback.after);
            }
        }
        self.last = Some(used);
    }
}

fn show_message(message: &FakeMessage, after: Duration) {
    let mark = if message.is_ephemeral() { " (only you see this)" } else { "" };
    line(&format!("--- after {after:?}{mark}\n{}", message.text()));
    for button in message.buttons() {
        line(&format!("[{}]{}", button.label, if button.disabled { " (grey)" } else { "" }));
    }
    for menu in message.selects() {
        line(&format!("menu {menu}"));
    }
}

/// Splits `vanish set after:1h note:"two words"` into the leading words and the pairs.
fn pairs(text: &str) -> (String, Vec<(String, String)>) {
    let mut words: Vec<String> = vec![String::new()];
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().map_or((), |word| word.push(letter)),
        }
    }
    let mut path = Vec::new();
    let mut found = Vec::new();
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        match word.split_once(':') {
            Some((key, value)) => found.push((key.to_owned(), value.to_owned())),
            None => path.push(word),
        }
    }
    (path.join(" "), found)
}
