//! The module `env`: variables that entries declare.

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};

/// The module `env`.
#[derive(Debug, Default)]
pub struct EnvModule;

impl HostModule for EnvModule {
    fn name(&self) -> &'static str {
        "env"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["get", "set", "get_all"]).build()
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let args = Args::new(function, args);
        match function {
            "get" => {
                let name = allowed(call, "env.get", args.text(1)?)?;
                Answer::one(call.environment().value(&call.registry(), &name)?)
            }
            "set" => {
                let name = allowed(call, "env.set", args.text(1)?)?;
                let value = args.text(2)?.to_owned();
                let (environment, registry) = (call.environment(), call.registry());
                // The value may go to a file.
                call.run_blocking(move || environment.set(&registry, &name, &value).map(|()| vec![true.into()]))
            }
            _ => all(call),
        }
    }
}

/// Checks that the caller may read or write a variable, by whatever name.
fn allowed(call: &ModuleCall<'_>, action: &str, name: &str) -> Result<String, Fault> {
    if name.is_empty() {
        return Err(Error::new("Invalid", "the name of the variable is empty").with_retryable(false).into());
    }
    call.check(action, name)?;
    let variable = call.environment().find(&call.registry(), name)?;
    call.check_namespace(variable.id.as_str())?;
    // A policy that denies a variable means it under its other name, too.
    let id = variable.id.as_str();
    let other = if name == id { variable.variable.as_deref() } else { Some(id) };
    if let Some(other) = other
        && call.authority().denies(action, other)
    {
        call.check(action, other)?;
    }
    Ok(name.to_owned())
}

fn all(call: &ModuleCall<'_>) -> Result<Answer, Fault> {
    let (environment, registry, authority) = (call.environment(), call.registry(), call.authority());
    let mut values = Vec::new();
    for (name, id) in environment.public(&registry) {
        let readable = authority.can("env.get", &name, None) && !authority.denies("env.get", id.as_str());
        if !readable || call.check_namespace(id.as_str()).is_err() {
            continue;
        }
        // What cannot be read is not there; whoever asks for it by name hears why.
        if let Ok(Some(value)) = environment.get(&registry, &name) {
            values.push((name.into(), value.into()));
        }
    }
    Answer::one(Value::Map(values))
}
