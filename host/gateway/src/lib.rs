//! Serves `http.*` entries.
