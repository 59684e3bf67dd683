//! The pages of a claim link: HTML without script, under a policy that allows nothing but its own style.

use std::{fmt::Write as _, sync::LazyLock};

use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest as _, Sha256};

use crate::domain::api_key::{IssuedKey, OrderView, Wanted};

const STYLE: &str = "body{font:17px/1.5 system-ui,sans-serif;max-width:38rem;margin:12vh auto 4rem;padding:0 1.2rem;\
    color:#1c1d22;background:#f6f6f8}h1{font-size:1.4rem}input,button{font:inherit;padding:.5rem .8rem;\
    border-radius:.4rem;border:1px solid #8b8d98}input{width:9rem;letter-spacing:.25em}\
    button{background:#4752c4;color:#fff;border-color:#4752c4;cursor:pointer}\
    .key{display:block;padding:1rem;background:#1c1d22;color:#f6f6f8;border-radius:.4rem;overflow-wrap:anywhere;\
    user-select:all;-webkit-user-select:all;font:1rem/1.5 ui-monospace,monospace}\
    .bad{color:#a8071a}.quiet{color:#5b5d69;font-size:.9rem}\
    @media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#17181c}.quiet{color:#a2a4b0}.bad{color:#ff8f8f}\
    input{background:#24262d;color:#e6e6ea}.key{background:#000}}";

/// The only thing that the browser may use is the style above, known by its digest.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 and words are visible characters")
});

/// The content security policy of all pages.
pub(super) fn policy() -> HeaderValue {
    POLICY.clone()
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title} · Guildhall</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>\n"
    )
}

/// Makes text from people inert.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, one| {
        match one {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(one),
        }
        escaped
    })
}

fn moment(at: DateTime<Utc>) -> String {
    let machine = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!("<time datetime=\"{machine}\">{}</time>", at.format("%-d %B %Y, %H:%M UTC"))
}

/// Asks for the code.
pub(super) fn form(view: &OrderView, problem: Option<&str>) -> String {
    let what = match &view.wanted {
        Wanted::Key(new) => format!("the new API key <b>{}</b>", escape(&new.name)),
        Wanted::Rotation { .. } => "the API key that replaces your old one".to_owned(),
    };
    let problem = problem.map(|text| format!("<p class=\"bad\" role=\"alert\">{}.</p>", escape(text)));
    let body = format!(
        "<p>This link leads to {what}. Enter the code of six digits that Discord showed you with it. The key is made \
         then, and shown once.</p>{}<form method=\"post\"><p><label for=\"code\">Code</label></p>\
         <p><input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" \
         pattern=\"[0-9 ]*\" maxlength=\"9\" required autofocus> <button>Show the key</button></p></form>\
         <p class=\"quiet\">The link ends {}, or after five wrong codes.</p>",
        problem.unwrap_or_default(),
        moment(view.expires_at)
    );
    page("Your API key", &body)
}

/// Shows the key.
pub(super) fn key(issued: &IssuedKey) -> String {
    let mut body = format!(
        "<p>This is <b>{}</b>. It is shown this once: copy it to where it is needed, then close this page.</p>\
         <p><code class=\"key\">{}</code></p><p class=\"quiet\">Programs send it as the header X-API-Key.",
        escape(&issued.row.name),
        escape(issued.secret.expose())
    );
    if let Some(end) = issued.row.expires_at {
        let _ = write!(body, " It works until {}.", moment(end));
    }
    body.push_str(" Lost or seen by somebody else? <code>/apikey revoke</code> in Discord ends it.</p>");
    page("Your API key", &body)
}

/// Says why there is none.
pub(super) fn refusal(text: &str) -> String {
    page("No key here", &format!("<p>{}.</p>", escape(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_people_is_inert() {
        assert_eq!(escape("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
        assert!(!refusal("<script>").contains("<script>"));
    }

    #[test]
    fn the_policy_knows_the_style_and_nothing_else() {
        let policy = policy().to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"));
        assert!(!STYLE.contains(['<', '&']), "browsers take the digest of the text as it stands");
    }
}
