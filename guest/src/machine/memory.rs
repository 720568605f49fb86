//! Lua's allocator: the C one, with an account and a limit.

use std::ffi::c_void;
use std::ptr;

/// The account of the Lua heap.
pub(super) struct Account {
    used: usize,
    limit: usize,
}

impl Account {
    pub(super) const fn new() -> Self {
        Self { used: 0, limit: usize::MAX }
    }

    /// Sets the most that may be in use.
    pub(super) fn limit(&mut self, limit: u64) {
        self.limit = usize::try_from(limit).unwrap_or(usize::MAX);
    }
}

unsafe extern "C" {
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// Answers null above the limit, which Lua turns into its catchable "not enough memory" after it has tried to collect garbage.
pub(super) unsafe extern "C" fn allocate(account: *mut c_void, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
    let account = &mut *account.cast::<Account>();
    // For a new block Lua passes the kind of the object in place of the old size.
    let old = if block.is_null() { 0 } else { old };
    if new == 0 {
        account.used -= old;
        free(block);
        return ptr::null_mut();
    }
    let used = account.used - old + new;
    // Lua takes for granted that shrinking never fails.
    if new > old && used > account.limit {
        return ptr::null_mut();
    }
    let block = realloc(block, new);
    if !block.is_null() {
        account.used = used;
    }
    block
}
