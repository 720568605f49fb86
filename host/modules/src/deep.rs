//! A deep native stack for what follows the shape of a tenant's text: how deep that is, the text decides.

use std::thread;

use moonlet_runtime::Error;

use crate::fail::internal;

/// Bytes of such a stack; only what is used takes memory. Evaluating one level of an expression takes about 15 KiB.
const STACK: usize = 16 << 20;

/// Does work on a thread with a deep stack, and waits for it. Workers have two megabytes, the fibers of components a fraction of one,
/// and whoever runs over the end of a stack ends the node.
///
/// # Errors
///
/// `Internal` when there is no such thread.
pub(crate) fn run<R: Send>(work: impl FnOnce() -> R + Send) -> Result<R, Error> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("moonlet-deep".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| internal(format!("no thread to compute on: {}", error.kind())))?;
        thread.join().map_err(|_| internal("the computation broke off"))
    })
}
