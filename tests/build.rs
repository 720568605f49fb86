//! Builds the Rust components: `tests/peer`, which is put where the example that runs it expects it, and `tests/intruder`.

#![expect(clippy::expect_used, reason = "a build script has nobody to hand an error to")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../wit");
    let tests = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets CARGO_MANIFEST_DIR"));

    let peer = build(&tests, "peer");
    let place = Path::new(&tests).join("../examples/09-rust-component/peer.wasm");
    fs::copy(&peer, &place).expect("the example folder can be written");
    println!("cargo::rerun-if-changed={}", place.display());

    let intruder = build(&tests, "intruder");
    println!("cargo::rustc-env=MOONLET_INTRUDER={}", intruder.display());
}

/// Builds the component in a folder of this one and returns its file.
fn build(tests: &Path, name: &str) -> PathBuf {
    println!("cargo::rerun-if-changed={name}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR"));
    let target = out.ancestors().nth(4).expect("OUT_DIR lies in the target folder").join("peer");

    let mut command = Command::new(env::var_os("CARGO").expect("Cargo sets CARGO"));
    // Flags and wrappers of the host build, such as those of clippy, are not meant for the component.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_") && name != "CARGO_HOME"
            || name.starts_with("RUSTC")
            || name == "RUSTFLAGS"
            || name == "CLIPPY_ARGS"
        {
            command.env_remove(&*name);
        }
    }
    let status = command
        .current_dir(tests.join(name))
        .args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .status()
        .expect("failed to run cargo for a component");
    assert!(status.success(), "failed to build tests/{name}");
    target.join(format!("wasm32-wasip2/release/moonlet_{name}.wasm"))
}
