#![expect(clippy::panic, reason = "a failed assumption in a test should panic")]

use super::lower;
use crate::diagnostic::{Sources, render, render_short};

fn lua(source: &str) -> String {
    let lowered = lower(source, "a.lua");
    assert!(lowered.diagnostics.is_empty(), "{source}\n{:?}", lowered.diagnostics);
    assert_eq!(lowered.lua.lines().count(), source.lines().count(), "lines moved in {source}");
    lowered.lua
}

/// Compares without regard to how much white space there is on a line.
fn check_lowering(source: &str, expected: &str) {
    let squeeze = |text: &str| {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(squeeze(&lua(source)), squeeze(expected), "{source}");
}

fn check_error(source: &str, expected: &str) {
    let lowered = lower(source, "a.lua");
    let mut sources = Sources::new();
    sources.add("a.lua", source);
    let short = render_short(&lowered.diagnostics, &sources);
    assert_eq!(short.trim_end(), expected, "{source}");
    assert!(!render(&lowered.diagnostics, &sources, true).is_empty());
}

#[test]
fn plain_lua_is_unchanged() {
    for source in [
        "",
        "return 1",
        "local as, type, export, readonly, typeof = 1, 2, 3, 4, 5\nas = type + export\nreadonly(typeof)",
        "local x = y\nas(1)\nas.b = 2\nas:c()\nas[1] = 3\nas'x'\nas{}\nas, y = 1, 2",
        "type(x)\ntype{}\ntype'x'\ntype = 1\ntype.x = 2\ntype:x()\nlocal type <const> = type",
        "goto done\nlocal x = y\n::done::",
        "goto l\nlocal x = y ::l:: f()",
        "goto l; do local x = a ::m:: b.c = 1 end ::l:: ::n:: return x",
        "a = b < c and d > (e)",
        "f\n(g or h)()",
        "f'str' :g {1} [[x]] .x [1] = 3",
        "local a <const>, b <close> = 1, nil",
        "x = 0x1p4 + 1e-3 + .5 + 3. + 0xA.8p0 + 5 // 2 >> 1 << 2 ~ 3 & ~4 | 5",
        "for i = 1, 2, 3 do break end for k, v in pairs{} do goto continue ::continue:: end",
        "local t = {a = 1; [2] = 3, 4, f = function(...) return ... end,}",
        "return function(a, b, ...) local c <const> = ... ; return c; end;",
        "x = 'a\\z\n   b\\x41\\065\\u{48}\\\n'",
        "x = [==[\n]]]=]\n]==] --[[ long\n ]] y = 1 --[=[ ]] ]=]",
        "repeat local x = 1 until x == 1",
        "local readonly = {readonly = readonly}",
    ] {
        assert_eq!(lua(source), source);
    }
}

#[test]
fn types_become_white_space() {
    check_lowering("local x: number, y: {string}? = 1, nil", "local x , y = 1, nil");
    check_lowering(
        "function f<T: Bound>(a: T, b?: number, ...: any): (T, string?) return a end",
        "function f (a , b , ... ) return a end",
    );
    check_lowering("local f = function<T>(a: T): T return a end", "local f = function (a ) return a end");
    check_lowering("for i: integer = 1, 2 do end for k: K, v: V in x do end", "for i = 1, 2 do end for k , v in x do end");
    check_lowering("x = a :: number + b as T? .. c! .. d!.e!()", "x = a + b .. c .. d .e ()");
    check_lowering("local x: Box<Box<T>>= 1", "local x = 1");
    check_lowering("local f: (a: A, b?: B, ...C) -> (R, S) = g", "local f = g");
    check_lowering("local f: (number) -> (string) -> boolean, g: () -> () = a, b", "local f , g = a, b");
    check_lowering("local x: \"a\" | 'b' | 1 | -2 | true | nil = 'a'", "local x = 'a'");
    check_lowering("local x: number @min(0) @max(1.5), y: string @pattern(\"^a+$\") = 1, 2", "local x , y = 1, 2");
    check_lowering("local x: typeof(a.b(1)) = 1", "local x = 1");
    check_lowering("local x: lib.Config<T>[] = 1", "local x = 1");
    check_lowering("local x: {a: T, b?: U; readonly c: V, end: W, [string]: X,} = 1", "local x = 1");
    check_lowering("local function f(): T\n(g or h)()\nend", "local function f()\n(g or h)()\nend");
    check_lowering("local x <const>: number, y: number <const> = 1, 2", "local x <const> , y <const> = 1, 2");
}

#[test]
fn a_comparison_after_a_cast_stays_a_comparison() {
    check_lowering("x = a :: T < b", "x = a < b");
    check_lowering("x = a as number < b, c > d", "x = a < b, c > d");
    check_lowering("x = (a :: Box<T>) < b", "x = (a ) < b");
}

#[test]
fn two_casts_in_a_row_are_no_label() {
    check_lowering("f(x :: any :: T)", "f(x )");
    check_lowering("local y = x :: any :: T\nlocal z = 1", "local y = x\nlocal z = 1");
    check_lowering("local y = x :: any :: {T}\nend_()", "local y = x\nend_()");
}

#[test]
fn a_statement_after_a_cast_does_not_become_its_arguments() {
    check_lowering("local x = y :: T\n(f or g)()", "local x = y ;\n(f or g)()");
    check_lowering("x = y as T\n(f or g)()", "x = y ;\n(f or g)()");
    check_lowering("x = y\ntype A = B\n(f or g)()", "x = y\n;\n(f or g)()");
}

#[test]
fn as_is_a_name_where_the_program_makes_it_one() {
    check_lowering("local as = f local x = y as(1)", "local as = f local x = y as(1)");
    check_lowering("local x = y as {a: string}", "local x = y");
    check_lowering("local x = (y as (A) -> B)", "local x = (y )");
    check_lowering("local x = as as as", "local x = as");
}

#[test]
fn a_declaration_without_a_value_use_leaves_nothing() {
    check_lowering("type A = {\n  b: B,\n}\nexport type B<T> = T?\nlocal x: A = {}", "\n\n\n\nlocal x = {}");
}

#[test]
fn a_type_used_as_a_value_becomes_a_local_on_its_line() {
    check_lowering(
        "type User = {\n name: string,\n age?: integer @min(0),\n}\nreturn User(x)",
        "local User = __type.named(\"User\", __type.record({\"name\", __type.string, 0, \"age\", __type.check(__type.integer, {\"min\", 0}), 1}));\n\n\n\nreturn User(x)",
    );
}

#[test]
fn types_that_a_used_type_needs_come_along() {
    check_lowering(
        "type A = string\ntype B = {A}\ntype C = number\nprint(B)",
        "local A = __type.named(\"A\", __type.string);\nlocal B = __type.named(\"B\", __type.array(A));\n\nprint(B)",
    );
}

#[test]
fn recursive_and_later_types_are_looked_up_late() {
    check_lowering(
        "type Node = {next: Node?}\nprint(Node)",
        "local Node; Node = __type.named(\"Node\", __type.record({\"next\", __type.opt(__type.ref(\"Node\", function() return Node end)), 0}));\nprint(Node)",
    );
    check_lowering(
        "local function f(v) return User(v) end\ntype User = {b: B}\ntype B = string",
        "local User; local B; local function f(v) return User(v) end\nUser = __type.named(\"User\", __type.record({\"b\", __type.ref(\"B\", function() return B end), 0}));\nB = __type.named(\"B\", __type.string);",
    );
}

#[test]
fn a_variable_of_the_same_name_keeps_its_name() {
    check_lowering("local Account = {}\ntype Account = {id: string}\nAccount.x = 1", "local Account = {}\n\nAccount.x = 1");
    check_lowering(
        "local A = {}\ntype A = string\ntype B = {A}\nprint(A, B)",
        "local A = {}\nlocal __type_A; __type_A = __type.named(\"A\", __type.string);\nlocal B = __type.named(\"B\", __type.array(__type_A));\nprint(A, B)",
    );
    check_lowering("type A = string\ndo local A = 1 print(A) end", "\ndo local A = 1 print(A) end");
}

#[test]
fn generics_and_imported_types_are_built() {
    check_lowering(
        "type Box<T> = {value: T}\nlocal lib = require('lib')\ntype S = Box<lib.Config>\nreturn {Box = Box, S = S}",
        "local Box = __type.generic(\"Box\", {\"T\"}, function(T) return {__type.record({\"value\", T, 0}), false} end);\nlocal lib = require('lib')\nlocal S = __type.named(\"S\", __type.apply(Box, {__type.lib(lib, \"Config\")}));\nreturn {Box = Box, S = S}",
    );
}

#[test]
fn typeof_a_declared_variable_is_its_declared_type() {
    check_lowering("local a: {number}? = nil\nprint(typeof(a))", "local a = nil\nprint(__type.opt(__type.array(__type.number)))");
    check_lowering("local a: number = 1 do local a = 2 print(typeof(a)) end", "local a = 1 do local a = 2 print(typeof(a)) end");
}

#[test]
fn a_script_line_and_a_byte_order_mark_vanish() {
    check_lowering("#!/usr/bin/env lua\nreturn 1", "\nreturn 1");
    check_lowering("\u{feff}return 1", "return 1");
}

#[test]
fn one_typo_gives_one_report_that_says_how_to_mend_it() {
    for (source, expected) in [
        ("local function f()\n  return 1\n", "a.lua:2:11: error[syntax-error]: `end` expected to close `function` at line 1"),
        ("if x = 5 then y() end\nz()", "a.lua:1:6: error[syntax-error]: `then` expected, found `=`"),
        ("print(\"hello)\nz()", "a.lua:1:7: error[syntax-error]: unfinished string"),
        (
            "local t = {\n a = 1\n b = 2\n}\nlocal u = 1",
            "a.lua:2:7: error[syntax-error]: `,` expected between the parts of a table",
        ),
        ("fucntion f()\n  return 1\nend\nlocal x = 1", "a.lua:1:1: error[syntax-error]: unexpected name `fucntion`"),
        ("function a()\nend\nend\nlocal x = 1", "a.lua:3:1: error[syntax-error]: unexpected `end`"),
        ("for i = 1, 10\n print(i)\nend", "a.lua:1:14: error[syntax-error]: `do` expected after the head of `for` at line 1"),
        ("foo(1, 2\nlocal x = 1\nfunction f()\nend", "a.lua:1:9: error[syntax-error]: `)` expected to close `(`"),
        ("type User = {name: }\nlocal x: User = 1", "a.lua:1:20: error[syntax-error]: a type expected, found `}`"),
        ("local s = \u{201c}hi there\u{201d}\nlocal x = 1", "a.lua:1:11: error[syntax-error]: unexpected character `\u{201c}`"),
        (
            "x = = 1\nfunction f()\n  if a then\n    b()\n  end\nend",
            "a.lua:1:5: error[syntax-error]: an expression expected, found `=`",
        ),
        (
            "function f()\n  if a thn\n    b()\n  end\nend\nlocal x = 1",
            "a.lua:2:8: error[syntax-error]: `then` expected, found `thn` after the condition of `if`",
        ),
    ] {
        check_error(source, expected);
    }
}

#[test]
fn independent_typos_are_reported_together() {
    check_error(
        "local function a()\n  foo(\nend\n\nlocal function b()\n  return 1 +\nend\n",
        "a.lua:2:7: error[syntax-error]: `)` expected to close `(`\na.lua:6:13: error[syntax-error]: an expression expected",
    );
}

#[test]
fn hostile_input_is_refused_without_harm() {
    let nested = [
        format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("local x: {}T", "{".repeat(100_000)),
        "x = ".to_owned() + "-" + &" - ".repeat(100_000) + "1",
        "if a then ".repeat(100_000),
        format!("x = {}", "{".repeat(100_000)),
        format!("x = {}", "function() return ".repeat(100_000)),
        format!("type T = {}", "(".repeat(100_000)),
        format!("x = a{}", " .. a".repeat(100_000)),
    ];
    for source in &nested {
        let lowered = lower(source, "a.lua");
        let [diagnostic] = lowered.diagnostics.as_slice() else { panic!("{:?}", lowered.diagnostics.len()) };
        assert!(diagnostic.message.contains("too deeply nested"), "{}", diagnostic.message);
    }
    // Long is not deep.
    for source in
        [format!("type T = string\nx = T{}", ".a".repeat(100_000)), format!("type T = string\nx = T{}", " + a".repeat(100_000))]
    {
        lua(&source);
    }
    let many = lower(&"$ ".repeat(10_000), "a.lua");
    assert!(!many.diagnostics.is_empty() && many.diagnostics.len() <= crate::syntax::MAX_SYNTAX_ERRORS);
}
