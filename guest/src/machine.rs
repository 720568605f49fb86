//! One Lua state and the process that runs in it: the life from image to exit.

use std::ffi::{c_int, c_void};
use std::ptr;

use crate::bindings::moonlet::runtime::programs::{Program, SoftLimits, Status};
use crate::errors;
use crate::host::{self, Event, HostError, Payload};
use crate::loader::{Loader, Next};
use crate::lua::{self, State, ffi};
use crate::mailbox::{self, Mailbox};
use crate::payload;
use crate::scheduler::{self, Run, Scheduler};

mod memory;

/// The one machine of this instance (natively: of this thread).
pub(crate) struct Machine {
    /// The main thread of the Lua state. No Lua code runs on it; the process runs in coroutines.
    lua: State,
    memory: memory::Account,
    /// Limits that the guest keeps itself.
    pub(crate) limits: SoftLimits,
    /// The id of the entry that runs.
    pub(crate) entry: String,
    /// The pid of the process.
    pub(crate) pid: String,
    /// The context values of the process, a map document.
    pub(crate) context: Vec<u8>,
    pub(crate) scheduler: Scheduler,
    pub(crate) mailbox: Mailbox,
    /// Channels alive.
    pub(crate) channels: u32,
    /// Timers and tickers that run.
    pub(crate) timers: u32,
    /// The buffer that the encoder uses again and again.
    pub(crate) buffer: Vec<u8>,
    loader: Option<Loader>,
    /// What the next protected run has to do.
    work: Work,
    finished: bool,
}

/// What a step brings.
enum Work {
    Nothing,
    Start(Box<Program>),
    Events(Vec<Event>),
}

impl Machine {
    const fn new() -> Self {
        Self {
            lua: ptr::null_mut(),
            memory: memory::Account::new(),
            limits: SoftLimits {
                memory: u64::MAX,
                coroutines: u32::MAX,
                channels: u32::MAX,
                channel_buffer: u32::MAX,
                timers: u32::MAX,
                depth: u32::MAX,
                message_size: u32::MAX,
            },
            entry: String::new(),
            pid: String::new(),
            context: Vec::new(),
            scheduler: Scheduler::new(),
            mailbox: Mailbox::new(),
            channels: 0,
            timers: 0,
            buffer: Vec::new(),
            loader: None,
            work: Work::Nothing,
            finished: false,
        }
    }
}

/// A page that nobody writes to. It aligns the writable data of the guest, so that how many pages of them and of the heap behind them a
/// process dirties does not change with the constants in front of them.
#[cfg(target_arch = "wasm32")]
#[used]
#[unsafe(link_section = ".data.first")]
static mut FIRST: Page = Page([1; 4096]);

#[cfg(target_arch = "wasm32")]
#[repr(align(4096))]
struct Page([u8; 4096]);

#[cfg(target_arch = "wasm32")]
static mut MACHINE: std::mem::MaybeUninit<Machine> = std::mem::MaybeUninit::zeroed();

#[cfg(not(target_arch = "wasm32"))]
thread_local! {
    static MACHINE: std::cell::UnsafeCell<Machine> = const { std::cell::UnsafeCell::new(Machine::new()) };
}

/// The machine. Never keep the reference over a call into Lua: what runs there asks for the machine, too.
pub(crate) fn machine() -> &'static mut Machine {
    #[cfg(target_arch = "wasm32")]
    // One thread, and no caller keeps the reference over a call that could ask for a second one. `prepare` comes first and writes it;
    // as a constant it would lie among initialised data, and so dirty one more page of every process than among the rest.
    unsafe {
        &mut *(&raw mut MACHINE).cast::<Machine>()
    }
    #[cfg(not(target_arch = "wasm32"))]
    MACHINE.with(|machine| unsafe { &mut *machine.get() })
}

/// Makes the Lua state with everything in it that does not depend on the program.
pub(crate) unsafe fn prepare() {
    #[cfg(target_arch = "wasm32")]
    (&raw mut MACHINE).cast::<Machine>().write(Machine::new());
    if !machine().lua.is_null() {
        // Natively a thread makes one machine after the other.
        ffi::lua_close(machine().lua);
        machine().memory.close();
        *machine() = Machine::new();
    }
    let account: *mut memory::Account = &mut machine().memory;
    (*account).hot(memory::HOT_STATE);
    let lua = ffi::lua_newstate(memory::allocate, account.cast::<c_void>());
    machine().lua = lua;
    // What `settle` collects is all that is garbage.
    ffi::lua_gc(lua, ffi::LUA_GCSTOP);
    // On a thread of its own: the stack of the main one lies in the place of what every process writes to, and must not outgrow it.
    machine().memory.hot(0);
    let maker = ffi::lua_newthread(lua);
    machine().memory.hot(memory::HOT_STATE);
    ffi::lua_pushcclosure(maker, open, 0);
    let status = ffi::lua_pcall(maker, 0, 0, 0);
    assert!(status == ffi::LUA_OK, "failed to make the image: {:?}", lua::to_text(maker, -1));
    ffi::lua_settop(lua, 0);
    memory::settle(lua);
}

