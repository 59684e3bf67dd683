//! The rules of signing in, on a store of their own.
