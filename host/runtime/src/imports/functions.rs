//! Calling entries.

use moonlet_registry::{Binding, EntryId};
use moonlet_sandbox::wit::{self, CallRequest, Error};

use super::Calls;
use super::guards::Family;
use crate::errors;
use crate::functions::CallTerms;

impl Calls {
    /// Checks that a binding of the registry says that a method of it is this entry, so that nobody calls under the name of a contract
    /// what none is.
    fn check_binding(&self, binding: &str, method: &str, entry: &str) -> Result<(), Error> {
        let snapshot = self.node.registry.snapshot();
        let id = EntryId::parse(binding).ok();
        let view = id.and_then(|id| snapshot.get(&id).and_then(|entry| Binding::new(entry).ok()));
        let mut methods = view.iter().flat_map(|view| &view.contracts).flat_map(|bound| &bound.methods);
        if methods.any(|(name, function)| name == method && function.as_str() == entry) {
            return Ok(());
        }
        let (binding, method) = (errors::shown(binding), errors::shown(method));
        Err(errors::not_found(format!("`{binding}` has no method `{method}` that is `{}`: open it again", errors::shown(entry))))
    }
}

impl Calls {
    /// Reads the options of a call.
    pub(super) fn call_terms(&self, options: &[u8]) -> Result<CallTerms, Error> {
        let allowed = self.terms.bounds.message_size;
        if options.len() > allowed {
            return Err(self.process.exceeded("message_size", allowed as u64, options.len() as u64));
        }
        CallTerms::read(options)
    }
}

impl wit::functions::Host for Calls {
    fn call(&mut self, request: CallRequest) -> Result<u64, Error> {
        self.admitted()?;
        self.check_namespace(&request.entry)?;
        self.check_size(&request.args)?;
        let options = self.call_terms(&request.options)?;
        let family = match &options.contract {
            Some((binding, method)) => {
                self.check_binding(binding, method, &request.entry)?;
                self.guard("contract.call", method)?;
                Family::Contract
            }
            None => {
                self.guard("funcs.call", &request.entry)?;
                Family::Funcs
            }
        };
        let terms = self.node.callee(&request.entry, Some(&self.process.terms))?;
        let (context, authority) = self.given(family, &request.context, &request.options)?;
        self.node.call(&self.process, terms, request.args, context, authority, options)
    }
}
