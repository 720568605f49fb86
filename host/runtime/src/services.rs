//! Services, wired to the decisions of `supervision`.

/// The services of a node.
#[derive(Debug, Default)]
pub(crate) struct Services;
