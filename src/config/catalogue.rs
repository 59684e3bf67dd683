//! The keys that exist, the variables that set them, and the nearest of them to a wrong name.

use toml_edit::{Document, TableLike};

/// Names the settings file.
pub(super) const CONFIG_VARIABLE: &str = "GUILDHALL_CONFIG";

/// Every variable with this prefix is ours, so that a misspelt one can be refused.
const PREFIX: &str = "GUILDHALL_";

/// Variables with a name of their own, which existing deployments use, and the key that each sets.
pub(super) const FIXED: [(&str, &str); 4] = [
    ("DATABASE_URL", "database.url"),
    ("PORT", "http.port"),
    ("ALLOWED_ORIGINS", "http.allowed_origins"),
    ("RUST_LOG", "log.level"),
];

/// Secrets, none of which has a key.
pub(super) const SECRETS: [&str; 6] =
    ["API_KEY", "JWT_SECRET", "JWT_SECRET_PREVIOUS", "ADMIN_SECRET_KEY", "DISCORD_TOKEN", "DISCORD_CLIENT_SECRET"];

/// Examples for keys whose default is empty, which would teach nothing.
const EXAMPLES: [(&str, &str); 11] = [
    ("http.public_url", "https://guildhall.example.org"),
    ("http.allowed_origins", "https://app.example.org"),
    ("http.trusted_proxies", "10.0.0.0/8"),
    ("discord.api_proxy", "http://127.0.0.1:3000"),
    ("discord.bot_admins", "80351110224678912"),
    ("discord.client_id", "80351110224678912"),
    ("discord.oauth_url", "http://127.0.0.1:3000"),
    ("sign_in.chains", "1"),
    ("ens.rpc_url", "http://127.0.0.1:8545"),
    ("metrics.listen", "127.0.0.1:9464"),
    ("compat.guild_id", "80351110224678912"),
];

/// Such as `API_KEY=$(openssl rand -hex 32)`.
pub(super) fn secret_example(name: &str) -> String {
    match name {
        "DISCORD_TOKEN" => format!("{name}=abc.def.ghi"),
        "DISCORD_CLIENT_SECRET" => format!("{name}=abcdefghijklmnopqrstuvwxyz012345"),
        _ => format!("{name}=$(openssl rand -hex 32)"),
    }
}

/// One key of `config.toml`.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) section: String,
    pub(super) name: String,
    pub(super) default: toml::Value,
}

impl Key {
    /// Such as `http.port`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// Such as `GUILDHALL_HTTP__PORT`.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}__{}", self.section, self.name).to_uppercase()
    }

    /// Such as `port = 3003`.
    pub(super) fn file_example(&self) -> String {
        let value = match (self.text_example(), &self.default) {
            (Some(text), toml::Value::Array(_)) => format!("[\"{text}\"]"),
            (Some(text), _) => format!("\"{text}\""),
            (None, value) => value.to_string(),
        };
        format!("{} = {value}", self.name)
    }

    /// Such as `PORT=3003`, for the variable that was used.
    pub(super) fn variable_example(&self, variable: &str) -> String {
        let value = match (self.text_example(), &self.default) {
            (Some(text), _) => text.to_owned(),
            (None, toml::Value::String(text)) => text.clone(),
            (None, value) => value.to_string(),
        };
        format!("{variable}={value}")
    }

    fn text_example(&self) -> Option<&'static str> {
        let path = self.path();
        EXAMPLES.iter().find(|(key, _)| *key == path).map(|(_, text)| *text)
    }
}

/// Every key, in the order of `config.toml`.
pub(super) fn keys() -> Vec<Key> {
    let document = Document::parse(super::DEFAULTS).expect("a test parses the compiled-in file");
    let mut keys = Vec::new();
    for (section, item) in document.iter() {
        let table = item.as_table().map(|table| table as &dyn TableLike);
        for (name, item) in table.into_iter().flat_map(TableLike::iter) {
            let value = item.as_value().and_then(plain);
            keys.push(Key {
                section: section.to_owned(),
                name: name.to_owned(),
                default: value.expect("a test checks the kind of every default"),
            });
        }
    }
    keys
}

/// A value of a kind that settings have: text, whole number, true or false, list of texts.
pub(super) fn plain(value: &toml_edit::Value) -> Option<toml::Value> {
    match value {
        toml_edit::Value::String(text) => Some(toml::Value::String(text.value().clone())),
        toml_edit::Value::Integer(number) => Some(toml::Value::Integer(*number.value())),
        toml_edit::Value::Boolean(flag) => Some(toml::Value::Boolean(*flag.value())),
        toml_edit::Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(|text| toml::Value::String(text.to_owned())))
            .collect::<Option<Vec<_>>>()
            .map(toml::Value::Array),
        _ => None,
    }
}

/// Whether a variable is read by this program.
pub(super) fn is_ours(name: &str) -> bool {
    let plain = name.strip_suffix("_FILE").unwrap_or(name);
    name.starts_with(PREFIX) || FIXED.iter().any(|(fixed, _)| *fixed == plain) || SECRETS.contains(&plain)
}

/// Whether a variable has the prefix and yet sets nothing.
pub(super) fn is_unknown(name: &str, keys: &[Key]) -> bool {
    name.starts_with(PREFIX) && name != CONFIG_VARIABLE && !keys.iter().any(|key| key.variable() == name)
}

/// The variable that was probably meant by an unknown one.
pub(super) fn nearest_variable(name: &str, keys: &[Key]) -> Option<String> {
    // GUILDHALL_API_KEY is no misspelling but a wrong guess: the fixed names have no prefix.
    let bare = name.strip_prefix(PREFIX).unwrap_or(name);
    let bare = bare.rsplit("__").next().unwrap_or(bare);
    if is_ours(bare) {
        return Some(bare.to_owned());
    }
    let candidates = keys.iter().map(Key::variable);
    nearest(name, candidates.chain([CONFIG_VARIABLE.to_owned()]))
}

/// The key that was probably meant by `section.name`, which does not exist.
pub(super) fn nearest_key(path: &str, keys: &[Key]) -> Option<String> {
    let name = path.rsplit('.').next().unwrap_or(path);
    if let Some(key) = keys.iter().find(|key| key.name == name) {
        return Some(key.path());
    }
    // The variables' spelling, in the file: `API_KEY`, `port`, `api_key`.
    let upper = name.to_uppercase();
    if SECRETS.contains(&upper.as_str()) {
        return Some(format!("the environment variable {upper}"));
    }
    nearest(path, keys.iter().map(Key::path))
}

/// The section that was probably meant.
pub(super) fn nearest_section(name: &str, keys: &[Key]) -> Option<String> {
    nearest(name, keys.iter().map(|key| key.section.clone())).map(|found| format!("[{found}]"))
}

/// The closest candidate within a third of the name's length.
pub(super) fn nearest(name: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, &candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
