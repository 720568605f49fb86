#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::mpsc;

use super::*;

/// What a fake process does in a turn.
type Turn = dyn Fn(&Arc<Fake>) -> Verdict + Send + Sync;

/// A process whose turns are a closure.
struct Fake {
    lane: Arc<Lane>,
    brief: bool,
    halted: Halted,
    turn: Box<Turn>,
}

impl Runnable for Fake {
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn is_brief(&self) -> bool {
        self.brief
    }

    fn halted(&self) -> &Halted {
        &self.halted
    }
}

struct FakeDriver {
    start: Instant,
    deadline: AtomicU64,
    fired: mpsc::Sender<()>,
}

impl Driver for FakeDriver {
    type Process = Fake;

    fn run(self: &Arc<Self>, process: &Arc<Fake>, _now: u64) -> (Verdict, u64) {
        ((process.turn)(process), self.now())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap()
    }

    fn next_deadline(&self) -> u64 {
        self.deadline.load(Ordering::SeqCst)
    }

    fn fire(self: &Arc<Self>, _now: u64) {
        self.deadline.store(u64::MAX, Ordering::SeqCst);
        self.fired.send(()).unwrap();
    }

    fn tick(&self) {}
}

struct Running {
    scheduler: Arc<Scheduler<Fake>>,
    driver: Arc<FakeDriver>,
    fired: mpsc::Receiver<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.scheduler.stop();
    }
}

fn start(workers: usize) -> Running {
    let (sender, fired) = mpsc::channel();
    let driver = Arc::new(FakeDriver { start: Instant::now(), deadline: AtomicU64::new(u64::MAX), fired: sender });
    let scheduler = Arc::new(Scheduler::new(workers));
    scheduler.start(&driver).unwrap();
    Running { scheduler, driver, fired }
}

fn fake(lane: &Arc<Lane>, turn: impl Fn(&Arc<Fake>) -> Verdict + Send + Sync + 'static) -> Arc<Fake> {
    Arc::new(Fake { lane: Arc::clone(lane), brief: true, halted: Halted::default(), turn: Box::new(turn) })
}

/// A process in the middle of a step that never ends.
fn endless(lane: &Arc<Lane>) -> Arc<Fake> {
    let process = fake(lane, |_| Verdict::Again);
    process.halted.set(Arc::default());
    process
}

fn lane() -> Arc<Lane> {
    Arc::new(Lane::new(0, DEFAULT_WEIGHT))
}

#[test]
fn every_process_that_is_pushed_runs() {
    let running = start(2);
    let lane = lane();
    let (sender, receiver) = mpsc::channel();
    for number in 0..1000 {
        let sender = sender.clone();
        running.scheduler.push(fake(&lane, move |_| {
            sender.send(number).unwrap();
            Verdict::Idle
        }));
    }
    let mut seen: Vec<i32> = (0..1000).map(|_| receiver.recv().unwrap()).collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..1000));
}

#[test]
fn what_a_process_wakes_runs_after_it() {
    let running = start(2);
    let lane = lane();
    let (sender, receiver) = mpsc::channel();
    let second = fake(&lane, move |_| {
        sender.send(()).unwrap();
        Verdict::Idle
    });
    let scheduler = Arc::clone(&running.scheduler);
    running.scheduler.push(fake(&lane, move |_| {
        scheduler.push(Arc::clone(&second));
        Verdict::Idle
    }));
    receiver.recv().unwrap();
}

#[test]
fn a_long_turn_does_not_hold_up_what_it_woke() {
    let running = start(2);
    let lane = lane();
    let (sender, receiver) = mpsc::channel();
    let (done, ended) = mpsc::channel();
    let second = fake(&lane, move |_| {
        sender.send(()).unwrap();
        Verdict::Idle
    });
    let receiver = Mutex::new(receiver);
    let scheduler = Arc::clone(&running.scheduler);
    // Its turn lasts until the other process has run, which hence must run on the other worker.
    running.scheduler.push(fake(&lane, move |_| {
        scheduler.push(Arc::clone(&second));
        receiver.lock().recv().unwrap();
        done.send(()).unwrap();
        Verdict::Idle
    }));
    ended.recv().unwrap();
}

#[test]
fn an_endless_process_lets_the_others_run() {
    let running = start(1);
    let lane = lane();
    let (sender, receiver) = mpsc::channel();
    running.scheduler.push(fake(&lane, |_| Verdict::Again));
    running.scheduler.push(fake(&lane, move |_| {
        sender.send(()).unwrap();
        Verdict::Idle
    }));
    receiver.recv().unwrap();
}

#[test]
fn what_is_due_is_done_while_every_worker_sleeps() {
    let running = start(2);
    let deadline = running.driver.now() + 3_000_000;
    running.driver.deadline.store(deadline, Ordering::SeqCst);
    running.scheduler.watch(deadline);
    running.fired.recv().unwrap();
    assert!(running.driver.now() >= deadline);
}

#[test]
fn hosts_share_by_weight_and_not_by_number_of_processes() {
    const TURN: u64 = 1_000_000;
    let clock = AtomicU64::new(0);
    let mut queue = RunQueue::new();
    let (heavy, light) = (Arc::new(Lane::new(0, 300)), Arc::new(Lane::new(1, 100)));
    queue.push(fake(&heavy, |_| Verdict::Again), &clock);
    for _ in 0..50 {
        queue.push(fake(&light, |_| Verdict::Again), &clock);
    }
    let mut turns = [0_u32; 2];
    for _ in 0..4_000 {
        let process = queue.pop(&clock, 0).unwrap();
        *turns.get_mut(process.lane.index()).unwrap() += 1;
        process.lane.charge(TURN, 0);
        queue.push(process, &clock);
    }
    assert!(turns[0].abs_diff(3_000) <= 10, "{turns:?}");
}

