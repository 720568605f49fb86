//! Every function of every module: allowed, denied, over its limits, cancelled, killed in the middle, and with arguments of all kinds.
//!
//! What each is called with stands in `tests/projects/harness/rows.lua`; a function without a row fails here.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use moonlet_tests::binary::repository;
use moonlet_tests::declared::{declared, methods};
use moonlet_tests::run::{Run, Stream};

/// One part runs each of some hundred functions several times. Far above what that needs, also on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(600);

fn output(arguments: &[&str]) -> String {
    let finished = Run::start(arguments, None).unwrap().finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.stdout
}

/// Writes the project with a policy for each action, one that allows it and one that denies it, and with the lists of what there is.
fn write_project(folder: &Path) {
    fs::create_dir_all(folder.join("files")).unwrap();
    for file in fs::read_dir(repository().join("tests/projects/harness")).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
    let (mut modules, mut functions, mut all_methods, mut actions) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
    for line in output(&["modules"]).lines() {
        let name = line.split_whitespace().next().unwrap().to_owned();
        let text = output(&["modules", &name]);
        functions.extend(declared(&text).fields.iter().map(|field| format!("{name}.{field}")));
        all_methods.extend(methods(&text).into_iter().map(|method| format!("{name}.{method}")));
        let decided = text.lines().find_map(|line| line.strip_prefix("policies decide: ")).unwrap_or_default();
        actions.extend(decided.split(", ").filter(|action| !action.is_empty()).map(str::to_owned));
        modules.push(name);
    }
    let list = |names: &[String]| names.iter().map(|name| format!("{name:?}, ")).collect::<String>();
    let listed: Vec<String> = actions.iter().cloned().collect();
    let lists = format!(
        "return {{ modules = {{ {} }}, declared = {{ {} }}, methods = {{ {} }}, actions = {{ {} }} }}\n",
        list(&modules),
        list(&functions),
        list(&all_methods),
        list(&listed)
    );
    fs::write(folder.join("lists.lua"), lists).unwrap();
    for (namespace, effect) in [("can", "allow"), ("cannot", "deny")] {
        let mut text = format!("version: \"1.0\"\nnamespace: {namespace}\nentries:\n");
        for action in &actions {
            text += &format!(
                "  - {{ name: {action}, kind: security.policy, policy: {{ actions: [\"{action}\"], resources: \"*\", effect: {effect} }} }}\n"
            );
        }
        fs::create_dir_all(folder.join(namespace)).unwrap();
        fs::write(folder.join(namespace).join("_index.yaml"), text).unwrap();
    }
}

/// Runs one part of the harness.
fn check(part: &str) {
    let folder = std::env::temp_dir().join(format!("moonlet-harness-{part}-{}", std::process::id()));
    write_project(&folder);
    let project = folder.to_str().unwrap();
    // A port that was free a moment ago.
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let arguments = ["run", project, "-x", "app:main", "--metrics", &metrics, "--", part, &metrics];
    // Where calls that read are to wait, its standard input is as a terminal whose user is away; elsewhere there is enough to read.
    let silent = part == "killed";
    let text = folder.join("rows.lua");
    let run = if silent { Run::interactive(&arguments) } else { Run::start(&arguments, Some(&text)) };
    let mut run = run.unwrap().within(TIME_LIMIT);
    if silent {
        run.await_text(Stream::Stdout, "end of the harness\n").unwrap();
    }
    let finished = run.finish().unwrap();
    let wrong: Vec<&str> = finished.stdout.lines().filter(|line| line.starts_with("wrong: ")).collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(finished.stdout.ends_with("end of the harness\n"), "{finished:?}");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_function_needs_the_actions_that_are_told_and_no_others() {
    check("policies");
}

#[test]
fn what_needs_a_request_a_message_or_the_terminal_works_there() {
    check("places");
}

#[test]
fn every_function_survives_arguments_of_all_kinds() {
    check("odd");
}

#[test]
fn whatever_keeps_waits_or_gives_much_is_refused_at_its_limit() {
    check("limits");
}

#[test]
fn nothing_is_left_of_a_process_that_is_killed_in_the_middle_of_a_call() {
    check("killed");
}

#[test]
fn nothing_is_left_of_a_call_that_is_cancelled_or_comes_to_its_deadline() {
    check("canceled");
}
