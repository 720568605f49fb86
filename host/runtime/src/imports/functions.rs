//! Calling entries.

use moonlet_sandbox::wit::{self, CallRequest, Error};

use super::Calls;
use crate::errors;
use crate::functions::timeout;

impl Calls {
    /// Reads the timeout among the options of a call.
    pub(super) fn timeout(&self, options: &[u8]) -> Result<Option<u64>, Error> {
        let allowed = self.process.terms.bounds.message_size;
        if options.len() > allowed {
            return Err(errors::limit("message_size", allowed as u64, options.len() as u64));
        }
        timeout(options)
    }
}

impl wit::functions::Host for Calls {
    fn call(&mut self, request: CallRequest) -> Result<u64, Error> {
        self.check_namespace(&request.entry)?;
        self.check_size(&request.args)?;
        let terms = self.node.callee(&request.entry, Some(&self.process.terms))?;
        let context = self.context(&request.context)?;
        let timeout = self.timeout(&request.options)?;
        self.node.call(&self.process, terms, request.args, context, timeout)
    }
}