#[test]
fn a_host_that_rested_is_served_first_but_makes_up_for_nothing() {
    let clock = AtomicU64::new(0);
    let mut queue = RunQueue::new();
    let (busy, rested) = (Arc::new(Lane::new(0, 100)), Arc::new(Lane::new(1, 100)));
    queue.push(fake(&busy, |_| Verdict::Again), &clock);
    busy.charge(3_600_000_000_000, 0);
    clock.fetch_max(busy.pass(), Ordering::Relaxed);
    queue.push(fake(&rested, |_| Verdict::Again), &clock);
    assert_eq!(queue.pop(&clock, 0).unwrap().lane.index(), 1);
    assert!(busy.pass() - rested.pass() <= 10_000_000);
}

#[test]
fn endless_steps_hold_up_neither_another_host_nor_brief_steps() {
    let clock = AtomicU64::new(0);
    let mut queue = RunQueue::new();
    let (busy, other) = (Arc::new(Lane::new(0, 100)), Arc::new(Lane::new(1, 100)));
    for _ in 0..600 {
        queue.push(endless(&busy), &clock);
    }
    let brief = fake(&busy, |_| Verdict::Idle);
    let fresh =
        Arc::new(Fake { lane: Arc::clone(&busy), brief: false, halted: Halted::default(), turn: Box::new(|_| Verdict::Idle) });
    let neighbour = fake(&other, |_| Verdict::Idle);
    for process in [&brief, &fresh, &neighbour] {
        queue.push(Arc::clone(process), &clock);
    }
    let mut place_of_neighbour = None;
    let mut place_of_brief = None;
    for place in 0..20 {
        let process = queue.pop(&clock, 0).unwrap();
        assert!(!Arc::ptr_eq(&process, &fresh), "what may need a thread has to wait");
        if Arc::ptr_eq(&process, &neighbour) {
            place_of_neighbour = Some(place);
        } else if Arc::ptr_eq(&process, &brief) {
            place_of_brief = Some(place);
        } else {
            busy.charge(1_500_000, 0);
            queue.push(process, &clock);
        }
    }
    assert!(place_of_neighbour.is_some_and(|place| place <= 2), "{place_of_neighbour:?}");
    assert!(place_of_brief.is_some_and(|place| place <= 4), "{place_of_brief:?}");
}

#[test]
fn a_cap_holds_whether_others_want_the_time_or_not() {
    let lane = Lane::new(0, 100).capped(Some(0.25));
    let (mut now, mut used) = (1_000_000_000, 0);
    let start = now;
    while now < start + 4_000_000_000 {
        match lane.throttled(now) {
            Some(until) => now = until,
            None => {
                now += 2_000_000;
                used += 2_000_000;
                lane.charge(2_000_000, now);
            }
        }
    }
    assert!((1_000_000_000..1_040_000_000).contains(&used), "a quarter of four seconds, and a start: {used}");
    assert_eq!(Lane::new(0, 100).throttled(u64::MAX), None);
}

#[test]
fn a_host_with_a_cap_waits_and_the_worker_sleeps_meanwhile() {
    let running = start(1);
    let lane = Arc::new(Lane::new(0, 100).capped(Some(0.1)));
    let (sender, receiver) = mpsc::channel();
    let driver = Arc::clone(&running.driver);
    let begin = running.driver.now();
    running.scheduler.push(fake(&lane, move |process| {
        // Each turn is charged as ten milliseconds, which a tenth of a core pays in a hundred.
        process.lane.charge(10_000_000, driver.now());
        sender.send(()).unwrap();
        Verdict::Again
    }));
    for _ in 0..4 {
        receiver.recv().unwrap();
    }
    assert!(running.driver.now() - begin >= 100_000_000);
}

#[test]
fn a_host_beyond_its_share_is_not_left_waiting() {
    let clock = AtomicU64::new(0);
    let mut queue = RunQueue::new();
    let (over, under) = (Arc::new(Lane::new(0, 100)), Arc::new(Lane::new(1, 100)));
    queue.push(endless(&under), &clock);
    queue.push(fake(&over, |_| Verdict::Idle), &clock);
    // Other workers run so much of it that it never has the least pass.
    over.charge(3_600_000_000_000, 0);
    let mut now = 0;
    loop {
        let process = queue.pop(&clock, now).unwrap();
        if process.lane.index() == 0 {
            break;
        }
        under.charge(1_000_000, 0);
        now += 1_000_000;
        queue.push(process, &clock);
        assert!(now < 10_000_000, "it waits for {now} ns already");
    }
}

#[test]
fn brief_steps_of_a_host_share_one_turn() {
    let clock = AtomicU64::new(0);
    let mut queue = RunQueue::new();
    let (talking, busy) = (Arc::new(Lane::new(0, 100)), Arc::new(Lane::new(1, 100)));
    queue.push(fake(&talking, |_| Verdict::Idle), &clock);
    queue.push(endless(&busy), &clock);
    let (mut now, mut switches, mut last) = (0, 0, 0);
    for _ in 0..4_000 {
        let process = queue.pop(&clock, now).unwrap();
        let index = process.lane.index();
        let used = if index == 0 { 10_000 } else { 1_500_000 };
        process.lane.charge(used, 0);
        now += used;
        switches += usize::from(index != last);
        last = index;
        queue.push(process, &clock);
    }
    assert!(switches < 80, "{switches} switches");
    let (one, other) = (talking.pass(), busy.pass());
    assert!(one.abs_diff(other) < one / 4, "{one} ns of brief steps, {other} ns of the endless one");
}
