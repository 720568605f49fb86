//! From WebAssembly text and core modules to components.
//!
//! A core module has no types but numbers; a text of WIT gives it the ones of its functions, and the usual wrapping follows from
//! those (component model, canonical ABI). Without a text, the numbers themselves are the types.

use std::borrow::Cow;
use std::fmt::Write as _;

use wasmparser::{CompositeInnerType, ExternalKind, Parser, Payload, TypeRef, ValType};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::failure::Failure;

/// Bytes of one component or module at most: stops a file made to exhaust the compiler.
const MAX_BYTES: usize = 64 << 20;

/// Turns a component, a core module or either as text into a component.
pub(crate) fn to_component<'a>(bytes: &'a [u8], wit: Option<&str>) -> Result<Cow<'a, [u8]>, Failure> {
    if bytes.len() > MAX_BYTES {
        return Err(Failure::Component(format!("it has {} bytes, and at most {MAX_BYTES} are allowed", bytes.len())));
    }
    let binary = wat::parse_bytes(bytes).map_err(|error| Failure::Component(format!("the text is not WebAssembly: {error}")))?;
    if Parser::is_component(&binary) {
        return Ok(binary);
    }
    if !Parser::is_core_wasm(&binary) {
        return Err(Failure::Component("it is neither a component nor a module of WebAssembly".to_owned()));
    }
    wrap(binary.into_owned(), wit).map(Cow::Owned).map_err(|error| {
        Failure::Component(format!(
            "the module cannot be made a component: {error:#}; write the types of its functions as `wit:`"
        ))
    })
}

fn wrap(mut module: Vec<u8>, wit: Option<&str>) -> anyhow::Result<Vec<u8>> {
    let text = match wit {
        Some(text) if text.contains("world ") => text.to_owned(),
        Some(text) => world(text),
        None => world(&signatures(&module)?),
    };
    let mut resolve = Resolve::default();
    let package = resolve.push_source("wit", &text)?;
    let world = resolve.select_world(&[package], None)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}

/// Makes a world of a text that only has functions and types.
fn world(text: &str) -> String {
    let mut world = String::from("package local:module;\nworld module {\n");
    for statement in statements(text) {
        let is_function = statement.split_once(':').is_some_and(|(name, rest)| {
            !name.trim().contains(char::is_whitespace)
                && (rest.trim_start().starts_with("func") || rest.trim_start().starts_with("async func"))
        });
        let prefix = if is_function { "export " } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(world, "  {prefix}{statement}");
    }
    world.push_str("}\n");
    world
}

/// Splits a text at the ends of its statements: semicolons and closing braces outside of other braces.
fn statements(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let (mut depth, mut statement) = (0_usize, String::new());
    for line in text.lines() {
        let line = line.split_once("//").map_or(line, |(code, _)| code);
        for character in line.chars() {
            statement.push(character);
            match character {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && (character == ';' || character == '}') {
                statements.push(std::mem::take(&mut statement).trim().to_owned());
            }
        }
        statement.push('\n');
    }
    let rest = statement.trim();
    if !rest.is_empty() {
        statements.push(format!("{rest};"));
    }
    statements
}

/// Writes the functions that a core module exports with the numbers they take and give.
fn signatures(module: &[u8]) -> anyhow::Result<String> {
    let (mut types, mut functions, mut text) = (Vec::new(), Vec::new(), String::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                        CompositeInnerType::Func(function) => Some(function),
                        _ => None,
                    }));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(index) = import?.ty {
                        functions.push(index);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for index in section {
                    functions.push(index?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let index = functions.get(export.index as usize).filter(|_| export.kind == ExternalKind::Func);
                    let ty = index.and_then(|index| types.get(*index as usize)).and_then(Option::as_ref);
                    if let Some(signature) = ty.and_then(|ty| signature(ty.params(), ty.results())) {
                        let _ = writeln!(text, "{}: func{signature};", export.name);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(text)
}

fn signature(params: &[ValType], results: &[ValType]) -> Option<String> {
    let number = |ty: &ValType| match ty {
        ValType::I32 => Some("s32"),
        ValType::I64 => Some("s64"),
        ValType::F32 => Some("f32"),
        ValType::F64 => Some("f64"),
        ValType::V128 | ValType::Ref(_) => None,
    };
    let params = params.iter().enumerate().map(|(place, ty)| Some(format!("p{place}: {}", number(ty)?)));
    let params = params.collect::<Option<Vec<_>>>()?.join(", ");
    match results {
        [] => Some(format!("({params})")),
        [result] => Some(format!("({params}) -> {}", number(result)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_module_becomes_a_component_with_or_without_types() {
        let text = br#"(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"#;
        for wit in [None, Some("add: func(a: s32, b: s32) -> s32;"), Some("add: func(a: u32, b: u32) -> u32")] {
            assert!(Parser::is_component(&to_component(text, wit).unwrap()));
        }
        let wrong = to_component(text, Some("add: func(a: string) -> string;")).unwrap_err().to_string();
        assert!(wrong.contains("cannot be made a component"), "{wrong}");
    }

    #[test]
    fn statements_end_at_semicolons_and_braces() {
        let text = "record point { x: s32, y: s32 } // a point\nmove: func(p: point) -> point;\nlast: func()";
        let world = world(text);
        assert!(
            world
                .contains("  record point { x: s32, y: s32 }\n  export move: func(p: point) -> point;\n  export last: func();\n"),
            "{world}"
        );
    }
}
