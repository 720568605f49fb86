//! moonlet-modules
