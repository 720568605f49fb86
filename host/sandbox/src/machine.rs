//! One Lua process: an instance of the guest's image.

use wasmtime::component::InstancePre;
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::bindings::machine::{Machine as Exports, MachinePre};
use crate::failure::Failure;
use crate::limiter::{InstanceLimits, Limiter, MemoryUse};
use crate::sandbox::SLICE_TICKS;
use crate::wit::{Event, Imports, Program, Status};

/// What the host keeps for one instance of world `machine`.
pub(crate) struct MachineState {
    pub(crate) imports: Box<dyn Imports>,
    /// Whether `imports` hears of every call.
    pub(crate) counts_calls: bool,
    limiter: Limiter,
}

crate::limiter::limited!(MachineState);

/// An instance of the Lua guest.
///
/// It runs on the native stack of the calling thread. When a slice is over, [`Imports::slice_over`] is called in the middle of
/// the step and decides how it goes on; to preempt a process is to keep its thread there.
pub struct Machine {
    store: Store<MachineState>,
    exports: Exports,
}

impl Machine {
    pub(crate) fn new(
        engine: &Engine,
        image: &MachinePre<MachineState>,
        imports: Box<dyn Imports>,
        limits: InstanceLimits,
    ) -> Result<Self, Failure> {
        let counts_calls = imports.counts_calls();
        let mut store = Store::new(engine, MachineState { imports, counts_calls, limiter: Limiter::new(limits) });
        store.set_hostcall_fuel(limits.of_call());
        store.limiter(|state| state);
        store.epoch_deadline_callback(|mut context| {
            if context.data_mut().imports.slice_over() {
                Ok(UpdateDeadline::Continue(SLICE_TICKS))
            } else {
                Err(wasmtime::format_err!("the process was ended in the middle of a step"))
            }
        });
        store.set_epoch_deadline(SLICE_TICKS);
        let exports = image.instantiate(&mut store).map_err(|error| Failure::of_instance(&error, &store.data().limiter))?;
        Ok(Self { store, exports })
    }

    /// Makes the instance a process and runs its first step.
    ///
    /// # Errors
    ///
    /// What ended it against its will; afterwards only dropping it makes sense.
    pub fn start(&mut self, program: &Program) -> Result<Status, Failure> {
        self.store.set_epoch_deadline(SLICE_TICKS);
        let result = self.exports.call_start(&mut self.store, program);
        result.map_err(|error| Failure::of_call(&error, &self.store.data().limiter))
    }

    /// Delivers events and runs until every coroutine waits or the process ends.
    ///
    /// # Errors
    ///
    /// What ended it against its will; afterwards only dropping it makes sense.
    pub fn step(&mut self, events: &[Event]) -> Result<Status, Failure> {
        self.store.set_epoch_deadline(SLICE_TICKS);
        let result = self.exports.call_step(&mut self.store, events);
        result.map_err(|error| Failure::of_call(&error, &self.store.data().limiter))
    }

    /// Compiles source text. The instance can become a process afterwards, but is meant to be thrown away.
    pub(crate) fn compile(&mut self, source: &[u8], name: &str) -> Result<Result<Vec<u8>, crate::wit::Error>, Failure> {
        self.store.set_epoch_deadline(SLICE_TICKS);
        let result = self.exports.call_compile(&mut self.store, source, name);
        result.map_err(|error| Failure::of_call(&error, &self.store.data().limiter))
    }

    /// Says how much linear memory the instance has.
    #[must_use]
    pub fn memory(&self) -> MemoryUse {
        self.store.data().limiter.memory()
    }
}

/// Prepares the guest's image for instances.
pub(crate) fn image(pre: InstancePre<MachineState>) -> Result<MachinePre<MachineState>, Failure> {
    MachinePre::new(pre).map_err(|error| Failure::Engine(format!("{error:#}")))
}
