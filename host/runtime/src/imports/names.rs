//! Names of processes.

use std::borrow::Cow;
use std::sync::Arc;

use moonlet_sandbox::wit::{self, Error, Scope};

use super::Calls;
use crate::errors;
use crate::names::NameScope;
use crate::process::NAMED;
use crate::reserve::Small;
use crate::table::Tabled;

fn scope(scope: Scope) -> NameScope {
    match scope {
        Scope::Local => NameScope::Local,
        Scope::Eventual => NameScope::Eventual,
        Scope::Consistent => NameScope::Consistent,
        Scope::Strong => NameScope::Strong,
    }
}

/// Names an act, which is another one for each scope beyond the node.
fn action(name: &'static str, scope: Scope) -> Cow<'static, str> {
    let suffix = match scope {
        Scope::Local => return Cow::Borrowed(name),
        Scope::Eventual => "eventual",
        Scope::Consistent => "consistent",
        Scope::Strong => "strong",
    };
    Cow::Owned(format!("{name}.{suffix}"))
}

impl wit::names::Host for Calls {
    fn register(&mut self, name: String, process: Option<String>, wide: Scope) -> Result<(), Error> {
        self.admitted()?;
        self.process.terms().check_open()?;
        self.guard(action("process.registry.register", wide).as_ref(), &name)?;
        let target = match process {
            None => Arc::clone(&self.process),
            Some(pid) => {
                let target = self.node.find(&pid)?;
                self.check_namespace(&target.terms.program.entry)?;
                self.guard_process("process.registry.foreign", &target, &pid)?;
                target
            }
        };
        let mut names = self.node.names.write();
        // Under the lock: whoever ends the process either sees the tie, or has ended it before.
        if !target.tie(NAMED) {
            return Err(errors::no_process(&target.pid));
        }
        target.reserve(Small::Names, names.of(target.number()).len() + 1)?;
        let most = target.terms.bounds.names;
        names.register_within(&name, target.number(), scope(wide), most).map_err(|error| self.noted(errors::of_name(&error)))
    }

    fn lookup(&mut self, name: String) -> Result<String, Error> {
        self.admitted()?;
        self.guard("process.registry.lookup", &name)?;
        let number = self.node.names.read().lookup(&name).map_err(|error| errors::of_name(&error))?;
        let process = self.node.table.numbered(number).ok_or_else(|| errors::no_process(&name))?;
        self.check_namespace(&process.terms.program.entry)?;
        Ok(process.pid.as_ref().to_owned())
    }

    fn unregister(&mut self, name: String, wide: Scope) -> Result<(), Error> {
        self.admitted()?;
        self.guard(action("process.registry.unregister", wide).as_ref(), &name)?;
        let mut names = self.node.names.write();
        if let Ok(number) = names.lookup(&name)
            && let Some(process) = self.node.table.numbered(number)
        {
            self.check_namespace(&process.terms.program.entry)?;
        }
        names.unregister(&name, scope(wide)).map_err(|error| errors::of_name(&error))?;
        Ok(())
    }
}
