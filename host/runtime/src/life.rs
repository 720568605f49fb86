//! The life of one process, from its instance to its exit, as one future; and the turns in which it is polled.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};

use moonlet_sandbox::wit::{Error, Event, Payload, Program, Status};
use moonlet_sandbox::{Failure, InstanceLimits};

use crate::arrival::Exit;
use crate::errors;
use crate::imports::Calls;
use crate::process::{Process, SERVICE};
use crate::program::Code;
use crate::scheduler::Verdict;
use crate::shared::Shared;

type Living = Pin<Box<dyn Future<Output = Exit> + Send>>;

/// What only the worker that runs the process touches.
pub(crate) enum Life {
    /// It has not run yet; its arguments.
    Unborn(Payload),
    /// It runs or waits.
    Running {
        future: Living,
        /// For programs of other languages: how the host wakes it.
        waker: Option<Waker>,
        /// CPU time since it last waited, in nanoseconds.
        turn: u64,
        /// Whether it has waited before.
        settled: bool,
    },
    /// It is over.
    Over,
}

impl Life {
    pub(crate) fn new(args: Payload) -> Self {
        Self::Unborn(args)
    }
}

/// Why a future was pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    /// Its slice was over.
    Preempted,
    /// It waits for something to arrive.
    Waiting,
}

thread_local! {
    static PAUSE: Cell<Pause> = const { Cell::new(Pause::Preempted) };
    /// Vectors of events that are empty, for the next step on this thread.
    static SPARE: Cell<Vec<Event>> = const { Cell::new(Vec::new()) };
}

/// Events of one step keep their vector up to this capacity.
const SPARE_CAPACITY: usize = 256;

/// Runs one turn and returns what it came to and when it ended.
pub(crate) fn turn(node: &Arc<Shared>, process: &Arc<Process>, now: u64) -> (Verdict, u64) {
    let mut life = process.life.lock();
    if process.is_killed() {
        let killed = std::mem::replace(&mut *life, Life::Over);
        drop(life);
        drop(killed);
        let reason = process.take_kill().unwrap_or_else(|| errors::canceled("process terminated"));
        node.exit(process, Err(reason));
        return (Verdict::Idle, node.clock());
    }
    if let Life::Unborn(args) = &mut *life {
        let args = std::mem::replace(args, Payload::empty());
        *life = Life::Running { future: live(node, process, args), waker: waker(node, process), turn: 0, settled: false };
    }
    let Life::Running { future, waker, turn, settled } = &mut *life else {
        return (Verdict::Idle, now);
    };
    let polled = {
        let _inside = waker.is_some().then(|| node.tokio.enter());
        if waker.is_some() {
            process.look();
        }
        let mut context = Context::from_waker(waker.as_ref().unwrap_or(Waker::noop()));
        PAUSE.set(Pause::Preempted);
        // A panic of the host while it serves one process must not take the worker, and with it the others, along.
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)))
    };
    let end = node.clock();
    let used = end.saturating_sub(now);
    *turn += used;
    let total = process.cpu.load(Ordering::Relaxed) + used;
    process.cpu.store(total, Ordering::Relaxed);
    let exit = match polled {
        Ok(Poll::Ready(exit)) => exit,
        Ok(Poll::Pending) => {
            let pause = if waker.is_some() { Pause::Waiting } else { PAUSE.get() };
            process.preempted.store(pause == Pause::Preempted, Ordering::Relaxed);
            if let Some(error) = process.terms.bounds.exceeded(*turn, total) {
                process.kill(Error { retryable: None, ..error });
            } else if pause == Pause::Waiting {
                *turn = 0;
                let first = !std::mem::replace(settled, true);
                drop(life);
                if first && process.is_tied(SERVICE) {
                    node.service_up(process);
                }
                return (if process.settle() { Verdict::Idle } else { Verdict::Again }, end);
            }
            return (Verdict::Again, end);
        }
        Err(_) => Err(errors::internal("the host failed while it served this process; this is a fault of Moonlet")),
    };
    let over = std::mem::replace(&mut *life, Life::Over);
    drop(life);
    // The instance goes back to the pool here, on the worker and outside of all locks.
    drop(over);
    node.exit(process, exit);
    (Verdict::Idle, node.clock())
}

