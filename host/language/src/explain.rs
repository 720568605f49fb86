//! What each code means, for `--explain`. Each explanation has an example, and a test holds every example against the checker.

/// Explains a code: what is reported, why, and how to mend it.
#[must_use]
pub fn explain(code: &str) -> Option<String> {
    let entry = CODES.iter().find(|entry| entry.code == code)?;
    let wrong = indent(entry.wrong);
    let right = indent(entry.right);
    Some(format!("{code}: {}\n\n{}\n\nWrong:\n\n{wrong}\n\nRight:\n\n{right}\n", entry.headline, entry.text))
}

/// Gives all codes.
pub fn codes() -> impl Iterator<Item = &'static str> {
    CODES.iter().map(|entry| entry.code)
}

struct Entry {
    code: &'static str,
    headline: &'static str,
    text: &'static str,
    wrong: &'static str,
    right: &'static str,
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

const CODES: &[Entry] = &[
    Entry {
        code: "syntax-error",
        headline: "the text does not follow the grammar",
        text: "Nothing of the file runs until it can be read. One mistake gives one report; types are checked once it is mended.",
        wrong: "if x != 5 then print(x) end",
        right: "if x ~= 5 then print(x) end",
    },
    Entry {
        code: "type-mismatch",
        headline: "a value of one type stands where another is expected",
        text: "An annotation, a parameter, a field or a result says what belongs there. Change the value, widen the type, or validate\n\
               a value of unknown origin with `T(value)`. A cast `value :: T` silences the checker and tests nothing.",
        wrong: "local port: integer = \"8080\"",
        right: "local port: integer = 8080",
    },
    Entry {
        code: "nil-access",
        headline: "something that may be nil is used as if it were not",
        text: "Types do not contain nil unless they end in `?`. Test the value first, give another with `or`, or assert it with `!`.",
        wrong: "local function f(name: string?)\n  return name:upper()\nend",
        right: "local function f(name: string?)\n  if not name then return \"\" end\n  return name:upper()\nend",
    },
    Entry {
        code: "unknown-field",
        headline: "a field that the type does not have",
        text: "A record has the fields that its type declares; a literal with a declared type may have no others.",
        wrong: "type User = {name: string}\nlocal user: User = {name = \"a\"}\nprint(user.nmae)",
        right: "type User = {name: string}\nlocal user: User = {name = \"a\"}\nprint(user.name)",
    },
    Entry {
        code: "missing-field",
        headline: "a literal lacks a field that its type requires",
        text: "Add the field, or declare it optional: `field?: T`.",
        wrong: "type User = {name: string, age: integer}\nlocal user: User = {name = \"a\"}",
        right: "type User = {name: string, age?: integer}\nlocal user: User = {name = \"a\"}",
    },
    Entry {
        code: "readonly-field",
        headline: "an assignment to a field that its type declares readonly",
        text: "Make a new record, or remove `readonly` from the type.",
        wrong: "local function f(user: {readonly id: string})\n  user.id = \"x\"\nend",
        right: "local function f(user: {id: string})\n  user.id = \"x\"\nend",
    },
    Entry {
        code: "duplicate-field",
        headline: "a record type declares a field twice",
        text: "Keep one of the two.",
        wrong: "type Point = {x: number, x: number}",
        right: "type Point = {x: number, y: number}",
    },
    Entry {
        code: "duplicate-type",
        headline: "a block declares a type twice",
        text: "Rename one of the two. An inner block may declare the same name again.",
        wrong: "type Id = string\ntype Id = number",
        right: "type Id = string | number",
    },
    Entry {
        code: "unknown-type",
        headline: "a type that is not declared",
        text: "Declare it with `type Name = ...`, or name the library that offers it: `library.Name`.",
        wrong: "local count: int = 1",
        right: "local count: integer = 1",
    },
    Entry {
        code: "type-arguments",
        headline: "the wrong number of arguments for a type",
        text: "A generic type takes one argument for each of its parameters.",
        wrong: "type Box<T> = {value: T}\nlocal box: Box = {value = 1}",
        right: "type Box<T> = {value: T}\nlocal box: Box<integer> = {value = 1}",
    },
    Entry {
        code: "recursive-type",
        headline: "a type that is itself without a table between",
        text: "Such a type would have no values. A reference within a field, an array or a function is fine.",
        wrong: "type Node = Node | nil",
        right: "type Node = {next: Node?}",
    },
    Entry {
        code: "invalid-validator",
        headline: "a validator that does not exist or does not apply",
        text: "`@min(n)` and `@max(n)` apply to numbers, `@min_len(n)` and `@max_len(n)` to strings and arrays, `@pattern(\"re\")` to strings.",
        wrong: "type Age = integer @minimum(0)",
        right: "type Age = integer @min(0)",
    },
    Entry {
        code: "unknown-global",
        headline: "a variable that nothing declares",
        text: "It would be nil. Declare it with `local`, or correct its spelling.",
        wrong: "prnt(\"hello\")",
        right: "print(\"hello\")",
    },
    Entry {
        code: "undeclared-require",
        headline: "a module or library that the entry does not list",
        text: "Add a module to the `modules` of the entry and a library to its `imports`; without that it does not exist for the program.",
        wrong: "local sql = require(\"sql\")",
        right: "local process = require(\"process\")",
    },
    Entry {
        code: "argument-count",
        headline: "too few or too many arguments",
        text: "Parameters whose type contains nil may be left out; further arguments need `...` in the function.",
        wrong: "local function add(a: number, b: number): number return a + b end\nadd(1)",
        right: "local function add(a: number, b?: number): number return a + (b or 0) end\nadd(1)",
    },
    Entry {
        code: "not-callable",
        headline: "a call of something that is no function",
        text: "Also a loop through a table itself: write `ipairs(list)` or `pairs(map)`.",
        wrong: "local count = 5\ncount()",
        right: "local function count() return 5 end\ncount()",
    },
    Entry {
        code: "invalid-operation",
        headline: "an operator that does not take such a value",
        text: "`..` joins strings and numbers, arithmetic takes numbers, `<` compares two numbers or two strings.",
        wrong: "print(\"total: \" .. {})",
        right: "print(\"total: \" .. tostring({}))",
    },
    Entry {
        code: "missing-return",
        headline: "a function may end without the result that it declares",
        text: "Return a value on every path, or declare the result optional.",
        wrong: "local function sign(x: number): string\n  if x < 0 then return \"-\" end\nend",
        right: "local function sign(x: number): string\n  if x < 0 then return \"-\" end\n  return \"+\"\nend",
    },
    Entry {
        code: "constant-write",
        headline: "an assignment to a constant",
        text: "A local with `<const>` or `<close>` keeps its first value.",
        wrong: "local limit <const> = 5\nlimit = 6",
        right: "local limit = 5\nlimit = 6\nprint(limit)",
    },
    Entry {
        code: "deprecated",
        headline: "a function of the host that should no longer be used",
        text: "The report says what to use instead.",
        wrong: "",
        right: "",
    },
    Entry {
        code: "unused-local",
        headline: "a local that nothing reads",
        text: "Remove it. A name that starts with `_` says that it is meant.",
        wrong: "local unused = 1",
        right: "local _unused = 1",
    },
    Entry {
        code: "shadowed-local",
        headline: "a local that hides another of the same name",
        text: "Often the word `local` is one too many. `err`, `ok` and a few more are left alone.",
        wrong: "local name = \"a\"\nif name then\n  local name = \"b\"\n  print(name)\nend",
        right: "local name = \"a\"\nif name then\n  name = \"b\"\n  print(name)\nend",
    },
    Entry {
        code: "unused-result",
        headline: "a call that tells whether it failed, and nobody looks",
        text: "The last result is an error or nil. Look at it, or pass it on.",
        wrong: "local function save(): (boolean?, error?) return true end\nsave()",
        right: "local function save(): (boolean?, error?) return true end\nlocal _, err = save()\nif err then error(err) end",
    },
    Entry {
        code: "text-as-error",
        headline: "a text is given back where an error is declared",
        text: "The caller of a function that declares `error?` may ask the error for its `message()` or `kind()`, which a text does not\n\
               have. Make an error of it with `errors.new`, or declare the result as `string?`.",
        wrong: "local function find(): (string?, error?)\n  return nil, \"not found\"\nend\nprint(find())",
        right: "local function find(): (string?, error?)\n  return nil, errors.new(\"not found\")\nend\nprint(find())",
    },
    Entry {
        code: "unreachable-code",
        headline: "statements that are never reached",
        text: "Something before them always returns, fails or repeats.",
        wrong: "error(\"stop\")\nprint(\"never\")",
        right: "print(\"now\")\nerror(\"stop\")",
    },
    Entry {
        code: "unlike-comparison",
        headline: "a comparison that always has the same result",
        text: "The two sides have nothing in common: a number is never equal to a string, nor a misspelt literal to those that a type lists.",
        wrong: "local port: integer = 80\nprint(port == \"80\")",
        right: "local port: integer = 80\nprint(port == 80)",
    },
    Entry {
        code: "blocking-at-chunk-level",
        headline: "a call that waits while the entry is loaded",
        text: "The chunk of an entry runs before its function; what it waits for delays every start. Move the call into the function.",
        wrong: "local inbox = process.inbox()\ninbox:receive()",
        right: "local function main()\n  local inbox = process.inbox()\n  inbox:receive()\nend\nreturn main",
    },
    Entry {
        code: "unused-allow",
        headline: "a comment that silences nothing",
        text: "`-- moonlet: allow(code)` silences a code on its line, or on the next if it stands alone. Remove one that is not needed.",
        wrong: "local x = 1 -- moonlet: allow(nil-access)\nprint(x)",
        right: "local x = 1\nprint(x)",
    },
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::check::{Checker, Program};

    #[test]
    fn every_example_is_reported_as_its_code_and_every_remedy_is_not() {
        let mut checker = Checker::new();
        for entry in CODES.iter().filter(|entry| !entry.wrong.is_empty()) {
            let mut codes = |source: &str| -> Vec<String> {
                let checked = checker.check(&Program { source, file: "example.lua", ..Program::default() });
                checked.diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect()
            };
            assert!(codes(entry.wrong).iter().any(|code| code == entry.code), "{}: {:?}", entry.code, codes(entry.wrong));
            assert!(codes(entry.right).iter().all(|code| code != entry.code), "{}: {:?}", entry.code, codes(entry.right));
        }
    }
}
