//! The life of one process, from its instance to its exit, and the turns in which it runs.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};

use moonlet_sandbox::wit::{Error, Event, Payload, Program, Status};
use moonlet_sandbox::{Failure, InstanceLimits, Machine, WasiGrants};

use crate::arrival::Exit;
use crate::document;
use crate::errors;
use crate::imports::Calls;
use crate::process::{Process, SERVICE};
use crate::program::Code;
use crate::scheduler::{self, Preempted, Verdict};
use crate::shared::Shared;

type Living = Pin<Box<dyn Future<Output = Exit> + Send>>;

/// What only the worker that runs the process touches.
pub(crate) enum Life {
    /// It has not run yet; its arguments.
    Unborn(Payload),
    /// A Lua process between two steps.
    Machine(Box<Machine>),
    /// A program of another language, and how the host wakes it.
    Program(Living, Waker),
    /// Code of the host, called when something has arrived.
    Outside(Box<dyn Fn() + Send>),
    /// It is over.
    Over,
}

impl Life {
    pub(crate) fn new(args: Payload) -> Self {
        Self::Unborn(args)
    }
}

thread_local! {
    /// Vectors of events that are empty, for the next step on this thread.
    static SPARE: Cell<Vec<Event>> = const { Cell::new(Vec::new()) };
}

/// CPU time of a step that counts as brief, in nanoseconds: the shortest slice.
const BRIEF: u64 = 1_000_000;

/// Events of one step keep their vector up to this capacity.
const SPARE_CAPACITY: usize = 256;

/// CPU time without waiting, in nanoseconds, after which a process ends that cannot be preempted, because no thread is left.
const MAX_UNSHARED: u64 = 100_000_000;

/// Runs one turn and returns what it came to and when it ended.
pub(crate) fn turn(node: &Arc<Shared>, process: &Arc<Process>, now: u64) -> (Verdict, u64) {
    let mut life = process.life.lock();
    scheduler::begin_slice(now);
    let stepped = if process.is_killed() {
        Ok(Some(Err(errors::canceled("process terminated"))))
    } else {
        // A panic of the host while it serves one process must not take the worker, and with it the others, along.
        catch_unwind(AssertUnwindSafe(|| step(node, process, &mut life)))
    };
    let end = account(node, process);
    process.brief.store(process.turn.load(Ordering::Relaxed) < BRIEF, Ordering::Relaxed);
    let mut exit = match stepped {
        Ok(None) => {
            let Some(error) = overrun(process) else {
                let upgrade = process.inner().upgrade.take();
                if let Some(upgrade) = upgrade {
                    let args = node.renew(process, *upgrade);
                    let old = std::mem::replace(&mut *life, Life::Unborn(args));
                    drop(life);
                    drop(old);
                    return (Verdict::Again, end);
                }
                let component = process.terms.program.is_component();
                if !component {
                    process.turn.store(0, Ordering::Relaxed);
                }
                drop(life);
                if process.is_tied(SERVICE) && !process.settled.swap(true, Ordering::Relaxed) {
                    node.service_up(process);
                }
                let idle = process.settle();
                // A program whose slice is over has not waited yet.
                if component && idle {
                    process.turn.store(0, Ordering::Relaxed);
                }
                return (if idle { Verdict::Idle } else { Verdict::Again }, end);
            };
            Err(error)
        }
        Ok(Some(exit)) => exit,
        Err(_) => Err(errors::internal("the host failed while it served this process; this is a fault of Moonlet")),
    };
    // Whatever it came to: who was ended from outside ends with that reason.
    if let Some(reason) = process.take_kill() {
        exit = Err(reason);
    }
    let over = std::mem::replace(&mut *life, Life::Over);
    drop(life);
    if let Life::Outside(wake) = &over {
        wake();
    }
    // The instance goes back to the pool here, on the worker and outside of all locks.
    drop(over);
    node.exit(process, exit);
    (Verdict::Idle, node.clock())
}

