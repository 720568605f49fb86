//! The run queue: which coroutines there are, which are ready, and what each of the others waits for.
//!
//! The main function and every `coroutine.spawn` are Lua threads in a FIFO queue. A blocking function registers what wakes its
//! coroutine and yields; whoever wakes it pushes the results onto the very thread that yielded (which may be a coroutine that the
//! program resumed itself, see `coroutine.rs`) and puts the scheduled coroutine at the end of the queue.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_int;
use std::ptr;

use crate::host::{self, Outcome};
use crate::lua::{self, State, ffi};
use crate::machine::machine;

mod deadlock;
mod tickets;

pub(crate) use deadlock::describe;
pub(crate) use tickets::{block_on_ticket, complete, forget_ticket, on_cases, on_ticket, outcome, return_outcome};

/// Names a scheduled coroutine. Used again after its end.
pub(crate) type Id = u32;

/// The main function's coroutine, the first one made.
pub(crate) const MAIN: Id = 0;

/// Everything about scheduling.
pub(crate) struct Scheduler {
    coroutines: Vec<Option<Coroutine>>,
    free: Vec<Id>,
    ready: VecDeque<Id>,
    /// The coroutine that runs now.
    current: Option<Id>,
    /// Set by a blocking function right before it yields, so that the yield passes through coroutines of the program.
    pub(crate) blocking: bool,
    /// False while a coroutine of the program runs below a frame that cannot yield.
    pub(crate) passable: bool,
    pending: BTreeMap<u64, tickets::Pending>,
    /// What the operation that the running coroutine waited for came to.
    outcome: Option<Outcome>,
}

/// A scheduled coroutine.
struct Coroutine {
    thread: State,
    /// The thread that yielded: `thread` itself, or the innermost of the coroutines that the program runs inside.
    inner: State,
    /// How many values lie on `inner` for the resume.
    values: c_int,
    waiting: bool,
    /// Whether somebody outside of this process can end the waiting.
    external: bool,
    /// Counts the waits, so that what registered for an earlier one is known to be stale.
    turn: u32,
    /// The tickets of the operations on shared channels of which one will end the wait: the first, and how many.
    cases: (u64, u64),
    outcome: Option<Outcome>,
}

/// A coroutine that waits, as the one who wakes it remembers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Parked {
    id: Id,
    turn: u32,
}

/// How a run of the queue ended.
pub(crate) enum Run {
    /// Everything waits.
    Idle,
    /// A coroutine returned; its results are the top values of its thread.
    Returned { id: Id, thread: State, results: c_int },
    /// A coroutine raised; the error is on top of its thread. The status tells whether memory ran out.
    Raised { thread: State, status: c_int },
}

/// The registry key of the table that keeps the threads alive.
static THREADS: u8 = 0;

/// Marks a thread, in the space that Lua leaves beside it.
pub(crate) mod mark {
    use super::{State, ffi};

    /// The scheduler resumes it, nobody else may.
    pub(crate) const SCHEDULED: usize = 1;
    /// A blocking call inside it passed through; only the scheduler's way down may resume it.
    pub(crate) const BLOCKED: usize = 2;

    /// The marks of a thread.
    pub(crate) unsafe fn get(thread: State) -> usize {
        *ffi::lua_getextraspace(thread).cast::<usize>()
    }

    /// Changes the marks of a thread.
    pub(crate) unsafe fn set(thread: State, marks: usize) {
        *ffi::lua_getextraspace(thread).cast::<usize>() = marks;
    }
}

impl Scheduler {
    pub(crate) const fn new() -> Self {
        Self {
            coroutines: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            current: None,
            blocking: false,
            passable: true,
            pending: BTreeMap::new(),
            outcome: None,
        }
    }

    fn get(&mut self, id: Id) -> Option<&mut Coroutine> {
        self.coroutines.get_mut(usize::try_from(id).ok()?)?.as_mut()
    }

    fn parked(&mut self, parked: Parked) -> Option<&mut Coroutine> {
        self.get(parked.id).filter(|coroutine| coroutine.waiting && coroutine.turn == parked.turn)
    }

    /// How many coroutines are alive.
    pub(crate) fn alive(&self) -> usize {
        self.coroutines.len() - self.free.len()
    }
}

