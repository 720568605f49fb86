//! The endurance test: all groups of hostile programs at once, over and over, on one node, each on the host of a tenant with quotas,
//! beside neighbours that count; and what of the node is measured meanwhile.
//!
//! `../hostile/endurance` is the Lua side, which this makes a project with. `../hostile/README.md` says what is judged.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::binary;
use crate::hostile::{QUOTA, entry, read_attacks, setting, tenant};
use crate::run::{Run, Stream};

/// What each tenant's processes may use together, in place of the quotas of its `host.yaml`, in MiB.
const MEMORY: u64 = 48;
const MAILBOXES: u64 = 16;

/// Times between two measurements.
const PAUSE: Duration = Duration::from_secs(5);

/// Runs shorter than this are not asked whether memory stays flat: what is kept warm is not yet all there.
const FLAT_AFTER: Duration = Duration::from_secs(10 * 60);

/// How long what attacks have left behind may live: above all limits of wall time.
const REMAINS: Duration = Duration::from_secs(90);

/// What the log says when the host itself fails.
const FAULTS: &[&str] = &["panicked", "a fault of Moonlet"];

/// One look at the node.
struct Sample {
    seconds: u64,
    /// KiB of private memory, with its page tables.
    private: u64,
    processes: u64,
    trips: u64,
    ticks: u64,
}

/// Runs the attacks for so long and says what was measured.
///
/// # Errors
///
/// Everything that was not as it must be, with what was measured.
pub fn endure(duration: Duration, mut tell: impl FnMut(&str)) -> Result<String, String> {
    let (project, tenants) = make_project().map_err(|error| format!("cannot make the project: {error}"))?;
    let project = project.to_str().ok_or("the target folder has no UTF-8 path")?.to_owned();
    let address = free_address().map_err(|error| format!("no free port: {error}"))?;
    let limit = duration + Duration::from_secs(600);
    let arguments = ["run", &project, "--metrics", &address, "-x", "endurance:main"];
    let mut run = Run::interactive(&arguments)?.within(limit).keeping(FAULTS);
    run.await_text(Stream::Stdout, "ready\n")?;
    let base = private(run.id())?;
    // As many mailboxes and memories as the tenants may fill, and a tenth on top of it.
    let quotas = tenants.len() as u64 * (MEMORY + MAILBOXES) * 1024;
    let bound = base + quotas + quotas / 10;
    tell(&format!("base {base} KiB, {} tenants, quotas {quotas} KiB together, bound {bound} KiB", tenants.len()));

    run.type_line("go")?;
    let start = Instant::now();
    let mut samples: Vec<Sample> = Vec::new();
    while samples.is_empty() || start.elapsed() < duration {
        std::thread::sleep(PAUSE.min(duration.saturating_sub(start.elapsed())));
        let report = ask(&mut run, "report")?;
        let sample = Sample {
            seconds: start.elapsed().as_secs(),
            private: private(run.id())?,
            processes: table(&address)?.1.len() as u64,
            trips: number(&report, "trips"),
            ticks: number(&report, "ticks"),
        };
        let Sample { seconds, private, processes, trips, ticks } = sample;
        tell(&format!("{seconds} s: private {private} KiB, {processes} processes, {trips} trips, {ticks} ticks"));
        samples.push(sample);
    }
    let total = ask(&mut run, "stop")?;
    let left = await_empty(&address, &tenants)?;
    let after = private(run.id())?;
    run.type_line("end")?;
    let _ = run.signal(Signal::INT);
    let finished = run.finish()?;
    // One that stays in the target folder harms nobody.
    let _ = fs::remove_dir_all(&project);

    let mut wrong = Vec::new();
    let peak = samples.iter().map(|sample| sample.private).max().unwrap_or(0);
    if peak > bound {
        wrong.push(format!("the node had {peak} KiB, above the sum of its quotas plus 10 percent: {bound} KiB"));
    }
    let flat = flatness(&samples);
    if let Some((second, last)) = flat
        && duration >= FLAT_AFTER
        && last > second + second / 20
    {
        wrong.push(format!("private memory is not flat: median {second} KiB in the second quarter, {last} KiB in the last"));
    }
    if number(&total, "lost") > 0 {
        wrong.push(format!("the pair lost {} messages", number(&total, "lost")));
    }
    if number(&total, "reached") > 0 {
        wrong.push(format!("the victim was reached {} times", number(&total, "reached")));
    }
    if samples.windows(2).any(|pair| matches!(pair, [a, b] if b.trips <= a.trips || b.ticks <= a.ticks)) {
        wrong.push("a neighbour stood still between two looks".to_owned());
    }
    wrong.extend(left.into_iter().map(|what| format!("left after its end: {what}")));
    if finished.code != Some(0) {
        wrong.push(format!("the node ended with {:?}, signal {:?}", finished.code, finished.signal));
    }
    for fault in FAULTS {
        if let Some(line) = finished.stderr.lines().find(|line| line.contains(fault)) {
            wrong.push(format!("the log has a fault: {line}"));
        }
    }
    let (second, last) = flat.unwrap_or((0, 0));
    let summary = format!(
        "base {base} KiB, peak {peak} KiB of {bound} KiB allowed; median of the second quarter {second} KiB, of the last {last} KiB; \
         {after} KiB after all ended\n{total}"
    );
    if wrong.is_empty() { Ok(summary) } else { Err(format!("{}\n{summary}", wrong.join("\n"))) }
}

