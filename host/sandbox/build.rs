//! Builds the guest image: compiles the Lua guest for Wasm, runs its `prepare`, makes a component of it and compiles that to
//! machine code, so that a start of `moonlet` compiles nothing.

#[path = "src/config.rs"]
mod config;
#[path = "build/constants.rs"]
mod constants;
#[path = "build/image.rs"]
mod image;
#[path = "build/imports.rs"]
mod imports;
#[path = "build/stubs.rs"]
mod stubs;
#[path = "build/table.rs"]
mod table;
#[path = "build/toolchain.rs"]
mod toolchain;

use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context as _, Result};

macro_rules! image_modules {
    ($($name:literal $manifest:literal $($glue:literal)?;)*) => {
        /// The Lua files of the host modules that the image holds.
        const GLUE: &[&str] = &[$($($glue,)?)*];
    };
}

include!("../../guest/modules.rs");

fn main() -> Result<()> {
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("Cargo sets CARGO_MANIFEST_DIR")?);
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").context("Cargo sets OUT_DIR")?);
    let root = manifest_dir.ancestors().nth(2).context("the sandbox crate lies in host/")?.to_path_buf();
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE/out: tools and the guest's own target folder stand beside the profiles, where clones share them.
    let target_dir = out_dir.ancestors().nth(4).context("OUT_DIR lies in the target folder")?.to_path_buf();

    for path in [
        "guest/src",
        "guest/prelude",
        "guest/c",
        "guest/build.rs",
        "guest/Cargo.toml",
        "guest/Cargo.lock",
        "guest/lua.patch",
        "guest/modules.rs",
        "wit",
    ]
    .iter()
    .chain(GLUE)
    {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    for path in ["build.rs", "build", "src/config.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }

    let tools = toolchain::ensure(&target_dir)?;
    let module = toolchain::build_guest(&root, &target_dir, &tools)?;
    let module = stubs::replace_wasi_imports(&module).context("failed to replace the WASI imports of the guest")?;
    let module = table::replace_function_table(&module).context("failed to replace the function table of the guest")?;
    let module = constants::replace_constants(&module).context("failed to replace the constants of the guest")?;
    let module = image::prepare(&module).context("failed to run `prepare` of the guest")?;
    let component = image::componentize(&module).context("failed to make a component of the guest")?;
    let component = imports::replace_import_table(&component).context("failed to replace the import table of the guest")?;
    fs::write(out_dir.join("guest.wasm"), &component)?;
    let machine_code = image::compile(&component).context("failed to compile the guest to machine code")?;
    fs::write(out_dir.join("guest.cwasm"), machine_code)?;
    Ok(())
}
