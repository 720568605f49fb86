//! Reads the arguments of a call: wrong types raise, as those of Lua's own functions do.

use std::sync::OnceLock;

use rmpv::Value;

use super::Fault;

/// The arguments of one call. Numbers start at 1, as in messages; a method counts from its first argument after the resource.
#[derive(Debug)]
pub struct Args<'a> {
    function: &'a str,
    values: Vec<Value>,
    /// The texts of numbers that were asked for as strings, as Lua's own functions do.
    texts: Vec<OnceLock<String>>,
}

impl<'a> Args<'a> {
    /// Takes the arguments of `function`, whose name stands in messages.
    #[must_use]
    pub fn new(function: &'a str, values: Vec<Value>) -> Self {
        let texts = values.iter().map(|_| OnceLock::new()).collect();
        Self { function, values, texts }
    }

    /// Takes the resource off that a method is called on, which comes first.
    #[must_use]
    pub fn method(function: &'a str, mut values: Vec<Value>) -> (Value, Self) {
        let resource = if values.is_empty() { Value::Nil } else { values.remove(0) };
        let name = function.split_once(':').map_or(function, |(_, method)| method);
        (resource, Self::new(name, values))
    }

    /// Counts the arguments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns an argument; nil where there is none.
    #[must_use]
    pub fn get(&self, number: usize) -> &Value {
        number.checked_sub(1).and_then(|index| self.values.get(index)).unwrap_or(&Value::Nil)
    }

    /// Takes an argument out; nil where there is none.
    pub fn take(&mut self, number: usize) -> Value {
        let slot = number.checked_sub(1).and_then(|index| self.values.get_mut(index));
        slot.map_or(Value::Nil, |slot| std::mem::replace(slot, Value::Nil))
    }

    /// Raises for an argument: `bad argument #1 to 'f' (message)`.
    #[must_use]
    pub fn fault(&self, number: usize, message: &str) -> Fault {
        Fault::Raised(format!("bad argument #{number} to '{}' ({message})", self.function))
    }

    fn expected(&self, number: usize, what: &str) -> Fault {
        let got = if number > self.values.len() { "no value" } else { type_name(self.get(number)) };
        self.fault(number, &format!("{what} expected, got {got}"))
    }

    /// Finds the text of a number.
    fn number_text(&self, number: usize) -> Option<&str> {
        let value = self.get(number);
        let cell = number.checked_sub(1).and_then(|index| self.texts.get(index))?;
        match value {
            Value::Integer(integer) => Some(cell.get_or_init(|| integer.to_string()).as_str()),
            Value::F64(float) => Some(cell.get_or_init(|| float_text(*float)).as_str()),
            _ => None,
        }
    }

