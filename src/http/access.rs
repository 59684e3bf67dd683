//! Who may call what: the table of all operations, read from what they say of themselves in the API's description.
//!
//! An operation says in `x-scope` what it takes:
//!
//! | `x-scope` | who may call |
//! |---|---|
//! | `public` | everybody; a bad credential is as good as none |
//! | `optional` | everybody; a bad credential is refused |
//! | `authenticated` | whoever shows a good key or token |
//! | `key` | whoever shows a good key, also beside a token |
//! | `user` | a signed-in person |
//! | a scope | keys that have it, in some guild at least; people as the domain decides |
//!
//! With `x-guild` it says that it is about one guild at a time, so that a key bound to a guild may call it; the domain
//! looks at the rows. `x-limit` is `documents` or `none` where the caller's own limits do not count.
//!
//! Invariant: what is not in the table is refused.

use std::collections::HashMap;

use axum::http::{HeaderValue, Method};
use utoipa::openapi::{OpenApi, PathItem, path::Operation};

use super::openapi::ALIASES;
use crate::domain::scope;

/// Who may call an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Public,
    Optional,
    Authenticated,
    Key,
    User,
    /// Keys need this scope.
    Scope(&'static str),
}

impl Access {
    /// None where the text is neither a word of the table nor a scope.
    pub(super) fn of(text: &str) -> Option<Self> {
        Some(match text {
            "public" => Self::Public,
            "optional" => Self::Optional,
            "authenticated" => Self::Authenticated,
            "key" => Self::Key,
            "user" => Self::User,
            scope::ADMIN => Self::Scope(scope::ADMIN),
            fine => Self::Scope(scope::CATALOGUE.iter().find(|(name, _)| *name == fine)?.0),
        })
    }
}

/// Which limits count a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// The caller's own.
    Caller,
    /// The address's, for those who read.
    Documents,
    /// None.
    Unlimited,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Entry {
    /// Method and template, as usage counts it.
    pub(super) name: String,
    pub(super) access: Access,
    /// It is about one guild at a time.
    pub(super) is_of_guild: bool,
    pub(super) pace: Pace,
    /// The prefix of its path, where that is another name for a feature, and the feature's own.
    pub(super) alias: Option<(&'static str, &'static str)>,
}

impl Entry {
    fn of(method: &Method, path: &str, operation: &Operation) -> Option<Self> {
        let word = |name: &str| operation.extensions.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let flag = |name: &str| operation.extensions.as_ref().is_some_and(|all| all.get(name) == Some(&true.into()));
        Some(Self {
            name: format!("{method} {path}"),
            access: Access::of(&word("x-scope")?)?,
            is_of_guild: flag("x-guild"),
            pace: match word("x-limit").as_deref() {
                None => Pace::Caller,
                Some("documents") => Pace::Documents,
                Some("none") => Pace::Unlimited,
                Some(_) => return None,
            },
            alias: ALIASES.into_iter().find(|(prefix, _)| path.starts_with(prefix)),
        })
    }

    /// The same path under the feature's own name, so that both names mean one thing.
    pub(super) fn canonical(&self, path: &str) -> String {
        match self.alias.and_then(|(prefix, own)| Some((own, path.strip_prefix(prefix)?))) {
            Some((own, rest)) => format!("{own}{rest}"),
            None => path.to_owned(),
        }
    }
}

/// What the table says of a method at a route.
pub(super) enum Found<'a> {
    Operation(&'a Entry),
    /// The route has other methods, which the header `Allow` is to name.
    OtherMethods(&'a HeaderValue),
    /// The route is not in the table.
    Nothing,
}

struct Row {
    operations: Vec<(Method, Entry)>,
    allow: HeaderValue,
}

/// All operations.
pub(super) struct Table(HashMap<String, Row>);

impl Table {
    /// Reads the description. An operation that does not say who may call it, or says it in words that nobody knows, is
    /// left out and therefore refused.
    pub(super) fn of(api: &OpenApi) -> Self {
        Self(api.paths.paths.iter().map(|(path, item)| (path.clone(), Row::of(path, item))).collect())
    }

    pub(super) fn find(&self, method: &Method, route: &str) -> Found<'_> {
        let Some(row) = self.0.get(route) else { return Found::Nothing };
        // The routes answer HEAD as GET.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        match row.operations.iter().find(|(of, _)| of == method) {
            Some((_, entry)) => Found::Operation(entry),
            None => Found::OtherMethods(&row.allow),
        }
    }
}

impl Row {
    fn of(path: &str, item: &PathItem) -> Self {
        let all = [
            (Method::GET, &item.get),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::PATCH, &item.patch),
            (Method::DELETE, &item.delete),
        ];
        let entry = |(method, operation): (Method, &Option<Operation>)| {
            let entry = Entry::of(&method, path, operation.as_ref()?)?;
            Some((method, entry))
        };
        let operations: Vec<_> = all.into_iter().filter_map(entry).collect();
        let mut names: Vec<_> = operations.iter().map(|(method, _)| method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        let allow = HeaderValue::from_str(&names.join(",")).unwrap_or(HeaderValue::from_static(""));
        Self { operations, allow }
    }
}
