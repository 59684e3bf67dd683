//! Answers of configuration: entity tags, and lists in pages.

use std::{
    convert::Infallible,
    fmt::Write as _,
    hash::{DefaultHasher, Hasher as _},
};

use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{error::Problem, extract::invalid_parameter};
use crate::domain::vanish::PageRequest;

/// Most rows of a page that was asked for.
const LIMIT_MAX: u64 = 100;
/// Rows of a page when only its place was asked for.
const LIMIT_DEFAULT: u64 = 50;
/// Rows of a list that nobody limits; the domain keeps the same ceiling.
const CEILING: u64 = 10_000;

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
/// Room for a usual body.
const BODY_BYTES: usize = 256;
/// Headers of a usual answer, with those that `observe` adds.
const HEADERS: usize = 10;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// May be kept, by the caller alone, and must be asked for again each time.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Where to begin and where to end.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageQuery {
    /// Rows of the page; without it the list comes whole, up to 10 000 rows.
    pub limit: Option<u64>,
    /// Rows to pass over.
    pub offset: Option<u64>,
}

impl PageQuery {
    /// What to ask the domain for.
    pub fn request(self) -> Result<Option<PageRequest>, Problem> {
        if self.limit.is_some_and(|limit| !(1..=LIMIT_MAX).contains(&limit)) {
            return Err(invalid_parameter("limit", "must be from 1 to 100"));
        }
        if self.offset.is_some_and(|offset| i64::try_from(offset).is_err()) {
            return Err(invalid_parameter("offset", "is too large"));
        }
        if self.limit.is_none() && self.offset.is_none() {
            return Ok(None);
        }
        Ok(Some(PageRequest { limit: self.limit.unwrap_or(LIMIT_DEFAULT), offset: self.offset.unwrap_or(0) }))
    }

    /// The header `Link` (RFC 8288) of this page; `filter` is the rest of the query, such as `guildId=123`.
    fn links(self, path: &str, filter: Option<&str>, more: bool) -> Option<HeaderValue> {
        let offset = self.offset.unwrap_or(0);
        let (limit, next) = match (self.limit, self.offset) {
            (None, None) => (LIMIT_MAX, CEILING),
            (limit, _) => {
                let limit = limit.unwrap_or(LIMIT_DEFAULT);
                (limit, offset.saturating_add(limit))
            }
        };
        let filter = filter.map(|filter| format!("{filter}&")).unwrap_or_default();
        let mut text = String::new();
        let mut add = |offset: u64, rel: &str| {
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, r#"{comma}<{path}?{filter}limit={limit}&offset={offset}>; rel="{rel}""#);
        };
        if more {
            add(next, "next");
        }
        if offset > 0 {
            add(offset.saturating_sub(limit), "prev");
        }
        HeaderValue::from_str(&text).ok().filter(|text| !text.is_empty())
    }
}

/// What an answer of configuration needs of its request: the versions that the client has.
pub struct Asked {
    known: Vec<HeaderValue>,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.headers.get_all(header::IF_NONE_MATCH);
        Ok(Self { known: known.iter().cloned().collect() })
    }
}

impl Asked {
    /// JSON that a client may keep under its entity tag; 304 when it already has it.
    pub fn configuration(&self, view: &impl Serialize) -> Response {
        let mut body = Vec::with_capacity(BODY_BYTES);
        match serde_json::to_writer(&mut body, view) {
            Ok(()) => self.tagged(body.into(), JSON),
            Err(_) => Problem::internal().into_response(),
        }
    }

    /// One page of a list, as a bare array; `address` is that of the request, because an alias links to itself.
    pub fn list(&self, view: &impl Serialize, page: PageQuery, address: (&Uri, Option<&str>), more: bool) -> Response {
        let mut response = self.configuration(view);
        if let Some(links) = page.links(address.0.path(), address.1, more) {
            response.headers_mut().insert(header::LINK, links);
        }
        response
    }

    /// A body with its entity tag; 304 when the client already has it.
    pub fn tagged(&self, body: Bytes, media_type: HeaderValue) -> Response {
        let tag = entity_tag(&body);
        if self.knows(&tag) {
            return not_modified(&tag, REVALIDATE);
        }
        let mut response = Response::new(Body::from(body));
        let headers = response.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.insert(header::ETAG, tag);
        headers.insert(header::CACHE_CONTROL, REVALIDATE);
        response
    }

    /// Whether the client has this version, by the weak comparison that If-None-Match asks for:
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2>.
    pub fn knows(&self, tag: &HeaderValue) -> bool {
        self.known
            .iter()
            .filter_map(|known| known.to_str().ok())
            .flat_map(|known| known.split(','))
            .map(|known| known.trim().trim_start_matches("W/"))
            .any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
    }
}

/// 304: the client has this version.
pub fn not_modified(tag: &HeaderValue, cache_control: HeaderValue) -> Response {
    let headers = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, cache_control)];
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

/// A tag of the content; 64 bits tell versions of one document apart.
pub fn entity_tag(body: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    let mut text = *b"\"0123456789abcdef\"";
    for (digit, byte) in text[1..17].chunks_exact_mut(2).zip(hasher.finish().to_be_bytes()) {
        digit[0] = HEXADECIMAL[usize::from(byte >> 4)];
        digit[1] = HEXADECIMAL[usize::from(byte & 15)];
    }
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("\"0\""))
}
