//! Capabilities of the host that have no interface of their own.

use moonlet_sandbox::wit::{self, Error, Payload};

use super::Calls;
use super::guards::POLICIES;
use crate::document;
use crate::errors;
use crate::module::{Answer, Fault, ModuleCall};
use crate::table::Tabled;

/// What answers about processes; every process has it.
const PROCESSES: &str = "process";

impl Calls {
    fn granted(&self, name: &str) -> Result<&crate::shared::Module, Error> {
        let terms = &self.terms;
        if !terms.modules.contains(name) {
            let name = errors::shown(name);
            return Err(errors::not_found(format!(
                "module `{name}` is not granted: add it to `modules` of `{}`",
                terms.program.entry
            )));
        }
        self.node.modules.get(name).ok_or_else(|| {
            errors::unavailable(format!("module `{}` is not supported in this build", errors::shown(name))).with_retryable(false)
        })
    }

    fn check_exchange(&self, body: &Payload) -> Result<(), Error> {
        let (allowed, used) = (self.terms.bounds.exchange, body.data.len());
        if used > allowed { Err(self.process.exceeded("message_size", allowed as u64, used as u64)) } else { Ok(()) }
    }
}

impl wit::modules::Host for Calls {
    fn describe(&mut self, name: String) -> Result<Vec<u8>, Error> {
        self.admitted()?;
        match name.split_once('#') {
            Some((module, part)) => self.granted(module)?.part(&self.node.sandbox, part),
            None => self.granted(&name)?.description(&self.node.sandbox),
        }
    }

    fn invoke(&mut self, module: String, function: String, args: Payload) -> Result<wit::Reply, Error> {
        self.admitted()?;
        self.check_exchange(&args)?;
        if module == POLICIES {
            return self.ask_policies(&args).map(|()| wit::Reply::Done(Payload::empty()));
        }
        if module == PROCESSES {
            let values = document::decode_few(&args.data)?;
            let value = self.node.about_processes(&self.process, &function, &values)?;
            return Ok(wit::Reply::Done(Payload { data: document::values(&[value]), channels: Vec::new() }));
        }
        let host = std::sync::Arc::clone(&self.granted(&module)?.host);
        let weight = document::weight(&args.data);
        let mut call = ModuleCall::new(&self.node, &self.process, &self.terms, &module, weight)?;
        let values = document::decode_values(&args.data)?;
        if function.ends_with(":__gc") {
            if let Some(resource) = values.first() {
                self.node.handles.release(self.process.number(), resource);
            }
            return Ok(wit::Reply::Done(Payload::empty()));
        }
        match host.invoke(&mut call, &function, values) {
            Ok(Answer::Done(values)) => {
                let body = Payload { data: document::values(&values), channels: Vec::new() };
                if let Err(error) = self.check_exchange(&body) {
                    self.node.handles.release_among(self.process.number(), &values);
                    return Err(error);
                }
                Ok(wit::Reply::Done(body))
            }
            Ok(Answer::Pending(ticket)) => Ok(wit::Reply::Pending(ticket.number())),
            Err(Fault::Raised(message)) => Ok(wit::Reply::Raised(errors::bounded_text(message))),
            Err(Fault::Failed(error)) => Err(errors::bounded(error)),
        }
    }
}
