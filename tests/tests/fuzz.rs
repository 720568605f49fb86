//! Inputs by chance for whatever reads what others wrote: nothing may panic, hang, or break its promise.
//!
//! `../fuzz/README.md` says how to run it for longer. Each target takes bytes; what they mean is its matter. An input that fails is
//! written to `fuzz/found/`, and belongs among the seeds once it is mended.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop at the first surprise, and says at which"
)]

#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/nothing.rs"]
mod nothing;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use moonlet_language::check::{Checker, Program};
use moonlet_language::lower;
use moonlet_registry::{LoadOptions, load};
use moonlet_runtime::document;
use moonlet_sandbox::wit::{self, Event, Payload, Status};
use moonlet_sandbox::{InstanceLimits, Sandbox, SandboxConfig};
use moonlet_tests::binary::repository;

use mutate::Chance;
use nothing::{MAX_SLICES, Nothing};

/// How long each target runs, in seconds.
const SECONDS_VARIABLE: &str = "MOONLET_FUZZ_SECONDS";
/// What the inputs are made from.
const SEED_VARIABLE: &str = "MOONLET_FUZZ_SEED";

const DEFAULT_SECONDS: u64 = 2;
/// Longer than any input of a few kilobytes may take, also on a busy machine.
const TOO_LONG: Duration = Duration::from_secs(10);
/// The stack of a worker thread: what must suffice for every input.
const STACK: usize = 2 << 20;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs the seeds of a target, then inputs made from them until its time is over.
fn fuzz(name: &'static str, words: &'static [&'static [u8]], target: impl FnMut(&[u8]) + Send + 'static) {
    let run = move || fuzz_here(name, words, target);
    thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}

fn fuzz_here(name: &str, words: &[&[u8]], mut target: impl FnMut(&[u8])) {
    let folder = repository().join("tests/fuzz/seeds").join(name);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!seeds.is_empty(), "{} has no seeds", folder.display());
    let seed = setting(SEED_VARIABLE, 1).max(1);
    let end = Instant::now() + Duration::from_secs(setting(SECONDS_VARIABLE, DEFAULT_SECONDS));
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut count = 0_u64;
    let mut waiting = seeds.clone();
    while Instant::now() < end || !waiting.is_empty() {
        let input = waiting.pop().unwrap_or_else(|| mutate::input(&mut chance, &seeds, words));
        let start = Instant::now();
        let failed = catch_unwind(AssertUnwindSafe(|| target(&input))).is_err();
        count += 1;
        if failed || start.elapsed() > TOO_LONG {
            let found = repository().join("tests/fuzz/found");
            fs::create_dir_all(&found).unwrap();
            let file = found.join(format!("{name}-{seed}-{count}"));
            fs::write(&file, &input).unwrap();
            panic!("{name}: input {count} of seed {seed} fails, after {:?}; it is in {}", start.elapsed(), file.display());
        }
    }
    eprintln!("{name}: {count} inputs of seed {seed}");
}

#[test]
fn documents() {
    let words: &[&[u8]] = &[
        &[0xc1],
        &[0x91],
        &[0x81],
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xdf, 0, 0, 0xff, 0xff],
        &[0xc6],
        &[0xd6, 2, 0, 0, 0, 0],
        &[0xd4, 3],
    ];
    fuzz("documents", words, |bytes| {
        if let Ok(value) = document::decode(bytes) {
            // What was read is written so that it reads the same; NaN is not even equal to itself, hence by bytes.
            let once = document::encode(&value);
            let again = document::encode(&document::decode(&once).unwrap());
            assert_eq!(once, again);
        }
        let _ = document::decode_values(bytes);
        let _ = document::decode_map(bytes);
    });
}

