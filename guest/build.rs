//! Compiles the patched PUC Lua into a static library, with zig for Wasm and with the system's compiler for native tests.
#![allow(clippy::expect_used, clippy::panic, reason = "a build script fails by panicking")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Defines that hold for both targets.
const DEFINES: &[(&str, Option<&str>)] = &[
    ("LUA_COMPAT_5_3", None),
    // The image is made at build time, so a seed from time and addresses would be the same in every process anyway;
    // fixed, it makes builds repeatable. A process that floods its own hash tables harms only itself.
    ("luai_makeseed(L)", Some("0x5bd1e995u")),
    // The pivot of large sorts; the default asks the clock.
    ("l_randomizePivot()", Some("0x9e3779b9u")),
];

fn main() {
    for file in ["build.rs", "c", "lua.patch"] {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-env-changed=MOONLET_ZIG");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR"));
    let sources = patched_sources(&out);
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        compile_for_wasm(&out, &sources);
    } else {
        let mut build = cc::Build::new();
        build.file("c/lua.c").include(&sources).opt_level(2).warnings(false);
        build.define("LUA_USE_POSIX", None);
        for (name, value) in DEFINES {
            build.define(name, *value);
        }
        build.compile("lua");
        println!("cargo::rustc-link-lib=m");
    }
}

/// Copies Lua's sources out of the `lua-src` crate and applies `lua.patch`.
fn patched_sources(out: &Path) -> PathBuf {
    // For this target only: on a machine whose first build this is, Cargo has downloaded nothing for the others.
    let metadata = Command::new(env::var_os("CARGO").expect("Cargo sets CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform"])
        .arg(env::var_os("TARGET").expect("Cargo sets TARGET"))
        .output()
        .expect("failed to run `cargo metadata`");
    assert!(metadata.status.success(), "`cargo metadata` failed: {}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("`cargo metadata` prints JSON");
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "lua-src")
        .and_then(|package| package["manifest_path"].as_str())
        .expect("lua-src is a build dependency");
    let original = Path::new(manifest).with_file_name("lua-5.4.9");

    let copy = out.join("lua");
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).expect("OUT_DIR can be written");
    for file in fs::read_dir(&original).expect("lua-src holds lua-5.4.9") {
        let file = file.expect("lua-src can be read");
        fs::copy(file.path(), copy.join(file.file_name())).expect("OUT_DIR can be written");
    }
    let patch = fs::read_to_string("lua.patch").expect("guest/lua.patch can be read");
    for part in split_patch(&patch) {
        let part = diffy::Patch::from_str(&part).expect("guest/lua.patch is a unified diff");
        let name = part.modified().and_then(|name| name.split('/').next_back()).expect("a patch names its file");
        let path = copy.join(name.trim());
        let text = fs::read_to_string(&path).expect("the patch names files of Lua");
        let text = diffy::apply(&text, &part)
            .unwrap_or_else(|error| panic!("guest/lua.patch does not apply to {name} of lua-src 551.0.2: {error}"));
        fs::write(&path, text).expect("OUT_DIR can be written");
    }
    copy
}

/// Splits a diff of many files into diffs of one file, which is what diffy reads.
fn split_patch(patch: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in patch.split_inclusive('\n') {
        if line.starts_with("--- ") {
            parts.push(String::new());
        }
        if line.starts_with("diff ") || line.starts_with("index ") {
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
        }
    }
    parts
}

/// Compiles with zig's clang, the only packaged one that knows the standard Wasm exception encoding, which setjmp and longjmp need.
fn compile_for_wasm(out: &Path, sources: &Path) {
    let zig =
        PathBuf::from(env::var_os("MOONLET_ZIG").expect(
            "MOONLET_ZIG is not set: the guest is built for Wasm by `cargo build` in the repository root, which finds zig",
        ));
    let exceptions = [
        "-mexception-handling",
        "-mllvm",
        "-wasm-enable-eh",
        "-mllvm",
        "-wasm-use-legacy-eh=false",
        "-mllvm",
        "-wasm-enable-sjlj",
    ];
    let common = [
        "-target",
        "wasm32-wasi",
        "-O3",
        "-c",
        "-fno-sanitize=all",
        "-mbulk-memory",
        "-msign-ext",
        "-mnontrapping-fptoint",
        "-mmultivalue",
    ];
    let mut objects = Vec::new();
    let mut compile = |input: &Path, extra: &[OsString]| {
        let object = out.join(input.file_name().expect("a source file")).with_extension("o");
        let status = Command::new(&zig)
            .arg("cc")
            .args(common)
            .args(exceptions)
            .args(extra)
            .arg(input)
            .arg("-o")
            .arg(&object)
            .status()
            .expect("failed to run zig");
        assert!(status.success(), "zig failed to compile {}", input.display());
        objects.push(object);
    };
    let mut flags: Vec<OsString> = vec!["-D_WASI_EMULATED_SIGNAL".into(), "-I".into(), sources.into()];
    for (name, value) in DEFINES {
        flags.push(match value {
            Some(value) => format!("-D{name}={value}").into(),
            None => format!("-D{name}").into(),
        });
    }
    compile(Path::new("c/lua.c"), &flags);
    // wasi-libc's setjmp run time stands in zig's libc sources, but zig does not put it into its libc for exceptions of this encoding.
    let zig_lib = zig.with_file_name("lib").join("libc/wasi/libc-top-half/musl/src/setjmp/wasm32/rt.c");
    compile(&zig_lib, &[]);
    compile(Path::new("c/setjmp_tag.s"), &[]);

    let library = out.join("liblua.a");
    let _ = fs::remove_file(&library);
    let status = Command::new(&zig).arg("ar").arg("crs").arg(&library).args(&objects).status().expect("failed to run zig ar");
    assert!(status.success(), "zig ar failed");
    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=static=lua");
}
