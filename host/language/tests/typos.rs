//! One typo gives one report: every token of a program is left out, doubled or replaced in turn.

use moonlet_language::lower::lower;
use moonlet_language::syntax::{TokenKind, lex};

const PROGRAM: &str = r#"
type User = {
  name: string,
  age?: integer @min(0),
}

local M = {User = User}
local count: number = 0

local function find(list: {User}, name: string): User?
  for index, user in ipairs(list) do
    if user.name == name and index > 0 then
      return user
    elseif not user.age then
      count = count + 1
    else
      print("no", user.age!, #list)
    end
  end
  return nil
end

function M.run(options)
  local users = {
    {name = "a", age = 1},
    {name = "b"},
  }
  while count < 10 do
    count = count + 1
    if count % 2 == 0 then
      goto continue
    end
    users[#users + 1] = {name = tostring(count) :: string}
    ::continue::
  end
  repeat
    local user = find(users, options.name or "b")
    if user then break end
  until count > 20
  return function(...)
    local first, second = ...
    return M.helper(first, second):upper() .. [[text]]
  end
end

return M
"#;

/// Gives the programs that result from a change at one token, with words for a failure.
fn variants() -> Vec<(String, String)> {
    let mut variants = Vec::new();
    for token in lex(PROGRAM).tokens {
        if token.kind == TokenKind::End {
            continue;
        }
        let span = token.span.range();
        let (before, text, after) = (&PROGRAM[..span.start], &PROGRAM[span.clone()], &PROGRAM[span.end..]);
        let place = format!("line {}", before.lines().count());
        variants.push((format!("`{text}` left out, {place}"), format!("{before}{after}")));
        variants.push((format!("`{text}` doubled, {place}"), format!("{before}{text} {text}{after}")));
        for other in ["end", ")", "=", "x", "}", "\"", "("] {
            variants.push((format!("`{text}` became `{other}`, {place}"), format!("{before}{other}{after}")));
        }
    }
    variants
}

#[test]
fn one_typo_gives_one_report() {
    assert!(lower(PROGRAM, "a.lua").diagnostics.is_empty());
    let variants = variants();
    let mut failures = Vec::new();
    for (what, source) in &variants {
        let reports = lower(source, "a.lua").diagnostics;
        if reports.len() > 1 {
            let messages: Vec<String> = reports.iter().map(|report| report.message.clone()).collect();
            failures.push(format!("{what}: {}", messages.join(" | ")));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), variants.len(), failures.join("\n"));
}
