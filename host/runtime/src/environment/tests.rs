#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moonlet_registry::{Entry, EntryId, Registry};
use serde_json::{Value, json};

use super::Environment;

fn entry(name: &str, kind: &str, data: Value) -> Entry {
    Entry::new(EntryId::parse(&format!("app:{name}")).unwrap(), kind, json!({}), data)
}

/// A directory of its own for each test.
fn directory(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("moonlet-env-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn registry() -> Registry {
    let variable = |name: &str, storage: &str| entry(name, "env.variable", json!({ "variable": name, "storage": storage }));
    let entries = vec![
        entry("memory", "env.storage.memory", json!({})),
        entry("file", "env.storage.file", json!({ "file_path": "conf/app.env", "auto_create": true, "file_mode": 0o600 })),
        entry("fixed", "env.storage.static", json!({ "values": { "HOST": "example.com", "PORT": 80, "BOTH": "static" } })),
        entry("chain", "env.storage.router", json!({ "storages": ["memory", "file", "fixed"] })),
        entry("loop", "env.storage.router", json!({ "storages": ["loop"] })),
        variable("HOST", "chain"),
        variable("PORT", "fixed"),
        variable("BOTH", "chain"),
        variable("NOTE", "file"),
        variable("NOWHERE", "chain"),
        variable("CIRCLE", "loop"),
        entry("DEFAULTED", "env.variable", json!({ "variable": "DEFAULTED", "storage": "memory", "default": "d" })),
        entry("FIXED", "env.variable", json!({ "variable": "FIXED", "storage": "memory", "readonly": true })),
        entry("secret", "env.variable", json!({ "storage": "memory" })),
    ];
    Registry::from_entries(entries, None).unwrap()
}

#[test]
fn a_chain_is_read_in_order_and_written_at_its_head() {
    let (environment, registry) = (Environment::new(directory("chain")), registry().snapshot());
    assert_eq!(environment.value(&registry, "BOTH").unwrap(), "static");
    environment.set(&registry, "BOTH", "memory").unwrap();
    assert_eq!(environment.value(&registry, "app:BOTH").unwrap(), "memory");
    assert_eq!(environment.value(&registry, "PORT").unwrap(), "80");
    assert_eq!(environment.get(&registry, "NOWHERE").unwrap(), None);
    assert_eq!(environment.value(&registry, "NOWHERE").unwrap_err().kind, "NotFound");
    assert_eq!(environment.value(&registry, "CIRCLE").unwrap_err().kind, "Invalid");
}

#[test]
fn errors_say_what_is_wrong() {
    let (environment, registry) = (Environment::new(directory("errors")), registry().snapshot());
    let kind = |name: &str| environment.set(&registry, name, "x").unwrap_err().kind;
    assert_eq!((kind("PORT"), kind("FIXED")), ("PermissionDenied".into(), "PermissionDenied".into()));
    assert_eq!((kind("UNKNOWN"), kind("app:other"), kind("memory")), ("NotFound".into(), "NotFound".into(), "NotFound".into()));
    assert_eq!((kind("A-B"), kind("")), ("Invalid".into(), "Invalid".into()));
    assert_eq!(environment.value(&registry, "DEFAULTED").unwrap(), "d");
    assert!(environment.set(&registry, "NOWHERE", &"x".repeat(1 << 20)).is_err());
    environment.set(&registry, "app:secret", "s").unwrap();
    assert_eq!(environment.value(&registry, "app:secret").unwrap(), "s");
    assert!(environment.value(&registry, "secret").is_err());
}

#[test]
fn a_file_keeps_values_and_comments() {
    let directory = directory("file");
    let path = directory.join("conf/app.env");
    let registry = registry().snapshot();
    let awkward = " a # b \"c\" \\ \n d=e ";
    Environment::new(directory.clone()).set(&registry, "NOTE", awkward).unwrap();
    assert_eq!(Environment::new(directory.clone()).value(&registry, "NOTE").unwrap(), awkward);
    std::fs::write(&path, "# first\nexport HOST = 'from file' # why\nNOTE=plain # remark\nbroken line\n").unwrap();
    let environment = Environment::new(directory.clone());
    assert_eq!(environment.value(&registry, "HOST").unwrap(), "from file");
    assert_eq!(environment.value(&registry, "NOTE").unwrap(), "plain");
    environment.set(&registry, "NOTE", "two words").unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, "# first\nexport HOST = 'from file' # why\nNOTE=\"two words\"\nbroken line\n");
    let _ = std::fs::remove_dir_all(directory);
}

#[test]
fn placeholders_are_filled_and_take_the_type_of_their_default() {
    let (environment, registry) = (Environment::new(directory("fill")), registry().snapshot());
    let data = json!({
        "whole": "${env:HOST}",
        "port": "${env:PORT|8080}",
        "other": "${OTHER|8080}",
        "flag": "${env:OTHER|true}",
        "mixed": "http://${env:HOST}:${env:app:PORT}/$${literal}/${shell}",
        "list": ["${env:OTHER|x}"],
        "key_env": "HOST",
        "path_env": "NOT_A_VARIABLE",
    });
    let filled = environment.fill(&registry, &entry("user", "registry.entry", data)).unwrap();
    assert_eq!(
        filled.data,
        json!({
            "whole": "example.com",
            "port": 80,
            "other": 8080,
            "flag": true,
            "mixed": "http://example.com:80/${literal}/${shell}",
            "list": ["x"],
            "key_env": "HOST",
            "key": "example.com",
            "path_env": "NOT_A_VARIABLE",
        })
    );
    let error = environment.fill(&registry, &entry("user", "registry.entry", json!({ "a": ["${env:OTHER}"] }))).unwrap_err();
    assert_eq!(error.kind, "NotFound");
    assert!(error.message.contains("`a[0]` of `app:user`"), "{}", error.message);
}
