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
pub(crate) const QUOTA: u32 = 64;

/// More of the log than this is a flood that got through.
const MAX_LOG: usize = 8 << 20;

/// An attack, and what its header says.
pub(crate) struct Attack {
    pub(crate) name: String,
    ends: Vec<String>,
    modules: String,
    limits: Option<String>,
    /// Not all are text.
    pub(crate) source: Vec<u8>,
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
    let mut entries = tenant("tenant", &host_text);
    let mut attacks = Vec::new();
    for attack in read_attacks(folder)? {
        fs::write(project.join(format!("attacks/{}.lua", attack.name)), &attack.source)?;
        entries.push_str(&entry("tenant", "attacks", &attack)?);
        attacks.push(attack);
    }
    if attacks.is_empty() {
        return Err("there is no attack in it".into());
    }
    fs::write(project.join("tenant.yaml"), entries)?;
    fs::write(project.join("attacks.lua"), list(&attacks, &host_text)?)?;
    Ok(project)
}

/// Reads all attacks of a group, by name.
pub(crate) fn read_attacks(folder: &Path) -> Result<Vec<Attack>, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Result<_, std::io::Error>>()?;
    files.sort();
    let mut attacks = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "lua")) {
        attacks.push(read_attack(file, fs::read(file)?)?);
    }
    Ok(attacks)
}

/// The namespace of a tenant: its host, and what attacks may use.
pub(crate) fn tenant(namespace: &str, host: &str) -> String {
    let mut text = format!("version: \"1.0\"\nnamespace: {namespace}\n\nentries:\n  - name: processes\n    kind: process.host\n");
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

  - name: narrow
    kind: function.lua
    source: \"return { main = function() process.inbox():receive() end }\"
    method: main
    pool: { type: static, workers: 1, buffer: 1000 }

  - name: unbounded
    kind: process.host

  - name: database
    kind: db.sql.sqlite
    file: \":memory:\"

  - name: store
    kind: store.sql
    database: database
    table_name: kept

  - name: driver
    kind: queue.driver.memory

  - name: queue
    kind: queue.queue
    driver: driver

  - name: date
    kind: exec.native
    default_work_dir: /usr
    default_env: { PATH: \"/usr/bin:/bin\" }
    command_whitelist: [date]
    env_whitelist: [TZ, LD_PRELOAD]
",
    );
    text
}

/// The entries of an attack, whose source lies in a folder.
pub(crate) fn entry(namespace: &str, folder: &str, attack: &Attack) -> Result<String, std::fmt::Error> {
    let Attack { name, modules, limits, .. } = attack;
    let mut text = String::new();
    for kind in ["process", "function"] {
        let suffix = if kind == "process" { "" } else { "_function" };
        write!(
            text,
            "
  - name: {name}{suffix}
    kind: {kind}.lua
    source: file://{folder}/{name}.lua
    method: main
    modules: [{modules}]
    imports:
      expect: {namespace}:expect
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
    let together = setting(host, "together").unwrap_or(1);
    let quota = setting(host, "quota").unwrap_or(QUOTA);
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

/// Reads `# NAME: number` from a `host.yaml`.
pub(crate) fn setting(host: &str, name: &str) -> Option<u32> {
    host.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(": "))?.trim().parse().ok()
}

/// Reads `-- NAME: value` from the first lines of an attack.
fn read_attack(file: &Path, source: Vec<u8>) -> Result<Attack, String> {
    let text = String::from_utf8_lossy(&source).into_owned();
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("-- ")).collect();
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
        source,
    })
}
