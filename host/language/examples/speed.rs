//! Measures the speed targets: erasure in MB/s, checking of 100,000 lines: `cargo run -p moonlet-language --example speed`.
#![expect(clippy::print_stdout, reason = "a command-line example")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use moonlet_language::check::{Checker, Program};
use moonlet_language::lower::lower;

fn main() {
    let long = program(100_000);
    erase("one file", &long, 5);
    erase("files", &program(1_000), 500);
    let lines = long.lines().count();
    let start = Instant::now();
    let checked = Checker::new().check(&Program { source: &long, file: "speed.lua", ..Program::default() });
    println!("checked {lines} lines in {:.1?}, {} reports", start.elapsed(), checked.diagnostics.len());
}

/// Erases the types of a text again and again. The first time meets memory that the system must give first.
fn erase(what: &str, source: &str, times: usize) {
    let mut spent: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            let lowered = lower(source, "speed.lua");
            let spent = start.elapsed();
            assert!(lowered.diagnostics.is_empty());
            spent
        })
        .collect();
    let rate = |time: Duration| source.len() as f64 / time.as_secs_f64() / 1e6;
    let first = spent.first().copied().unwrap_or_default();
    spent.sort();
    let median = spent.get(times / 2).copied().unwrap_or_default();
    let lines = source.lines().count();
    println!("erased {what} of {lines} lines: {:.0} MB/s, the first time {:.0} MB/s", rate(median), rate(first));
}

/// Writes a typed program of about so many lines.
fn program(lines: usize) -> String {
    let mut out = String::new();
    for part in 0..lines / 28 {
        let _ = write!(
            out,
            r#"
-- Part {part} of a module about users.
type User{part} = {{
  name: string,
  age: integer,
  tags: {{string}},
  parent?: User{part},
}}
function make{part}(name: string, age: integer, tags: {{string}}?): User{part}
  local user: User{part} = {{name = name, age = age, tags = tags or {{}}}}
  if age > 100 then
    user.age = 100
  end
  for index, tag in ipairs(user.tags) do
    print(index, tag:upper(), user.name .. ":" .. tag)
  end
  return user
end
function total{part}(users: {{User{part}}}): integer
  local sum = 0
  for _, user in ipairs(users) do
    sum = sum + user.age
    if user.parent then
      sum = sum + user.parent.age
    end
  end
  return sum
end
"#
        );
    }
    out
}
