//! Processes in any Wasm language: components of world `process`.

use std::future::poll_fn;
use std::task::Poll;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::bindings::machine::moonlet::runtime as host;
use crate::bindings::process::moonlet::runtime::blocking;
use crate::bindings::process::{Process as Exports, ProcessPre};
use crate::failure::Failure;
use crate::limiter::{InstanceLimits, Limiter, MemoryUse};
use crate::sandbox::SLICE_TICKS;
use crate::wit::{self, Error, Event, Imports, Outcome, Payload};

/// Resources and handles of resources that one instance may have at once. The host keeps each outside of the memory that a process is
/// charged for: a component that only takes clocks, or only makes resources of its own, would fill the memory of the node.
pub(crate) const MAX_HANDLES: usize = 1_000;

/// What the host keeps for one instance of world `process`.
pub(crate) struct ProgramState {
    imports: Box<dyn Imports>,
    counts_calls: bool,
    limiter: Limiter,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl ProgramState {
    pub(crate) fn new(imports: Box<dyn Imports>, limiter: Limiter, wasi: WasiCtx) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Self { counts_calls: imports.counts_calls(), imports, limiter, wasi, table }
    }

    /// Makes the store of an instance.
    pub(crate) fn store(self, engine: &Engine, limits: InstanceLimits) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.set_hostcall_fuel(limits.of_call());
        store.set_max_component_handles(MAX_HANDLES);
        store.limiter(|state| state);
        store.epoch_deadline_async_yield_and_update(SLICE_TICKS);
        store.set_epoch_deadline(SLICE_TICKS);
        store
    }

    pub(crate) fn limits(&self) -> &Limiter {
        &self.limiter
    }
}

crate::limiter::limited!(ProgramState);

/// A compiled component, ready for instances.
#[derive(Clone)]
pub struct Component {
    engine: Engine,
    image: ProcessPre<ProgramState>,
}

impl Component {
    pub(crate) fn new(engine: &Engine, linker: &Linker<ProgramState>, bytes: &[u8]) -> Result<Self, Failure> {
        let refused =
            |error: wasmtime::Error| Failure::Component(format!("not a component of world `moonlet:runtime/process`: {error:#}"));
        let component = wasmtime::component::Component::new(engine, bytes).map_err(refused)?;
        let image = ProcessPre::new(linker.instantiate_pre(&component).map_err(refused)?).map_err(refused)?;
        Ok(Self { engine: engine.clone(), image })
    }

    /// Makes an instance of it. Poll inside a tokio runtime: WASI clocks need one.
    ///
    /// # Errors
    ///
    /// `Failure::Full` when the pool or the kernel has no room for one more.
    pub async fn instance(&self, imports: Box<dyn Imports>, limits: InstanceLimits) -> Result<Running, Failure> {
        // WASI with nothing in it: no files, no environment, no network, empty standard streams.
        let state = ProgramState::new(imports, Limiter::new(limits), WasiCtx::builder().build());
        let mut store = state.store(&self.engine, limits);
        let exports = match self.image.instantiate_async(&mut store).await {
            Ok(exports) => exports,
            Err(error) => return Err(Failure::of_instance(&error, &store.data().limiter)),
        };
        Ok(Running { store, exports })
    }
}

/// An instance of a component.
///
/// The future of [`Running::run`] is pending when its slice is over and while a blocking import has nothing to give.
pub struct Running {
    store: Store<ProgramState>,
    exports: Exports,
}

impl Running {
    /// Runs the program to its end; the inner result is its own.
    ///
    /// # Errors
    ///
    /// What ended it against its will.
    pub async fn run(&mut self, args: &Payload) -> Result<Result<Payload, Error>, Failure> {
        self.store.set_epoch_deadline(SLICE_TICKS);
        let result = self.exports.call_run(&mut self.store, args).await;
        result.map_err(|error| Failure::of_call(&error, &self.store.data().limiter))
    }

    /// Says how much linear memory the instance has.
    #[must_use]
    pub fn memory(&self) -> MemoryUse {
        self.store.data().limiter.memory()
    }
}

/// Links what components may import.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<ProgramState>, Failure> {
    let mut linker = Linker::new(engine);
    link(&mut linker).map_err(|error| Failure::Engine(format!("{error:#}")))?;
    Ok(linker)
}

struct Calls;

impl HasData for Calls {
    type Data<'a> = &'a mut (dyn Imports + 'static);
}

struct BlockingCalls;

impl HasData for BlockingCalls {
    type Data<'a> = &'a mut ProgramState;
}

fn imports(state: &mut ProgramState) -> &mut (dyn Imports + 'static) {
    if state.counts_calls {
        state.imports.called();
    }
    &mut *state.imports
}

fn link(linker: &mut Linker<ProgramState>) -> wasmtime::Result<()> {
    macro_rules! link {
        ($($interface:ident),*) => {
            $( host::$interface::add_to_linker::<_, Calls>(linker, imports)?; )*
        };
    }
    link!(types, messages, lifecycle, names, channels, functions, modules, clock, tickets, random, log);
    blocking::add_to_linker::<_, BlockingCalls>(linker, |state| state)?;
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

impl WasiView for ProgramState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl blocking::Host for ProgramState {
    async fn wait(&mut self, ticket: u64) -> Outcome {
        poll_fn(|_| match self.imports.take_outcome(ticket) {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        })
        .await
    }

    async fn receive(&mut self, timeout: Option<u64>) -> Option<Event> {
        let deadline = timeout.map(|after| self.imports.deadline(after));
        let received = poll_fn(|_| {
            if let Some(event) = self.imports.take_event() {
                return Poll::Ready(Some(event));
            }
            if deadline.is_some_and(|ticket| self.imports.take_outcome(ticket).is_some()) {
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await;
        if let (Some(_), Some(ticket)) = (&received, deadline) {
            wit::tickets::Host::cancel(&mut *self.imports, ticket);
        }
        received
    }

    async fn sleep(&mut self, duration: u64) {
        let ticket = self.imports.deadline(duration);
        self.wait(ticket).await;
    }

    fn self_(&mut self) -> String {
        self.imports.pid()
    }
}
