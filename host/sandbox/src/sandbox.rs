//! The engine and what all processes share: the pool of instances and the image of the Lua guest.

use std::sync::Arc;

use wasmtime::component::{self, HasData, Linker};
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::machine::MachinePre;
use crate::bindings::machine::moonlet::runtime as host;
use crate::compiler;
use crate::component::Component;
use crate::config;
use crate::exported::{Compiled, Exported};
use crate::failure::Failure;
use crate::limiter::InstanceLimits;
use crate::machine::{self, Machine, MachineState};
use crate::wit;

/// Ticks of [`Sandbox::tick`] after which a running process is preempted: between one and two of them pass.
pub(crate) const SLICE_TICKS: u64 = 2;

/// Native stack of a step. Lua's own depth limits end recursion long before; what they miss is a [`Failure::Stack`].
const WASM_STACK: usize = 512 << 10;
/// The stack above plus what the host's functions need on top of it.
const FIBER_STACK: usize = WASM_STACK + (256 << 10);
/// Memory slots of 4 GiB that fit into the largest hole of a 47-bit address space, which the program itself divides; the smaller
/// numbers are for where a limit leaves less.
const SLOTS: [u32; 4] = [21_600, 12_000, 4_000, 1_000];
/// Bytes of memory that a freed slot keeps, so that its next process starts warm. Nobody is charged for what ended processes leave, and
/// a tenant may have had as many at once as its quota of memory allows: two such remainders must be little against what one process
/// is charged at least. More does not make starts measurably faster, nothing at all takes twice the time.
const KEEP_RESIDENT: usize = 64 << 10;
/// Freed slots above which one of them is taken before one that was never used. Heaps of exceptions have no image that would bring them
/// back to the slot that they had, so that they go through so many slots in turn, and each keeps its memory.
const WARM_SLOTS: u32 = 100;
/// Host bytes of one instance's own records; a component with more is refused.
const MAX_INSTANCE_SIZE: usize = 1 << 20;

/// Sizes of the instance pool.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Processes that can live at once; each reserves 4 GiB of address space, of which a node has 128 TiB.
    pub max_processes: u32,
    /// Bytes of linear memory that any one process can be given.
    pub max_memory: usize,
    /// Processes of world `process` that can live at once; each holds a native stack.
    pub max_stacks: u32,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { max_processes: 14_000, max_memory: 1 << 30, max_stacks: 500 }
    }
}

/// Makes instances. Clones share everything.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    engine: Engine,
    image: MachinePre<MachineState>,
    programs: component::Linker<crate::component::ProgramState>,
}