/// Charges the slice that ends now and returns the time.
fn account(node: &Shared, process: &Process) -> u64 {
    let now = node.clock();
    let used = now.saturating_sub(scheduler::begin_slice(now));
    process.terms.host.lane.charge(used, now);
    process.turn.fetch_add(used, Ordering::Relaxed);
    process.cpu.fetch_add(used, Ordering::Relaxed);
    now
}

/// Says which limit of CPU time the process has passed.
fn overrun(process: &Process) -> Option<Error> {
    let (turn, total) = (process.turn.load(Ordering::Relaxed), process.cpu.load(Ordering::Relaxed));
    let error = process.terms.bounds.exceeded(turn, total)?;
    Some(Error { retryable: None, ..error })
}

/// Decides in the middle of a step, when a slice is over, whether the process goes on, and lets others run first.
pub(crate) fn slice_over(node: &Arc<Shared>, process: &Arc<Process>) -> bool {
    let now = account(node, process);
    if let Some(error) = overrun(process) {
        process.kill(error);
    }
    if process.is_killed() {
        return false;
    }
    node.look_at_deadlines(now);
    match node.scheduler.preempt(process, now) {
        Preempted::GoOn => {}
        Preempted::NoThread if process.turn.load(Ordering::Relaxed) < MAX_UNSHARED => {}
        Preempted::NoThread => {
            let message =
                "too many processes are in the middle of a step: no thread is left that could serve the others meanwhile";
            process.kill(errors::unavailable(message).with_retryable(true));
        }
        Preempted::Stopped => {
            process.kill(errors::canceled("the node stopped"));
        }
    }
    scheduler::begin_slice(node.clock());
    !process.is_killed()
}

/// Runs one step, or polls a program once. None: it waits.
fn step(node: &Arc<Shared>, process: &Arc<Process>, life: &mut Life) -> Option<Exit> {
    if let Life::Unborn(args) = life {
        let args = std::mem::replace(args, Payload::empty());
        if !process.terms.program.is_component() {
            return start(node, process, args, life).unwrap_or_else(|error| Some(Err(error)));
        }
        let (owned_node, owned_process) = (Arc::clone(node), Arc::clone(process));
        *life = Life::Program(Box::pin(run_component(owned_node, owned_process, args)), waker(node, process));
    }
    match life {
        Life::Machine(machine) => {
            let mut events = SPARE.take();
            if !process.take_events(&mut events) {
                SPARE.set(events);
                return None;
            }
            let status = machine.step(&events);
            give_back(events);
            outcome(process, status)
        }
        Life::Program(future, waker) => {
            let _inside = node.tokio.enter();
            process.look();
            match future.as_mut().poll(&mut Context::from_waker(waker)) {
                Poll::Ready(exit) => Some(exit),
                Poll::Pending => None,
            }
        }
        Life::Outside(wake) => {
            process.look();
            wake();
            None
        }
        Life::Unborn(_) | Life::Over => None,
    }
}

/// Makes the instance of a Lua process and runs its first step.
fn start(node: &Arc<Shared>, process: &Arc<Process>, args: Payload, life: &mut Life) -> Result<Option<Exit>, Error> {
    let terms = &process.terms();
    let Code::Lua(chunks) = terms.program.code(node)? else {
        return Err(errors::internal("a component runs as a machine"));
    };
    let limits =
        InstanceLimits { memory: terms.bounds.memory, message: terms.bounds.message_size.max(terms.bounds.exchange / 2) };
    let imports = Box::new(Calls::new(Arc::clone(node), Arc::clone(process)));
    let mut machine = Box::new(node.sandbox.machine(imports, limits).map_err(ended_by)?);
    node.image_memory.store(machine.memory().now as u64, Ordering::Relaxed);
    let mut program: Program = terms.take_program(node, chunks);
    process.pid.as_ref().clone_into(&mut program.pid);
    program.args = args;
    program.context = process.context.to_vec();
    program.seed = node.seed(process.seat.number());
    let status = machine.start(&program);
    terms.give_program(program);
    *life = Life::Machine(machine);
    Ok(outcome(process, status))
}

