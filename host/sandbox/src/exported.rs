//! Any exported function of any component, called with plain values: functions and processes that know nothing of Moonlet.
//!
//! Arguments and results are mapped by the types that the component declares. A core module gets those types from a text of WIT, see
//! `module`. WASI holds only what the entry grants.

use std::path::PathBuf;

use rmpv::Value;
use wasmtime::component::{Component, ComponentExportIndex, Func, InstancePre, Linker, Val, types};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx};

use crate::component::ProgramState;
use crate::failure::Failure;
use crate::limiter::{InstanceLimits, Limiter};
use crate::wit::{Error, Imports};

mod module;
mod values;

pub(crate) use module::to_component;

/// What WASI gives to an instance; nothing by default.
#[derive(Debug, Clone, Default)]
pub struct WasiGrants {
    /// Command-line arguments.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Directories.
    pub mounts: Vec<Mount>,
    /// Whether the standard streams are those of the node's terminal; otherwise they are empty.
    pub terminal: bool,
}

/// A directory that an instance sees.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Where it is.
    pub host: PathBuf,
    /// Where the instance sees it.
    pub guest: String,
    /// Whether it can only be read.
    pub read_only: bool,
}

/// A compiled component of any world. Cheap to clone.
#[derive(Clone)]
pub struct Compiled(pub(crate) Component);

/// A compiled component and the function of it that runs.
#[derive(Clone)]
pub struct Exported {
    engine: Engine,
    image: InstancePre<ProgramState>,
    function: ComponentExportIndex,
    name: String,
}

impl Exported {
    pub(crate) fn new(
        engine: &Engine,
        linker: &Linker<ProgramState>,
        Compiled(component): &Compiled,
        method: &str,
    ) -> Result<Self, Failure> {
        let refused = |error: wasmtime::Error| Failure::Component(format!("{error:#}"));
        let function = find(engine, component, method)?;
        let image = linker.instantiate_pre(component).map_err(refused)?;
        Ok(Self { engine: engine.clone(), image, function, name: method.to_owned() })
    }

    /// Makes an instance and calls the function: the inner result is its own. Poll inside a tokio runtime: WASI needs one.
    ///
    /// # Errors
    ///
    /// What kept it from starting, or ended it against its will.
    pub async fn run(
        &self,
        imports: Box<dyn Imports>,
        limits: InstanceLimits,
        grants: &WasiGrants,
        args: &[Value],
    ) -> Result<Result<Vec<Value>, Error>, Failure> {
        let wasi = wasi(grants)?;
        let mut store = ProgramState::new(imports, Limiter::new(limits), wasi).store(&self.engine, limits);
        let instance = match self.image.instantiate_async(&mut store).await {
            Ok(instance) => instance,
            Err(error) => return Err(Failure::of_instance(&error, store.data().limits())),
        };
        let Some(function) = instance.get_func(&mut store, self.function) else {
            return Err(Failure::Component(format!("`{}` is no function", self.name)));
        };
        let (params, mut results) = match self.arguments(&store, function, args) {
            Ok(values) => values,
            Err(error) => return Ok(Err(error)),
        };
        let called = function.call_async(&mut store, &params, &mut results).await;
        called.map_err(|error| Failure::of_call(&error, store.data().limits()))?;
        Ok(values::from_results(&results))
    }

    fn arguments(&self, store: &Store<ProgramState>, function: Func, args: &[Value]) -> Result<(Vec<Val>, Vec<Val>), Error> {
        let ty = function.ty(store);
        let wanted = ty.params().len();
        if args.len() != wanted {
            let message = format!("`{}` takes {wanted} arguments, and was given {}", self.name, args.len());
            return Err(Error::new("Invalid", message).with_retryable(false));
        }
        let params = ty.params().zip(args).map(|((name, ty), value)| {
            values::to_val(value, &ty).map_err(|reason| {
                Error::new("Invalid", format!("the argument `{name}` of `{}`: {reason}", self.name)).with_retryable(false)
            })
        });
        let params = params.collect::<Result<Vec<_>, _>>()?;
        Ok((params, vec![Val::Bool(false); ty.results().len()]))
    }
}

fn wasi(grants: &WasiGrants) -> Result<WasiCtx, Failure> {
    let mut builder = WasiCtx::builder();
    builder.args(&grants.args);
    for (name, value) in &grants.env {
        builder.env(name, value);
    }
    for mount in &grants.mounts {
        let permissions = if mount.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        builder
            .preopened_dir(&mount.host, &mount.guest, permissions)
            .map_err(|error| Failure::Component(format!("the directory for `{}` cannot be opened: {error:#}", mount.guest)))?;
    }
    if grants.terminal {
        builder.inherit_stdin().inherit_stdout().inherit_stderr();
    }
    Ok(builder.build())
}

/// Finds an exported function: `name`, or `interface#name`, where the interface may leave out its package and version.
fn find(engine: &Engine, component: &Component, method: &str) -> Result<ComponentExportIndex, Failure> {
    let missing = || {
        let known = exports(engine, component);
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        Failure::Component(format!("it exports no function `{method}`; it exports {known}"))
    };
    let Some((interface, name)) = method.split_once('#') else {
        return match component.get_export(None, method) {
            Some((types::ComponentItem::ComponentFunc(_), index)) => Ok(index),
            _ => Err(missing()),
        };
    };
    let ty = component.component_type();
    let full = ty.exports(engine).map(|(full, _)| full).find(|full| {
        let short = full.split_once('@').map_or(*full, |(path, _)| path);
        *full == interface || short == interface || short.rsplit_once('/').is_some_and(|(_, last)| last == interface)
    });
    let instance = full.and_then(|full| component.get_export_index(None, full));
    let function = instance.and_then(|instance| component.get_export(Some(&instance), name));
    match function {
        Some((types::ComponentItem::ComponentFunc(_), index)) => Ok(index),
        _ => Err(missing()),
    }
}

/// Lists the functions that a component exports, as `method` names them.
fn exports(engine: &Engine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    let mut names = Vec::new();
    for (name, export) in ty.exports(engine) {
        match export.ty {
            types::ComponentItem::ComponentFunc(_) => names.push(format!("`{name}`")),
            types::ComponentItem::ComponentInstance(instance) => {
                names.extend(instance.exports(engine).filter_map(|(function, export)| {
                    matches!(export.ty, types::ComponentItem::ComponentFunc(_)).then(|| format!("`{name}#{function}`"))
                }));
            }
            _ => {}
        }
    }
    names
}
