//! Sending a draft: it becomes an application, or new answers of one.

use entity::id::FormId;

use super::Applicant;
use crate::domain::{Domain, Error};

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The number of the application.
    pub number: i64,
    /// Whether it is a new one.
    pub is_new: bool,
}

/// Sends.
#[expect(clippy::unused_async, reason = "stub")]
pub async fn send(_: &Domain, _: &Applicant, _: FormId) -> Result<Sent, Error> {
    Ok(Sent { number: 0, is_new: true })
}
