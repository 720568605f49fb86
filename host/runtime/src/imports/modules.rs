//! Capabilities of the host that have no interface of their own.

use moonlet_sandbox::wit::{self, Error, Payload};

use super::Calls;
use crate::document;
use crate::errors;
use crate::module::{Answer, ModuleCall};

impl Calls {
    fn granted(&self, name: &str) -> Result<&crate::shared::Module, Error> {
        let terms = &self.process.terms;
        if !terms.modules.contains(name) {
            let name = errors::shown(name);
            return Err(errors::not_found(format!(
                "module `{name}` is not granted: add it to `modules` of `{}`",
                terms.program.entry
            )));
        }
        self.node.modules.get(name).ok_or_else(|| errors::not_found(format!("there is no module `{}`", errors::shown(name))))
    }
}

impl wit::modules::Host for Calls {
    fn describe(&mut self, name: String) -> Result<Vec<u8>, Error> {
        Ok(self.granted(&name)?.manifest.clone())
    }

    fn invoke(&mut self, module: String, function: String, args: Payload) -> Result<wit::Reply, Error> {
        self.check_size(&args)?;
        let host = std::sync::Arc::clone(&self.granted(&module)?.host);
        let values = document::decode_values(&args.data)?;
        let mut call = ModuleCall::new(&self.node, &self.process);
        match host.invoke(&mut call, &function, values)? {
            Answer::Done(values) => Ok(wit::Reply::Done(Payload { data: document::values(&values), channels: Vec::new() })),
            Answer::Pending(ticket) => Ok(wit::Reply::Pending(ticket.number())),
        }
    }
}
