//! Checking the journal against Discord's published description.
//!
//! Two relaxations apply to requests, both found needed against real clients: where the
//! description wants an integer, digits in a string pass (it says so itself of bit sets), and
//! where it wants an id as a string, an integer passes (libraries number attachments so). One applies
//! to responses: the codes of a form's single errors are words, as Discord sends them, where the
//! description has numbers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Registry, ValidationError, Validator};
use serde_json::{Value, json};

use crate::FakeDiscord;
use crate::journal::Exchange;

/// Made by `schema/refresh.sh`.
const DESCRIPTION: &str = include_str!("../schema/discord.json");

/// Keys that serenity or discord.js send although Discord's description does not have them there.
const HARMLESS: [&str; 13] = [
    "enforce_nonce",
    "nonce",
    "tts",
    "autocomplete",
    "channel_types",
    "choices",
    "max_length",
    "max_value",
    "min_length",
    "min_value",
    "nsfw",
    "options",
    "required",
];

const REQUESTS: &str = "urn:discord:requests";
const RESPONSES: &str = "urn:discord:responses";

/// How many breaches are listed.
const MAX_LISTED: usize = 50;

struct Schemas {
    /// The place of each route among the definitions.
    routes: BTreeMap<String, (usize, Value)>,
    defs: Value,
    registry: Registry<'static>,
    built: Mutex<BTreeMap<String, Arc<Validator>>>,
}

fn schemas() -> &'static Schemas {
    static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let description: Value = serde_json::from_str(DESCRIPTION).expect("the file is part of this crate and valid");
        let mut defs = description["$defs"].clone();
        let mut routes = BTreeMap::new();
        let all = description["routes"].as_object().into_iter().flatten();
        for (index, (route, parts)) in all.enumerate() {
            defs[format!("{index}-request")] = parts["request"].clone();
            for (status, schema) in parts["responses"].as_object().into_iter().flatten() {
                defs[format!("{index}-{status}")] = schema.clone();
            }
            routes.insert(route.clone(), (index, parts.clone()));
        }
        if let Some(map) = defs.as_object_mut() {
            map.retain(|_, schema| schema.is_object());
        }
        defs["InnerErrors"]["properties"]["_errors"]["items"] = json!({
            "type": "object", "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        });
        let plain = defs.clone();
        let mut relaxed = defs.clone();
        relax(&mut relaxed);
        let registry = Registry::new()
            .add(REQUESTS, json!({"$defs": relaxed}))
            .and_then(|registry| registry.add(RESPONSES, json!({"$defs": defs})))
            .and_then(jsonschema::RegistryBuilder::prepare)
            .expect("the definitions refer only to each other");
        Schemas { routes, defs: plain, registry, built: Mutex::default() }
    })
}

/// Lets integers pass as digits, and ids as integers.
fn relax(schema: &mut Value) {
    if schema["$ref"] == "#/$defs/SnowflakeType" {
        *schema = json!({"anyOf": [schema.clone(), {"type": "integer", "minimum": 0}]});
        return;
    }
    let number = matches!(schema["type"].as_str(), Some("integer" | "number"));
    if number {
        *schema = json!({"anyOf": [schema.clone(), {"type": "string", "pattern": "^-?[0-9]+$"}]});
        return;
    }
    match schema {
        Value::Object(map) => map.values_mut().for_each(relax),
        Value::Array(list) => list.iter_mut().for_each(relax),
        _ => {}
    }
}

impl Schemas {
    /// The validator of one definition, built when first needed.
    fn validator(&self, document: &str, name: &str) -> Arc<Validator> {
        let reference = format!("{document}#/$defs/{name}");
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = built.get(&reference) {
            return Arc::clone(found);
        }
        let validator =
            jsonschema::options().with_registry(&self.registry).build(&json!({"$ref": reference})).map(Arc::new);
        let validator = validator.expect("each definition is valid JSON Schema");
        built.insert(reference, Arc::clone(&validator));
        validator
    }

    /// Keys of a request that the description does not know. Discord ignores them, so that a
    /// misspelt one is lost without a word.
    fn strange_keys(&self, schema: &Value, body: &Value, path: &str) -> Vec<String> {
        let Some(named) = self.resolve(schema, body) else {
            return Vec::new();
        };
        if let Some(list) = body.as_array() {
            let each = list.iter().enumerate();
            return each
                .flat_map(|(at, one)| self.strange_keys(&named["items"], one, &format!("{path}/{at}")))
                .collect();
        }
        let (Some(known), Some(given)) = (named["properties"].as_object(), body.as_object()) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (key, value) in given {
            let path = format!("{path}/{key}");
            match known.get(key) {
                Some(schema) if value.is_object() || value.is_array() => {
                    found.extend(self.strange_keys(schema, value, &path));
                }
                Some(_) => {}
                None if HARMLESS.contains(&key.as_str()) => {}
                None => found.push(format!("{path} is not known to Discord")),
            }
        }
        found
    }

