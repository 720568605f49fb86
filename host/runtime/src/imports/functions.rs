//! Calling entries.

use moonlet_sandbox::wit::{self, CallRequest, Error};

use super::Calls;
use crate::functions::timeout;

impl wit::functions::Host for Calls {
    fn call(&mut self, request: CallRequest) -> Result<u64, Error> {
        self.check_namespace(&request.entry)?;
        self.check_size(&request.args)?;
        let terms = self.node.callee(&request.entry, Some(&self.process.terms))?;
        let context = self.context(&request.context)?;
        let timeout = timeout(&request.options)?;
        self.node.call(&self.process, terms, request.args, context, timeout)
    }
}
