//! XML as programs write it for programs, piece by piece: a document is never in memory as a whole.
//!
//! It has elements, attributes and text. Document types are refused, since what they can define unfolds without end; a tag, a text and
//! the depth are bounded.

use std::borrow::Cow;

use moonlet_runtime::Error;

use crate::fail::{internal, limit};

/// The longest tag in bytes, with its attributes.
const LONGEST_TAG: usize = 64 << 10;
/// How deep elements may lie in each other.
const DEEPEST: usize = 256;

/// Where a document comes from.
pub(crate) trait Pieces {
    /// Gives the next bytes; none at the end. A piece is never empty.
    fn piece(&mut self) -> Result<Option<Vec<u8>>, Error>;
}

/// A document that is in memory already.
impl Pieces for Option<Vec<u8>> {
    fn piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.take().filter(|bytes| !bytes.is_empty()))
    }
}

/// What comes next in a document. Its name, attributes and content are asked of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// An element begins; one without content ends right after it.
    Start,
    /// An element ends.
    End,
    Text,
    /// The document is over.
    Eof,
}

/// Reads a document.
pub(crate) struct Xml<S> {
    source: S,
    piece: Vec<u8>,
    at: usize,
    /// The tag without its brackets.
    tag: String,
    text: String,
    longest_text: usize,
    depth: usize,
    /// The element that just began has no content.
    is_empty: bool,
}

impl<S: Pieces> Xml<S> {
    /// Reads a document whose texts have at most so many bytes each.
    pub(crate) fn new(source: S, longest_text: usize) -> Self {
        Self {
            source,
            piece: Vec::new(),
            at: 0,
            tag: String::new(),
            text: String::new(),
            longest_text,
            depth: 0,
            is_empty: false,
        }
    }

    /// Where the document comes from.
    pub(crate) fn source(&mut self) -> &mut S {
        &mut self.source
    }

    /// Goes to what comes next.
    pub(crate) fn next(&mut self) -> Result<Event, Error> {
        if std::mem::take(&mut self.is_empty) {
            self.depth = self.depth.saturating_sub(1);
            return Ok(Event::End);
        }
        loop {
            match self.peek()? {
                None if self.depth == 0 => return Ok(Event::Eof),
                None => return Err(broken("it ends in the middle")),
                Some(b'<') => {
                    self.at += 1;
                    if let Some(event) = self.markup()? {
                        return Ok(event);
                    }
                }
                Some(_) => {
                    self.read_text()?;
                    if self.depth > 0 {
                        return Ok(Event::Text);
                    }
                }
            }
        }
    }

    /// The name of the element that begins or ends here, without its prefix.
    pub(crate) fn name(&self) -> &str {
        let name = self.tag.trim_start_matches('/');
        let name = name.split(|character: char| character.is_ascii_whitespace() || character == '/').next().unwrap_or_default();
        local(name)
    }