/// Opens the libraries. Protected, because anything here may raise.
unsafe extern "C-unwind" fn open(lua: State) -> c_int {
    memory::grow_strings(lua);
    // The globals with room for the modules of a program, so that a process need not copy the table when it sets them.
    ffi::lua_createtable(lua, 0, 64);
    ffi::lua_rawseti(lua, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
    scheduler::open(lua);
    mailbox::open(lua);
    crate::channel::open_shared(lua);
    machine().memory.hot(memory::HOT_TABLES);
    ffi::lua_pushcclosure(lua, ffi::luaopen_base, 0);
    ffi::lua_callk(lua, 0, 0, 0, None);
    for (name, open) in [
        (c"string", ffi::luaopen_string as lua::Function),
        (c"table", ffi::luaopen_table),
        (c"math", ffi::luaopen_math),
        (c"utf8", ffi::luaopen_utf8),
    ] {
        // The state of `math.random` is the only userdata among them.
        machine().memory.hot(memory::HOT_TABLES | memory::HOT_USERDATA);
        ffi::lua_pushcclosure(lua, open, 0);
        ffi::lua_callk(lua, 0, 1, 0, None);
        machine().memory.hot(memory::HOT_TABLES);
        ffi::lua_setglobal(lua, name.as_ptr());
    }
    ffi::lua_pushcclosure(lua, crate::log::print, 0);
    ffi::lua_setglobal(lua, c"print".as_ptr());
    crate::base::open(lua);
    crate::modules::open(lua);
    machine().memory.hot(0);
    // Without the strings that only made room, those of the prelude fit into the table.
    ffi::lua_gc(lua, ffi::LUA_GCCOLLECT);
    crate::prelude::open(lua);
    crate::hostmodule::open(lua);
    crate::base::freeze_libraries(lua);
    0
}

/// The bytes of Lua values now.
pub(crate) fn memory_used() -> u64 {
    machine().memory.used()
}

/// Compiles source text.
pub(crate) unsafe fn compile(source: &[u8], name: &str) -> Result<Vec<u8>, HostError> {
    crate::compiler::compile(machine().lua, source, name)
}

/// Becomes a process and runs until it waits or ends.
pub(crate) unsafe fn start(program: Program) -> Status {
    let machine = machine();
    machine.limits = program.limits;
    machine.memory.limit(program.limits.memory);
    machine.pid.clone_from(&program.pid);
    machine.entry.clone_from(&program.main.entry);
    machine.context.clone_from(&program.context);
    machine.work = Work::Start(Box::new(program));
    protected()
}

/// Delivers events and runs until the process waits or ends.
pub(crate) unsafe fn step(events: Vec<Event>) -> Status {
    machine().work = Work::Events(events);
    protected()
}

/// Runs the work so that "not enough memory" outside of any coroutine ends the process, not the instance.
unsafe fn protected() -> Status {
    let lua = machine().lua;
    if machine().finished {
        return Status::Finished;
    }
    ffi::lua_pushcclosure(lua, work, 0);
    let status = ffi::lua_pcallk(lua, 0, 0, 0, 0, None);
    if status != ffi::LUA_OK {
        let out_of_memory = is_out_of_memory(lua, -1, status);
        let reason = String::from_utf8_lossy(lua::to_bytes(lua, -1).unwrap_or(b"unknown error")).into_owned();
        ffi::lua_settop(lua, 0);
        let error = if out_of_memory { memory_exceeded() } else { host::error(errors::INTERNAL, reason) };
        finish(Err(error));
    }
    if machine().finished { Status::Finished } else { Status::Blocked }
}

unsafe extern "C-unwind" fn work(lua: State) -> c_int {
    match std::mem::replace(&mut machine().work, Work::Nothing) {
        Work::Nothing => {}
        Work::Start(program) => {
            crate::base::seed(lua, program.seed);
            match Loader::start(lua, *program) {
                Ok(loader) => machine().loader = Some(loader),
                Err(error) => finish(Err(error)),
            }
        }
        Work::Events(events) => {
            for event in events {
                deliver(lua, event);
            }
        }
    }
    while !machine().finished {
        match scheduler::run(lua) {
            Run::Returned { id: scheduler::MAIN, thread, results } => returned(thread, results),
            Run::Returned { id, .. } => scheduler::remove(lua, id),
            Run::Raised { thread, status } => finish(Err(error_of(lua, thread, status))),
            Run::Idle => {
                if let Some(text) = scheduler::describe() {
                    finish(Err(host::error(errors::INTERNAL, text)));
                }
                break;
            }
        }
    }
    0
}

unsafe fn deliver(lua: State, event: Event) {
    match event {
        Event::Message(message) => mailbox::deliver(lua, &message),
        Event::Signal(signal) => mailbox::signal(lua, &signal),
        Event::Completed(completion) => scheduler::complete(lua, completion.ticket, completion.outcome),
    }
}

/// Goes on after the main coroutine returned: the next chunk, or the end.
unsafe fn returned(thread: State, results: c_int) {
    let Some(mut loader) = machine().loader.take() else { return };
    match loader.next(thread, results) {
        Ok(Next::Running) => machine().loader = Some(loader),
        Ok(Next::Finished) => finish(result_of(thread, results)),
        Err(error) => finish(Err(error)),
    }
}

/// The result of the process: the first value, unless the second one is an error.
unsafe fn result_of(thread: State, results: c_int) -> Result<Payload, HostError> {
    if results == 0 {
        return Ok(Payload { data: Vec::new(), channels: Vec::new() });
    }
    let first = ffi::lua_gettop(thread) - results + 1;
    if results >= 2 {
        if errors::is_error(thread, first + 1) {
            return Err(error_value(thread, first + 1, String::new()));
        }
        if let Some(text) = lua::to_bytes(thread, first + 1) {
            return Err(host::error(errors::UNKNOWN, String::from_utf8_lossy(text).into_owned()));
        }
    }
    payload::encode_values(thread, first, 1).map_err(|failure| {
        let mut error = HostError::from(failure);
        error.message = error.message.replacen("payload", "the result", 1);
        error
    })
}

/// The error that ended a coroutine, which lies on top of its stack.
unsafe fn error_of(lua: State, thread: State, status: c_int) -> HostError {
    let out_of_memory = is_out_of_memory(thread, -1, status).then(memory_exceeded);
    // The process ends; to say why takes a little memory, too.
    machine().memory.limit(u64::MAX);
    ffi::luaL_traceback(lua, thread, c"".as_ptr(), 0);
    let trace = String::from_utf8_lossy(lua::to_bytes(lua, -1).unwrap_or(b"")).trim_start().to_owned();
    ffi::lua_pop(lua, 1);
    if let Some(error) = out_of_memory {
        return HostError { trace, ..error };
    }
    error_value(thread, ffi::lua_gettop(thread), trace)
}

fn memory_exceeded() -> HostError {
    let machine = machine();
    machine.memory.exceeded(machine.limits.memory)
}

/// Whether memory ran out: Lua says so, or what was raised is what Lua or a library said before, raised again by whoever caught it.
unsafe fn is_out_of_memory(lua: State, index: c_int, status: c_int) -> bool {
    status == ffi::LUA_ERRMEM || lua::to_bytes(lua, index).is_some_and(|text| text.ends_with(b"not enough memory"))
}

/// The value at `index` as an error of the contract.
pub(crate) unsafe fn error_value(thread: State, index: c_int, trace: String) -> HostError {
    if let Some(parts) = errors::parts(thread, index) {
        let mut error = HostError {
            kind: String::from_utf8_lossy(parts.kind).into_owned(),
            message: String::from_utf8_lossy(parts.message).into_owned(),
            retryable: parts.retryable,
            details: Vec::new(),
            trace: String::from_utf8_lossy(parts.stack).trim_start().to_owned(),
        };
        errors::push_details(thread, index);
        if ffi::lua_isnil(thread, -1) == 0 {
            error.details = payload::encode_document(thread, -1, "details").unwrap_or_default();
        }
        ffi::lua_pop(thread, 1);
        return error;
    }
    let message = match lua::to_bytes(thread, index) {
        Some(text) => String::from_utf8_lossy(text).into_owned(),
        None if ffi::lua_type(thread, index) == ffi::LUA_TNUMBER => {
            ffi::lua_tonumberx(thread, index, ptr::null_mut()).to_string()
        }
        None => format!("error object is a {} value", lua::type_name(thread, index)),
    };
    HostError { trace, ..host::error(errors::INTERNAL, message) }
}

/// Says how the process ended.
unsafe fn finish(outcome: Result<Payload, HostError>) {
    if std::mem::replace(&mut machine().finished, true) {
        return;
    }
    scheduler::clear();
    host::finish(outcome.as_ref());
}
