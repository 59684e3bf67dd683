//! People, over a real store.
