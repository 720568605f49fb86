//! Runs statements on a connection and collects what they give.

use moonlet_runtime::{Error, Value};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, Statement, ToSql};

use super::super::moment::{parse, rfc3339};
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
    let mut found: Option<(Vec<Kind>, Rows)> = None;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        // Asked for with the first row: a statement that was kept may have other columns since a table changed.
        let (kinds, found) = found.get_or_insert_with(|| {
            let columns = row.as_ref().columns().map(|column| (Value::from(column.name()), Kind::of(column.decl_type())));
            let (names, kinds): (Vec<Value>, Vec<Kind>) = columns.unzip();
            (kinds, Rows::new(names, work))
        });
        found.push(kinds.iter().enumerate().map(|(index, kind)| {
            let content = row.get_ref(index).map_err(|error| internal(error.to_string()))?;
            read(content, *kind, work.max_bytes)
        }))?;
    }
    Ok(found.map_or_else(|| Value::Array(Vec::new()), |(_, rows)| rows.finish()))
}

/// What a column says it holds, which SQLite itself does not care about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Moment,
    Other,
}

impl Kind {
    fn of(declared: Option<&str>) -> Self {
        match declared.map(str::to_ascii_lowercase).as_deref() {
            Some("boolean") => Self::Boolean,
            Some("timestamp" | "datetime" | "date") => Self::Moment,
            _ => Self::Other,
        }
    }
}

/// Above it, a whole number in a column of moments counts milliseconds instead of seconds.
const MOST_SECONDS: u64 = 1_000_000_000_000;

/// Writes a whole number of a column of moments; one that no calendar has stays a number.
fn moment(count: i64) -> Value {
    let factor = if count.unsigned_abs() > MOST_SECONDS { 1_000 } else { 1_000_000 };
    count.checked_mul(factor).map_or_else(|| count.into(), |micros| rfc3339(micros).into())
}

/// Turns a value of a row into one of Lua.
fn read(value: ValueRef<'_>, kind: Kind, max_bytes: usize) -> Result<Value, Error> {
    // Checked before the value is copied.
    if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = value
        && bytes.len() > max_bytes
    {
        return Err(too_large(max_bytes, bytes.len()));
    }
    Ok(match value {
        ValueRef::Null => Value::Nil,
        ValueRef::Integer(integer) if kind == Kind::Boolean => Value::Boolean(integer > 0),
        ValueRef::Integer(integer) if kind == Kind::Moment => moment(integer),
        ValueRef::Integer(integer) => integer.into(),
        ValueRef::Real(float) => float.into(),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            // What is no moment stays as it was written.
            Ok(text) if kind == Kind::Moment => parse(text).map_or_else(|| text.into(), |micros| rfc3339(micros).into()),
            Ok(text) => text.into(),
            Err(_) => Value::Binary(bytes.to_vec()),
        },
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
