//! What a terminal sends, as events: keys, the mouse, the focus, and text that is pasted.

use moonlet_runtime::Value;

/// Bytes of a sequence that is not complete; what goes on longer is none.
const LONGEST_SEQUENCE: usize = 64;
/// Bytes of pasted text that are held back for its end; then it comes in several events.
const LONGEST_PASTE: usize = 64 << 10;
const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// What was read and is not an event yet.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    rest: Vec<u8>,
    /// Text is being pasted.
    pastes: bool,
}

/// Keys that are held while another one is pressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Held {
    alt: bool,
    ctrl: bool,
    shift: bool,
}

impl Held {
    /// Reads them as terminals number them, from one.
    fn of(number: u32) -> Self {
        let bits = number.saturating_sub(1);
        Self { shift: bits & 1 != 0, alt: bits & 2 != 0, ctrl: bits & 4 != 0 }
    }

    fn alt() -> Self {
        Self { alt: true, ..Self::default() }
    }
}

/// What the bytes begin with.
enum Found {
    /// An event, or nothing that means anything, and how many bytes it has.
    Event(Option<Value>, usize),
    /// The start of something longer.
    Part,
}

impl Decoder {
    /// Takes what was read at once; an escape at its end is the key, because terminals send sequences whole.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Vec<Value> {
        self.rest.extend_from_slice(bytes);
        let mut events = Vec::new();
        while !self.rest.is_empty() {
            if self.pastes {
                let Some(text) = self.pasted() else { break };
                if !text.is_empty() {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    events.push(event("paste", vec![("text", text.into())]));
                }
                continue;
            }
            if self.rest.starts_with(PASTE_START) {
                self.rest.drain(..PASTE_START.len());
                self.pastes = true;
                continue;
            }
            match first(&self.rest) {
                Found::Event(found, count) => {
                    events.extend(found);
                    self.rest.drain(..count.clamp(1, self.rest.len()));
                }
                Found::Part if self.rest.len() > LONGEST_SEQUENCE => {
                    self.rest.remove(0);
                }
                Found::Part => break,
            }
        }
        events
    }

    /// Takes pasted text off, as much as there is; none when its end may have begun to come.
    fn pasted(&mut self) -> Option<Vec<u8>> {
        if let Some(at) = self.rest.windows(PASTE_END.len()).position(|bytes| bytes == PASTE_END) {
            let text = self.rest.drain(..at).collect();
            self.rest.drain(..PASTE_END.len());
            self.pastes = false;
            return Some(text);
        }
        (self.rest.len() > LONGEST_PASTE).then(|| self.rest.drain(..self.rest.len() - PASTE_END.len()).collect())
    }
}

fn event(kind: &str, fields: Vec<(&str, Value)>) -> Value {
    let kind = [("type", Value::from(kind))];
    Value::Map(kind.into_iter().chain(fields).map(|(name, value)| (name.into(), value)).collect())
}

fn key(name: &str, kind: &str, held: Held) -> Value {
    event(
        "key",
        vec![
            ("key", name.into()),
            ("key_type", kind.into()),
            ("action", "press".into()),
            ("alt", held.alt.into()),
            ("ctrl", held.ctrl.into()),
            ("shift", held.shift.into()),
        ],
    )
}

/// A key that has a name of its own.
fn named(name: &str, held: Held) -> Value {
    key(name, name, held)
}

fn first(bytes: &[u8]) -> Found {
    match bytes {
        [0x1b] => Found::Event(Some(named("esc", Held::default())), 1),
        [0x1b, b'[', ..] => sequence(bytes),
        [0x1b, b'O'] => Found::Event(Some(key("O", "runes", Held { alt: true, shift: true, ctrl: false })), 2),
        [0x1b, b'O', letter, ..] => Found::Event(by_letter(*letter).map(|name| named(name, Held::default())), 3),
        [0x1b, 0x1b, ..] => Found::Event(Some(named("esc", Held::default())), 1),
        [0x1b, after @ ..] => match plain(after, Held::alt()) {
            Found::Event(event, count) => Found::Event(event, count + 1),
            part => part,
        },
        _ => plain(bytes, Held::default()),
    }
}

