//! libFuzzer feeds [`moonlet_fuzz::events`].
//!
//! Machine code of the guest has no counters of its own. What it asks of the host, and in which order, tells about its ways.
#![no_main]
#![expect(unsafe_code, reason = "libFuzzer finds the counters by the section they lie in")]

use std::sync::atomic::{AtomicU8, Ordering};

use libfuzzer_sys::{Corpus, fuzz_target};
use moonlet_fuzz::events::Receiver;

/// One for each act of a process, by the act before it.
#[used]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static WAYS: [AtomicU8; 4096] = [const { AtomicU8::new(0) }; 4096];

fuzz_target!(|bytes: &[u8]| -> Corpus {
    thread_local! {
        static RECEIVER: Receiver = Receiver::new();
    }
    let acts = RECEIVER.with(|receiver| receiver.feed(bytes));
    let mut last = 0;
    for act in acts {
        let way = usize::from(last) * 64 + usize::from(act);
        if let Some(counter) = WAYS.get(way % WAYS.len()) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        last = act % 64;
    }
    Corpus::Keep
});
