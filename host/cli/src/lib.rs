//! moonlet-cli