/// Sends a line and takes the answer, a line of JSON.
fn ask(run: &mut Run, line: &str) -> Result<Value, String> {
    run.forget(Stream::Stdout);
    run.type_line(line)?;
    run.await_text(Stream::Stdout, "\n")?;
    let answer = run.seen(Stream::Stdout);
    serde_json::from_str(answer.trim()).map_err(|error| format!("no JSON: {error}: {answer}"))
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Medians of the second and of the last quarter.
fn flatness(samples: &[Sample]) -> Option<(u64, u64)> {
    let quarter = samples.len() / 4;
    let median = |part: Option<&[Sample]>| {
        let mut part: Vec<u64> = part?.iter().map(|sample| sample.private).collect();
        part.sort_unstable();
        part.get(part.len() / 2).copied()
    };
    Some((median(samples.get(quarter..2 * quarter))?, median(samples.get(3 * quarter..))?))
}

/// KiB that only this process of the system has, with its page tables: dirty private pages and swapped ones. Clean ones are those of
/// the program's file, which count as private only while a single process runs it.
fn private(pid: u32) -> Result<u64, String> {
    let read = |file: &str, names: &[&str]| {
        let path = format!("/proc/{pid}/{file}");
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let fields = text.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| names.contains(name));
        Ok::<u64, String>(fields.filter_map(|(_, value)| value.split_whitespace().next()?.parse::<u64>().ok()).sum())
    };
    Ok(read("smaps_rollup", &["Private_Dirty", "Swap"])? + read("status", &["VmPTE"])?)
}

/// What `moonlet top` tells: the hosts, and the processes.
fn table(address: &str) -> Result<(Vec<Value>, Vec<Value>), String> {
    let finished = Run::start(&["top", address, "--json"], None)?.finish()?;
    let value: Value = serde_json::from_str(&finished.stdout).map_err(|error| format!("top: {error}: {finished:?}"))?;
    let list = |name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    Ok((list("hosts"), list("processes")))
}