/// Makes the table of threads. Runs when the image is made.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 4, 0);
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&THREADS));
}

/// Schedules the thread on top of the stack, which has a function and `values` arguments on its own stack. Leaves it there.
pub(crate) unsafe fn add(lua: State, values: c_int) -> Id {
    let thread = ffi::lua_tothread(lua, -1);
    mark::set(thread, mark::SCHEDULED);
    let scheduler = &mut machine().scheduler;
    let coroutine =
        Coroutine { thread, inner: thread, values, waiting: false, external: false, turn: 0, cases: (0, 0), outcome: None };
    let id = match scheduler.free.pop() {
        Some(id) => {
            if let Some(place) = usize::try_from(id).ok().and_then(|id| scheduler.coroutines.get_mut(id)) {
                *place = Some(coroutine);
            }
            id
        }
        None => {
            scheduler.coroutines.push(Some(coroutine));
            Id::try_from(scheduler.coroutines.len() - 1).unwrap_or(Id::MAX)
        }
    };
    scheduler.ready.push_back(id);
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&THREADS));
    ffi::lua_pushvalue(lua, -2);
    ffi::lua_rawseti(lua, -2, i64::from(id) + 1);
    ffi::lua_pop(lua, 1);
    id
}

/// Gives a coroutine that returned its next function, which lies with `values` arguments on its thread.
pub(crate) fn again(id: Id, values: c_int) {
    let scheduler = &mut machine().scheduler;
    if let Some(coroutine) = scheduler.get(id) {
        coroutine.values = values;
        coroutine.inner = coroutine.thread;
        scheduler.ready.push_back(id);
    }
}

/// Forgets a coroutine that ended.
pub(crate) unsafe fn remove(lua: State, id: Id) {
    let scheduler = &mut machine().scheduler;
    let Some(place) = usize::try_from(id).ok().and_then(|id| scheduler.coroutines.get_mut(id)) else { return };
    *place = None;
    scheduler.free.push(id);
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&THREADS));
    ffi::lua_pushnil(lua);
    ffi::lua_rawseti(lua, -2, i64::from(id) + 1);
    ffi::lua_pop(lua, 1);
}

/// Whether the running coroutine could wait here.
pub(crate) unsafe fn can_block(lua: State) -> bool {
    ffi::lua_isyieldable(lua) != 0 && machine().scheduler.passable
}

/// Raises what Lua raises for a yield that is not possible. Every blocking function calls this before it registers anything.
pub(crate) unsafe fn check_can_block(lua: State) {
    if !can_block(lua) {
        lua::raise_text(lua, "attempt to yield across a C-call boundary");
    }
}

/// The running coroutine as one that is about to wait. `external`: somebody outside of this process can end the wait.
///
/// Everything that registers it must do so before [`park`].
pub(crate) fn begin_wait(lua: State, external: bool) -> Parked {
    let scheduler = &mut machine().scheduler;
    let id = scheduler.current.unwrap_or(MAIN);
    let mut turn = 0;
    if let Some(coroutine) = scheduler.get(id) {
        coroutine.turn = coroutine.turn.wrapping_add(1);
        coroutine.inner = lua;
        coroutine.values = 0;
        coroutine.waiting = true;
        coroutine.external = external;
        coroutine.cases = (0, 0);
        turn = coroutine.turn;
    }
    Parked { id, turn }
}

/// Yields after [`begin_wait`]. The caller returns what this returns; when woken, its results are the values that the waker
/// pushed, or `k` goes on with them on top of the stack.
pub(crate) unsafe fn park(lua: State, context: ffi::lua_KContext, k: Option<ffi::lua_KFunction>) -> c_int {
    machine().scheduler.blocking = true;
    ffi::lua_yieldk(lua, 0, context, k)
}

/// Whether that wait still goes on.
pub(crate) fn is_waiting(parked: Parked) -> bool {
    machine().scheduler.parked(parked).is_some()
}

