//! Measures how fast the server answers changes in a project of 500 files: `cargo run -p moonlet-lsp --example changes`.
//!
//! It talks to the server as an editor does, and times from a change to the reports about all that it concerns.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a command-line example")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lsp_server::{Connection, Message, Notification, Request, RequestId};
use serde_json::{Value, json};

const FILES: usize = 500;
const CHANGES: usize = 40;

fn main() {
    let folder = std::env::temp_dir().join(format!("moonlet-lsp-speed-{}", std::process::id()));
    let lines = write_project(&folder);
    println!("{FILES} files of {} lines", lines / FILES);

    let mut editor = Editor::start(&folder);
    editor.show(&[FILES - 1]);
    editor.measure("1 file open, changed", FILES - 1);
    editor.show(&(FILES - 50..FILES).collect::<Vec<_>>());
    editor.measure("50 files open, one that no other imports changed", FILES - 1);
    editor.show(&[FILES / 4 - 5]);
    editor.measure("51 files open, a library of some of them changed", FILES / 4 - 5);
    editor.show(&[0]);
    editor.measure("52 files open, the library that all 500 need changed", 0);
    editor.show(&(0..FILES).collect::<Vec<_>>());
    editor.measure("all files open, one that no other imports changed", FILES - 1);
    editor.measure("all files open, the library that all 500 need changed", 0);
    let start = Instant::now();
    editor.notify("textDocument/didSave", json!({"textDocument": {"uri": editor.uri(0)}}));
    editor.wait();
    println!("{:.1?} all files open, one saved (the project is read again)", start.elapsed());

    editor.request("shutdown", Value::Null);
    editor.notify("exit", Value::Null);
    std::fs::remove_dir_all(&folder).expect("the project can be removed");
}

/// Writes a project whose file number `n` imports two others: `n / 2` and, mostly, `n - 1`. Gives the number of lines.
fn write_project(folder: &Path) -> usize {
    std::fs::create_dir_all(folder).expect("the project can be written");
    let mut index = "version: \"1.0\"\nnamespace: app\nentries:\n".to_owned();
    let mut lines = 0;
    for number in 0..FILES {
        let _ = write!(index, "  - name: part{number}\n    kind: library.lua\n    source: file://part{number}.lua\n");
        if number > 0 {
            index.push_str("    imports:\n");
        }
        for import in imports(number) {
            let _ = writeln!(index, "      part{import}: app:part{import}");
        }
        let text = text(number, 0);
        lines += text.lines().count();
        std::fs::write(folder.join(format!("part{number}.lua")), text).expect("the project can be written");
    }
    std::fs::write(folder.join("_index.yaml"), index).expect("the project can be written");
    lines
}

fn imports(number: usize) -> Vec<usize> {
    let mut imports = Vec::new();
    if number > 0 {
        imports.push(number / 2);
    }
    if number > 2 && !number.is_multiple_of(10) {
        imports.push(number - 1);
    }
    imports
}

/// Writes a file, which is another one for each change.
fn text(number: usize, change: usize) -> String {
    let mut out = format!("-- Change {change}.\n");
    for import in imports(number) {
        let _ = writeln!(out, "local part{import} = require(\"part{import}\")");
    }
    let _ = writeln!(out, "type User = {{\n  name: string,\n  age: integer,\n  tags: {{string}},\n  parent?: User,\n}}");
    for function in 0..5 {
        let _ = write!(
            out,
            r#"
local function make{function}(name: string, age: integer, tags: {{string}}?): User
  local user: User = {{name = name, age = age, tags = tags or {{}}}}
  if age > 100 then
    user.age = {change}
  end
  for index, tag in ipairs(user.tags) do
    print(index, tag:upper(), user.name .. ":" .. tag)
  end
"#
        );
        for import in imports(number) {
            let _ = writeln!(out, "  local user{import}: part{import}.User = part{import}.make{function}(name, age)");
            let _ = writeln!(out, "  user.age = user.age + user{import}.age");
        }
        out.push_str("  return user\nend\n");
    }
    out.push_str("return {User = User, make0 = make0, make1 = make1, make2 = make2, make3 = make3, make4 = make4}\n");
    out
}

struct Editor {
    connection: Connection,
    folder: PathBuf,
    next: i32,
    change: usize,
    /// How many documents the server reported about.
    published: usize,
}

impl Editor {
    fn start(folder: &Path) -> Self {
        let (server, connection) = Connection::memory();
        std::thread::spawn(move || moonlet_lsp::serve(&server));
        let mut editor = Self { connection, folder: folder.to_owned(), next: 0, change: 0, published: 0 };
        let start = Instant::now();
        editor.request("initialize", json!({"capabilities": {}, "rootUri": format!("file://{}", folder.display())}));
        editor.notify("initialized", json!({}));
        editor.wait();
        println!("{:.1?} start", start.elapsed());
        editor
    }

    fn uri(&self, number: usize) -> String {
        format!("file://{}/part{number}.lua", self.folder.display())
    }

    /// Opens files.
    fn show(&mut self, numbers: &[usize]) {
        for number in numbers {
            let text = text(*number, 0);
            let document = json!({"uri": self.uri(*number), "languageId": "lua", "version": 1, "text": text});
            self.notify("textDocument/didOpen", json!({"textDocument": document}));
        }
        self.wait();
    }

    /// Changes a file again and again.
    fn measure(&mut self, what: &str, number: usize) {
        let mut times: Vec<Duration> = (0..CHANGES).map(|_| self.change(number)).collect();
        times.sort();
        let (median, most) = (times.get(CHANGES / 2), times.last());
        let (Some(median), Some(most)) = (median, most) else { return };
        println!("{median:.1?} median, {most:.1?} at most: {what}; {} reported", self.published);
    }

    fn change(&mut self, number: usize) -> Duration {
        self.change += 1;
        let text = text(number, self.change);
        let uri = self.uri(number);
        let start = Instant::now();
        self.notify("textDocument/didChange", json!({"textDocument": {"uri": uri}, "contentChanges": [{"text": text}]}));
        self.wait();
        start.elapsed()
    }

    fn notify(&self, method: &str, params: Value) {
        let message = Message::Notification(Notification::new(method.to_owned(), params));
        self.connection.sender.send(message).expect("the server listens");
    }

    /// Waits until the server did all that was sent: it takes one message after the other.
    fn wait(&mut self) {
        self.request("textDocument/none", Value::Null);
    }

    fn request(&mut self, method: &str, params: Value) {
        self.next += 1;
        let id = RequestId::from(self.next);
        let message = Message::Request(Request::new(id.clone(), method.to_owned(), params));
        self.connection.sender.send(message).expect("the server listens");
        self.published = 0;
        loop {
            match self.connection.receiver.recv().expect("the server answers") {
                Message::Response(response) if response.id == id => return,
                Message::Notification(notification) => {
                    self.published += 1;
                    let found = notification.params.get("diagnostics").and_then(Value::as_array);
                    assert!(found.is_none_or(Vec::is_empty), "{notification:?}");
                }
                _ => {}
            }
        }
    }
}
