//! Runs statements on a connection and collects what they give.

use std::sync::Arc;

use moonlet_runtime::Value;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Batch, Connection, Statement};

use super::fault::Failure;
use super::value;
use crate::fail::{invalid, limit};

/// What a program wants to know about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Its rows.
    Rows,
    /// What it changed.
    Changes,
    /// Only whether it is right.
    Check,
}

/// One statement with its parameters, or several.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) sql: Arc<str>,
    pub(super) parameters: Vec<Sql>,
    pub(super) wish: Wish,
    /// Whether there must be as many parameters as placeholders, as prepared statements ask for.
    pub(super) exact: bool,
    /// The most bytes of a result.
    pub(super) max_bytes: usize,
}

/// Runs it.
pub(super) fn perform(connection: &Connection, work: &Work) -> Result<Vec<Value>, Failure> {
    match connection.prepare_cached(&work.sql) {
        Ok(_) if work.wish == Wish::Check => Ok(Vec::new()),
        Ok(mut statement) => {
            if work.exact && statement.parameter_count() != work.parameters.len() {
                return Err(wrong_count(statement.parameter_count(), work.parameters.len()).into());
            }
            run(connection, &mut statement, work, &work.parameters).map(|value| vec![value])
        }
        Err(_) if work.wish != Wish::Check && has_more(&work.sql) => several(connection, work),
        Err(rusqlite::Error::MultipleStatement) => Err(invalid("only one statement can be prepared at once").into()),
        Err(error) => Err(error.into()),
    }
}

/// Tells whether a statement is only a question, which can be asked again when it is stopped in the middle.
pub(super) fn is_question(connection: &Connection, sql: &str) -> bool {
    connection.prepare_cached(sql).is_ok_and(|statement| statement.readonly() && statement.column_count() > 0)
}

/// Runs statements one after another; the parameters go to their placeholders in order, the result is that of the last.
fn several(connection: &Connection, work: &Work) -> Result<Vec<Value>, Failure> {
    let mut batch = Batch::new(connection, &work.sql);
    let mut rest = work.parameters.as_slice();
    let mut last = None;
    while let Some(mut statement) = batch.next()? {
        let count = statement.parameter_count();
        let Some((own, others)) = rest.split_at_checked(count) else { return Err(wrong_count(count, rest.len()).into()) };
        rest = others;
        last = Some(run(connection, &mut statement, work, own)?);
    }
    let nothing = || match work.wish {
        Wish::Changes => changes(connection, 0),
        Wish::Rows | Wish::Check => Value::Array(Vec::new()),
    };
    Ok(vec![last.unwrap_or_else(nothing)])
}

fn run(connection: &Connection, statement: &mut Statement<'_>, work: &Work, parameters: &[Sql]) -> Result<Value, Failure> {
    let count = statement.parameter_count();
    if parameters.len() < count {
        return Err(wrong_count(count, parameters.len()).into());
    }
    for (index, parameter) in parameters.iter().take(count).enumerate() {
        statement.raw_bind_parameter(index + 1, parameter)?;
    }
    if work.wish == Wish::Rows {
        return rows(statement, work.max_bytes);
    }
    let before = connection.total_changes();
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    let changed = if connection.total_changes() == before { 0 } else { connection.changes() };
    Ok(changes(connection, changed))
}

fn changes(connection: &Connection, count: u64) -> Value {
    Value::Map(vec![("last_insert_id".into(), connection.last_insert_rowid().into()), ("rows_affected".into(), count.into())])
}

fn rows(statement: &mut Statement<'_>, max_bytes: usize) -> Result<Value, Failure> {
    let columns: Vec<(Value, bool)> = statement
        .columns()
        .map(|column| {
            let boolean = column.decl_type().is_some_and(|declared| declared.eq_ignore_ascii_case("boolean"));
            (Value::from(column.name()), boolean)
        })
        .collect();
    let names: usize = columns.iter().map(|(name, _)| name.as_str().map_or(0, str::len) + 1).sum();
    let mut size = 0;
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let mut fields = Vec::with_capacity(columns.len());
        size += names;
        for (index, (name, boolean)) in columns.iter().enumerate() {
            let content = row.get_ref(index)?;
            // Checked before the value is copied.
            if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = content
                && size + bytes.len() > max_bytes
            {
                return Err(too_large(max_bytes, size + bytes.len()));
            }
            let (content, bytes) = value::read(content, *boolean);
            size += bytes;
            if !content.is_nil() {
                fields.push((name.clone(), content));
            }
        }
        if size > max_bytes {
            return Err(too_large(max_bytes, size));
        }
        found.push(Value::Map(fields));
    }
    Ok(Value::Array(found))
}

fn too_large(allowed: usize, used: usize) -> Failure {
    let mut error = limit("message_size", allowed as u64, used as u64);
    error.message = format!("the result is larger than {allowed} bytes: select fewer columns, or page with LIMIT and OFFSET");
    error.into()
}

fn wrong_count(expected: usize, got: usize) -> moonlet_runtime::Error {
    invalid(format!("the statement has {expected} placeholders, and {got} parameters were given"))
}

/// Tells whether something may follow the first statement.
fn has_more(sql: &str) -> bool {
    sql.find(';').is_some_and(|end| sql.get(end + 1..).is_some_and(|rest| !rest.trim().is_empty()))
}
