//! The history of the registry in a file: what a node that is killed leaves behind.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use moonlet_tests::binary::repository;
use moonlet_tests::run::{Run, Stream};
use rustix::process::Signal;

/// How often a node is killed in the middle of its changes.
const KILLS: usize = 12;

/// A copy of the project, whose history is its own; removed at the end.
struct Project(PathBuf);

impl Project {
    fn new(name: &str) -> Self {
        let target = std::env::temp_dir().join(format!("moonlet-{name}-{}", std::process::id()));
        fs::create_dir_all(&target).unwrap();
        for file in fs::read_dir(repository().join("tests/projects/history")).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), target.join(file.file_name())).unwrap();
            }
        }
        Self(target)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let directory = self.0.to_str().unwrap();
        let arguments: Vec<&str> =
            arguments.iter().map(|argument| if *argument == "DIR" { directory } else { argument }).collect();
        Run::start(&arguments, None).unwrap()
    }

    fn output(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments).finish().unwrap();
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished.stdout
    }

    /// What both entries hold, and the version.
    fn state(&self) -> (u64, u64, String) {
        let output = self.output(&["run", "DIR", "-x", "app:reader"]);
        let words: Vec<&str> = output.split_whitespace().collect();
        assert_eq!(words.len(), 3, "{output:?}");
        (words[0].parse().unwrap(), words[1].parse().unwrap(), words[2].to_owned())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_node_that_is_killed_while_it_applies_has_the_old_or_the_new_version_whole() {
    let project = Project::new("killed");
    let mut last = 0;
    for kill in 1..=KILLS {
        let mut run = project.run(&["run", "DIR", "-x", "app:writer"]);
        // Told of one change, it is in the middle of the next.
        run.await_text(Stream::Stdout, &format!("applied {}.", last + kill as u64 % 4 + 1)).unwrap();
        run.signal(Signal::KILL).unwrap();
        let finished = run.finish().unwrap();
        let told = finished.stdout.matches("applied").count() as u64;
        let (left, right, version) = project.state();
        assert_eq!(left, right, "one change set was torn apart");
        assert!(left >= last + told && left <= last + told + 1, "{told} changes were told after {last}, and there are {left}");
        assert_eq!(version, format!("v{}", left + 1));
        last = left;
    }
}

#[test]
fn versions_outlive_a_restart_and_can_be_looked_at() {
    let project = Project::new("restarted");
    project.output(&["run", "DIR", "-x", "app:writer", "3"]);
    assert_eq!(project.state(), (3, 3, "v4".to_owned()));
    project.output(&["run", "DIR", "-x", "app:back"]);
    assert_eq!(project.state(), (2, 2, "v3".to_owned()));
    project.output(&["run", "DIR", "-x", "app:writer", "1"]);
    assert_eq!(project.state(), (3, 3, "v5".to_owned()));
    let history = project.output(&["registry", "history", "DIR"]);
    let lines: Vec<&str> = history.lines().collect();
    assert_eq!(lines.len(), 5, "{history}");
    assert!(lines[0].starts_with("v1") && lines[0].ends_with("6 entries"), "{history}");
    assert!(lines[4].contains("after v3 current") && lines[4].ends_with("~app:left ~app:right"), "{history}");
    let difference =
        "~ app:left (registry.entry)\n    data.value: 0 -> 3\n~ app:right (registry.entry)\n    data.value: 0 -> 3\n";
    assert_eq!(project.output(&["registry", "diff", "DIR"]), difference);
    let one = project.output(&["registry", "diff", "DIR", "v3"]);
    assert_eq!(one, difference.replace("0 -> 3", "1 -> 2"));
    let back = project.output(&["registry", "diff", "DIR", "4", "2"]);
    assert_eq!(back, difference.replace("0 -> 3", "3 -> 1"));
    // A change in a file becomes a version on top of those that are kept.
    let index = project.path().join("_index.yaml");
    let text = fs::read_to_string(&index).unwrap().replacen("value: 0", "value: 40", 1);
    fs::write(&index, text).unwrap();
    assert_eq!(project.state(), (40, 3, "v6".to_owned()));
    assert_eq!(project.state(), (40, 3, "v6".to_owned()));
    assert_eq!(fs::read_dir(project.path().join("kept")).unwrap().count(), 1, "the history is one file");
}
