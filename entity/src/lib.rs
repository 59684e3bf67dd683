//! The rows of Guildhall's store: one table per file, nothing but data.
//!
//! Invariant: nothing here decides anything. Rules live in `guildhall::domain`.

pub mod announcement;
pub mod api_key;
pub mod api_key_caller;
pub mod api_key_claim;
pub mod api_key_usage;
pub mod auth_nonce;
pub mod channel_slot;
pub mod counter;
pub mod direct_message;
pub mod event;
pub mod event_cursor;
pub mod guild;
pub mod guild_departure;
pub mod guild_role;
pub mod id;
pub mod idempotency_record;
pub mod identity;
pub mod instance_value;
pub mod lease;
pub mod oauth_state;
pub mod password_credential;
pub mod practice_activity_day;
pub mod practice_correction;
pub mod practice_day;
pub mod practice_goal;
pub mod practice_post;
pub mod practice_rule;
pub mod practice_season;
pub mod practice_segment;
pub mod practice_session;
pub mod practice_total;
pub mod project;
pub mod project_tag;
pub mod proposal;
pub mod refresh_token;
pub mod session;
pub mod user;
pub mod vanish_default;
pub mod vanish_exemption;
pub mod vanish_message;
pub mod vanish_own;
pub mod vanish_place;
pub mod vanish_rule;
