//! Finds or installs what the guest build needs beyond Cargo: the wasm32-wasip2 target and zig, whose clang compiles Lua.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The version of the `ziglang` package of PyPI; its clang 22 knows the standard exception encoding.
const ZIG_VERSION: &str = "0.17.0";
const TARGET: &str = "wasm32-wasip2";

/// Tools that `ensure` found.
pub(crate) struct Tools {
    zig: PathBuf,
}

/// Finds the tools and installs those that are missing.
pub(crate) fn ensure(target_dir: &Path) -> Result<Tools> {
    println!("cargo::rerun-if-env-changed=MOONLET_ZIG");
    ensure_target()?;
    Ok(Tools { zig: ensure_zig(target_dir)? })
}

fn ensure_target() -> Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let installed = || {
        Command::new(&rustc)
            .args(["--print", "target-libdir", "--target", TARGET])
            .output()
            .is_ok_and(|output| output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
    };
    if installed() {
        return Ok(());
    }
    let status = Command::new("rustup").args(["target", "add", TARGET]).status();
    if !status.is_ok_and(|status| status.success()) || !installed() {
        bail!("Rust's standard library for {TARGET} is missing; install it with `rustup target add {TARGET}`");
    }
    Ok(())
}

fn ensure_zig(target_dir: &Path) -> Result<PathBuf> {
    if let Some(zig) = env::var_os("MOONLET_ZIG") {
        return Ok(zig.into());
    }
    let home = target_dir.join(format!("ziglang-{ZIG_VERSION}"));
    let zig = home.join("ziglang").join("zig");
    if zig.is_file() {
        return Ok(zig);
    }
    // Installed under another name first, so that an interrupted install is not taken for a whole one.
    let partial = target_dir.join(format!("ziglang-{ZIG_VERSION}.partial"));
    let _ = fs::remove_dir_all(&partial);
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
        .arg(&partial)
        .arg(format!("ziglang=={ZIG_VERSION}"))
        .output()
        .context("failed to run python3, which installs the C compiler for the guest; install it with `apt-get install python3 python3-pip`")?;
    if !output.status.success() {
        bail!(
            "failed to install the C compiler for the guest with `python3 -m pip install ziglang=={ZIG_VERSION}`:\n{}\n\
             install pip with `apt-get install python3-pip`, or set MOONLET_ZIG to a zig {ZIG_VERSION} of your own",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    fs::rename(&partial, &home).context("failed to keep the installed compiler")?;
    Ok(zig)
}

/// Compiles the guest to a core module and returns it.
pub(crate) fn build_guest(root: &Path, target_dir: &Path, tools: &Tools) -> Result<Vec<u8>> {
    let guest_target = target_dir.join("guest");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Flags and wrappers of the host build, such as those of clippy, are not meant for the guest.
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
    let output = command
        .current_dir(root.join("guest"))
        .args(["build", "--release", "--locked", "--lib", "--target", TARGET, "--target-dir"])
        .arg(&guest_target)
        .env("MOONLET_ZIG", &tools.zig)
        // The component is made here, after the WASI imports are gone.
        .env(
            "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
            "-Clink-arg=--skip-wit-component -Clink-arg=-zstack-size=262144 -Cpanic=abort",
        )
        .output()
        .context("failed to run cargo for the guest")?;
    if !output.status.success() {
        bail!("failed to compile the guest:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let module = guest_target.join(TARGET).join("release").join("moonlet_guest.wasm");
    fs::read(&module).with_context(|| format!("failed to read {}", module.display()))
}