/// A key without a sequence: a character, or one that is a control character.
fn plain(bytes: &[u8], held: Held) -> Found {
    let Some(byte) = bytes.first().copied() else { return Found::Part };
    let name = match byte {
        b'\r' | b'\n' => Some("enter"),
        b'\t' => Some("tab"),
        b' ' => Some("space"),
        0x7f | 0x08 => Some("backspace"),
        _ => None,
    };
    if let Some(name) = name {
        return Found::Event(Some(named(name, held)), 1);
    }
    if byte < 0x20 {
        let held = Held { ctrl: true, ..held };
        let letter = match byte {
            0 => return Found::Event(Some(named("space", held)), 1),
            1..=26 => char::from(byte + b'a' - 1),
            _ => char::from(byte + b'@'),
        };
        return Found::Event(Some(key(&letter.to_string(), "runes", held)), 1);
    }
    let length = match byte {
        0xf0..=0xf7 => 4,
        0xe0..=0xef => 3,
        0xc0..=0xdf => 2,
        _ => 1,
    };
    let Some(bytes) = bytes.get(..length) else { return Found::Part };
    let Ok(text) = std::str::from_utf8(bytes) else { return Found::Event(None, 1) };
    let shift = text.chars().any(char::is_uppercase);
    Found::Event(Some(key(text, "runes", Held { shift, ..held })), length)
}

/// A sequence that begins with `ESC [`.
fn sequence(bytes: &[u8]) -> Found {
    let body = bytes.get(2..).unwrap_or_default();
    let Some(end) = body.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        // Only `ESC [` and no more: somebody pressed alt and a bracket.
        let alone = || Found::Event(Some(key("[", "runes", Held::alt())), 2);
        return if body.is_empty() { alone() } else { Found::Part };
    };
    let count = end + 3;
    let (parameters, last) = (body.get(..end).unwrap_or_default(), body.get(end).copied().unwrap_or_default());
    let parameters = std::str::from_utf8(parameters).unwrap_or_default();
    if let Some(mouse) = parameters.strip_prefix('<') {
        return Found::Event(mouse_event(mouse, last == b'm'), count);
    }
    let mut numbers = parameters.split(';').map(|number| number.parse::<u32>().ok());
    let (number, held) = (numbers.next().flatten(), Held::of(numbers.next().flatten().unwrap_or(1)));
    let found = match last {
        b'I' | b'O' => Some(event("focus", vec![("focused", (last == b'I').into())])),
        b'Z' => Some(named("tab", Held { shift: true, ..held })),
        b'~' => number.and_then(by_number).map(|name| named(name, held)),
        // Keys by the number of their character, from terminals that can.
        b'u' => number.and_then(char::from_u32).and_then(|character| {
            let mut text = [0; 4];
            match plain(character.encode_utf8(&mut text).as_bytes(), held) {
                Found::Event(event, _) => event,
                Found::Part => None,
            }
        }),
        letter => by_letter(letter).map(|name| named(name, held)),
    };
    Found::Event(found, count)
}

fn by_letter(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'A' => "up",
        b'B' => "down",
        b'C' => "right",
        b'D' => "left",
        b'E' => "begin",
        b'F' => "end",
        b'H' => "home",
        b'M' => "enter",
        b'P' => "f1",
        b'Q' => "f2",
        b'R' => "f3",
        b'S' => "f4",
        _ => return None,
    })
}

fn by_number(number: u32) -> Option<&'static str> {
    Some(match number {
        1 | 7 => "home",
        2 => "insert",
        3 => "delete",
        4 | 8 => "end",
        5 => "pgup",
        6 => "pgdown",
        11 => "f1",
        12 => "f2",
        13 => "f3",
        14 => "f4",
        15 => "f5",
        17 => "f6",
        18 => "f7",
        19 => "f8",
        20 => "f9",
        21 => "f10",
        23 => "f11",
        24 => "f12",
        _ => return None,
    })
}

