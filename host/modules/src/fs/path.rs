//! Paths of programs: always below the volume, before a disk sees them.

use moonlet_runtime::Error;
use parking_lot::Mutex;

use crate::fail::invalid;

/// The longest path in bytes.
const LONGEST: usize = 4096;

/// The directory that a process is in; empty is the root of the volume.
#[derive(Default)]
pub(super) struct Place(Mutex<String>);

impl Place {
    /// Gives the path from the root of the volume: `.` and `..` are gone, and `..` at the root stays there. The root itself is `.`.
    pub(super) fn resolve(&self, path: &str) -> Result<String, Error> {
        if path.len() > LONGEST {
            return Err(invalid(format!("the path is longer than {LONGEST} bytes")));
        }
        if path.contains('\0') {
            return Err(invalid("the path has a zero byte in it"));
        }
        let from = if path.starts_with('/') { String::new() } else { self.0.lock().clone() };
        let mut parts: Vec<&str> = Vec::new();
        for part in from.split('/').chain(path.split('/')) {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        if parts.is_empty() { Ok(".".to_owned()) } else { Ok(parts.join("/")) }
    }

    /// Goes to a directory, as [`Place::resolve`] gives it.
    pub(super) fn set(&self, path: String) {
        *self.0.lock() = if path == "." { String::new() } else { path };
    }

    /// Shows where it is.
    pub(super) fn shown(&self) -> String {
        format!("/{}", self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn paths_stay_below_the_volume() {
        let place = Place::default();
        for (path, want) in [
            ("a/b", "a/b"),
            ("/a//b/", "a/b"),
            ("../../etc/passwd", "etc/passwd"),
            ("/", "."),
            (".", "."),
            ("a/./../b", "b"),
            ("...", "..."),
        ] {
            assert_eq!(place.resolve(path).unwrap(), want, "{path}");
        }
        place.set("x/y".to_owned());
        assert_eq!(place.resolve("../z").unwrap(), "x/z");
        assert_eq!(place.resolve("/z").unwrap(), "z");
        assert_eq!(place.shown(), "/x/y");
        assert!(place.resolve("a\0b").is_err() && place.resolve(&"x".repeat(5000)).is_err());
    }
}