/// Waits until no process of a tenant is in the table, and none is counted; gives what stays.
fn await_empty(address: &str, tenants: &[String]) -> Result<Vec<String>, String> {
    let deadline = Instant::now() + REMAINS;
    loop {
        let (hosts, processes) = table(address)?;
        let of_tenant = |value: &Value, field: &str| {
            let id = value.get(field).and_then(Value::as_str).unwrap_or_default();
            tenants.iter().any(|tenant| id == format!("{tenant}:processes")) || id == "moonlet:functions"
        };
        let processes = processes.iter().filter(|process| of_tenant(process, "host")).map(Value::to_string);
        let counts = ["processes", "memory", "mailbox_messages", "mailbox_bytes"];
        let hosts = hosts.iter().filter(|host| of_tenant(host, "id") && counts.iter().any(|count| number(host, count) > 0));
        let left: Vec<String> = processes.chain(hosts.map(Value::to_string)).collect();
        if left.is_empty() || Instant::now() > deadline {
            return Ok(left);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A port that was free a moment ago.
fn free_address() -> std::io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Writes the project with all groups into the target folder; returns it, and the namespaces of the tenants.
fn make_project() -> Result<(PathBuf, Vec<String>), Box<dyn Error>> {
    let hostile = binary::repository().join("tests/hostile");
    let executable = std::env::current_exe()?;
    let target = executable.ancestors().nth(2).ok_or("the program runs outside of a target folder")?;
    let project = target.join(format!("endurance-{}", std::process::id()));
    if project.exists() {
        fs::remove_dir_all(&project)?;
    }
    fs::create_dir_all(&project)?;
    copy(&hostile.join("endurance"), &project, |name| name.ends_with(".lua") || name.ends_with(".yaml"))?;
    copy(&hostile.join("lib"), &project, |name| ["neighbour.lua", "neighbour.yaml", "expect.lua"].contains(&name))?;
    fs::copy(env!("MOONLET_INTRUDER"), project.join("intruder.wasm"))?;

    let mut folders: Vec<PathBuf> =
        fs::read_dir(&hostile)?.map(|file| Ok(file?.path())).collect::<Result<_, std::io::Error>>()?;
    folders.sort();
    let (mut namespaces, mut groups) = (Vec::new(), "return {\n".to_owned());
    for folder in folders.iter().filter(|folder| folder.join("host.yaml").is_file()) {
        let name = folder.file_name().and_then(|name| name.to_str()).ok_or("a group needs a name")?;
        // The hostile component knows its tenant by this name.
        let name = if name == "components" { "tenant" } else { name };
        let host = fs::read_to_string(folder.join("host.yaml"))?;
        let processes = setting(&host, "quota").unwrap_or(QUOTA);
        let mut lines: Vec<&str> = host.lines().filter(|line| !line.starts_with("quota:")).collect();
        let quota = format!("quota: {{ processes: {processes}, memory: {MEMORY}MiB, mailbox_bytes: {MAILBOXES}MiB }}");
        lines.push(&quota);
        let host = lines.join("\n").replace("namespaces: [tenant]", &format!("namespaces: [{name}]"));
        let mut entries = tenant(name, &host);
        let _ = writeln!(groups, "  {name} = {{ together = {}, list = {{", setting(&host, "together").unwrap_or(1));
        fs::create_dir(project.join(name))?;
        for attack in read_attacks(folder)? {
            fs::write(project.join(format!("{name}/{}.lua", attack.name)), renamed(&attack.source, name))?;
            entries.push_str(&entry(name, name, &attack)?);
            let _ = writeln!(groups, "    {:?},", attack.name);
        }
        groups.push_str("  } },\n");
        fs::write(project.join(format!("{name}.yaml")), entries)?;
        namespaces.push(name.to_owned());
    }
    groups.push_str("}\n");
    fs::write(project.join("groups.lua"), groups)?;
    Ok((project, namespaces))
}

/// Puts the namespace of a group in place of the one that attacks name.
fn renamed(source: &[u8], namespace: &str) -> Vec<u8> {
    const NAMED: &[u8] = b"tenant:";
    let mut text = Vec::with_capacity(source.len());
    let mut rest = source;
    while let Some((first, after)) = rest.split_first() {
        if let Some(tail) = rest.strip_prefix(NAMED) {
            text.extend_from_slice(namespace.as_bytes());
            text.push(b':');
            rest = tail;
        } else {
            text.push(*first);
            rest = after;
        }
    }
    text
}

fn copy(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> std::io::Result<()> {
    for file in fs::read_dir(from)? {
        let file = file?;
        if file.file_name().to_str().is_some_and(&wanted) {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}
