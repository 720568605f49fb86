//! A trace context, and how it is read and written.

use std::fmt::Write as _;

/// Bytes of a `tracestate` that are carried along; more are dropped as a whole, as the specification allows.
const MAX_STATE: usize = 512;
/// Members of a `tracestate`.
const MAX_MEMBERS: usize = 32;

/// Where in which trace something happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) trace: u128,
    pub(super) span: u64,
    pub(super) sampled: bool,
    pub(super) state: Option<Box<str>>,
}

impl TraceContext {
    /// Reads the headers `traceparent` and `tracestate`. None: the first is not what the specification says, to the letter. A `tracestate`
    /// that is not, is dropped.
    #[must_use]
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let (version, rest) = parent.split_at_checked(2)?;
        let version = hex(version)?;
        // Later versions may add something behind what this one knows.
        let (known, more) = rest.split_at_checked(53)?;
        if version == 0xff || (version == 0 && !more.is_empty()) || !(more.is_empty() || more.starts_with('-')) {
            return None;
        }
        let mut parts = known.strip_prefix('-')?.split('-');
        let (trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || trace.len() != 32 || span.len() != 16 || flags.len() != 2 {
            return None;
        }
        let (trace, span, flags) = (hex(trace)?, u64::try_from(hex(span)?).ok()?, hex(flags)?);
        let state = state.filter(|state| is_state(state)).map(Box::from);
        (trace != 0 && span != 0).then_some(Self { trace, span, sampled: flags & 1 == 1, state })
    }

    /// Writes the header `traceparent`.
    #[must_use]
    pub fn parent(&self) -> String {
        let mut text = String::with_capacity(55);
        // Writing to a text cannot fail.
        let _ = write!(text, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled));
        text
    }

    /// Returns the header `tracestate`, if there is one.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Writes the id of the trace, 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// Writes the id of the span, 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span)
    }
}

/// Reads a number of lower-case hexadecimal digits; nothing else may stand there.
fn hex(text: &str) -> Option<u128> {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits { u128::from_str_radix(text, 16).ok() } else { None }
}

fn is_state(state: &str) -> bool {
    let member = |member: &str| {
        let Some((key, value)) = member.trim_matches([' ', '\t']).split_once('=') else { return false };
        let in_key = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
        let in_value = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'=';
        !key.is_empty() && key.bytes().all(in_key) && !value.is_empty() && value.bytes().all(in_value)
    };
    !state.is_empty() && state.len() <= MAX_STATE && state.split(',').count() <= MAX_MEMBERS && state.split(',').all(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_context_is_written_as_it_was_read() {
        let context = TraceContext::parse(PARENT, Some("vendor=a:1,other@x=b c")).unwrap_or_else(|| unreachable!());
        assert_eq!(context.parent(), PARENT);
        assert_eq!(context.state(), Some("vendor=a:1,other@x=b c"));
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.span_id(), "b7ad6b7169203331");
        // A later version: what is known of it counts.
        let later = TraceContext::parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more", None);
        assert_eq!(later.map(|later| later.parent()), Some(PARENT.replace("-01", "-00")));
    }

    #[test]
    fn what_is_not_to_the_letter_is_no_context() {
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319\u{e9}-b7ad6b716920333-01",
        ] {
            assert_eq!(TraceContext::parse(wrong, None), None, "{wrong}");
        }
        let long = format!("a={}", "x".repeat(MAX_STATE));
        let many = vec!["a=1"; MAX_MEMBERS + 1].join(",");
        for wrong in ["", "a", "a=", "A=1", "a=1\n", "a=\u{e9}", &long, &many] {
            let state = TraceContext::parse(PARENT, Some(wrong)).and_then(|context| context.state);
            assert_eq!(state, None, "{wrong}");
        }
    }
}
