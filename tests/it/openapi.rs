//! The committed description of the HTTP API is the one that is served.

use std::{env, fs, path::Path};

use serde_json::Value;

/// Set to 1, the file is rewritten instead of compared.
const UPDATE: &str = "UPDATE_OPENAPI";

#[test]
fn the_committed_document_is_the_served_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let served = format!("{:#}\n", guildhall::http::openapi::document());
    if env::var_os(UPDATE).is_some_and(|value| value == "1") {
        fs::write(&path, &served).expect("docs/openapi.json can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == served,
        "docs/openapi.json is out of date. If the change is meant: {UPDATE}=1 cargo test --workspace --test it openapi"
    );
}

#[test]
fn the_document_is_openapi_3_1_and_says_who_may_call_what() {
    let document = guildhall::http::openapi::document();
    let version = document["openapi"].as_str().expect("a version");
    assert!(version.starts_with("3.1."), "{version}");
    assert!(document["components"]["securitySchemes"].is_object());
    let operations = document["paths"].as_object().expect("paths").iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("operations of a path");
        item.iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    let mut ids = std::collections::BTreeSet::new();
    for (name, operation) in operations {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no operationId"));
        assert!(ids.insert(id.to_owned()), "{name}: the operationId {id} is used twice");
        assert!(operation["security"].is_array(), "{name} does not say which credentials it takes");
        assert!(operation["summary"].is_string(), "{name} does not say what it does");
        let open = operation["security"] == Value::Array(Vec::new());
        // Whoever signs in has no credential yet, and may still fail to show who they are.
        let signs_in = operation["tags"][0] == "sign-in";
        let may_be_refused = operation["responses"].get("401").is_some();
        assert!(open != may_be_refused || open && signs_in, "{name}: 401 and the credentials do not fit");
    }
    assert!(ids.len() >= 10, "only {} operations", ids.len());
}
