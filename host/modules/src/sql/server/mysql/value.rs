//! Values between Lua and MySQL.
//!
//! Statements without parameters answer in text, others in binary; both give the same here.

use moonlet_runtime::Value;
use mysql_async::Column;
use mysql_async::Value as Sql;
use mysql_async::consts::ColumnType as Kind;

use super::super::super::work::Parameter;

/// The character set of bytes that are no text.
const BINARY: u16 = 63;

/// Makes the value for a placeholder.
pub(super) fn bind(parameter: &Parameter) -> Sql {
    match parameter {
        Parameter::Null => Sql::NULL,
        Parameter::Boolean(value) => Sql::Int(i64::from(*value)),
        Parameter::Integer(integer) => Sql::Int(*integer),
        Parameter::Real(float) => Sql::Double(*float),
        Parameter::Text(text) => Sql::Bytes(text.clone().into_bytes()),
        Parameter::Blob(bytes) => Sql::Bytes(bytes.clone()),
    }
}

/// Reads a value of a row.
pub(super) fn read(value: Sql, column: &Column, parse_time: bool) -> Value {
    match value {
        Sql::NULL => Value::Nil,
        Sql::Int(integer) => integer.into(),
        Sql::UInt(integer) => unsigned(integer),
        // By way of its digits, so that 0.1 is what Lua calls 0.1.
        Sql::Float(float) => float.to_string().parse::<f64>().unwrap_or(f64::from(float)).into(),
        Sql::Double(float) => float.into(),
        Sql::Bytes(bytes) => written(bytes, column, parse_time),
        Sql::Date(year, month, day, hour, minute, second, micros) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            if column.column_type() == Kind::MYSQL_TYPE_DATE {
                return if parse_time { beginning(&date) } else { date.into() };
            }
            let moment = format!("{date} {hour:02}:{minute:02}:{second:02}{}", fraction(micros, column));
            if parse_time { rfc3339(&moment) } else { moment.into() }
        }
        Sql::Time(negative, days, hours, minutes, seconds, micros) => {
            let sign = if negative { "-" } else { "" };
            let hours = u64::from(days) * 24 + u64::from(hours);
            format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{}", fraction(micros, column)).into()
        }
    }
}

/// Reads a value that came as bytes.
fn written(bytes: Vec<u8>, column: &Column, parse_time: bool) -> Value {
    let kind = column.column_type();
    if kind == Kind::MYSQL_TYPE_BIT {
        return unsigned(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Value::Binary(error.into_bytes()),
    };
    match kind {
        Kind::MYSQL_TYPE_TINY
        | Kind::MYSQL_TYPE_SHORT
        | Kind::MYSQL_TYPE_INT24
        | Kind::MYSQL_TYPE_LONG
        | Kind::MYSQL_TYPE_LONGLONG
        | Kind::MYSQL_TYPE_YEAR => text.parse::<i64>().map_or_else(|_| text.as_str().into(), Value::from),
        Kind::MYSQL_TYPE_FLOAT | Kind::MYSQL_TYPE_DOUBLE => {
            text.parse::<f64>().map_or_else(|_| text.as_str().into(), Value::from)
        }
        Kind::MYSQL_TYPE_DATETIME | Kind::MYSQL_TYPE_TIMESTAMP if parse_time => rfc3339(&text),
        Kind::MYSQL_TYPE_DATE if parse_time => beginning(&text),
        Kind::MYSQL_TYPE_BLOB
        | Kind::MYSQL_TYPE_TINY_BLOB
        | Kind::MYSQL_TYPE_MEDIUM_BLOB
        | Kind::MYSQL_TYPE_LONG_BLOB
        | Kind::MYSQL_TYPE_STRING
        | Kind::MYSQL_TYPE_VAR_STRING
        | Kind::MYSQL_TYPE_VARCHAR
        | Kind::MYSQL_TYPE_GEOMETRY
            if column.character_set() == BINARY =>
        {
            Value::Binary(text.into_bytes())
        }
        _ => text.into(),
    }
}

/// A number above all that Lua has as an integer keeps its digits as text.
fn unsigned(integer: u64) -> Value {
    i64::try_from(integer).map_or_else(|_| integer.to_string().into(), Value::from)
}

/// The part of a second, in as many digits as the column has.
fn fraction(micros: u32, column: &Column) -> String {
    let digits = usize::from(column.decimals());
    if digits == 0 || digits > 6 {
        return String::new();
    }
    format!(".{micros:06}").get(..=digits).unwrap_or_default().to_owned()
}

/// The moment at which a day begins.
fn beginning(date: &str) -> Value {
    format!("{date}T00:00:00Z").into()
}

fn rfc3339(written: &str) -> Value {
    format!("{}Z", written.replacen(' ', "T", 1)).into()
}
