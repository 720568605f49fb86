//! The process table: slots that a pid leads to without hashing it, and the text form of pids.
//!
//! A pid is `{host|number}`; the number holds the slot and a count that no two processes share, so that the pid of an ended
//! process never leads to its successor. The table compares whole pids, hence a forged one finds nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

/// Bits of the number that hold the slot.
const SLOT_BITS: u32 = 24;
/// Slots of the first chunk; each further chunk has twice as many as the one before.
const FIRST_CHUNK: usize = 1 << 10;
const CHUNKS: usize = (SLOT_BITS - 10) as usize;

/// Something that lives in the table under a pid.
pub(crate) trait Tabled {
    /// Returns its pid.
    fn pid(&self) -> &str;

    /// Returns its number.
    fn number(&self) -> u64;
}

type Slot<T> = Mutex<Option<Arc<T>>>;

/// All living processes by slot.
pub(crate) struct Table<T> {
    // A chunk never moves, so looking a pid up takes the lock of its slot only.
    chunks: [OnceLock<Box<[Slot<T>]>>; CHUNKS],
    free: Mutex<Free>,
    live: AtomicUsize,
}

struct Free {
    slots: Vec<u32>,
    /// The first slot that was never used.
    unused: u32,
    /// Processes ever made.
    count: u64,
}

/// A place that is taken for a process to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    slot: u32,
    number: u64,
}

impl Seat {
    /// Writes the pid of the process that takes this place.
    pub(crate) fn pid(self, host: &str) -> Arc<str> {
        format!("{{{host}|{:#x}}}", self.number).into()
    }

    /// Returns the number of the process, which no other one shares.
    pub(crate) fn number(self) -> u64 {
        self.number
    }
}

impl<T: Tabled> Table<T> {
    pub(crate) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            free: Mutex::new(Free { slots: Vec::new(), unused: 0, count: 0 }),
            live: AtomicUsize::new(0),
        }
    }

    /// Takes a place; none when the table is full.
    pub(crate) fn seat(&self) -> Option<Seat> {
        let mut free = self.free.lock();
        let slot = match free.slots.pop() {
            Some(slot) => slot,
            None => {
                let slot = free.unused;
                let (chunk, _) = place(slot);
                let chunk = self.chunks.get(chunk).filter(|_| slot < 1 << SLOT_BITS)?;
                chunk.get_or_init(|| (0..chunk_len(place(slot).0)).map(|_| Mutex::new(None)).collect());
                free.unused += 1;
                slot
            }
        };
        free.count += 1;
        Some(Seat { slot, number: free.count << SLOT_BITS | u64::from(slot) })
    }

    /// Puts a process on its place: from now on its pid finds it.
    pub(crate) fn put(&self, seat: Seat, process: Arc<T>) {
        if let Some(slot) = self.slot(seat.slot) {
            *slot.lock() = Some(process);
            self.live.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Frees the place of a process, or one that was taken in vain.
    pub(crate) fn remove(&self, seat: Seat) {
        let removed = self.slot(seat.slot).and_then(|slot| slot.lock().take());
        if removed.is_some() {
            self.live.fetch_sub(1, Ordering::Relaxed);
        }
        self.free.lock().slots.push(seat.slot);
    }

    /// Finds the living process that has this pid.
    pub(crate) fn get(&self, pid: &str) -> Option<Arc<T>> {
        let slot = self.slot(slot_of(pid)?)?.lock();
        slot.as_ref().filter(|process| process.pid() == pid).map(Arc::clone)
    }

    /// Finds the living process that has this number.
    pub(crate) fn numbered(&self, number: u64) -> Option<Arc<T>> {
        let slot = self.slot(slot_in(number)?)?.lock();
        slot.as_ref().filter(|process| process.number() == number).map(Arc::clone)
    }

    /// Returns how many processes live.
    pub(crate) fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Lists all living processes.
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        let chunks = self.chunks.iter().map_while(OnceLock::get);
        chunks.flat_map(|chunk| chunk.iter().filter_map(|slot| slot.lock().clone())).collect()
    }

    fn slot(&self, slot: u32) -> Option<&Slot<T>> {
        let (chunk, offset) = place(slot);
        self.chunks.get(chunk)?.get()?.get(offset)
    }
}

fn slot_of(pid: &str) -> Option<u32> {
    let digits = pid.strip_suffix('}')?;
    let digits = digits.get(digits.rfind('|')? + 1..)?.strip_prefix("0x")?;
    slot_in(u64::from_str_radix(digits, 16).ok()?)
}

fn slot_in(number: u64) -> Option<u32> {
    u32::try_from(number & ((1 << SLOT_BITS) - 1)).ok()
}

fn chunk_len(chunk: usize) -> usize {
    FIRST_CHUNK << chunk
}

fn place(slot: u32) -> (usize, usize) {
    // Chunk k starts at FIRST_CHUNK * (2^k - 1).
    let shifted = slot as usize / FIRST_CHUNK + 1;
    let chunk = shifted.ilog2() as usize;
    (chunk, slot as usize - FIRST_CHUNK * ((1 << chunk) - 1))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    struct Named(Arc<str>, u64);

    impl Tabled for Named {
        fn pid(&self) -> &str {
            &self.0
        }

        fn number(&self) -> u64 {
            self.1
        }
    }

    fn sit(table: &Table<Named>) -> (Seat, Arc<str>) {
        let seat = table.seat().unwrap();
        let pid = seat.pid("app:processes");
        table.put(seat, Arc::new(Named(Arc::clone(&pid), seat.number())));
        (seat, pid)
    }

    #[test]
    fn a_pid_finds_its_process_until_it_ends_and_never_its_successor() {
        let table = Table::new();
        let (seat, old) = sit(&table);
        assert_eq!(table.get(&old).unwrap().pid(), &*old);
        table.remove(seat);
        assert!(table.get(&old).is_none());
        let (_, new) = sit(&table);
        assert_ne!(old, new);
        assert!(table.get(&old).is_none());
        assert!(table.get(&new).is_some());
        assert!(table.numbered(seat.number()).is_none());
    }

    #[test]
    fn forged_pids_find_nothing() {
        let table = Table::new();
        let (_, pid) = sit(&table);
        for forged in [pid.replace("app:processes", "app:other"), pid.replace("0x", "0x0"), pid.replace('}', ""), "{|}".into()] {
            assert!(table.get(&forged).is_none(), "{forged}");
        }
        assert!(table.get("").is_none() && table.get("{app:processes|0xffffffffffffffffff}").is_none());
    }

    #[test]
    fn many_processes_have_places_of_their_own() {
        let table = Table::new();
        let seats: Vec<_> = (0..5000).map(|_| sit(&table)).collect();
        assert_eq!(table.len(), 5000);
        assert!(seats.iter().all(|(_, pid)| table.get(pid).is_some_and(|process| process.0 == *pid)));
        assert_eq!(table.all().len(), 5000);
    }
}
