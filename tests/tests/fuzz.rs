//! The seeds of the fuzz targets, and the same inputs made from them every time; `../fuzz/README.md` says more.

use moonlet_fuzz::events::Receiver;
use moonlet_fuzz::replay::replay;
use moonlet_fuzz::{documents, entries, programs};

#[test]
fn documents() {
    replay("documents", || documents::feed);
}

#[test]
fn entries() {
    replay("entries", || entries::feed);
}

#[test]
fn programs() {
    replay("programs", || programs::feed);
}

#[test]
fn events() {
    replay("events", || {
        let receiver = Receiver::new();
        move |bytes: &[u8]| drop(receiver.feed(bytes))
    });
}
