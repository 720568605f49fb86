//! `blocking-at-chunk-level`: a call that waits, outside any function.
//!
//! The chunk of an entry runs when the entry is loaded; a wait there delays every call and cannot be cancelled.

use super::super::File;
use super::super::types::{Type, TypeId};
use crate::diagnostic::Level;
use crate::syntax::Span;

/// The functions of modules that wait.
const BLOCKING: &[&str] = &[
    "time.sleep",
    "funcs.call",
    "process.exec",
    "channel.select",
    "http_client.get",
    "http_client.post",
    "http_client.put",
    "http_client.patch",
    "http_client.delete",
    "http_client.head",
    "http_client.request",
    "http_client.request_batch",
];

/// Looks at a call by its text.
pub(in crate::check) fn check(file: &mut File<'_>, callee: &str, span: Span) {
    if file.functions.len() == 1 && !file.declaration && BLOCKING.contains(&callee) {
        report(file, callee, span);
    }
}

/// Looks at a method call.
pub(in crate::check) fn check_method(file: &mut File<'_>, name: &str, object: TypeId, span: Span) {
    if file.functions.len() != 1 || file.declaration || name != "receive" {
        return;
    }
    if let Type::Named(..) = file.checker.types.get(object)
        && file.show(object).starts_with("Channel")
    {
        report(file, "receive", span);
    }
}

fn report(file: &mut File<'_>, callee: &str, span: Span) {
    let message = format!("`{callee}` waits, and the chunk of an entry should not");
    let diagnostic = file
        .diagnostic(Level::Warning, "blocking-at-chunk-level", span, message, "called while the entry is loaded")
        .help("call it in the function that the entry returns");
    file.report(diagnostic);
}