/// Whether that wait still goes on and may be ended from inside of this process: gives up what the host would end it with. False
/// when the host was faster; then the wait is as good as over. Whoever wakes a coroutine from a queue that others could wake asks first.
pub(crate) fn claim(parked: Parked) -> bool {
    let scheduler = &mut machine().scheduler;
    let Some(coroutine) = scheduler.parked(parked) else { return false };
    let (first, count) = coroutine.cases;
    if count == 0 {
        return true;
    }
    if !host::cancel(first) {
        return false;
    }
    coroutine.cases = (0, 0);
    scheduler.forget_cases(first, count);
    true
}

/// How many operations on shared channels may end a wait.
pub(crate) fn case_count(parked: Parked) -> u64 {
    machine().scheduler.parked(parked).map_or(0, |coroutine| coroutine.cases.1)
}

/// Remembers that somebody outside of this process can now end a wait; false when it is over.
pub(crate) fn make_external(parked: Parked) -> bool {
    machine().scheduler.parked(parked).map(|coroutine| coroutine.external = true).is_some()
}

/// The thread that a waiting coroutine yielded on; null when the wait is over.
pub(crate) fn thread_of(parked: Parked) -> State {
    machine().scheduler.parked(parked).map_or(ptr::null_mut(), |coroutine| coroutine.inner)
}

/// Ends a wait: moves the top `values` values of `lua` to it and makes it ready. False, with the values popped, when it is over already.
pub(crate) unsafe fn wake(lua: State, parked: Parked, values: c_int) -> bool {
    let scheduler = &mut machine().scheduler;
    let Some(coroutine) = scheduler.parked(parked) else {
        ffi::lua_pop(lua, values);
        return false;
    };
    coroutine.waiting = false;
    let inner = coroutine.inner;
    if ffi::lua_checkstack(inner, values) != 0 {
        coroutine.values = values;
        if inner == lua { /* A coroutine cannot wake itself while it runs. */
        } else {
            ffi::lua_xmove(lua, inner, values)
        }
    } else {
        coroutine.values = 0;
        ffi::lua_pop(lua, values);
    }
    scheduler.ready.push_back(parked.id);
    true
}

/// The number of values that the scheduler left on `thread` for its resume.
pub(crate) fn values_for(thread: State) -> c_int {
    let scheduler = &mut machine().scheduler;
    let Some(current) = scheduler.current else { return 0 };
    match scheduler.get(current) {
        Some(coroutine) if coroutine.inner == thread => std::mem::take(&mut coroutine.values),
        _ => 0,
    }
}

/// Whether `thread` is the main function's own coroutine.
pub(crate) fn is_main(thread: State) -> bool {
    machine().scheduler.get(MAIN).is_some_and(|main| main.thread == thread)
}

/// Runs ready coroutines until one ends or all wait.
pub(crate) unsafe fn run(lua: State) -> Run {
    loop {
        let scheduler = &mut machine().scheduler;
        let Some(id) = scheduler.ready.pop_front() else { return Run::Idle };
        let Some(coroutine) = scheduler.get(id) else { continue };
        let thread = coroutine.thread;
        let outcome = coroutine.outcome.take();
        let values = if coroutine.inner == thread { std::mem::take(&mut coroutine.values) } else { 0 };
        scheduler.outcome = outcome;
        scheduler.current = Some(id);
        scheduler.passable = true;
        let mut results = 0;
        let status = ffi::lua_resume(thread, lua, values, &mut results);
        let scheduler = &mut machine().scheduler;
        scheduler.current = None;
        match status {
            ffi::LUA_YIELD if scheduler.blocking => scheduler.blocking = false,
            ffi::LUA_YIELD => {
                // `coroutine.yield` outside of any coroutine of the program: it lets the others run.
                ffi::lua_pop(thread, results);
                if let Some(coroutine) = scheduler.get(id) {
                    coroutine.inner = thread;
                }
                scheduler.ready.push_back(id);
            }
            ffi::LUA_OK => return Run::Returned { id, thread, results },
            _ => return Run::Raised { thread, status },
        }
    }
}

/// Ends the whole process: gives up every pending operation.
pub(crate) fn clear() {
    let scheduler = &mut machine().scheduler;
    for ticket in std::mem::take(&mut scheduler.pending).into_keys() {
        host::cancel(ticket);
    }
    scheduler.ready.clear();
    scheduler.outcome = None;
}
