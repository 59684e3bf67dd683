//! The steps that build Guildhall's schema, the same on SQLite and PostgreSQL.
//!
//! Invariants: every step is one transaction; a released step is never edited; `down` undoes `up`.

#![allow(
    clippy::wildcard_imports,
    reason = "the columns of a schema are a vocabulary, and clippy minds it only outside tests"
)]

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261122_000001_create_guild;
mod m20261122_000002_create_event;
mod m20261122_000003_create_instance;
mod m20261122_000004_create_channel_slot;
mod m20261122_000005_create_vanish;
mod m20261126_000006_create_user;
mod m20261126_000007_create_api_key;
mod m20261126_000008_create_idempotency_record;
mod m20261126_000009_create_direct_message;
mod m20261126_000010_complete_user;
mod m20261126_000011_create_session;
mod m20261126_000012_create_project;
mod m20261126_000013_create_guild_role;
mod m20261126_000014_add_direct_message_wish;
mod m20261126_000015_create_vanish_own;
mod m20261126_000016_add_ens_due;
mod m20261126_000020_create_practice;
mod m20261126_000021_create_practice_post;
mod m20261126_000022_create_practice_figures;
mod m20261126_000023_lighten_event;
mod m20261126_000030_create_application;
mod m20261126_000032_create_form;
mod m20261126_000033_create_native_link;

/// All steps, in order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_create_guild::Migration),
            Box::new(m20261122_000002_create_event::Migration),
            Box::new(m20261122_000003_create_instance::Migration),
            Box::new(m20261122_000004_create_channel_slot::Migration),
            Box::new(m20261122_000005_create_vanish::Migration),
            Box::new(m20261126_000006_create_user::Migration),
            Box::new(m20261126_000007_create_api_key::Migration),
            Box::new(m20261126_000008_create_idempotency_record::Migration),
            Box::new(m20261126_000009_create_direct_message::Migration),
            Box::new(m20261126_000010_complete_user::Migration),
            Box::new(m20261126_000011_create_session::Migration),
            Box::new(m20261126_000012_create_project::Migration),
            Box::new(m20261126_000013_create_guild_role::Migration),
            Box::new(m20261126_000014_add_direct_message_wish::Migration),
            Box::new(m20261126_000015_create_vanish_own::Migration),
            Box::new(m20261126_000016_add_ens_due::Migration),
            Box::new(m20261126_000020_create_practice::Migration),
            Box::new(m20261126_000021_create_practice_post::Migration),
            Box::new(m20261126_000022_create_practice_figures::Migration),
            Box::new(m20261126_000023_lighten_event::Migration),
            Box::new(m20261126_000030_create_application::Migration),
            Box::new(m20261126_000032_create_form::Migration),
            Box::new(m20261126_000033_create_native_link::Migration),
        ]
    }
}
