//! What error codes mean, for those who follow the `type` of an error.

/// A code of the control plane itself, the status it comes with, and what to do about it.
const CODES: &[(&str, u16, &str)] = &[
    (
        "admin_secret_unset",
        403,
        "With a token, this address opens only beside the secret `ADMIN_SECRET_KEY`, and the operator has set none.",
    ),
    ("bad_text", 422, "A text is too long, empty, or holds characters that it may not. `errors` names it."),
    ("body_incomplete", 400, "The connection ended before the body did. Send the request again."),
    ("body_timeout", 408, "The body took too long to arrive. Send it faster, or in one piece."),
    ("body_too_large", 413, "The body is larger than the server accepts."),
    (
        "contract_wallet_unsupported",
        422,
        "The signature has not 65 bytes, as those of contract wallets. Only wallets with a key of their own can sign in.",
    ),
    (
        "forbidden",
        403,
        "The credential is valid but lacks a scope: `required` names what is needed, `available` what it has.",
    ),
    ("internal", 500, "The server failed. The log has the reason under the `request_id` of the answer."),
    ("invalid_body", 422, "The body is JSON but not what this endpoint takes. `errors` points at the value."),
    ("invalid_json", 400, "The body is not JSON, says a key twice, is not UTF-8, or is nested too deeply."),
    ("invalid_query", 400, "A parameter of the query has a wrong value. `errors` names it."),
    ("method_not_allowed", 405, "The path exists, the method does not. The header `Allow` names those that do."),
    ("not_found", 404, "There is nothing at this path, or an id in it is malformed."),
    (
        "rate_limited",
        429,
        "Too many requests. `violated-policies` names the limits; the next request passes after `Retry-After` seconds.",
    ),
    ("refused", 400, "The request was refused before it reached an endpoint."),
    ("root_key", 409, "The root key cannot be revoked over HTTP: its operator sets another one and restarts."),
    ("store_unavailable", 503, "The database does not answer. Try again after `Retry-After` seconds."),
    (
        "timeout",
        504,
        "The work took too long. A change that was under way is still carried out: read before repeating it.",
    ),
    ("unauthenticated", 401, "No credential, or one that is not valid. Send the key in the header `X-API-Key`."),
    ("unsupported_media_type", 415, "Bodies are uncompressed JSON: `Content-Type: application/json`."),
];

/// Features whose refusals have codes of their own, `feature.reason`.
const FEATURES: &[&str] = &[
    "application",
    "claim",
    "guild",
    "idempotency",
    "key",
    "project",
    "refresh_token",
    "settings",
    "sign_in",
    "siwe",
    "slot",
    "token",
    "user",
    "vanish",
];

/// The page of a code, in Markdown; none if there is no such code.
pub(super) fn text(code: &str) -> Option<String> {
    if let Some((_, status, meaning)) = CODES.iter().find(|(known, ..)| *known == code) {
        return Some(format!("# {code}\n\nStatus {status}. {meaning}\n"));
    }
    let (feature, reason) = code.split_once('.')?;
    let plain = reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (FEATURES.contains(&feature) && plain && (1..=64).contains(&reason.len())).then(|| {
        format!(
            "# {code}\n\nA rule of the feature `{feature}` refused the request. `detail` says which and why; \
             `errors` points at the value, where there is one.\n"
        )
    })
}

/// All codes of the control plane itself, with their statuses.
pub(super) fn codes() -> impl Iterator<Item = (&'static str, u16)> {
    CODES.iter().map(|(code, status, _)| (*code, *status))
}