/// Makes the future of a process.
fn live(node: &Arc<Shared>, process: &Arc<Process>, args: Payload) -> Living {
    let (node, process) = (Arc::clone(node), Arc::clone(process));
    if process.terms.program.is_component() {
        Box::pin(run_component(node, process, args))
    } else {
        Box::pin(run_machine(node, process, args))
    }
}

async fn run_machine(node: Arc<Shared>, process: Arc<Process>, args: Payload) -> Exit {
    let terms = &process.terms;
    let code = terms.program.code(&node)?;
    let Code::Lua(chunks) = code else { return Err(errors::internal("a component runs as a machine")) };
    let limits = InstanceLimits { memory: terms.bounds.memory };
    let imports = Box::new(Calls::new(Arc::clone(&node), Arc::clone(&process)));
    let mut machine = node.sandbox.machine(imports, limits).await.map_err(fault)?;
    let mut program: Program = terms.take_program(chunks);
    process.pid.as_ref().clone_into(&mut program.pid);
    program.args = args;
    program.context = process.context.to_vec();
    program.seed = node.random();
    let mut status = machine.start(&program).await;
    terms.give_program(program);
    loop {
        match status {
            Ok(Status::Finished) => return finished(&process),
            Ok(Status::Blocked) => {}
            Err(failure) => return Err(fault(failure)),
        }
        let events = arrived(&process).await;
        status = machine.step(&events).await;
        give_back(events);
    }
}

async fn run_component(node: Arc<Shared>, process: Arc<Process>, args: Payload) -> Exit {
    let terms = &process.terms;
    let code = terms.program.code(&node)?;
    let Code::Component(component) = code else { return Err(errors::internal("Lua runs as a component")) };
    process.inner().mailbox.open_inbox();
    let limits = InstanceLimits { memory: terms.bounds.memory };
    let imports = Box::new(Calls::new(Arc::clone(&node), Arc::clone(&process)));
    let mut running = component.instance(imports, limits).await.map_err(fault)?;
    match running.run(&args).await {
        Ok(result) => result,
        Err(failure) => Err(fault(failure)),
    }
}

/// The error of a process that the sandbox ended. Whether it may go better next time is for its supervisor to find out.
fn fault(failure: Failure) -> Error {
    let full = matches!(failure, Failure::Full(_));
    let mut error = failure.into_error();
    error.retryable = full.then_some(true);
    error
}

/// Takes what the process said about its end.
fn finished(process: &Process) -> Exit {
    match process.inner().finished.take() {
        Some(exit) => *exit,
        None => Err(errors::internal("the process ended without saying how")),
    }
}

/// Waits until something has arrived and takes it.
async fn arrived(process: &Process) -> Vec<Event> {
    let mut events = Vec::new();
    poll_fn(|_| {
        if events.capacity() == 0 {
            events = SPARE.take();
        }
        if process.take_events(&mut events) {
            return Poll::Ready(());
        }
        PAUSE.set(Pause::Waiting);
        // The vector is of use to the next process on this thread meanwhile.
        SPARE.set(std::mem::take(&mut events));
        Poll::Pending
    })
    .await;
    events
}

fn give_back(mut events: Vec<Event>) {
    events.clear();
    if events.capacity() <= SPARE_CAPACITY {
        SPARE.set(events);
    }
}

/// Components wait for WASI, too, hence need to be woken; a Lua process only waits for its mailbox.
fn waker(node: &Arc<Shared>, process: &Arc<Process>) -> Option<Waker> {
    let alarm = || Alarm { node: Arc::downgrade(node), process: Arc::downgrade(process) };
    process.terms.program.is_component().then(|| Waker::from(Arc::new(alarm())))
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
