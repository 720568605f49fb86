//! Module `contract`: interfaces, and calling whatever implements them.
//!
//! Here is what the registry knows: definitions, bindings and their methods. `glue.lua` makes the objects of it, and calls the bound
//! functions as `funcs` does, naming the binding; the node then checks `contract.call` instead of `funcs.call`.

use moonlet_registry::{Binding, BoundContract, Contract, ContractMethod, EntryId, Snapshot};
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value, document};

/// The module.
#[derive(Debug)]
pub(crate) struct Contracts;

impl HostModule for Contracts {
    fn name(&self) -> &str {
        "contract"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["get", "open", "implementations", "default", "check"]).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("contract/glue.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let args = Args::new(function, args);
        let registry = call.registry();
        let value = match function {
            "get" => {
                let id = id(args.text(1)?)?;
                call.check("contract.get", id.as_str())?;
                call.check_readable(id.as_str())?;
                definition(&find_contract(&registry, &id)?)
            }
            "implementations" => {
                let id = id(args.text(1)?)?;
                call.check("contract.implementations", id.as_str())?;
                call.check_readable(id.as_str())?;
                find_contract(&registry, &id)?;
                let bindings = implementations(call, &registry, &id).map(|(binding, _)| Value::from(binding.id.as_str()));
                Value::Array(bindings.collect())
            }
            "default" => {
                let id = id(args.text(1)?)?;
                call.check_readable(id.as_str())?;
                Value::from(default_of(call, &registry, &id)?.as_str())
            }
            "open" => {
                let id = id(args.text(1)?)?;
                let contract = args.opt_text(2)?;
                call.check("contract.open", id.as_str())?;
                call.check_readable(id.as_str())?;
                opened(&registry, &id, contract)?
            }
            "check" => {
                call.check(args.text(1)?, args.text(2)?)?;
                Value::Boolean(true)
            }
            _ => return Err(Error::new("NotFound", format!("module `contract` has no function `{function}`")).into()),
        };
        Ok(Answer::Done(vec![value]))
    }
}

fn id(text: &str) -> Result<EntryId, Error> {
    EntryId::parse(text).map_err(|error| Error::new("Invalid", error.to_string()).with_retryable(false))
}

fn not_found(message: String) -> Error {
    Error::new("NotFound", message).with_retryable(false)
}

fn find_contract(registry: &Snapshot, id: &EntryId) -> Result<Contract, Error> {
    let entry = registry.get(id).filter(|entry| entry.kind == "contract.definition");
    let view = entry.and_then(|entry| Contract::new(entry).ok());
    view.ok_or_else(|| not_found(format!("there is no contract `{id}`; write an entry of kind `contract.definition`")))
}

fn find_binding(registry: &Snapshot, id: &EntryId) -> Result<Binding, Error> {
    let entry = registry.get(id).filter(|entry| entry.kind == "contract.binding");
    let view = entry.and_then(|entry| Binding::new(entry).ok());
    view.ok_or_else(|| not_found(format!("there is no binding `{id}`; write an entry of kind `contract.binding`")))
}

/// Lists what implements a contract, by id, as far as the caller may reach it.
fn implementations(
    call: &ModuleCall<'_>,
    registry: &Snapshot,
    contract: &EntryId,
) -> impl Iterator<Item = (Binding, BoundContract)> {
    let within = registry.of_kind("contract.binding").filter(|entry| call.check_readable(entry.id.as_str()).is_ok());
    let bindings = within.filter_map(|entry| Binding::new(entry).ok());
    bindings.filter_map(move |binding| {
        let bound = binding.contracts.iter().find(|bound| bound.contract == *contract)?.clone();
        Some((binding, bound))
    })
}

fn default_of(call: &ModuleCall<'_>, registry: &Snapshot, contract: &EntryId) -> Result<EntryId, Error> {
    find_contract(registry, contract)?;
    let mut defaults = implementations(call, registry, contract).filter(|(_, bound)| bound.default);
    match defaults.find(|(_, bound)| bound.context_required.is_empty()) {
        Some((binding, _)) => Ok(binding.id),
        None => Err(not_found(format!(
            "the contract `{contract}` has no default binding: name one in `open`, or write `default: true` in a binding that needs no context"
        ))),
    }
}

fn definition(contract: &Contract) -> Value {
    let methods = contract.methods.iter().map(method).collect();
    map(vec![("id", Value::from(contract.id.as_str())), ("methods", Value::Array(methods))])
}

fn method(method: &ContractMethod) -> Value {
    let schemas = |schemas: &[serde_json::Value]| Value::Array(schemas.iter().map(document::from_json).collect());
    map(vec![
        ("name", Value::from(method.name.as_str())),
        ("description", Value::from(method.description.as_str())),
        ("input_schemas", schemas(&method.input_schemas)),
        ("output_schemas", schemas(&method.output_schemas)),
    ])
}

/// Describes a binding: the contracts that it implements, the context it needs, and for each method the function and its schemas.
fn opened(registry: &Snapshot, id: &EntryId, only: Option<&str>) -> Result<Value, Error> {
    let binding = find_binding(registry, id)?;
    if let Some(only) = only
        && !binding.contracts.iter().any(|bound| bound.contract.as_str() == only)
    {
        let message = format!("the binding `{id}` does not implement the contract `{only}`");
        return Err(Error::new("Invalid", message).with_retryable(false));
    }
    let mut contracts = Vec::new();
    let mut methods = Vec::new();
    let mut required = Vec::new();
    // Whoever opened it for one contract has the methods of all; those of that contract come last, and so hold.
    let asked = |bound: &&BoundContract| only.is_some_and(|only| bound.contract.as_str() == only);
    let (wanted, others): (Vec<&BoundContract>, Vec<&BoundContract>) = binding.contracts.iter().partition(asked);
    for bound in others.into_iter().chain(wanted) {
        let Ok(contract) = find_contract(registry, &bound.contract) else { continue };
        contracts.push(Value::from(bound.contract.as_str()));
        if only.is_none() || asked(&bound) {
            required.extend(bound.context_required.iter().map(|name| Value::from(name.as_str())));
        }
        for (name, function) in &bound.methods {
            let Some(found) = contract.method(name) else { continue };
            let fields = vec![("function", Value::from(function.as_str())), ("definition", method(found))];
            methods.retain(|(other, _): &(Value, Value)| other.as_str() != Some(name));
            methods.push((Value::from(name.as_str()), map(fields)));
        }
    }
    Ok(map(vec![
        ("id", Value::from(id.as_str())),
        ("contracts", Value::Array(contracts)),
        ("required", Value::Array(required)),
        ("methods", Value::Map(methods)),
    ]))
}

fn map(fields: Vec<(&str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (Value::from(name), value)).collect())
}