fn outcome(process: &Process, status: Result<Status, Failure>) -> Option<Exit> {
    match status {
        Ok(Status::Finished) => Some(finished(process)),
        Ok(Status::Blocked) => None,
        Err(failure) => Some(Err(ended_by(failure))),
    }
}

async fn run_component(node: Arc<Shared>, process: Arc<Process>, args: Payload) -> Exit {
    let terms = &process.terms;
    let code = terms.program.code(&node)?;
    process.inner().mailbox.open_inbox();
    let limits =
        InstanceLimits { memory: terms.bounds.memory, message: terms.bounds.message_size.max(terms.bounds.exchange / 2) };
    let imports = Box::new(Calls::new(Arc::clone(&node), Arc::clone(&process)));
    let component = match code {
        Code::Component(component) => component,
        Code::Exported(exported, view) => {
            let args = document::decode_few(&args.data)?;
            let grants = WasiGrants { terminal: terms.host.terminal, ..crate::foreign::grants(&node, view)? };
            let results = exported.run(imports, limits, &grants, &args).await.map_err(fault)??;
            return Ok(Payload { data: document::values(&results), channels: Vec::new() });
        }
        Code::Lua(_) => return Err(errors::internal("Lua runs as a component")),
    };
    let mut running = component.instance(imports, limits).await.map_err(fault)?;
    match running.run(&args).await {
        Ok(result) => result,
        Err(failure) => Err(fault(failure)),
    }
}

/// The error of a process that the sandbox ended. Whether it may go better next time is for its supervisor to find out.
fn fault(failure: Failure) -> Error {
    let full = matches!(failure, Failure::Full(_));
    let mut error = ended_by(failure);
    error.retryable = full.then_some(true);
    error
}

/// The error of a process that the sandbox ended; where a limit did it, its details say which.
fn ended_by(failure: Failure) -> Error {
    let limit = match &failure {
        Failure::MemoryLimit { limit, allowed, used } => Some((*limit, *allowed as u64, *used as u64)),
        _ => None,
    };
    let mut error = failure.into_error();
    if let Some((limit, allowed, used)) = limit {
        error.details = errors::limit_details(limit, allowed, used);
    }
    error
}

/// Takes what the process said about its end.
fn finished(process: &Process) -> Exit {
    let finished = process.inner().finished.take();
    match finished {
        Some(exit) => exit.map_err(|error| squeezed(process, error)),
        None => Err(errors::internal("the process ended without saying how")),
    }
}

/// A Lua process that ran out of memory knows its own limit only; the host knows whether it was that of all processes.
fn squeezed(process: &Process, error: Error) -> Error {
    let squeezed = process.counted().is_some_and(|meter| meter.squeezed.load(Ordering::Relaxed));
    let Some(allowed) = process.terms.host.quota.memory.filter(|_| squeezed) else { return error };
    if errors::limit_of(&error).as_deref() != Some("memory") {
        return error;
    }
    let host = &process.terms.host;
    let message =
        format!("not enough memory: all processes of `{}` together may use {allowed}; raise `quota.memory` of it", host.id);
    let details = errors::limit_details("quota.memory", allowed.as_bytes(), allowed.as_bytes().saturating_add(1));
    Error { message, details, ..error }
}

fn give_back(mut events: Vec<Event>) {
    events.clear();
    if events.capacity() <= SPARE_CAPACITY {
        SPARE.set(events);
    }
}

/// Components wait for WASI, too, hence need to be woken; a Lua process only waits for its mailbox.
fn waker(node: &Arc<Shared>, process: &Arc<Process>) -> Waker {
    Waker::from(Arc::new(Alarm { node: Arc::downgrade(node), process: Arc::downgrade(process) }))
}

struct Alarm {
    node: std::sync::Weak<Shared>,
    process: std::sync::Weak<Process>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let (Some(node), Some(process)) = (self.node.upgrade(), self.process.upgrade())
            && process.wake()
        {
            node.scheduler.push(process);
        }
    }
}