    /// An attribute of the element that begins here, by its name without a prefix.
    pub(crate) fn attribute(&self, wanted: &str) -> Result<Option<Cow<'_, str>>, Error> {
        let is_space = |character: char| character.is_ascii_whitespace();
        let mut rest = self.tag.split_once(is_space).map_or("", |(_, rest)| rest);
        loop {
            let Some((key, after)) = rest.split_once('=') else { return Ok(None) };
            let after = after.trim_start();
            let quote = after.chars().next().filter(|quote| ['"', '\''].contains(quote));
            let value = quote.and_then(|quote| after.get(1..)?.split_once(quote));
            let Some((value, after)) = value else { return Err(broken("an attribute has no value")) };
            let key = key.trim();
            if !key.starts_with("xmlns") && local(key) == wanted {
                return unescape(value).map(Some);
            }
            rest = after;
        }
    }

    /// The text that was just read.
    #[cfg(test)]
    fn text(&self) -> &str {
        &self.text
    }

    /// Goes behind the end of the element that just began.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.next()?;
        }
        Ok(())
    }

    /// Reads the text of the element that just began, up to its end, and leaves elements in it out.
    pub(crate) fn content(&mut self) -> Result<String, Error> {
        let mut content = String::new();
        loop {
            match self.next()? {
                Event::Text => {
                    self.check(content.len() + self.text.len())?;
                    content.push_str(&self.text);
                }
                Event::Start => self.skip()?,
                Event::End | Event::Eof => return Ok(content),
            }
        }
    }

    fn check(&self, length: usize) -> Result<(), Error> {
        if length > self.longest_text { Err(limit("xml_text", self.longest_text as u64, length as u64)) } else { Ok(()) }
    }

    fn peek(&mut self) -> Result<Option<u8>, Error> {
        if self.at >= self.piece.len() {
            self.piece = self.source.piece()?.unwrap_or_default();
            self.at = 0;
        }
        Ok(self.piece.get(self.at).copied())
    }

    /// Reads a tag, or what is between brackets and no element.
    fn markup(&mut self) -> Result<Option<Event>, Error> {
        match self.peek()? {
            Some(b'?') => self.until(b"?>", LONGEST_TAG).map(|_| None),
            Some(b'!') => self.declaration(),
            _ => self.element().map(Some),
        }
    }

    fn declaration(&mut self) -> Result<Option<Event>, Error> {
        let mut start = Vec::new();
        for expected in [&b"!--"[..], b"![CDATA["] {
            while start.len() < expected.len() && expected.starts_with(&start) {
                let Some(byte) = self.peek()? else { return Err(broken("it ends in the middle")) };
                self.at += 1;
                start.push(byte);
            }
        }
        if start.starts_with(b"!--") {
            return self.comment(start.get(3..).unwrap_or_default().to_vec());
        } else if start != b"![CDATA[" {
            return Err(broken("it declares a document type, which is not allowed"));
        }
        let bytes = self.until(b"]]>", self.longest_text)?;
        self.text = String::from_utf8(bytes).map_err(|_| broken("it is not UTF-8"))?;
        Ok((self.depth > 0).then_some(Event::Text))
    }

    /// Goes over a comment, which may be of any length.
    fn comment(&mut self, mut last: Vec<u8>) -> Result<Option<Event>, Error> {
        while !last.ends_with(b"-->") {
            let Some(byte) = self.peek()? else { return Err(broken("it ends in the middle")) };
            self.at += 1;
            last.push(byte);
            if last.len() > 3 {
                last.remove(0);
            }
        }
        Ok(None)
    }

    fn element(&mut self) -> Result<Event, Error> {
        let mut tag = std::mem::take(&mut self.tag).into_bytes();
        tag.clear();
        let mut quote = None;
        loop {
            let Some(byte) = self.peek()? else { return Err(broken("it ends in the middle")) };
            self.at += 1;
            match quote {
                None if byte == b'>' => break,
                None if byte == b'"' || byte == b'\'' => quote = Some(byte),
                Some(open) if open == byte => quote = None,
                _ => {}
            }
            if tag.len() >= LONGEST_TAG {
                return Err(limit("xml_tag", LONGEST_TAG as u64, tag.len() as u64 + 1));
            }
            tag.push(byte);
        }
        let is_end = tag.first() == Some(&b'/');
        let is_empty = !is_end && tag.last() == Some(&b'/');
        if is_empty {
            tag.pop();
        }
        self.tag = String::from_utf8(tag).map_err(|_| broken("it is not UTF-8"))?;
        if self.name().is_empty() {
            return Err(broken("an element has no name"));
        }
        if is_end {
            self.depth = self.depth.checked_sub(1).ok_or_else(|| broken("more elements end than begin"))?;
            return Ok(Event::End);
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(limit("xml_depth", DEEPEST as u64, self.depth as u64));
        }
        self.is_empty = is_empty;
        Ok(Event::Start)
    }

    fn read_text(&mut self) -> Result<(), Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek()? {
            if byte == b'<' {
                break;
            }
            let rest = self.piece.get(self.at..).unwrap_or_default();
            let count = rest.iter().position(|byte| *byte == b'<').unwrap_or(rest.len());
            // Text between the elements of a document is nobody's.
            if self.depth > 0 {
                self.check(bytes.len() + count)?;
                bytes.extend_from_slice(rest.get(..count).unwrap_or_default());
            }
            self.at += count;
        }
        let text = String::from_utf8(bytes).map_err(|_| broken("it is not UTF-8"))?;
        let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text };
        self.text = match unescape(&text)? {
            Cow::Borrowed(_) => text,
            Cow::Owned(unescaped) => unescaped,
        };
        Ok(())
    }

    /// Reads up to a mark, which is taken away, too.
    fn until(&mut self, mark: &[u8], most: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(mark) {
            let Some(byte) = self.peek()? else { return Err(broken("it ends in the middle")) };
            self.at += 1;
            bytes.push(byte);
            if bytes.len() > most.saturating_add(mark.len()) {
                return Err(limit("xml_text", most as u64, bytes.len() as u64));
            }
        }
        bytes.truncate(bytes.len() - mark.len());
        Ok(bytes)
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Puts characters in the place of what stands for them.
fn unescape(text: &str) -> Result<Cow<'_, str>, Error> {
    if !text.contains('&') {
        return Ok(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let Some((name, after)) = after.split_once(';') else { return Err(broken("an `&` stands for nothing")) };
        plain.push(character(name).ok_or_else(|| broken("an `&` stands for nothing"))?);
        rest = after;
    }
    plain.push_str(rest);
    Ok(Cow::Owned(plain))
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

fn broken(what: &str) -> Error {
    internal(format!("the XML is not well-formed: {what}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    /// Pieces of a document, three bytes each.
    struct Slowly(Vec<u8>);

    impl Pieces for Slowly {
        fn piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
            let rest = self.0.split_off(self.0.len().min(3));
            let piece = std::mem::replace(&mut self.0, rest);
            Ok(Some(piece).filter(|piece| !piece.is_empty()))
        }
    }

    fn events(document: &str) -> Result<Vec<String>, String> {
        let mut xml = Xml::new(Slowly(document.as_bytes().to_vec()), 1000);
        let mut events = Vec::new();
        loop {
            match xml.next().map_err(|error| error.message)? {
                Event::Start => events.push(format!("<{}>", xml.name())),
                Event::End => events.push(format!("</{}>", xml.name())),
                Event::Text => events.push(xml.text().to_owned()),
                Event::Eof => return Ok(events),
            }
        }
    }

    #[test]
    fn elements_and_text_come_in_order() {
        let document = "<?xml version='1.0'?>\n<!-- a <b> -- c --><x:a q='1>2'><b/>t&amp;&#65;&#x42;<![CDATA[<&>]]></x:a>\n";
        assert_eq!(events(document).unwrap(), ["<a>", "<b>", "</b>", "t&AB", "<&>", "</a>"]);
    }

    #[test]
    fn attributes_are_found_by_their_name_without_a_prefix() {
        let mut xml = Xml::new(Some(b"<a xmlns:id='no' r:id = \"x&lt;y\" b='1'/>".to_vec()), 100);
        assert_eq!(xml.next().unwrap(), Event::Start);
        assert_eq!(xml.attribute("id").unwrap().as_deref(), Some("x<y"));
        assert_eq!(xml.attribute("b").unwrap().as_deref(), Some("1"));
        assert_eq!(xml.attribute("c").unwrap(), None);
    }

    #[test]
    fn what_is_not_well_formed_is_an_error() {
        for document in
            ["<a>", "<a", "</a>", "<a>&nothing;</a>", "<a>&x", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "<>", "<![CDATA[", "<!-"]
        {
            assert!(events(document).unwrap_err().starts_with("the XML is not well-formed"), "{document}");
        }
        let mut xml = Xml::new(Some(b"<a b=c>".to_vec()), 100);
        xml.next().unwrap();
        assert!(xml.attribute("b").is_err());
    }

    #[test]
    fn what_is_too_large_is_an_error() {
        let long = "x".repeat(1001);
        for document in [format!("<a>{long}</a>"), format!("<a><![CDATA[{long}]]></a>"), "<a>".repeat(300)] {
            assert!(events(&document).unwrap_err().starts_with("limit `xml_"), "{document}");
        }
        assert!(events(&format!("<a {}/>", "b='1' ".repeat(20_000))).unwrap_err().starts_with("limit `xml_tag`"));
    }
}
