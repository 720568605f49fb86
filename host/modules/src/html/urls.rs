//! Which addresses may stay in attributes.

use std::collections::BTreeSet;

/// Attributes that hold addresses.
const ATTRIBUTES: &[&str] = &[
    "href",
    "src",
    "cite",
    "action",
    "formaction",
    "data",
    "poster",
    "background",
    "longdesc",
    "ping",
    "xlink:href",
    "srcset",
    "usemap",
    "profile",
    "codebase",
    "classid",
    "manifest",
    "dynsrc",
    "lowsrc",
];

/// Which addresses may stay.
#[derive(Debug, Default)]
pub(super) struct Urls {
    schemes: BTreeSet<String>,
    relative: bool,
    /// Whether addresses must be of the schemes above; otherwise only those that run programs are refused.
    pub(super) strict: bool,
    pub(super) data_images: bool,
}

/// Tells whether an attribute holds an address.
pub(super) fn is_url(attribute: &str) -> bool {
    ATTRIBUTES.contains(&attribute)
}

/// Tells whether an address names a host.
pub(super) fn is_absolute(url: &str) -> bool {
    url.starts_with("//") || scheme(url).is_some_and(|(_, rest)| rest.starts_with("//"))
}

impl Urls {
    pub(super) fn allow_schemes(&mut self, schemes: &[&str]) {
        self.strict = true;
        self.schemes.extend(schemes.iter().map(|scheme| scheme.to_ascii_lowercase()));
    }

    pub(super) fn allow_relative(&mut self, allow: bool) {
        self.strict = true;
        self.relative = allow;
    }

    /// Tells whether an address may stay on an element.
    pub(super) fn allow(&self, element: &str, attribute: &str, url: &str) -> bool {
        if attribute == "srcset" {
            let mut candidates = url.split(',').map(|candidate| candidate.split_whitespace().next().unwrap_or(""));
            return candidates.all(|candidate| self.allow(element, "src", candidate));
        }
        let url = url.trim();
        // Browsers skip such characters, wherever they stand.
        if url.is_empty() || url.chars().any(|character| character <= ' ' || character == '\u{7f}') {
            return false;
        }
        let Some((scheme, rest)) = scheme(url) else {
            // What is left of a reference that is not known could be a colon.
            let start = url.split(['/', '?', '#']).next().unwrap_or("");
            return (self.relative || !self.strict) && !start.contains(['&', ':']);
        };
        if scheme == "data" {
            return self.data_images && element == "img" && is_image(rest);
        }
        if matches!(scheme.as_str(), "javascript" | "vbscript" | "livescript" | "mocha") {
            return false;
        }
        if self.strict { self.schemes.contains(&scheme) } else { true }
    }
}

/// Splits an address after its scheme.
fn scheme(url: &str) -> Option<(String, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    fits.then(|| (scheme.to_ascii_lowercase(), rest))
}

fn is_image(data: &str) -> bool {
    let kinds = ["image/gif", "image/jpeg", "image/png", "image/webp", "image/svg+xml"];
    let Some((kind, body)) = data.split_once(";base64,") else { return false };
    kinds.contains(&kind) && body.chars().all(|c| c.is_ascii_alphanumeric() || "+/=.-_".contains(c))
}
