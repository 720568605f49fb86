#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use std::sync::Arc;

use super::memory::{MemoryStore, sweep};
use super::{Listing, Put, Store};

fn store() -> MemoryStore {
    MemoryStore::new(3, 10_000)
}

fn set(store: &MemoryStore, key: &str) -> Result<String, moonlet_runtime::Error> {
    store.put(key, vec![1], &Put::default())
}

#[test]
fn a_full_store_takes_no_new_key_and_still_changes_old_ones() {
    let store = store();
    for key in ["a", "b", "c"] {
        set(&store, key).unwrap();
    }
    assert_eq!(set(&store, "d").unwrap_err().kind, "LimitExceeded");
    set(&store, "a").unwrap();
    assert!(store.delete("a").unwrap());
    assert!(!store.delete("a").unwrap());
    set(&store, "d").unwrap();
}

#[test]
fn bytes_are_bounded_too_and_free_again() {
    let store = store();
    store.put("a", vec![0; 9_000], &Put::default()).unwrap();
    assert_eq!(store.put("b", vec![0; 9_000], &Put::default()).unwrap_err().kind, "LimitExceeded");
    store.put("a", vec![0; 9_100], &Put::default()).unwrap();
    store.delete("a").unwrap();
    store.put("b", vec![0; 9_000], &Put::default()).unwrap();
}

#[test]
fn what_has_expired_is_gone_and_makes_room() {
    let store = store();
    let soon = Put { ttl: Some(Duration::from_nanos(1)), ..Put::default() };
    for key in ["a", "b", "c"] {
        store.put(key, vec![1], &soon).unwrap();
    }
    assert!(!store.has("a").unwrap() || store.entry("a").unwrap().is_none());
    set(&store, "d").unwrap();
    // A later write takes the end away that an earlier one had.
    store.put("e", vec![1], &Put { ttl: Some(Duration::from_secs(3600)), ..Put::default() }).unwrap();
    set(&store, "e").unwrap();
    assert!(store.has("e").unwrap());
}

#[test]
fn what_has_expired_is_seen_by_nobody_and_removed_little_by_little() {
    let store = MemoryStore::new(10_000, 1 << 30);
    let soon = Put { ttl: Some(Duration::from_millis(500)), ..Put::default() };
    for number in 0..5_000 {
        store.put(&format!("late:{number:04}"), vec![1], &soon).unwrap();
    }
    while store.has("late:4999").unwrap() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let held = store.held();
    assert!(!store.has("late:4999").unwrap());
    assert!(held - store.held() <= 64, "{held} {}", store.held());
    let all = Listing { prefix: String::new(), after: None, limit: 10, bytes: 1_000 };
    assert_eq!(store.list(&all).unwrap().items.len(), 0);
    for number in [0, 2_500, 4_998] {
        let key = format!("late:{number:04}");
        assert!(store.entry(&key).unwrap().is_none() && !store.has(&key).unwrap() && !store.delete(&key).unwrap());
    }
}

#[test]
fn what_has_expired_goes_while_nobody_uses_the_store() {
    let store = Arc::new(MemoryStore::new(10_000, 1 << 30));
    let soon = Put { ttl: Some(Duration::from_millis(1)), ..Put::default() };
    for number in 0..3_000 {
        store.put(&number.to_string(), vec![1], &soon).unwrap();
    }
    set(&store, "stays").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let sweeper = tokio::spawn(sweep(Arc::downgrade(&store), Duration::from_millis(1)));
        while store.held() > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(store.has("stays").unwrap());
        drop(store);
        // It ends with the store.
        sweeper.await.unwrap();
    });
}

#[test]
fn conditions_hold() {
    let store = store();
    let absent = Put { only_if_absent: true, ..Put::default() };
    let version = store.put("a", vec![1], &absent).unwrap();
    assert_eq!(store.put("a", vec![1], &absent).unwrap_err().kind, "AlreadyExists");
    let same = Put { if_version: Some(version), ..Put::default() };
    store.put("a", vec![2], &same).unwrap();
    let error = store.put("a", vec![3], &same).unwrap_err();
    assert_eq!((error.kind.as_str(), error.retryable), ("Conflict", Some(true)));
    assert_eq!(store.put("b", vec![3], &same).unwrap_err().kind, "Conflict");
}

#[test]
fn pages_follow_each_other() {
    let store = MemoryStore::new(100, 100_000);
    for number in 0..25 {
        set(&store, &format!("k:{number:02}")).unwrap();
    }
    set(&store, "other").unwrap();
    let mut listing = Listing { prefix: "k:".into(), after: None, limit: 10, bytes: 1_000 };
    let mut seen = Vec::new();
    loop {
        let page = store.list(&listing).unwrap();
        seen.extend(page.items.iter().map(|item| item.key.clone()));
        listing.after = seen.last().cloned();
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, (0..25).map(|number| format!("k:{number:02}")).collect::<Vec<_>>());
    // The first item fits whatever its size.
    let page = store.list(&Listing { prefix: String::new(), after: None, limit: 10, bytes: 1 }).unwrap();
    assert_eq!((page.items.len(), page.has_more), (1, true));
}