macro_rules! image_modules {
    ($($name:literal $manifest:literal $($glue:literal)?;)*) => {
        /// The host modules that the image of the guest holds ready: name, manifest in JSON, and glue of each.
        pub const IMAGE_MODULES: &[(&str, &str, &str)] =
            &[$(($name, $manifest, concat!($(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", $glue)))?))),*];
    };
}

include!("../../../guest/modules.rs");

/// The guest, compiled by `build.rs` for this engine's settings.
static GUEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.cwasm"));

impl Sandbox {
    /// Sets up the engine, the pool and the guest's image.
    ///
    /// # Errors
    ///
    /// `Failure::Engine` when the machine refuses the address space.
    pub fn new(sandbox_config: &SandboxConfig) -> Result<Self, Failure> {
        let mut config = config::base();
        config.max_wasm_stack(WASM_STACK);
        config.async_stack_size(FIBER_STACK);
        let mut engine = Err(Failure::Engine("no size of the pool was tried".to_owned()));
        for slots in SLOTS {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(sandbox_config, slots)));
            engine = Engine::new(&config).map_err(engine_error);
            if engine.is_ok() {
                break;
            }
        }
        let engine = engine?;
        let guest = load_guest(&engine)?;
        let mut linker: Linker<MachineState> = Linker::new(&engine);
        link_machine(&mut linker).map_err(engine_error)?;
        let image = machine::image(linker.instantiate_pre(&guest).map_err(engine_error)?)?;
        let programs = crate::component::linker(&engine)?;
        Ok(Self(Arc::new(Shared { engine, image, programs })))
    }

    /// Advances the time by which slices are measured. Call it at a steady rate while processes run.
    pub fn tick(&self) {
        self.0.engine.increment_epoch();
    }

    /// Returns the bytes of memory that ended processes have left in their slots, for the next ones.
    #[must_use]
    pub fn kept_memory(&self) -> usize {
        self.0.engine.pooling_allocator_metrics().map_or(0, |metrics| metrics.unused_memory_bytes_resident())
    }

    /// Makes a fresh instance of the Lua guest.
    ///
    /// # Errors
    ///
    /// `Failure::Full` when the pool or the kernel has no room for one more.
    pub fn machine(&self, imports: Box<dyn wit::Imports>, limits: InstanceLimits) -> Result<Machine, Failure> {
        Machine::new(&self.0.engine, &self.0.image, imports, limits)
    }

    /// Compiles Lua source text in an instance of its own. `name` stands in messages as `name:line:`.
    ///
    /// # Errors
    ///
    /// Kind `Invalid` with the position of the first syntax error.
    pub fn compile(&self, source: &[u8], name: &str) -> Result<Vec<u8>, wit::Error> {
        compiler::compile(self, source, name)
    }

    /// Reads and compiles a component of world `process`.
    ///
    /// # Errors
    ///
    /// `Failure::Component` when it is not one.
    pub fn component(&self, bytes: &[u8]) -> Result<Component, Failure> {
        Component::new(&self.0.engine, &self.0.programs, bytes)
    }

    /// Reads and compiles a component, a core module or the text of either. `wit` gives the types of a core module's functions.
    ///
    /// # Errors
    ///
    /// `Failure::Component` when it is none of them.
    pub fn compiled(&self, bytes: &[u8], wit: Option<&str>) -> Result<Compiled, Failure> {
        let component = crate::exported::to_component(bytes, wit)?;
        let compiled = component::Component::new(&self.0.engine, &component);
        compiled.map(Compiled).map_err(|error| Failure::Component(format!("{error:#}")))
    }

    /// Prepares calls of one function that a component exports.
    ///
    /// # Errors
    ///
    /// `Failure::Component` when it has no such function, or imports what nobody gives.
    pub fn exported(&self, compiled: &Compiled, method: &str) -> Result<Exported, Failure> {
        Exported::new(&self.0.engine, &self.0.programs, compiled, method)
    }
}

fn pool(config: &SandboxConfig, slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let count = config.max_processes;
    // The guest component holds its own core instance and a few that wit-component adds for the calls between it and the host.
    pool.total_component_instances(count)
        .total_core_instances(count.saturating_mul(4))
        // The second one is for the heap of its exceptions, which it has reserved from the start.
        .total_memories(count.saturating_mul(2).min(slots))
        .total_gc_heaps(count)
        .total_tables(count.saturating_mul(3))
        .total_stacks(config.max_stacks)
        .max_memory_size(config.max_memory)
        .max_core_instance_size(MAX_INSTANCE_SIZE)
        .max_component_instance_size(MAX_INSTANCE_SIZE)
        .max_unused_warm_slots(WARM_SLOTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Stands for the imports of a process in the linker.
struct Calls;

impl HasData for Calls {
    type Data<'a> = &'a mut (dyn wit::Imports + 'static);
}

fn imports(state: &mut MachineState) -> &mut (dyn wit::Imports + 'static) {
    if state.counts_calls {
        state.imports.called();
    }
    &mut *state.imports
}

fn link_machine(linker: &mut Linker<MachineState>) -> wasmtime::Result<()> {
    macro_rules! link {
        ($($interface:ident),*) => {
            $( host::$interface::add_to_linker::<_, Calls>(linker, imports)?; )*
        };
    }
    link!(types, messages, lifecycle, names, channels, functions, modules, clock, tickets, random, log);
    Ok(())
}

#[expect(unsafe_code, reason = "deserialising machine code, which this build made itself")]
fn load_guest(engine: &Engine) -> Result<component::Component, Failure> {
    // SAFETY: the bytes are the output of `Engine::precompile_component` in this crate's build.rs, embedded at compile
    // time; nothing outside the build can change them.
    unsafe { component::Component::deserialize(engine, GUEST) }.map_err(engine_error)
}

fn engine_error(error: wasmtime::Error) -> Failure {
    Failure::Engine(format!("{error:#}"))
}
