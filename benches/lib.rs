//! Shared by the drivers.
