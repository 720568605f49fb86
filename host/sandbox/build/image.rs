//! From the guest's core module to what a process starts from.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a build that cannot read the guest must stop, and its traits have no errors"
)]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use anyhow::{Result, bail};
use wasmparser::ValType;
use wasmtime::{Engine, Linker, Module, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, Wizer};

/// The guest's initialisation, an export of its world.
const INIT: &str = "prepare";

/// Runs `prepare` and returns the module with the memory it left.
pub(crate) fn prepare(module: &[u8]) -> Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.init_func(INIT).keep_init_func(true);
    let (context, instrumented) = wizer.instrument(module)?;

    let mut config = crate::config::base();
    config.epoch_interruption(false);
    let engine = Engine::new(&config)?;
    let instrumented = Module::new(&engine, instrumented)?;
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    // Imports are linked at run time; to call one from `prepare` is a mistake of the guest.
    linker.define_unknown_imports_as_traps(&instrumented)?;
    let instance = linker.instantiate(&mut store, &instrumented)?;
    for name in ["_initialize", INIT] {
        if let Ok(function) = instance.get_typed_func::<(), ()>(&mut store, name) {
            if let Err(error) = function.call(&mut store, ()) {
                bail!("`{name}` of the guest trapped: {error:?}");
            }
        } else if name == INIT {
            bail!("the guest does not export `{INIT}`");
        }
    }
    let mut state = State { store, instance };
    let mut snapshot = pin!(wizer.snapshot(&context, &mut state));
    match snapshot.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(module) => Ok(module?),
        Poll::Pending => bail!("reading the guest's state waited for something"),
    }
}

struct State {
    store: Store<()>,
    instance: wasmtime::Instance,
}

impl InstanceState for State {
    async fn global_get(&mut self, name: &str, _type_hint: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut self.store, name).expect("wizer exports each global");
        match global.get(&mut self.store) {
            Val::I32(value) => SnapshotVal::I32(value),
            Val::I64(value) => SnapshotVal::I64(value),
            Val::F32(bits) => SnapshotVal::F32(bits),
            Val::F64(bits) => SnapshotVal::F64(bits),
            other => panic!("the guest has a global of an unexpected type: {other:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut self.store, name).expect("wizer exports each memory");
        contents(memory.data(&self.store));
    }
}

/// Wraps the module as a component of the world its custom section describes.
pub(crate) fn componentize(module: &[u8]) -> Result<Vec<u8>> {
    wit_component::ComponentEncoder::default().validate(true).module(module)?.encode()
}

/// Compiles the component to machine code for this kind of processor.
pub(crate) fn compile(component: &[u8]) -> Result<Vec<u8>> {
    let engine = Engine::new(&crate::config::base())?;
    Ok(engine.precompile_component(component)?)
}
