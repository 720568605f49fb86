//! Modules as they are described, as they are, and as the page of all modules shows them.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use moonlet_tests::binary::repository;
use moonlet_tests::declared::{Declared, declared};
use moonlet_tests::run::Run;

fn output(arguments: &[&str]) -> String {
    let finished = Run::start(arguments, None).unwrap().finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.stdout
}

fn names() -> Vec<String> {
    let list = output(&["modules"]);
    list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn the_page_of_all_modules_is_true() {
    let path = repository().join("docs/modules.md");
    let page = output(&["modules", "--markdown"]);
    if std::env::var_os("MOONLET_UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/modules.md is out of date: run this test with MOONLET_UPDATE=1, and read the difference");
}

#[test]
fn every_module_is_described() {
    for name in names() {
        assert!(output(&["modules", &name]).contains("classes: "), "`{name}` is not in host/cli/src/commands/modules/table.rs");
    }
}

const PROGRAM: &str = r#"
local io = require("io")
local function main()
    for name, fields in pairs(DECLARED) do
        local module = require(name)
        -- Some parts are loaded when they are asked for.
        for _, field in ipairs(fields) do
            local value = module
            for part in field:gmatch("[^.]+") do
                value = value[part]
            end
            if value ~= nil then
                io.print(name .. " " .. field)
            end
        end
        io.print(name .. (type(module) == "table" and " -" or " opaque"))
        for key, value in pairs(type(module) == "table" and module or {}) do
            io.print(name .. " " .. tostring(key))
            if type(value) == "table" then
                for inner in pairs(value) do
                    io.print(name .. " " .. tostring(key) .. "." .. tostring(inner))
                end
            end
        end
    end
end
return { main = main }
"#;

#[test]
fn modules_have_what_their_declarations_say() {
    let names = names();
    let folder = std::env::temp_dir().join(format!("moonlet-modules-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let index = format!(
        "version: \"1.0\"\nnamespace: app\nentries:\n  - name: terminal\n    kind: terminal.host\n  - name: main\n    kind: process.lua\n    \
         source: file://main.lua\n    method: main\n    modules: [{}]\n",
        names.join(", ")
    );
    fs::write(folder.join("_index.yaml"), index).unwrap();
    let declarations: BTreeMap<&str, Declared> =
        names.iter().map(|name| (name.as_str(), declared(&output(&["modules", name])))).collect();
    let list = declarations.iter().map(|(name, declared)| {
        let fields: Vec<String> = declared.fields.iter().map(|field| format!("{field:?}")).collect();
        format!("{name} = {{ {} }}", fields.join(", "))
    });
    let list = list.collect::<Vec<_>>().join(", ");
    fs::write(folder.join("main.lua"), format!("local DECLARED = {{ {list} }}{PROGRAM}")).unwrap();
    let text = output(&["run", folder.to_str().unwrap(), "-x", "app:main"]);
    fs::remove_dir_all(&folder).unwrap();

    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines() {
        let (name, field) = line.split_once(' ').unwrap();
        found.entry(name).or_default().insert(field);
    }
    let mut differences = Vec::new();
    for name in &names {
        let declared = &declarations[name.as_str()];
        let has = found.get(name.as_str()).unwrap();
        if has.contains("opaque") {
            // An object, whose methods cannot be listed.
            continue;
        }
        for field in &declared.fields {
            if !has.contains(field.as_str()) {
                differences.push(format!("`{name}` declares `{field}`, which is not there"));
            }
        }
        for field in has.iter().filter(|field| !field.contains('.') && **field != "-") {
            let known = declared.fields.iter().any(|known| known == field || known.starts_with(&format!("{field}.")));
            if !known && !declared.open {
                differences.push(format!("`{name}.{field}` is there, and not declared"));
            }
        }
    }
    assert!(differences.is_empty(), "host/language/declarations:\n{}", differences.join("\n"));
}