    /// Reads a string of UTF-8; a number counts as its text.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn text(&self, number: usize) -> Result<&str, Fault> {
        match self.get(number) {
            Value::String(text) => text.as_str().ok_or_else(|| self.fault(number, "valid UTF-8 expected")),
            Value::Binary(_) => Err(self.fault(number, "valid UTF-8 expected")),
            _ => self.number_text(number).ok_or_else(|| self.expected(number, "string")),
        }
    }

    /// Reads a string of UTF-8 that may be absent.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn opt_text(&self, number: usize) -> Result<Option<&str>, Fault> {
        if self.get(number).is_nil() { Ok(None) } else { self.text(number).map(Some) }
    }

    /// Reads a string of any bytes; a number counts as its text.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn bytes(&self, number: usize) -> Result<&[u8], Fault> {
        match self.get(number) {
            Value::String(text) => Ok(text.as_bytes()),
            Value::Binary(bytes) => Ok(bytes),
            _ => self.number_text(number).map(str::as_bytes).ok_or_else(|| self.expected(number, "string")),
        }
    }

    /// Reads a string of any bytes that may be absent.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn opt_bytes(&self, number: usize) -> Result<Option<&[u8]>, Fault> {
        if self.get(number).is_nil() { Ok(None) } else { self.bytes(number).map(Some) }
    }

    /// Reads an integer; a float that is one counts.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn integer(&self, number: usize) -> Result<i64, Fault> {
        match self.get(number) {
            Value::Integer(integer) => integer.as_i64().ok_or_else(|| self.expected(number, "integer")),
            Value::F64(float) if float.fract() == 0.0 && float.abs() < 9.0e15 => Ok(*float as i64),
            Value::F64(_) | Value::F32(_) => Err(self.fault(number, "number has no integer representation")),
            _ => Err(self.expected(number, "number")),
        }
    }

    /// Reads an integer that may be absent.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn opt_integer(&self, number: usize) -> Result<Option<i64>, Fault> {
        if self.get(number).is_nil() { Ok(None) } else { self.integer(number).map(Some) }
    }

    /// Reads a number.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn number(&self, number: usize) -> Result<f64, Fault> {
        self.get(number).as_f64().ok_or_else(|| self.expected(number, "number"))
    }

    /// Reads a boolean that may be absent.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn opt_boolean(&self, number: usize) -> Result<Option<bool>, Fault> {
        match self.get(number) {
            Value::Nil => Ok(None),
            Value::Boolean(value) => Ok(Some(*value)),
            _ => Err(self.expected(number, "boolean")),
        }
    }

    /// Reads a table as fields; an empty one has none.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn table(&self, number: usize) -> Result<&[(Value, Value)], Fault> {
        match self.get(number) {
            Value::Map(fields) => Ok(fields),
            Value::Array(items) if items.is_empty() => Ok(&[]),
            _ => Err(self.expected(number, "table")),
        }
    }

    /// Reads a table of fields that may be absent, which is as an empty one.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn opt_table(&self, number: usize) -> Result<&[(Value, Value)], Fault> {
        if self.get(number).is_nil() { Ok(&[]) } else { self.table(number) }
    }

    /// Reads a table as a list.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn list(&self, number: usize) -> Result<&[Value], Fault> {
        match self.get(number) {
            Value::Array(items) => Ok(items),
            Value::Map(fields) if fields.is_empty() => Ok(&[]),
            _ => Err(self.expected(number, "table")),
        }
    }

    /// Reads a list that may be absent, which is as an empty one.
    ///
    /// # Errors
    ///
    /// Raises for anything else.
    pub fn opt_list(&self, number: usize) -> Result<&[Value], Fault> {
        if self.get(number).is_nil() { Ok(&[]) } else { self.list(number) }
    }
}

/// Writes a float as Lua does: at most 14 digits, and a point in any case.
fn float_text(float: f64) -> String {
    if !float.is_finite() {
        return if float.is_nan() { "nan".to_owned() } else { float.to_string() };
    }
    let scientific = format!("{float:.13e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    match usize::try_from(13 - exponent) {
        Ok(digits) if exponent >= -4 => {
            let text = format!("{float:.digits$}");
            let text = if digits == 0 { text } else { trimmed(&text) };
            if text.contains('.') { text } else { text + ".0" }
        }
        _ => format!("{}e{}{:02}", trimmed(mantissa), if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

/// Names the type of a value as Lua does.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::F32(_) | Value::F64(_) => "number",
        Value::String(_) | Value::Binary(_) => "string",
        Value::Array(_) | Value::Map(_) => "table",
        Value::Ext(..) => "userdata",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn numbers_stand_for_their_text() {
        let args = Args::new("f", vec![5.into(), Value::F64(0.5), Value::Boolean(true)]);
        assert_eq!(args.text(1).unwrap(), "5");
        assert_eq!(args.bytes(2).unwrap(), b"0.5");
        assert!(args.text(3).is_err() && args.text(4).is_err());
    }

    #[test]
    fn floats_are_written_as_lua_writes_them() {
        let written = [
            (3.0, "3.0"),
            (-0.5, "-0.5"),
            (1.0 / 3.0, "0.33333333333333"),
            (1e15, "1e+15"),
            (1e13, "10000000000000.0"),
            (123_456_789_012_345.0, "1.2345678901234e+14"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (0.0, "0.0"),
            (f64::INFINITY, "inf"),
        ];
        for (float, text) in written {
            assert_eq!(float_text(float), text);
        }
    }
}
