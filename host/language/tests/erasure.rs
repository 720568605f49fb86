//! Erasure: a program written with types lowers to the program written without, token by token and line by line.

use moonlet_language::lower::lower;
use moonlet_language::syntax::lex;
use proptest::prelude::*;

/// Pieces of a program: with types, and the same without.
type Piece = (String, String);

fn ty() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["number", "string", "any", "T", "lib.Config", "nil", "\"a\"", "1", "true", "typeof(x)"]);
    leaf.prop_map(str::to_owned).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|t| format!("{{{t}}}")),
            inner.clone().prop_map(|t| format!("({t})?")),
            inner.clone().prop_map(|t| format!("{t}[]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} | {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{\n  a: {a},\n  b?: {b},\n}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{[string]: {a}, readonly c: {b}}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("((x: {a}, ...{b}) -> ({a}, {b}))")),
            inner.clone().prop_map(|t| format!("Box<Box<{t}>>")),
            inner.prop_map(|t| format!("({t}) @min(1) @pattern(\"x\")")),
        ]
    })
}

fn expr() -> impl Strategy<Value = Piece> {
    let leaf = prop::sample::select(vec!["x", "1", "\"s\"", "nil", "f(x)", "a.b", "{1, 2}", "as", "type", "x:m()"]);
    leaf.prop_map(|text| (text.to_owned(), text.to_owned())).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), ty()).prop_map(|((a, b), t)| (format!("({a} :: {t})"), format!("({b})"))),
            (inner.clone(), ty()).prop_map(|((a, b), t)| (format!("({a} as {t})"), format!("({b})"))),
            inner.clone().prop_map(|(a, b)| (format!("({a})!"), format!("({b})"))),
            (inner.clone(), inner.clone()).prop_map(|((a, b), (c, d))| (format!("{a} < {c}"), format!("{b} < {d}"))),
            (inner.clone(), inner.clone())
                .prop_map(|((a, b), (c, d))| (format!("{{k = {a}, [{c}] = 1}}"), format!("{{k = {b}, [{d}] = 1}}"))),
            (inner, ty(), ty()).prop_map(|((a, b), t, u)| (
                format!("function(p: {t}, q?: {u}, ...: {t}): ({u}, {t}) return {a} end"),
                format!("function(p, q, ...) return {b} end")
            )),
        ]
    })
}

fn statement() -> impl Strategy<Value = Piece> {
    prop_oneof![
        (expr(), ty()).prop_map(|((a, b), t)| (format!("local x: {t} = {a}"), format!("local x = {b}"))),
        (expr(), ty(), ty()).prop_map(|((a, b), t, u)| (
            format!("local function g<T: {t}>(p: {u}): {t}\n  return {a}\nend"),
            format!("local function g(p)\n  return {b}\nend")
        )),
        (expr(), ty())
            .prop_map(|((a, b), t)| (format!("for i: {t} = 1, 2 do f({a}) end"), format!("for i = 1, 2 do f({b}) end"))),
        (expr(), ty())
            .prop_map(|((a, b), t)| (format!("for k: {t}, v in pairs({a}) do end"), format!("for k, v in pairs({b}) do end"))),
        (expr(), expr()).prop_map(|((a, b), (c, d))| (format!("if {a} then x = {c} end"), format!("if {b} then x = {d} end"))),
        ty().prop_map(|t| (format!("export type Declared<A, B: A> = {t};"), ";".to_owned())),
        Just(("goto done ::done::".to_owned(), "goto done ::done::".to_owned())),
    ]
}

/// The kinds, texts and lines of the tokens.
fn tokens(text: &str, lines: bool) -> Vec<(String, usize)> {
    let lexed = lex(text);
    assert!(lexed.errors.is_empty(), "{:?}", lexed.errors);
    let line = |offset: u32| text.as_bytes()[..offset as usize].iter().filter(|byte| **byte == b'\n').count();
    let all = lexed.tokens.iter().map(|token| (token.span.text(text).to_owned(), if lines { line(token.span.start) } else { 0 }));
    all.filter(|(text, _)| text != ";").collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_typed_program_lowers_to_the_untyped_one(pieces in prop::collection::vec(statement(), 1..6)) {
        // Labels may not repeat within a function.
        let wrap = |text: &str| format!("do {text} end\n");
        let typed: String = pieces.iter().map(|(typed, _)| wrap(typed)).collect();
        let untyped: String = pieces.iter().map(|(_, untyped)| wrap(untyped)).collect();
        let lowered = lower(&typed, "typed.lua");
        prop_assert!(lowered.diagnostics.is_empty(), "{typed}\n{:?}", lowered.diagnostics);
        prop_assert_eq!(tokens(&lowered.lua, false), tokens(&untyped, false), "{}", typed);
        // Every token that is left stands where it stood.
        let before = tokens(&typed, true);
        let mut rest = before.iter();
        for token in tokens(&lowered.lua, true) {
            prop_assert!(rest.any(|other| *other == token), "{token:?} moved in\n{typed}\n{}", lowered.lua);
        }
    }
}
