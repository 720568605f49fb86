//! Checks a program against an example of its environment: names that are not in it are mistakes.

use moonlet_runtime::{Error, Value};

use super::ast::{Kind, Node, Program};
use super::lexer::Problem;
use crate::fail::internal;

/// Reports the first name that the environment does not have.
pub(super) fn names(program: &Program, environment: &[(Value, Value)]) -> Result<(), Error> {
    let known: Vec<&str> = environment.iter().filter_map(|(name, _)| name.as_str()).collect();
    let unknown = find(&program.root, &known, &mut Vec::new());
    match unknown {
        None => Ok(()),
        Some((name, at)) => Err(internal(Problem::new(at, format!("unknown name `{name}`")).describe(&program.source))),
    }
}

fn find<'a>(node: &'a Node, known: &[&str], variables: &mut Vec<&'a str>) -> Option<(&'a str, usize)> {
    match &node.kind {
        Kind::Name(name) => (!known.contains(&&**name) && !variables.contains(&&**name)).then_some((&**name, node.at)),
        Kind::Let(name, value, body) => find(value, known, variables).or_else(|| {
            variables.push(name);
            let found = find(body, known, variables);
            variables.pop();
            found
        }),
        Kind::Array(nodes) | Kind::Call(_, nodes) => nodes.iter().find_map(|node| find(node, known, variables)),
        Kind::Map(fields) => {
            fields.iter().find_map(|(key, value)| find(key, known, variables).or_else(|| find(value, known, variables)))
        }
        Kind::Unary(_, node) | Kind::Chain(node) => find(node, known, variables),
        Kind::Binary(_, a, b) => find(a, known, variables).or_else(|| find(b, known, variables)),
        Kind::Member { object, key, .. } => find(object, known, variables).or_else(|| find(key, known, variables)),
        Kind::Method { object, args, .. } => {
            find(object, known, variables).or_else(|| args.iter().find_map(|node| find(node, known, variables)))
        }
        Kind::Conditional(a, b, c) => [a, b, c].into_iter().find_map(|node| find(node, known, variables)),
        Kind::Slice(object, from, to) => {
            let parts = [Some(object), from.as_ref(), to.as_ref()];
            parts.into_iter().flatten().find_map(|node| find(node, known, variables))
        }
        Kind::Predicate { list, body, rest, .. } => {
            let parts = [Some(list), body.as_ref(), rest.as_ref()];
            parts.into_iter().flatten().find_map(|node| find(node, known, variables))
        }
        _ => None,
    }
}
