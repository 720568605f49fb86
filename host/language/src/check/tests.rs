//! Laws of the subtype relation, and that no bytes harm the checker.
#![expect(clippy::unwrap_used, reason = "a failed assumption in a test should panic")]

use std::sync::Arc;

use proptest::prelude::*;

use super::types::{Field, Pack, Param, Record, Signature, Type, TypeId, Types};
use super::{Checker, MAX_DIAGNOSTICS, Program};

/// A type as data, from which the same type can be made in any store.
#[derive(Debug, Clone)]
enum Shape {
    Base(u8),
    Literal(u8),
    Union(Vec<Shape>),
    Array(Box<Shape>),
    Map(Box<Shape>, Box<Shape>),
    Record(Vec<(u8, Shape, bool, bool)>),
    Function(Vec<Shape>, Vec<Shape>),
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![(0..10_u8).prop_map(Shape::Base), (0..6_u8).prop_map(Shape::Literal)];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Shape::Union),
            inner.clone().prop_map(|element| Shape::Array(Box::new(element))),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| Shape::Map(Box::new(key), Box::new(value))),
            prop::collection::vec((0..4_u8, inner.clone(), any::<bool>(), any::<bool>()), 0..4).prop_map(Shape::Record),
            (prop::collection::vec(inner.clone(), 0..3), prop::collection::vec(inner, 0..2))
                .prop_map(|(params, returns)| Shape::Function(params, returns)),
        ]
    })
}

fn build(types: &mut Types, shape: &Shape) -> TypeId {
    build_with(types, shape, true)
}