    /// Follows references, and of alternatives takes the only one that accepts the body's kind
    /// and `type`; None when that leaves none or several.
    fn resolve<'a>(&'a self, schema: &'a Value, body: &Value) -> Option<&'a Value> {
        if let Some(name) = schema["$ref"].as_str() {
            return self.resolve(&self.defs[name.strip_prefix("#/$defs/")?], body);
        }
        if let Some(branches) = schema["anyOf"].as_array() {
            let mut found: Vec<&Value> = branches.iter().filter_map(|one| self.resolve(one, body)).collect();
            found.dedup();
            return (found.len() == 1).then(|| found[0]);
        }
        let kind = schema["type"].as_str()?;
        let tag = &schema["properties"]["type"];
        let own = &body["type"];
        let tagged = tag.is_null()
            || own.is_null()
            || tag["const"] == *own
            || tag["enum"].as_array().is_some_and(|all| all.contains(own));
        let fits = (kind == "object" && body.is_object() && tagged) || (kind == "array" && body.is_array());
        fits.then_some(schema)
    }

    fn check(&self, exchange: &Exchange) -> Vec<String> {
        let key = format!("{} {}", exchange.method, exchange.route);
        let Some((index, parts)) = self.routes.get(&key) else {
            return Vec::new();
        };
        let strange = self.strange_keys(&parts["request"], &exchange.request, "");
        let strange = strange.into_iter();
        let mut found: Vec<String> = strange.map(|one| format!("{key} request: {one}")).collect();
        let mut run = |what: &str, document: &str, name: String, value: &Value| {
            let validator = self.validator(document, &name);
            for error in validator.iter_errors(value) {
                found.push(format!("{key} {what}: {}", describe(&error)));
            }
        };
        if !exchange.request.is_null() && parts["request"].is_object() {
            run("request", REQUESTS, format!("{index}-request"), &exchange.request);
        }
        let exact = exchange.status.to_string();
        let family = format!("{}XX", exchange.status / 100);
        let status = if parts["responses"].get(&exact).is_some() { exact } else { family };
        match parts["responses"].get(&status) {
            // Discord's documents say that a 429 need not have the code its schema asks for.
            _ if exchange.injected || exchange.status == 429 => {}
            Some(schema) if schema.is_object() => {
                let what = format!("response {status}");
                run(&what, RESPONSES, format!("{index}-{status}"), &exchange.response);
            }
            Some(_) => {}
            None => found.push(format!("{key}: status {} is not described", exchange.status)),
        }
        found
    }
}

/// What is wrong where; of alternatives, the one that was most likely meant.
fn describe(error: &ValidationError<'_>) -> String {
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        let wrong_kind = |one: &ValidationError<'_>| {
            let at = one.instance_path().to_string();
            at.ends_with("/type") || at == error.instance_path().to_string()
        };
        let meant = context
            .iter()
            .filter(|branch| !branch.is_empty() && !branch.iter().any(wrong_kind))
            .min_by_key(|branch| branch.len())
            .or_else(|| {
                context.iter().max_by_key(|branch| branch.first().map(|one| one.instance_path().to_string().len()))
            });
        if let Some(branch) = meant {
            return branch.iter().map(describe).collect::<Vec<_>>().join("; ");
        }
    }
    let text: String = error.to_string().chars().take(400).collect();
    format!("at {:?}: {text}", error.instance_path().to_string())
}

/// The end of a test.
impl FakeDiscord {
    /// Checks every exchange in the journal against Discord's published schema, and lists the
    /// breaches (at most fifty).
    pub fn validate(&self) -> Vec<String> {
        let schemas = schemas();
        let journal = self.journal();
        let mut found: Vec<String> = Vec::new();
        for breach in journal.iter().flat_map(|one| schemas.check(one)) {
            if found.len() < MAX_LISTED && !found.contains(&breach) {
                found.push(breach);
            }
        }
        found
    }

    /// Panics when anything was not as real Discord would have it: schema breaches, violations of
    /// its rules, routes the stand-in does not serve.
    pub fn assert_clean(&self) {
        let mut found = self.validate();
        let more = self.violations().into_iter();
        found.extend(more.map(|one| format!("violation: {one}")));
        let more = self.unknown_routes().into_iter();
        found.extend(more.map(|one| format!("unknown route: {one}")));
        assert!(found.is_empty(), "not clean:\n{}", found.join("\n"));
    }
}
