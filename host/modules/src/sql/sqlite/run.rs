//! Runs statements on a connection and collects what they give.

use moonlet_runtime::{Error, Value};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, Statement, ToSql};

use super::super::work::{Parameter, Rows, Wish, Work, changes, too_large, wrong_count};
use super::fault::Failure;
use crate::fail::{internal, invalid};

/// Runs it.
pub(super) fn perform(connection: &Connection, work: &Work) -> Result<Vec<Value>, Failure> {
    match connection.prepare_cached(&work.sql) {
        Ok(_) if work.wish == Wish::Check => Ok(Vec::new()),
        Ok(mut statement) => {
            let parameters = work.fitting(statement.parameter_count())?;
            run(connection, &mut statement, work, parameters).map(|value| vec![value])
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
        Wish::Changes => changed(connection, 0),
        Wish::Rows | Wish::Check => Value::Array(Vec::new()),
    };
    Ok(vec![last.unwrap_or_else(nothing)])
}

fn run(connection: &Connection, statement: &mut Statement<'_>, work: &Work, parameters: &[Parameter]) -> Result<Value, Failure> {
    for (index, parameter) in parameters.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, parameter)?;
    }
    if work.wish == Wish::Rows {
        return rows(statement, work);
    }
    let before = connection.total_changes();
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    let count = if connection.total_changes() == before { 0 } else { connection.changes() };
    Ok(changed(connection, count))
}

fn changed(connection: &Connection, count: u64) -> Value {
    changes(connection.last_insert_rowid().into(), count)
}

fn rows(statement: &mut Statement<'_>, work: &Work) -> Result<Value, Failure> {
    let mut found: Option<(Vec<bool>, Rows)> = None;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        // Asked for with the first row: a statement that was kept may have other columns since a table changed.
        let (booleans, found) = found.get_or_insert_with(|| {
            let columns = row.as_ref().columns().map(|column| {
                let boolean = column.decl_type().is_some_and(|declared| declared.eq_ignore_ascii_case("boolean"));
                (Value::from(column.name()), boolean)
            });
            let (names, booleans): (Vec<Value>, Vec<bool>) = columns.unzip();
            (booleans, Rows::new(names, work))
        });
        found.push(booleans.iter().enumerate().map(|(index, boolean)| {
            let content = row.get_ref(index).map_err(|error| internal(error.to_string()))?;
            read(content, *boolean, work.max_bytes)
        }))?;
    }
    Ok(found.map_or_else(|| Value::Array(Vec::new()), |(_, rows)| rows.finish()))
}

/// Turns a value of a row into one of Lua.
fn read(value: ValueRef<'_>, boolean: bool, max_bytes: usize) -> Result<Value, Error> {
    // Checked before the value is copied.
    if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = value
        && bytes.len() > max_bytes
    {
        return Err(too_large(max_bytes, bytes.len()));
    }
    Ok(match value {
        ValueRef::Null => Value::Nil,
        ValueRef::Integer(integer) if boolean => Value::Boolean(integer > 0),
        ValueRef::Integer(integer) => integer.into(),
        ValueRef::Real(float) => float.into(),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_or_else(|_| Value::Binary(bytes.to_vec()), Value::from),
        ValueRef::Blob(bytes) => Value::Binary(bytes.to_vec()),
    })
}

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Boolean(value) => ValueRef::Integer(i64::from(*value)),
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Real(float) => ValueRef::Real(*float),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Tells whether something may follow the first statement.
fn has_more(sql: &str) -> bool {
    sql.find(';').is_some_and(|end| sql.get(end + 1..).is_some_and(|rest| !rest.trim().is_empty()))
}
