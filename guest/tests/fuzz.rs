//! The seeds of the guest's fuzz targets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/feed.rs"]
mod feed;

#[track_caller]
fn feed_seeds(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds").join(name);
    for seed in fs::read_dir(folder).unwrap() {
        target(&fs::read(seed.unwrap().path()).unwrap());
    }
}

#[test]
fn seeds_of_the_codec() {
    feed_seeds("codec", feed::codec);
}

#[test]
fn seeds_of_the_machine() {
    feed_seeds("machine", feed::machine);
}