/// `absent` is whether fields and arguments may be absent. An optional field of a record with more fields than are known is where
/// gradual types give up transitivity: `{y: number}` is a `{}`, and a `{}` is a `{y?: string}`. So is an argument that may be nil:
/// a `(nil) -> ()` can be called like a `() -> ()`, and that like a `(boolean) -> ()`.
fn build_with(types: &mut Types, shape: &Shape, absent: bool) -> TypeId {
    let build = |types: &mut Types, shape: &Shape| build_with(types, shape, absent);
    match shape {
        Shape::Base(index) => [
            TypeId::NIL,
            TypeId::BOOLEAN,
            TypeId::NUMBER,
            TypeId::INTEGER,
            TypeId::STRING,
            TypeId::UNKNOWN,
            TypeId::NEVER,
            TypeId::TABLE,
            TypeId::THREAD,
            TypeId::FUNCTION,
        ][*index as usize % 10],
        Shape::Literal(0) => TypeId::TRUE,
        Shape::Literal(1) => TypeId::FALSE,
        Shape::Literal(2) => types.add(Type::Int(1)),
        Shape::Literal(3) => types.add(Type::Float(1.5_f64.to_bits())),
        Shape::Literal(index) => {
            let symbol = types.symbol(if *index == 4 { "a" } else { "b" });
            types.add(Type::Str(symbol))
        }
        Shape::Union(members) => {
            let members: Vec<TypeId> = members.iter().map(|member| build(types, member)).collect();
            types.union(&members)
        }
        Shape::Array(element) => {
            let element = build(types, element);
            types.add(Type::Array(element))
        }
        Shape::Map(key, value) => {
            let (key, value) = (build(types, key), build(types, value));
            types.add(Type::Map(key, value))
        }
        Shape::Record(fields) => {
            let mut record = Record::default();
            for (name, value, optional, readonly) in fields {
                let name = types.symbol(["w", "x", "y", "z"][*name as usize % 4]);
                let value = build(types, value);
                let value = if absent || !types.has_nil(value) { value } else { TypeId::STRING };
                if record.field(name).is_none() {
                    record.fields.push(Field {
                        name,
                        value,
                        optional: *optional && absent,
                        readonly: *readonly,
                        deprecated: None,
                    });
                }
            }
            types.record(record)
        }
        Shape::Function(params, returns) => {
            let param = |types: &mut Types, param: &Shape| {
                let value = build(types, param);
                let value = if absent || !types.has_nil(value) { value } else { TypeId::STRING };
                Param { name: None, value, optional: false }
            };
            let params = params.iter().map(|shape| param(types, shape)).collect();
            let returns = Pack { types: returns.iter().map(|value| build(types, value)).collect(), rest: None };
            types.function(Signature { params, returns, declared: true, ..Signature::default() })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn subtyping_is_reflexive_and_has_a_top_and_a_bottom(a in shape()) {
        let mut types = Types::new();
        let (first, second) = (build(&mut types, &a), build(&mut types, &a));
        prop_assert!(types.subtype(first, second), "{}", types.show(first));
        prop_assert!(types.subtype(first, TypeId::UNKNOWN));
        prop_assert!(types.subtype(TypeId::NEVER, first));
        prop_assert!(types.assignable(TypeId::ANY, first) && types.assignable(first, TypeId::ANY));
    }

    #[test]
    fn subtyping_is_transitive(a in shape(), b in shape(), c in shape()) {
        let mut types = Types::new();
        let (a, b, c) = (build_with(&mut types, &a, false), build_with(&mut types, &b, false), build_with(&mut types, &c, false));
        if types.subtype(a, b) && types.subtype(b, c) {
            prop_assert!(types.subtype(a, c), "{} <= {} <= {}", types.show(a), types.show(b), types.show(c));
        }
    }

    #[test]
    fn a_union_is_the_least_type_above_its_members(a in shape(), b in shape(), c in shape()) {
        let mut types = Types::new();
        let (a, b, c) = (build(&mut types, &a), build(&mut types, &b), build(&mut types, &c));
        let union = types.union(&[a, b]);
        prop_assert!(types.subtype(a, union) && types.subtype(b, union), "{} | {}", types.show(a), types.show(b));
        if types.subtype(a, c) && types.subtype(b, c) {
            prop_assert!(types.subtype(union, c), "{} <= {}", types.show(union), types.show(c));
        }
    }

    #[test]
    fn an_intersection_is_the_greatest_type_below_its_members(a in shape(), b in shape(), c in shape()) {
        let mut types = Types::new();
        let (a, b, c) = (build(&mut types, &a), build(&mut types, &b), build(&mut types, &c));
        let both = types.add(Type::Intersection(Arc::from([a, b])));
        prop_assert!(types.subtype(both, a) && types.subtype(both, b));
        if types.subtype(c, a) && types.subtype(c, b) {
            prop_assert!(types.subtype(c, both), "{} <= {}", types.show(c), types.show(both));
        }
    }

    #[test]
    fn any_text_is_checked_without_harm(text in "\\PC{0,200}") {
        let checked = Checker::new().check(&Program { source: &text, file: "a.lua", ..Program::default() });
        prop_assert!(checked.diagnostics.len() <= MAX_DIAGNOSTICS);
    }

    #[test]
    fn any_sequence_of_tokens_is_checked_without_harm(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..60)) {
        let text = tokens.join(" ");
        let checked = Checker::new().check(&Program { source: &text, file: "a.lua", ..Program::default() });
        prop_assert!(checked.diagnostics.len() <= MAX_DIAGNOSTICS);
        let broken = checked.diagnostics.iter().any(|diagnostic| diagnostic.code == "syntax-error");
        // Whatever the parser accepts, it must accept again once types are erased.
        if !broken {
            let lowered = crate::lower::lower(&text, "a.lua");
            let again = crate::lower::lower(&lowered.lua, "a.lua");
            prop_assert!(again.diagnostics.is_empty(), "{text}\n{}", lowered.lua);
            prop_assert_eq!(&again.lua, &lowered.lua);
        }
    }
}

const TOKENS: &[&str] = &[
    "local", "x", "y", "=", "1", "\"s\"", "function", "(", ")", "end", "if", "then", "else", "return", ":", "::", "as", "type",
    "T", "<", ">", ",", "{", "}", "?", "|", "&", "number", "string", "nil", "->", "!", ".", "[", "]", "do", "for", "in", "while",
    "f", "and", "or", "not", "+", "..", "\n", "goto", "repeat", "until", "@min(1)", "typeof", "readonly", "export", ";", "...",
    "#", "==", "self",
];

#[test]
fn long_and_deep_programs_end_in_time() {
    let programs = [
        format!("local x = a{}", ".b".repeat(50_000)),
        format!("local x = a{}", "()".repeat(50_000)),
        format!("local x = 1{}", " + 1".repeat(50_000)),
        "f(a :: b.c<x>)\n".repeat(300_000),
        format!("local x = a{}", " and a".repeat(50_000)),
        "local x = 1\n".repeat(20_000),
        "if x then\nend\n".repeat(20_000),
        format!("type T = {}number", "number | ".repeat(20_000)),
        (0..3_000).map(|i| format!("type T{i} = {{x: T{}}}\n", i + 1)).collect::<String>(),
        "type Grow<T> = {next: Grow<{T}>?}\nlocal g: Grow<number> = {}\nlocal h: Grow<string> = g\n".to_owned(),
        format!("{}{}", "if x then ".repeat(190), "end ".repeat(190)),
        format!("local x = {}1{}", "{".repeat(95), "}".repeat(95)),
        format!("local x = {}1{}", "f({a = ".repeat(60), "})".repeat(60)),
        format!("local x = {}1{}", "function() return ".repeat(95), " end".repeat(95)),
        format!(
            "local x = {}1{}",
            "function() while a and b do for k, v in pairs(c) do return ".repeat(40),
            " end end end".repeat(40)
        ),
        format!("local x: {}number{} = y", "{a: ".repeat(190), "}".repeat(190)),
        format!("local x: {}number{} = {}1{}", "{a: ".repeat(90), "}".repeat(90), "{a = ".repeat(90), "}".repeat(90)),
        format!("if {}a{} then end", "not (b and ".repeat(90), ")".repeat(90)),
        (0..20_000).map(|i| format!("local function f{i}() x{i} = unknown{i} end\n")).collect::<String>(),
        (0..20_000).map(|i| format!("local a{i}: Unknown{i} = 1 -- moonlet: allow(x)\n")).collect::<String>(),
        format!("type T = {}nil", (0..50_000).map(|i| format!("\"a{i}\" | ")).collect::<String>()),
        format!("type T = {{{}}}", (0..50_000).map(|i| format!("a{i}: number, ")).collect::<String>()),
        (0..20_000).map(|i| format!("type A{i} = {{x: lib.T}}\n")).collect::<String>(),
        format!("local t = {{{}}}", "a = 1, ".repeat(20_000)),
        format!("local t: {{x: number}} = {{{}}}", "y = 1, ".repeat(20_000)),
    ];
    for program in programs {
        let start = std::time::Instant::now();
        let checked = Checker::new().check(&Program { source: &program, file: "a.lua", ..Program::default() });
        assert!(checked.diagnostics.len() <= MAX_DIAGNOSTICS);
        let head: String = program.chars().take(40).collect();
        // Far above what it takes; something quadratic takes minutes.
        assert!(start.elapsed().as_secs() < 20, "{head} took {:?}", start.elapsed());
    }
}

#[test]
fn a_library_is_seen_through_its_exports() {
    let mut checker = Checker::new();
    let library = checker.check(&Program { source: "return {answer = 42}", file: "lib.lua", ..Program::default() });
    let imports = [("lib".to_owned(), library.exports)].into_iter().collect();
    let program =
        Program { source: "local n: string = require('lib').answer\nprint(n)", file: "main.lua", imports, ..Program::default() };
    let diagnostic = checker.check(&program).diagnostics.into_iter().next().unwrap();
    assert_eq!((&*diagnostic.code, &*diagnostic.message), ("type-mismatch", "expected `string`, found `integer`"));
}
