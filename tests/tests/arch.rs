//! The shape of the repository: which crate may use which, and that what the suites discover is complete.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use moonlet_tests::binary::repository;
use serde_json::Value;

/// What each crate may use. An edge that is missing here is a decision about the design, not about this test.
const ALLOWED: &[(&str, &[&str])] = &[
    ("moonlet-language", &[]),
    ("moonlet-registry", &["moonlet-language"]),
    ("moonlet-lsp", &["moonlet-language", "moonlet-registry"]),
    ("moonlet-sandbox", &[]),
    ("moonlet-runtime", &["moonlet-language", "moonlet-registry", "moonlet-sandbox"]),
    ("moonlet-modules", &["moonlet-registry", "moonlet-runtime"]),
    ("moonlet-gateway", &["moonlet-registry", "moonlet-runtime"]),
    (
        "moonlet-cli",
        &[
            "moonlet-gateway",
            "moonlet-language",
            "moonlet-lsp",
            "moonlet-modules",
            "moonlet-registry",
            "moonlet-runtime",
            "moonlet-sandbox",
        ],
    ),
    // Behaviour is tested from outside, through the binary.
    ("moonlet-tests", &[]),
    // What reads bytes of others is fed directly, too.
    ("moonlet-fuzz", &["moonlet-language", "moonlet-registry", "moonlet-runtime", "moonlet-sandbox"]),
];

/// Only this crate may name the engine.
const SANDBOX: &str = "moonlet-sandbox";

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The direct dependencies of each crate of the workspace, those for tests excluded.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let name = |value: &Value| value.get("name").and_then(Value::as_str).unwrap().to_owned();
    let packages = metadata.get("packages").and_then(Value::as_array).unwrap();
    packages
        .iter()
        .map(|package| {
            let used = package.get("dependencies").and_then(Value::as_array).unwrap();
            let used = used.iter().filter(|used| used.get("kind").and_then(Value::as_str) != Some("dev"));
            (name(package), used.map(name).collect())
        })
        .collect()
}

#[test]
fn cargo_run_starts_moonlet() {
    let metadata = metadata();
    let packages = metadata.get("packages").and_then(Value::as_array).unwrap();
    let started: Vec<&str> = packages.iter().filter_map(|package| package.get("default_run")?.as_str()).collect();
    assert_eq!(started, ["moonlet"]);
}

#[test]
fn crates_use_only_what_the_design_allows() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for (package, used) in dependencies() {
        assert!(allowed.contains_key(package.as_str()), "`{package}` is new: say in ALLOWED what it may use");
        let allowed = allowed.get(package.as_str()).unwrap();
        for other in used.iter().filter(|other| other.starts_with("moonlet-")) {
            assert!(allowed.contains(&other.as_str()), "`{package}` may not use `{other}`");
        }
    }
}

#[test]
fn only_the_sandbox_names_the_engine() {
    for (package, used) in dependencies() {
        let engine = used.iter().find(|other| other.starts_with("wasmtime"));
        assert!(engine.is_none() || package == SANDBOX, "`{package}` may not use {engine:?}");
    }
}

#[test]
fn every_folder_of_a_suite_is_found_by_its_suite() {
    for (suite, file, except) in [
        ("examples", "README.md", ""),
        ("tests/apps", "main.lua", "lib"),
        ("tests/cli", "expect.txt", ""),
        ("tests/wrong", "expect.txt", ""),
    ] {
        for folder in fs::read_dir(repository().join(suite)).unwrap() {
            let folder = folder.unwrap().path();
            if folder.is_dir() && (except.is_empty() || !folder.ends_with(except)) {
                assert!(folder.join(file).is_file(), "{} has no {file}, so nothing tests it", folder.display());
            }
        }
    }
}
