//! What an editor may ask, one function each.

use std::path::PathBuf;

use moonlet_language::check::At;
use moonlet_language::syntax::ast::{Ast, ExprKind, StatementKind};
use moonlet_language::syntax::{Span, TokenKind, lex, parse};
use serde_json::{Value, json};

use crate::convert::{offset_of, path_of, range_of, uri_of};
use crate::server::Server;

/// Says what this server can do.
pub(crate) fn capabilities() -> Value {
    json!({
        "textDocumentSync": {"openClose": true, "change": 1, "save": true},
        "hoverProvider": true,
        "definitionProvider": true,
        "referencesProvider": true,
        "renameProvider": true,
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "codeActionProvider": true,
        "completionProvider": {"triggerCharacters": [".", ":", "\"", "'"]},
        "signatureHelpProvider": {"triggerCharacters": ["(", ","]},
    })
}

type Answer = Result<Value, String>;

/// Answers a request; none if the method is not known.
pub(crate) fn answer(server: &mut Server, method: &str, params: &Value) -> Option<Answer> {
    if method == "workspace/symbol" {
        return Some(Ok(workspace_symbols(server, params)));
    }
    let feature: fn(&mut Server, &Place, &Value) -> Answer = match method {
        "textDocument/hover" => hover,
        "textDocument/definition" => definition,
        "textDocument/references" => references,
        "textDocument/rename" => rename,
        "textDocument/documentSymbol" => document_symbols,
        "textDocument/completion" => completion,
        "textDocument/signatureHelp" => signature_help,
        "textDocument/codeAction" => code_actions,
        _ => return None,
    };
    let place = Place::new(server, params);
    Some(place.map_or(Ok(Value::Null), |place| feature(server, &place, params)))
}

/// The document and place of a request.
struct Place {
    uri: String,
    path: PathBuf,
    text: String,
    offset: usize,
}

impl Place {
    fn new(server: &Server, params: &Value) -> Option<Self> {
        let uri = params.pointer("/textDocument/uri")?.as_str()?.to_owned();
        let text = server.documents.get(&uri)?.to_owned();
        let offset = params.get("position").map_or(0, |position| offset_of(&text, position));
        Some(Self { path: path_of(&uri)?, uri, text, offset })
    }

    fn at(&self, server: &mut Server) -> At {
        server.project.probe(&self.path, &self.text, self.offset, &server.documents)
    }

    fn location(&self, span: Span) -> Value {
        json!({"uri": self.uri, "range": range_of(&self.text, span.range())})
    }
}

fn hover(server: &mut Server, place: &Place, _: &Value) -> Answer {
    let at = place.at(server);
    Ok(at.hover.map_or(Value::Null, |(span, text)| {
        json!({"contents": {"kind": "markdown", "value": format!("```lua\n{text}\n```")}, "range": range_of(&place.text, span.range())})
    }))
}

fn definition(server: &mut Server, place: &Place, _: &Value) -> Answer {
    let at = place.at(server);
    if let Some(name) = &at.required
        && let Some(path) = server.project.import(&place.path, name)
    {
        return Ok(json!({"uri": uri_of(&path), "range": range_of("", 0..0)}));
    }
    Ok(at.definition.map_or(Value::Null, |span| place.location(span)))
}

fn references(server: &mut Server, place: &Place, _: &Value) -> Answer {
    let at = place.at(server);
    Ok(Value::Array(at.references.iter().map(|span| place.location(*span)).collect()))
}

fn rename(server: &mut Server, place: &Place, params: &Value) -> Answer {
    let name = params.get("newName").and_then(Value::as_str).unwrap_or("");
    let tokens = lex(name).tokens;
    if !matches!(tokens.as_slice(), [only, _] if only.kind == TokenKind::Name && only.span.range() == (0..name.len())) {
        return Err(format!("`{name}` is not a name"));
    }
    let at = place.at(server);
    if at.references.is_empty() {
        return Err("only locals, parameters and types of this file can be renamed".to_owned());
    }
    let edits: Vec<Value> =
        at.references.iter().map(|span| json!({"range": range_of(&place.text, span.range()), "newText": name})).collect();
    Ok(json!({"changes": {(place.uri.as_str()): edits}}))
}

fn completion(server: &mut Server, place: &Place, _: &Value) -> Answer {
    if in_string(&place.text, place.offset) {
        let items: Vec<Value> = server.project.ids.iter().map(|id| json!({"label": id, "kind": 18, "detail": "entry"})).collect();
        return Ok(Value::Array(items));
    }
    let (text, offset, member) = completable(&place.text, place.offset);
    let at = server.project.probe(&place.path, &text, offset, &server.documents);
    let method = member == Some(':');
    let found = if member.is_some() { at.members } else { at.names };
    let mut items: Vec<Value> = found
        .iter()
        .filter(|item| !method || item.function || item.detail == "any")
        .map(|item| json!({"label": item.name, "kind": if item.function { 3 } else { 6 }, "detail": item.detail}))
        .collect();
    if member.is_none() {
        let words = [
            "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not",
            "or", "repeat", "return", "then", "true", "until", "while", "type", "export",
        ];
        items.extend(words.iter().map(|word| json!({"label": word, "kind": 14})));
    }
    Ok(Value::Array(items))
}

