use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::subscriber::with_default;
use tracing::{debug, error, info, info_span, trace, warn};

use super::*;

/// A writer whose content the test reads.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const PLAIN: Look = Look::Human { colour: false };
const HOSTILE: &str = "a\nb\r\x1b[31mc\u{9b}d\u{2028}e\u{202e}f\0g";

fn logged(directives: &str, look: Look, secrets: &[&str], act: impl FnOnce()) -> String {
    let captured = Captured::default();
    let writer = captured.clone();
    let mask = Mask::new(secrets.iter().map(|text| (*text).to_owned()).collect());
    let subscriber = subscriber(directives, look, mask, move || writer.clone()).unwrap();
    with_default(subscriber, act);
    let bytes = captured.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn libraries_that_log_requests_stay_below_the_ceiling_whatever_the_directives_say() {
    for look in [PLAIN, Look::Json] {
        for directives in ["trace", "serenity=trace,reqwest=trace,sqlx=trace,hyper=trace"] {
            let log = logged(directives, look, &[], || {
                let span = tracing::debug_span!(target: "serenity::http::request", "s", token = "leak");
                let _entered = span.enter();
                debug!(target: "serenity", "leak");
                info!(target: "serenity::gateway::shard", "leak");
                trace!(target: "reqwest::connect", "leak");
                info!(target: "sqlx::query", "leak");
                debug!(target: "hyper::proto::h1", "leak");
                info!(target: "hyper_util", "leak");
                debug!(target: "h2::codec", "leak");
                debug!(target: "rustls::client", "leak");
                trace!(target: "tungstenite::protocol", "leak");
                info!(target: "sea_orm::driver", "leak");
                warn!(target: "serenity::http", "shown");
                error!(target: "sqlx", "shown");
            });
            assert!(!log.contains("leak"), "{log}");
            assert_eq!(log.matches("shown").count(), 2, "{log}");
        }
    }
}

#[test]
fn a_package_whose_name_only_starts_alike_is_not_capped() {
    let log = logged("trace", PLAIN, &[], || debug!(target: "serenity_of_ours", "shown"));
    assert!(log.contains("shown"), "{log}");
}

#[test]
fn directives_choose_what_is_logged() {
    let log = logged("info,guildhall::http=debug", PLAIN, &[], || {
        debug!(target: "guildhall::http", "one");
        debug!(target: "guildhall::worker", "two");
        info!(target: "guildhall::worker", "three");
    });
    assert!(log.contains("one") && !log.contains("two") && log.contains("three"), "{log}");
}

#[test]
fn each_event_is_one_line_without_control_characters() {
    for look in [PLAIN, Look::Json] {
        let log = logged("info", look, &[], || {
            let cause = std::io::Error::other(HOSTILE);
            let span = info_span!("request", path = %HOSTILE, name = HOSTILE);
            let _entered = span.enter();
            info!(shown = %HOSTILE, debugged = ?HOSTILE, text = HOSTILE, "said {HOSTILE}");
            info!(message = HOSTILE);
            info!(error = &cause as &(dyn std::error::Error + 'static), "failed");
        });
        assert_eq!(log.lines().count(), 3, "{log}");
        let controls = log.chars().filter(|c| c.is_control() && *c != '\n');
        // JSON leaves C1 controls raw, which only a terminal minds, and JSON is not for one.
        assert_eq!(controls.filter(|c| look != Look::Json || c.is_ascii()).count(), 0, "{log}");
        assert_eq!(log.contains('\u{202e}'), look == Look::Json);
    }
}

#[test]
fn json_lines_are_objects_with_their_spans() {
    let log = logged("info", Look::Json, &[], || {
        let _entered = info_span!("request", id = "r-1").entered();
        info!(status = 200, "answered");
    });
    let line: serde_json::Value = serde_json::from_str(log.trim_end()).unwrap();
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["fields"]["message"], "answered");
    assert_eq!(line["fields"]["status"], 200);
    assert_eq!(line["spans"][0]["id"], "r-1");
}

#[test]
fn human_lines_name_fields_and_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot post")]
    struct Outer(#[source] std::io::Error);
    let log = logged("info", PLAIN, &[], || {
        let failure = Outer(std::io::Error::other("no route"));
        let _entered = info_span!("request", id = "r-1").entered();
        warn!(attempt = 2, error = &failure as &(dyn std::error::Error + 'static), "gave up");
    });
    let expected = "WARN request{id=\"r-1\"}: guildhall::telemetry::tests: \
                    gave up attempt=2 error=cannot post: no route\n";
    assert!(log.ends_with(expected), "{log}");
}

#[test]
fn known_secrets_and_tokens_in_addresses_are_masked() {
    let secret = "s3cr\"et-of-the-house";
    for look in [PLAIN, Look::Json] {
        let log = logged("info", look, &[secret, "short"], || {
            info!(shown = %secret, debugged = ?secret, "said {secret}, short");
            info!("https://discord.com/api/v10/webhooks/123/aW50ZXJ-_.x/messages/@original failed");
            info!("POST /interactions/77/tok/callback and /webhooks/12/ and /webhooks/x/y");
        });
        assert!(!log.contains("-of-the-house"), "{log}");
        assert!(log.contains("short"), "{log}");
        assert!(log.contains("/webhooks/123/***/messages/@original failed"), "{log}");
        assert!(log.contains("/interactions/77/***/callback"), "{log}");
        assert!(log.contains("/webhooks/12/ and /webhooks/x/y"), "{log}");
    }
}