#[test]
fn entries() {
    let words: &[&[u8]] = &[
        b"\n  - ",
        b": ",
        b"{",
        b"}",
        b"[",
        b"&a ",
        b"*a",
        b"<<: ",
        b"|\n",
        b"!!binary ",
        b"\t",
        b"'",
        b"\"",
        b"---\n",
        b"file://",
        b"%YAML 9\n",
        b"\xff",
        b"0x",
        b"1e999",
        b"\xe2\x80\xa8",
    ];
    let folder = std::env::temp_dir().join(format!("moonlet-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let project = folder.clone();
    fuzz("entries", words, move |bytes| {
        fs::write(project.join("_index.yaml"), bytes).unwrap();
        let _ = load(&project, &LoadOptions::default());
    });
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn programs() {
    let words: &[&[u8]] = &[
        b"(",
        b")",
        b"{",
        b"}",
        b"[",
        b"]",
        b"function ",
        b"end ",
        b"local ",
        b"type ",
        b"= ",
        b": ",
        b"? ",
        b"| ",
        b"& ",
        b"<",
        b">",
        b"-> ",
        b"if x then ",
        b"else ",
        b"return ",
        b"not ",
        b"- ",
        b"..",
        b"...",
        b"::",
        b"goto a ",
        b"repeat ",
        b"until ",
        b"[[",
        b"]]",
        b"--[==[",
        b"'",
        b"\\u{",
        b"0x",
        b"1e",
        b"as ",
        b"interface ",
        b"\xff",
        b"\0",
        b"for i = 1, ",
        b"do ",
        b"x.y",
        b"f()",
        b"@min ",
    ];
    fuzz("programs", words, |bytes| {
        let source = String::from_utf8_lossy(bytes);
        let lowered = lower::lower(&source, "fuzz.lua");
        if lowered.diagnostics.is_empty() {
            // Types are taken away without moving a line.
            assert_eq!(source.lines().count(), lowered.lua.lines().count());
        }
        let program = Program { source: &source, file: "fuzz.lua", modules: &[], imports: BTreeMap::new(), any_module: true };
        let _ = Checker::new().check(&program);
    });
}

const RECEIVER: &str = "
local function main()
    local time = require('time')
    process.set_options({ trap_links = true })
    local inbox, events, topic = process.inbox(), process.events(), process.listen('topic')
    while true do
        local got = channel.select({ inbox:case_receive(), events:case_receive(), topic:case_receive() })
        local value = got.value
        pcall(tostring, value)
        pcall(function()
            local payload = value:payload()
            payload:data()
            payload:unmarshal()
            payload:transcode('json')
        end)
        pcall(function()
            return value.result.error:details(), tostring(value.result.error), value.result.error:stack()
        end)
        pcall(process.send, 'nobody', 'topic', value)
    end
end
return { main = main }";

#[test]
fn events() {
    let words: &[&[u8]] = &[
        &[0],
        &[1],
        &[2],
        &[3],
        &[0xc1],
        &[0x91],
        &[0x92],
        &[0x81],
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xd6, 1, 0x80, 0, 0, 0],
        &[0xd6, 2, 0, 0, 0, 0],
        &[0xc7, 5, 1, 0x81, 0xa4],
    ];
    let sandbox = Sandbox::new(&SandboxConfig { max_processes: 20, max_stacks: 2, ..SandboxConfig::default() }).unwrap();
    let (ticking, done) = (sandbox.clone(), Arc::new(AtomicBool::new(false)));
    let stop = Arc::clone(&done);
    let ticker = thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
            ticking.tick();
        }
    });
    let code = sandbox.compile(RECEIVER.as_bytes(), "fuzz:receiver").unwrap();
    fuzz("events", words, move |bytes| feed(&sandbox, &code, bytes));
    done.store(true, Ordering::Relaxed);
    ticker.join().unwrap();
}

/// Feeds a receiver with what the bytes say, as arguments first and then as events.
fn feed(sandbox: &Sandbox, code: &[u8], bytes: &[u8]) {
    let chunk =
        wit::Chunk { entry: "fuzz:receiver".into(), code: code.to_vec(), modules: vec!["time".into()], imports: Vec::new() };
    let limits = wit::SoftLimits {
        memory: 8 << 20,
        coroutines: 100,
        channels: 100,
        channel_buffer: 100,
        timers: 100,
        depth: 64,
        message_size: 1 << 20,
    };
    let slices = Nothing::default();
    let mut machine = sandbox.machine(Box::new(slices.clone()), InstanceLimits { memory: 32 << 20, message: 1 << 20 }).unwrap();
    let mut pieces = bytes.split(|byte| *byte == 0xf4);
    let program = wit::Program {
        pid: "{fuzz:host|0x1}".into(),
        main: chunk,
        libraries: Vec::new(),
        method: "main".into(),
        args: payload(pieces.next().unwrap_or_default()),
        context: pieces.next().unwrap_or_default().to_vec(),
        seed: 1,
        limits,
    };
    let mut status = machine.start(&program);
    for piece in pieces {
        match status {
            Ok(Status::Blocked) => status = machine.step(&[event(piece)]),
            Ok(Status::Finished) | Err(_) => break,
        }
    }
    assert!(slices.0.load(Ordering::Relaxed) < MAX_SLICES, "a step hangs");
    // To end is a decision of its code; to trap is a fault of the guest.
    if let Err(failure) = status {
        panic!("the guest failed: {failure}");
    }
}

fn payload(bytes: &[u8]) -> Payload {
    let channels = bytes.iter().take(3).map(|byte| u32::from(byte % 4)).collect();
    Payload { data: bytes.to_vec(), channels }
}

fn event(bytes: &[u8]) -> Event {
    let (kind, rest) = bytes.split_first().map_or((0, bytes), |(kind, rest)| (*kind, rest));
    let text = String::from_utf8_lossy(rest.get(..rest.len().min(40)).unwrap_or_default()).into_owned();
    let error = wit::Error {
        kind: text.clone(),
        message: text.clone(),
        retryable: Some(true),
        details: rest.to_vec(),
        trace: text.clone(),
    };
    let completed = |outcome| Event::Completed(wit::Completion { ticket: u64::from(kind) / 8, outcome });
    match kind % 8 {
        0 => completed(wit::Outcome::Done(payload(rest))),
        1 => completed(wit::Outcome::Failed(error)),
        2 => completed(wit::Outcome::Closed),
        3 | 4 => Event::Signal(wit::Signal {
            kind: [wit::SignalKind::Exit, wit::SignalKind::LinkDown, wit::SignalKind::Cancel, wit::SignalKind::Outdated]
                [usize::from(kind / 8 % 4)],
            sender: text.clone(),
            at: u64::MAX,
            value: payload(rest),
            error: (kind > 128).then_some(error),
            reason: text.clone(),
            sources: vec![text],
        }),
        5 => Event::Message(wit::Message { sender: None, topic: text, body: payload(rest) }),
        6 => Event::Message(wit::Message { sender: None, topic: "@close".into(), body: payload(rest) }),
        _ => Event::Message(wit::Message { sender: Some(text), topic: "topic".into(), body: payload(rest) }),
    }
}
