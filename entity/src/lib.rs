//! The rows of Guildhall's store: one table per file, nothing but data.
//!
//! Invariant: nothing here decides anything. Rules live in `guildhall::domain`.

pub mod id;
