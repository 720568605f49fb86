//! Hostile programs: each a Lua file that attacks, run on a tenant's host beside neighbours that must not notice.
//!
//! A group of attacks is a folder with a `host.yaml`; `README.md` beside it has the format. This makes a project of a group, runs
//! it once, and judges what its driver says and what the node wrote to the log.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binary;
use crate::run::Run;
use crate::suite::{Failure, Outcome, verdict};

/// Processes that may live on the tenant's host, unless `host.yaml` says otherwise; the driver fills it to see that nothing is left.
const QUOTA: u32 = 64;

/// More of the log than this is a flood that got through.
const MAX_LOG: usize = 8 << 20;

/// What the header of an attack says.
struct Attack {
    name: String,
    ends: Vec<String>,
    modules: String,
    limits: Option<String>,
}

/// Runs a group of attacks; `host` is its `host.yaml`.
///
/// # Errors
///
/// Every attack that ended otherwise than it says, and whatever harm was seen.
pub fn check_group(host: &Path) -> Outcome {
    Ok(run_group(host).map_err(Failure)?)
}

fn run_group(host: &Path) -> Result<(), String> {
    let folder = host.parent().ok_or("a group needs a folder")?;
    let project =
        make_project(folder, host).map_err(|error| format!("cannot make a project of {}: {error}", folder.display()))?;
    let project = project.to_str().ok_or("the target folder has no UTF-8 path")?;
    let finished = Run::start(&["run", project, "-v", "-x", "driver:main"], None)?.finish()?;
    let judged = verdict(&finished).and_then(|()| check_log(&finished.stderr));
    judged.map_err(|why| {
        let log = finished.stderr.get(..finished.stderr.floor_char_boundary(20_000)).unwrap_or_default();
        format!("$ moonlet run {project} -v -x driver:main\n{why}\n{}{log}", finished.stdout)
    })
}

/// A log is text of one line per record, whatever programs write, and has an end.
fn check_log(log: &str) -> Result<(), String> {
    if log.len() > MAX_LOG {
        return Err(format!("the log has {} bytes", log.len()));
    }
    if let Some(line) = log.lines().find(|line| line.chars().any(char::is_control)) {
        return Err(format!("the log has control characters: {line:?}"));
    }
    for fault in ["panicked", "RUST_BACKTRACE", "a fault of Moonlet"] {
        if let Some(line) = log.lines().find(|line| line.contains(fault)) {
            return Err(format!("the node is harmed: {line}"));
        }
    }
    Ok(())
}

/// Writes the project of a group into the target folder and returns its path.
fn make_project(folder: &Path, host: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let group = folder.file_name().and_then(|name| name.to_str()).ok_or("the folder has no name")?;
    let executable = std::env::current_exe()?;
    let target = executable.ancestors().nth(2).ok_or("the test runs outside of a target folder")?;
    let project = target.join("hostile").join(group);
    if project.exists() {
        fs::remove_dir_all(&project)?;
    }
    fs::create_dir_all(project.join("attacks"))?;
    let library = binary::repository().join("tests/hostile/lib");
    for file in fs::read_dir(&library)? {
        let file = file?;
        fs::copy(file.path(), project.join(file.file_name()))?;
    }

    fs::copy(env!("MOONLET_INTRUDER"), project.join("intruder.wasm"))?;

    let host_text = fs::read_to_string(host)?;
    let mut attacks = Vec::new();
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Result<_, std::io::Error>>()?;
    files.sort();
    let mut entries = tenant(&host_text);
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "lua")) {
        let source = fs::read(file)?;
        let attack = read_header(file, &String::from_utf8_lossy(&source))?;
        fs::write(project.join(format!("attacks/{}.lua", attack.name)), &source)?;
        entries.push_str(&entry(&attack)?);
        attacks.push(attack);
    }
    if attacks.is_empty() {
        return Err("there is no attack in it".into());
    }
    fs::write(project.join("tenant.yaml"), entries)?;
    fs::write(project.join("attacks.lua"), list(&attacks, &host_text)?)?;
    Ok(project)
}

/// The namespace `tenant`: its host, and what attacks may use.
fn tenant(host: &str) -> String {
    let mut text = "version: \"1.0\"\nnamespace: tenant\n\nentries:\n  - name: processes\n    kind: process.host\n".to_owned();
    for line in host.lines().filter(|line| !line.starts_with('#')) {
        let _ = writeln!(text, "    {line}");
    }
    text.push_str(
        "
  - name: idle
    kind: process.lua
    source: \"return { main = function() process.inbox():receive() end }\"
    method: main

  - name: expect
    kind: library.lua
    source: file://expect.lua

  - name: echo
    kind: function.lua
    source: \"return { main = function(...) return ... end }\"
    method: main

  - name: echo_process
    kind: process.lua
    source: \"return { main = function(...) return ... end }\"
    method: main

  - name: intruder
    kind: process.wasm
    path: intruder.wasm
    method: run
    limits: { cpu_per_turn: 600ms, cpu_total: 1s, wall_time: 3s }

  - name: unbounded
    kind: process.host
",
    );
    text
}

fn entry(attack: &Attack) -> Result<String, std::fmt::Error> {
    let Attack { name, modules, limits, .. } = attack;
    let mut text = String::new();
    for kind in ["process", "function"] {
        let suffix = if kind == "process" { "" } else { "_function" };
        write!(
            text,
            "
  - name: {name}{suffix}
    kind: {kind}.lua
    source: file://attacks/{name}.lua
    method: main
    modules: [{modules}]
    imports:
      expect: tenant:expect
"
        )?;
        if let Some(limits) = limits {
            writeln!(text, "    limits: {limits}")?;
        }
    }
    Ok(text)
}

/// What the driver is told.
fn list(attacks: &[Attack], host: &str) -> Result<String, Box<dyn Error>> {
    let setting = |name: &str| host.lines().find_map(|line| line.strip_prefix(&format!("# {name}: ")).map(str::trim));
    let together: u32 = setting("together").unwrap_or("1").parse()?;
    let quota: u32 = setting("quota").map_or(Ok(QUOTA), str::parse)?;
    let mut text = format!("return {{ together = {together}, quota = {quota}, list = {{\n");
    for Attack { name, ends, .. } in attacks {
        writeln!(
            text,
            "  {{ name = {name:?}, ends = {{ {} }} }},",
            ends.iter().map(|end| format!("{end:?}, ")).collect::<String>()
        )?;
    }
    text.push_str("} }\n");
    Ok(text)
}

/// Reads `-- NAME: value` from the first lines of an attack.
fn read_header(file: &Path, source: &str) -> Result<Attack, String> {
    let header: Vec<&str> = source.lines().map_while(|line| line.strip_prefix("-- ")).collect();
    let field = |name: &str| header.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim);
    let needed = |name: &str| field(name).ok_or_else(|| format!("{} has no line `-- {name}: ...` at its top", file.display()));
    needed("attack")?;
    needed("stopped by")?;
    let ends = needed("ends")?.split(" | ").map(str::to_owned).collect();
    let name = file.file_stem().and_then(|name| name.to_str()).ok_or("a file needs a name")?;
    Ok(Attack {
        name: name.to_owned(),
        ends,
        modules: field("modules").unwrap_or("time, funcs, json").to_owned(),
        limits: field("limits").map(str::to_owned),
    })
}
