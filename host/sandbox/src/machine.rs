//! One Lua process: an instance of the guest's image.

use wasmtime::component::InstancePre;
use wasmtime::{Engine, Store};

use crate::bindings::machine::{Machine as Exports, MachinePre};
use crate::failure::Failure;
use crate::limiter::{InstanceLimits, Limiter, MemoryUse};
use crate::sandbox::SLICE_TICKS;
use crate::wit::{Event, Imports, Program, Status};

/// What the host keeps for one instance of world `machine`.
pub(crate) struct MachineState {
    pub(crate) imports: Box<dyn Imports>,
    limiter: Limiter,
}

/// An instance of the Lua guest.
///
/// Its futures are pending when its slice is over: poll them again to go on. Dropping one in that state drops the step half
/// done; afterwards only dropping the machine makes sense.
pub struct Machine {
    store: Store<MachineState>,
    exports: Exports,
}

impl Machine {
    pub(crate) async fn new(
        engine: &Engine,
        image: &MachinePre<MachineState>,
        imports: Box<dyn Imports>,
        limits: InstanceLimits,
    ) -> Result<Self, Failure> {
        let mut store = Store::new(engine, MachineState { imports, limiter: Limiter::new(limits) });
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_async_yield_and_update(SLICE_TICKS);
        store.set_epoch_deadline(SLICE_TICKS);
        let exports = match image.instantiate_async(&mut store).await {
            Ok(exports) => exports,
            Err(error) => return Err(Failure::of_instance(&error)),
        };
        Ok(Self { store, exports })
    }

    /// Makes the instance a process and runs its first step.
    pub async fn start(&mut self, program: &Program) -> Result<Status, Failure> {
        self.store.set_epoch_deadline(SLICE_TICKS);
        let result = self.exports.call_start(&mut self.store, program).await;
        result.map_err(|error| Failure::of_call(&error, &self.store.data().limiter))
    }

    /// Delivers events and runs until every coroutine waits or the process ends.
    pub async fn step(&mut self, events: &[Event]) -> Result<Status, Failure> {
        self.store.set_epoch_deadline(SLICE_TICKS);
        let result = self.exports.call_step(&mut self.store, events).await;
        result.map_err(|error| Failure::of_call(&error, &self.store.data().limiter))
    }

    /// Compiles source text. The instance can become a process afterwards, but is meant to be thrown away.
    pub(crate) async fn compile(&mut self, source: &[u8], name: &str) -> Result<Result<Vec<u8>, crate::wit::Error>, Failure> {
        self.store.set_epoch_deadline(SLICE_TICKS);
        let result = self.exports.call_compile(&mut self.store, source, name).await;
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
