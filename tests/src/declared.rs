//! What `moonlet modules NAME` says that a module has: its declaration file, read by its layout.

use std::collections::BTreeSet;

/// What a declaration file says that a module has; none of its names are sure where it says that there are more.
#[derive(Debug, Default)]
pub struct Declared {
    /// Names of functions, constants and groups; those in groups with a dot.
    pub fields: BTreeSet<String>,
    /// There may be more.
    pub open: bool,
}

/// Reads the fields of the value that a declaration file returns. They stand two spaces deep, one a line, those of a group four.
#[must_use]
pub fn declared(text: &str) -> Declared {
    let mut declared = Declared { open: text.contains("-- without a declaration"), ..Declared::default() };
    let mut group = String::new();
    let body = text.lines().skip_while(|line| !line.starts_with("local ")).skip(1).take_while(|line| *line != "}");
    for line in body {
        let depth = line.len() - line.trim_start().len();
        let field = line.trim().trim_start_matches("readonly ");
        if depth == 2 && field == "}," {
            group.clear();
        } else if depth == 2 && field.starts_with("[string]") {
            declared.open = true;
        } else if let Some((field, ty)) = field.split_once(':') {
            let field = field.trim_end_matches('?').to_owned();
            match depth {
                2 if ty.trim() == "{" => group = field,
                2 => drop(declared.fields.insert(field)),
                4 if !group.is_empty() && !field.starts_with('[') => drop(declared.fields.insert(format!("{group}.{field}"))),
                _ => {}
            }
        }
    }
    declared
}

/// Reads the methods of the types that a declaration file has, as `Type:method`.
#[must_use]
pub fn methods(text: &str) -> BTreeSet<String> {
    let mut methods = BTreeSet::new();
    let mut ty = "";
    for line in text.lines() {
        if let Some(name) = line.trim_start_matches("export ").strip_prefix("type ").and_then(|rest| rest.strip_suffix(" = {")) {
            ty = name;
        } else if line == "}" {
            ty = "";
        } else if let Some((name, rest)) = line.trim().split_once(':')
            && !ty.is_empty()
            && rest.starts_with(&format!(" (self: {ty}"))
        {
            methods.insert(format!("{ty}:{name}"));
        }
    }
    methods
}