/// Makes a text that can be read of one in which a name is being written. Gives it with the place of the name and the sign before.
fn completable(text: &str, offset: usize) -> (String, usize, Option<char>) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = text.get(..offset).unwrap_or(text);
    let after = text.get(offset..).unwrap_or("");
    let start = before.trim_end_matches(is_word).len();
    let rest = after.trim_start_matches(is_word);
    let head = before.get(..start).unwrap_or("");
    let sign = head.chars().last().filter(|c| matches!(c, '.' | ':')).filter(|_| !head.ends_with("..") && !head.ends_with("::"));
    if sign.is_none() {
        return (text.to_owned(), offset, None);
    }
    let word = text.get(start..text.len() - rest.len()).filter(|word| !word.is_empty()).unwrap_or("x");
    let next = rest.trim_start().chars().next().unwrap_or('\n');
    let call = if matches!(next, '(' | '{' | '"' | '\'' | '[' | '=' | '.' | ':') { "" } else { "()" };
    (format!("{head}{word}{call}{rest}"), start, sign)
}

fn in_string(text: &str, offset: usize) -> bool {
    lex(text).tokens.iter().any(|token| {
        let span = token.span.range();
        token.kind == TokenKind::String && span.start < offset && offset < span.end.max(span.start + 2)
    })
}

fn signature_help(server: &mut Server, place: &Place, _: &Value) -> Answer {
    let at = place.at(server);
    // An open bracket alone cannot be read; close it for the look.
    let at = match at.signature {
        Some(_) => at,
        None => {
            let (head, tail) = (place.text.get(..place.offset).unwrap_or(""), place.text.get(place.offset..).unwrap_or(""));
            let filler = if head.trim_end().ends_with(',') { "nil)" } else { ")" };
            let text = format!("{head}{filler}{tail}");
            server.project.probe(&place.path, &text, place.offset, &server.documents)
        }
    };
    let Some(signature) = at.signature else { return Ok(Value::Null) };
    let params: Vec<Value> = signature.params.iter().map(|param| json!({"label": param})).collect();
    Ok(json!({
        "signatures": [{"label": signature.label, "parameters": params}],
        "activeSignature": 0,
        "activeParameter": signature.active,
    }))
}

fn code_actions(server: &mut Server, place: &Place, params: &Value) -> Answer {
    let start = params.pointer("/range/start").map_or(0, |position| offset_of(&place.text, position));
    let end = params.pointer("/range/end").map_or(start, |position| offset_of(&place.text, position));
    let found = server.project.check(&place.path, &place.text, &server.documents);
    let mut actions = Vec::new();
    for diagnostic in found.diagnostics.iter() {
        let (Some(label), Some(fix)) = (&diagnostic.primary, &diagnostic.fix) else { continue };
        if label.span.end < start || end < label.span.start {
            continue;
        }
        let edit = json!({"range": range_of(&place.text, fix.span.clone()), "newText": fix.replacement});
        actions.push(json!({"title": fix.title, "kind": "quickfix", "edit": {"changes": {(place.uri.as_str()): [edit]}}}));
    }
    Ok(Value::Array(actions))
}

fn document_symbols(_: &mut Server, place: &Place, _: &Value) -> Answer {
    let parsed = parse(&place.text);
    let symbols = symbols(&parsed.ast, &place.text);
    Ok(Value::Array(
        symbols
            .iter()
            .map(|symbol| {
                json!({
                    "name": symbol.name,
                    "kind": symbol.kind,
                    "range": range_of(&place.text, symbol.span.range()),
                    "selectionRange": range_of(&place.text, symbol.name_span.range()),
                })
            })
            .collect(),
    ))
}

fn workspace_symbols(server: &mut Server, params: &Value) -> Value {
    let query = params.get("query").and_then(Value::as_str).unwrap_or("").to_lowercase();
    let mut found = Vec::new();
    for (path, text) in server.project.files(&server.documents) {
        for symbol in symbols(&parse(&text).ast, &text) {
            if symbol.name.to_lowercase().contains(&query) {
                let location = json!({"uri": uri_of(&path), "range": range_of(&text, symbol.name_span.range())});
                found.push(json!({"name": symbol.name, "kind": symbol.kind, "location": location}));
            }
        }
    }
    Value::Array(found)
}

struct Symbol {
    name: String,
    kind: u8,
    span: Span,
    name_span: Span,
}

/// Lists the functions, types and locals that a file declares outside functions.
fn symbols(ast: &Ast, text: &str) -> Vec<Symbol> {
    const FUNCTION: u8 = 12;
    const METHOD: u8 = 6;
    const VARIABLE: u8 = 13;
    const TYPE: u8 = 11;
    let mut symbols = Vec::new();
    for statement in &ast.block.statements {
        let mut push = |name_span: Span, kind: u8| {
            symbols.push(Symbol { name: name_span.text(text).to_owned(), kind, span: statement.span, name_span });
        };
        match &statement.kind {
            StatementKind::LocalFunction { name, .. } => push(*name, FUNCTION),
            StatementKind::Function { target, method, .. } => {
                push(ast.expr(*target).span, if *method { METHOD } else { FUNCTION })
            }
            StatementKind::TypeAlias(alias) => push(alias.name, TYPE),
            StatementKind::Local { names, values } => {
                for (index, binding) in names.iter().enumerate() {
                    let function = values.get(index).is_some_and(|value| matches!(ast.expr(*value).kind, ExprKind::Function(_)));
                    push(binding.name, if function { FUNCTION } else { VARIABLE });
                }
            }
            _ => {}
        }
    }
    symbols
}
