//! Values between Lua and Postgres.
//!
//! Parameters go as text, which the server reads as the type that it expects there; bytes for `bytea` go as they are. Results come in the
//! binary form of their type.

use std::error::Error as StdError;

use bytes::BytesMut;
use moonlet_runtime::{Error, Value};
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use tokio_postgres::{Column, Row};

use super::super::super::moment::{DAY, date, time};
use super::super::super::work::Parameter;
use crate::fail::invalid;

type Fault = Box<dyn StdError + Sync + Send>;

/// Days from the first day of 1970 to that of 2000, from which Postgres counts.
const EPOCH_DAYS: i64 = 10_957;
/// Digits of a number stand in groups of four.
const GROUP: usize = 4;

impl ToSql for Parameter {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Integer(integer) => out.extend_from_slice(integer.to_string().as_bytes()),
            Self::Real(float) => out.extend_from_slice(float.to_string().as_bytes()),
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Blob(bytes) => out.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, ty: &Type) -> Format {
        match self {
            Self::Text(_) | Self::Blob(_) if *ty == Type::BYTEA => Format::Binary,
            _ => Format::Text,
        }
    }

    to_sql_checked!();
}

/// A value as it came.
struct Raw<'a>(Type, &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(ty.clone(), raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Reads a value of a row.
pub(super) fn read(row: &Row, index: usize, column: &Column) -> Result<Value, Error> {
    let wrong = |fault: &dyn std::fmt::Display| {
        let name = crate::fail::shown(column.name());
        let cast = format!("write `CAST({name} AS text)`");
        invalid(format!("column `{name}` is of type `{}`, which Lua has no value for: {fault}: {cast}", column.type_()))
    };
    match row.try_get::<_, Option<Raw<'_>>>(index) {
        Ok(None) => Ok(Value::Nil),
        Ok(Some(Raw(ty, raw))) => decode(&ty, raw).map_err(|fault| wrong(&fault)),
        Err(error) => Err(wrong(&error)),
    }
}

fn decode(ty: &Type, raw: &[u8]) -> Result<Value, Fault> {
    Ok(match *ty {
        Type::BOOL => bool::from_sql(ty, raw)?.into(),
        Type::INT2 => i16::from_sql(ty, raw)?.into(),
        Type::INT4 => i32::from_sql(ty, raw)?.into(),
        Type::INT8 => i64::from_sql(ty, raw)?.into(),
        Type::OID => u32::from_sql(ty, raw)?.into(),
        // By way of its digits, so that 0.1 is what Lua calls 0.1.
        Type::FLOAT4 => f32::from_sql(ty, raw)?.to_string().parse::<f64>()?.into(),
        Type::FLOAT8 => f64::from_sql(ty, raw)?.into(),
        Type::BYTEA => Value::Binary(raw.to_vec()),
        Type::JSONB => text(raw.get(1..).unwrap_or_default()),
        Type::UUID => uuid(raw).into(),
        Type::NUMERIC => numeric(raw)?.into(),
        Type::DATE => match i32::from_sql_number(raw)? {
            i32::MAX => "infinity".into(),
            i32::MIN => "-infinity".into(),
            // As the moment at which it begins, like in the reference.
            days => format!("{}T00:00:00Z", date(i64::from(days) + EPOCH_DAYS)).into(),
        },
        Type::TIME => time(i64::from_sql_number(raw)?).into(),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => match i64::from_sql_number(raw)? {
            i64::MAX => "infinity".into(),
            i64::MIN => "-infinity".into(),
            micros => format!("{}T{}Z", date(micros.div_euclid(DAY) + EPOCH_DAYS), time(micros.rem_euclid(DAY))).into(),
        },
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::UNKNOWN
        | Type::CHAR
        | Type::XML
        | Type::JSON
        | Type::VOID => text(raw),
        _ => match ty.kind() {
            Kind::Enum(_) => text(raw),
            Kind::Domain(inner) => decode(inner, raw)?,
            Kind::Array(_) => {
                let items = Vec::<Option<Raw<'_>>>::from_sql(ty, raw)?;
                let items = items.into_iter().map(|item| item.map_or(Ok(Value::Nil), |Raw(ty, raw)| decode(&ty, raw)));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            _ if ty.name() == "citext" => text(raw),
            _ => return Err("its form is not known".into()),
        },
    })
}

fn text(raw: &[u8]) -> Value {
    std::str::from_utf8(raw).map_or_else(|_| Value::Binary(raw.to_vec()), Value::from)
}

/// Whole numbers as the server writes them.
trait Number: Sized {
    fn from_sql_number(raw: &[u8]) -> Result<Self, Fault>;
}

impl Number for i32 {
    fn from_sql_number(raw: &[u8]) -> Result<Self, Fault> {
        Ok(Self::from_be_bytes(raw.try_into()?))
    }
}

impl Number for i64 {
    fn from_sql_number(raw: &[u8]) -> Result<Self, Fault> {
        Ok(Self::from_be_bytes(raw.try_into()?))
    }
}

fn uuid(raw: &[u8]) -> String {
    let mut written = String::with_capacity(36);
    for (index, byte) in raw.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            written.push('-');
        }
        written.push_str(&format!("{byte:02x}"));
    }
    written
}

/// Writes a decimal number with all its digits.
fn numeric(raw: &[u8]) -> Result<String, Fault> {
    let mut words = raw.chunks_exact(2).map(|pair| <[u8; 2]>::try_from(pair).map_or(0, u16::from_be_bytes));
    let mut word = || words.next().ok_or("a number is too short");
    let (count, weight, sign, scale) = (word()?, word()?.cast_signed(), word()?, usize::from(word()?));
    match sign {
        0xC000 => return Ok("NaN".to_owned()),
        0xD000 => return Ok("Infinity".to_owned()),
        0xF000 => return Ok("-Infinity".to_owned()),
        _ => {}
    }
    let groups: Vec<u16> = words.take(usize::from(count)).collect();
    // The group that counts ten thousand to this power.
    let group = |power: i32| {
        let index = usize::try_from(i32::from(weight) - power).ok();
        index.and_then(|index| groups.get(index)).copied().unwrap_or(0)
    };
    let mut written = if sign == 0x4000 { "-".to_owned() } else { String::new() };
    for power in (0..=i32::from(weight).max(0)).rev() {
        let digits = group(power).to_string();
        if power < i32::from(weight) {
            written.push_str("0000".get(digits.len()..).unwrap_or_default());
        }
        written.push_str(&digits);
    }
    if scale > 0 {
        written.push('.');
        let end = written.len() + scale;
        for power in (1..).take(scale.div_ceil(GROUP)) {
            written.push_str(&format!("{:04}", group(-power)));
        }
        written.truncate(end);
    }
    Ok(written)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn words(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn decimals_keep_their_digits() {
        for (raw, written) in [
            (words(&[0, 0, 0, 0]), "0"),
            (words(&[0, 0, 0, 2]), "0.00"),
            (words(&[1, 0, 0, 0, 42]), "42"),
            (words(&[2, 0, 0x4000, 2, 12, 3400]), "-12.34"),
            (words(&[1, 2, 0, 0, 1]), "100000000"),
            (words(&[2, 1, 0, 0, 1, 7]), "10007"),
            (words(&[1, 0xFFFE, 0, 6, 1200]), "0.000012"),
            (words(&[2, 0, 0, 5, 1, 2]), "1.00020"),
            (words(&[0, 0, 0xC000, 0]), "NaN"),
        ] {
            assert_eq!(numeric(&raw).unwrap(), written);
        }
        assert!(numeric(&[0, 1, 2]).is_err());
    }
}
