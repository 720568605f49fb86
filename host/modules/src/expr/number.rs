//! Arithmetic: integers stay integers, except where they are divided or raised.

use super::ast::Binary;
use super::dates;
use super::evaluate::Failure;
use super::value::Item;

/// Applies an operator to two numbers; nothing when they are something else.
pub(super) fn arithmetic(operator: Binary, a: &Item, b: &Item) -> Option<Result<Item, Failure>> {
    if let Some(found) = dates::arithmetic(operator, a, b) {
        return Some(found);
    }
    if let (Item::Int(a), Item::Int(b)) = (a, b) {
        let whole = match operator {
            Binary::Add => Some(a.wrapping_add(*b)),
            Binary::Subtract => Some(a.wrapping_sub(*b)),
            Binary::Multiply => Some(a.wrapping_mul(*b)),
            Binary::Modulo if *b == 0 => return Some(Err(Failure::new("integer divide by zero"))),
            Binary::Modulo => Some(a.wrapping_rem(*b)),
            _ => None,
        };
        if let Some(whole) = whole {
            return Some(Ok(Item::Int(whole)));
        }
    }
    let (a, b) = (a.as_float()?, b.as_float()?);
    Some(Ok(Item::Float(match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Power => a.powf(b),
        // Only integers have a remainder, as far as floats are none.
        Binary::Modulo if a.fract() == 0.0 && b.fract() == 0.0 && b != 0.0 => a % b,
        _ => return None,
    })))
}