fn mouse_event(parameters: &str, released: bool) -> Option<Value> {
    let mut numbers = parameters.split(';').map(|number| number.parse::<u32>().ok());
    let (code, x, y) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let is_wheel = code & 64 != 0;
    let button = match (is_wheel, code & 3) {
        (true, 0) => "wheelup",
        (true, 1) => "wheeldown",
        (true, 2) => "wheelleft",
        (true, _) => "wheelright",
        (false, 0) => "left",
        (false, 1) => "middle",
        (false, 2) => "right",
        (false, _) => "none",
    };
    let action = match () {
        () if is_wheel => "wheel",
        () if code & 32 != 0 => "motion",
        () if released => "release",
        () => "press",
    };
    Some(event(
        "mouse",
        vec![
            ("action", action.into()),
            ("button", button.into()),
            ("x", x.saturating_sub(1).into()),
            ("y", y.saturating_sub(1).into()),
            ("alt", (code & 8 != 0).into()),
            ("ctrl", (code & 16 != 0).into()),
            ("shift", (code & 4 != 0).into()),
        ],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes events in few words.
    fn told(events: &[Value]) -> String {
        let word = |event: &Value| {
            let field =
                |name: &str| event.as_map()?.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value.clone());
            let text = |name: &str| field(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            let held = ["ctrl", "alt", "shift"].into_iter().filter(|name| field(name) == Some(Value::Boolean(true)));
            let held: String = held.map(|name| format!("{name}+")).collect();
            let rest = ["key", "button", "focused", "text"].into_iter().find_map(text).unwrap_or_default();
            let place = text("x").map_or(String::new(), |x| format!("@{x},{}", text("y").unwrap_or_default()));
            let action = text("action").filter(|action| action != "press").map_or(String::new(), |action| format!("!{action}"));
            format!("{held}{rest}{place}{action}")
        };
        events.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn decoded(bytes: &[u8]) -> String {
        told(&Decoder::default().decode(bytes))
    }

    #[test]
    fn keys_have_names() {
        for (bytes, events) in [
            (&b"aZ1"[..], "a shift+Z 1"),
            ("ä日".as_bytes(), "ä 日"),
            (b"\r\n\t \x7f\x08", "enter enter tab space backspace backspace"),
            (b"\x03\x00\x1d", "ctrl+c ctrl+space ctrl+]"),
            (b"\x1b", "esc"),
            (b"\x1b\x1b[A", "esc up"),
            (b"\x1bx\x1b\r", "alt+x alt+enter"),
            (b"\x1b[A\x1b[B\x1bOC\x1bOP", "up down right f1"),
            (b"\x1b[1;5C\x1b[1;2D\x1b[3;3~", "ctrl+right shift+left alt+delete"),
            (b"\x1b[Z\x1b[5~\x1b[24~", "shift+tab pgup f12"),
            (b"\x1b[97;5u", "ctrl+a"),
            (b"\x1b[", "alt+["),
            (b"\x1b[99~\x1b[?1;2cx", "x"),
        ] {
            assert_eq!(decoded(bytes), events, "{bytes:?}");
        }
    }

    #[test]
    fn the_mouse_the_focus_and_pastes_are_events() {
        assert_eq!(decoded(b"\x1b[<0;11;6M\x1b[<0;11;6m"), "left@10,5 left@10,5!release");
        assert_eq!(decoded(b"\x1b[<64;1;1M\x1b[<35;2;2M\x1b[<18;3;3M"), "wheelup@0,0!wheel none@1,1!motion ctrl+right@2,2");
        assert_eq!(decoded(b"\x1b[I\x1b[O"), "true false");
        assert_eq!(decoded(b"a\x1b[200~x\r\x1b[A\x1b[201~b"), "a x\r\x1b[A b");
    }

    #[test]
    fn what_comes_in_pieces_waits_for_the_rest() {
        let mut decoder = Decoder::default();
        assert_eq!(told(&decoder.decode(&"日".as_bytes()[..2])), "");
        assert_eq!(told(&decoder.decode(&"日".as_bytes()[2..])), "日");
        assert_eq!(told(&decoder.decode(b"\x1b[1;")), "");
        assert_eq!(told(&decoder.decode(b"5A")), "ctrl+up");
        assert_eq!(told(&decoder.decode(b"\x1b[200~one")), "");
        assert_eq!(told(&decoder.decode(b" two\x1b[20")), "");
        assert_eq!(told(&decoder.decode(b"1~!")), "one two !");
    }

    #[test]
    fn nothing_is_held_back_without_end() {
        let mut decoder = Decoder::default();
        decoder.decode(b"\x1b[");
        decoder.decode(&b"1;".repeat(1000));
        assert!(decoder.rest.len() <= LONGEST_SEQUENCE + 1);
        decoder.decode(b"m\x1b[200~");
        decoder.decode(&b"x".repeat(1 << 20));
        assert!(decoder.rest.len() <= LONGEST_PASTE);
    }
}
