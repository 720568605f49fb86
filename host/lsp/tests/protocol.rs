//! The server as an editor sees it: messages in, messages out.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed assumption in a test should panic")]

use std::path::PathBuf;
use std::thread::JoinHandle;

use lsp_server::{Connection, Message, Notification, Request, RequestId};
use moonlet_lsp::{ServerError, serve};
use serde_json::{Value, json};

/// An editor with one server.
struct Editor {
    connection: Connection,
    server: Option<JoinHandle<Result<(), ServerError>>>,
    next: i32,
    /// The last diagnostics of each document.
    published: Vec<(String, Value)>,
}

impl Editor {
    fn start(root: Option<&str>) -> Self {
        let (server, client) = Connection::memory();
        let server = std::thread::spawn(move || serve(&server));
        let mut editor = Self { connection: client, server: Some(server), next: 0, published: Vec::new() };
        let result = editor.request("initialize", json!({"capabilities": {}, "rootUri": root}));
        assert!(result["capabilities"]["hoverProvider"].as_bool().unwrap());
        editor.notify("initialized", json!({}));
        editor
    }

    fn notify(&self, method: &str, params: Value) {
        self.connection.sender.send(Message::Notification(Notification::new(method.to_owned(), params))).unwrap();
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        self.try_request(method, params).unwrap_or_else(|message| panic!("{method}: {message}"))
    }

    fn try_request(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.connection.sender.send(Message::Request(Request::new(id.clone(), method.to_owned(), params))).unwrap();
        loop {
            match self.connection.receiver.recv().unwrap() {
                Message::Response(response) if response.id == id => {
                    let response = serde_json::to_value(&response).unwrap();
                    return match response.get("error") {
                        Some(error) if !error.is_null() => Err(error["message"].as_str().unwrap().to_owned()),
                        _ => Ok(response.get("result").cloned().unwrap_or(Value::Null)),
                    };
                }
                Message::Notification(notification) => {
                    let uri = notification.params["uri"].as_str().unwrap().to_owned();
                    self.published.retain(|(known, _)| *known != uri);
                    self.published.push((uri, notification.params["diagnostics"].clone()));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn open(&mut self, uri: &str, text: &str) -> Vec<String> {
        self.notify(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri, "languageId": "lua", "version": 1, "text": text}}),
        );
        self.diagnostics(uri)
    }

    fn change(&mut self, uri: &str, text: &str) -> Vec<String> {
        self.notify(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}]}),
        );
        self.diagnostics(uri)
    }

    /// Waits for what was sent before, and gives the reports as `line:column code`.
    fn diagnostics(&mut self, uri: &str) -> Vec<String> {
        self.request("textDocument/documentSymbol", json!({"textDocument": {"uri": uri}}));
        let (_, found) = self.published.iter().find(|(known, _)| known == uri).unwrap();
        let at = |found: &Value| format!("{}:{}", found["range"]["start"]["line"], found["range"]["start"]["character"]);
        found.as_array().unwrap().iter().map(|found| format!("{} {}", at(found), found["code"].as_str().unwrap())).collect()
    }

    fn at(&mut self, method: &str, uri: &str, line: u32, character: u32) -> Value {
        self.request(method, json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}))
    }

    fn labels(&mut self, uri: &str, line: u32, character: u32) -> Vec<String> {
        let found = self.at("textDocument/completion", uri, line, character);
        found.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.server.take().unwrap().join().unwrap().unwrap();
    }
}

const URI: &str = "file:///nowhere/main.lua";
const SOURCE: &str = "type User = {name: string, age: integer}
local function greet(user: User, loud?: boolean): string
  return user.name
end
local user: User = {name = \"a\", age = 1}
print(greet(user, true))
";

#[test]
fn reports_follow_what_is_typed() {
    let mut editor = Editor::start(None);
    assert_eq!(editor.open(URI, SOURCE), Vec::<String>::new());
    assert_eq!(editor.change(URI, &SOURCE.replace("user.name", "user.nmae")), ["2:14 unknown-field"]);
    assert_eq!(editor.change(URI, "local x = = 1"), ["0:10 syntax-error"]);
    assert_eq!(editor.change(URI, SOURCE), Vec::<String>::new());
}

#[test]
fn hover_shows_types() {
    let mut editor = Editor::start(None);
    editor.open(URI, SOURCE);
    let hover = |editor: &mut Editor, line, character| {
        editor.at("textDocument/hover", URI, line, character)["contents"]["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(hover(&mut editor, 2, 15), "```lua\nname: string\n```");
    assert_eq!(hover(&mut editor, 5, 13), "```lua\nuser: User\n```");
    assert_eq!(hover(&mut editor, 5, 7), "```lua\ngreet: (user: User, loud?: boolean) -> string\n```");
    assert_eq!(hover(&mut editor, 0, 6), "```lua\ntype User = {name: string, age: integer}\n```");
}

#[test]
fn definition_references_and_rename_stay_within_the_scope() {
    let mut editor = Editor::start(None);
    editor.open(URI, SOURCE);
    let definition = editor.at("textDocument/definition", URI, 2, 10);
    assert_eq!(definition["range"]["start"], json!({"line": 1, "character": 21}));
    let references = editor.at("textDocument/references", URI, 4, 7);
    let lines: Vec<u64> =
        references.as_array().unwrap().iter().map(|found| found["range"]["start"]["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [4, 5]);
    let params = json!({"textDocument": {"uri": URI}, "position": {"line": 4, "character": 7}, "newName": "somebody"});
    let edit = editor.request("textDocument/rename", params);
    assert_eq!(edit["changes"][URI].as_array().unwrap().len(), 2);
    for name in ["end", "two words", "", "5"] {
        let params = json!({"textDocument": {"uri": URI}, "position": {"line": 4, "character": 7}, "newName": name});
        assert_eq!(editor.try_request("textDocument/rename", params).unwrap_err(), format!("`{name}` is not a name"));
    }
}

#[test]
fn completion_offers_fields_methods_and_names_while_the_text_is_unfinished() {
    let mut editor = Editor::start(None);
    editor.open(URI, &SOURCE.replace("print(greet(user, true))", "print(user.)"));
    assert_eq!(editor.labels(URI, 5, 11), ["age", "name"]);
    editor.change(URI, &SOURCE.replace("print(greet(user, true))", "user.na"));
    assert_eq!(editor.labels(URI, 5, 7), ["age", "name"]);
    editor.change(URI, &format!("{SOURCE}local s = \"x\"\ns:up\n"));
    assert!(editor.labels(URI, 7, 4).contains(&"upper".to_owned()));
    editor.change(URI, &format!("{SOURCE}local t = gre\n"));
    let names = editor.labels(URI, 6, 13);
    for name in ["greet", "user", "User", "print", "local"] {
        assert!(names.contains(&name.to_owned()), "{name} is not in {names:?}");
    }
    editor.change(URI, "process.");
    assert!(editor.labels(URI, 0, 8).contains(&"spawn".to_owned()));
}

#[test]
fn signature_help_knows_the_parameter() {
    let mut editor = Editor::start(None);
    editor.open(URI, &SOURCE.replace("print(greet(user, true))", "greet(user, "));
    let help = editor.at("textDocument/signatureHelp", URI, 5, 12);
    assert_eq!(help["signatures"][0]["label"], "(user: User, loud?: boolean) -> string");
    assert_eq!(help["activeParameter"], 1);
    editor.change(URI, SOURCE);
    assert_eq!(editor.at("textDocument/signatureHelp", URI, 5, 13)["activeParameter"], 0);
}

#[test]
fn symbols_and_fixes_are_offered() {
    let mut editor = Editor::start(None);
    editor.open(URI, &SOURCE.replace("user.name", "user.nmae"));
    let symbols = editor.request("textDocument/documentSymbol", json!({"textDocument": {"uri": URI}}));
    let names: Vec<&str> = symbols.as_array().unwrap().iter().map(|symbol| symbol["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["User", "greet", "user"]);
    let place = json!({"line": 2, "character": 15});
    let params = json!({"textDocument": {"uri": URI}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}});
    let actions = editor.request("textDocument/codeAction", params);
    assert_eq!(actions[0]["edit"]["changes"][URI][0]["newText"], "name");
}

#[test]
fn a_project_gives_modules_imports_and_entry_ids() {
    let root = std::env::temp_dir().join(format!("moonlet-lsp-{}", std::process::id()));
    std::fs::create_dir_all(root.join("src")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(root.join("src").join(name), text).unwrap();
    write(
        "_index.yaml",
        "version: \"1.0\"\nnamespace: app\nentries:\n  - name: lib\n    kind: library.lua\n    source: file://lib.lua\n  - name: main\n    kind: function.lua\n    source: file://main.lua\n    method: main\n    modules: [time]\n    imports:\n      lib: app:lib\n",
    );
    write("lib.lua", "local M = {}\nfunction M.double(x: number): number return x * 2 end\nreturn M\n");
    let main = "local lib = require(\"lib\")\nlocal function main() return lib.double(\"x\") end\nreturn {main = main}\n";
    write("main.lua", main);
    let root: PathBuf = root.canonicalize().unwrap();
    let uri = |name: &str| format!("file://{}/src/{name}", root.display());
    let mut editor = Editor::start(Some(&format!("file://{}", root.display())));
    assert_eq!(editor.open(&uri("main.lua"), main), ["1:40 type-mismatch"]);
    // A change of the library that is not saved is seen by its importer.
    let lib = "local M = {}\nfunction M.double(x: string): string return x .. x end\nreturn M\n";
    editor.open(&uri("lib.lua"), lib);
    assert_eq!(editor.diagnostics(&uri("main.lua")), Vec::<String>::new());
    let other = lib.replace("string", "boolean").replace("x .. x", "not x");
    assert_eq!(editor.change(&uri("lib.lua"), &other), Vec::<String>::new());
    assert_eq!(editor.diagnostics(&uri("main.lua")), ["1:40 type-mismatch"]);
    assert_eq!(editor.change(&uri("lib.lua"), lib), Vec::<String>::new());
    assert_eq!(editor.diagnostics(&uri("main.lua")), Vec::<String>::new());
    // Once the library is closed, it counts as it stands on disk; a document that is opened again is reported about again.
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": uri("lib.lua")}}));
    assert_eq!(editor.diagnostics(&uri("main.lua")), ["1:40 type-mismatch"]);
    assert_eq!(editor.open(&uri("lib.lua"), lib), Vec::<String>::new());
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": uri("main.lua")}}));
    assert_eq!(editor.diagnostics(&uri("main.lua")), Vec::<String>::new());
    assert_eq!(editor.open(&uri("main.lua"), &main.replace("\"x\"", "1")), ["1:40 type-mismatch"]);
    assert_eq!(editor.change(&uri("main.lua"), "local sql = require(\"sql\")\nreturn sql"), ["0:20 undeclared-require"]);
    editor.change(&uri("main.lua"), main);
    let definition = editor.at("textDocument/definition", &uri("main.lua"), 0, 22);
    assert_eq!(definition["uri"], uri("lib.lua"));
    editor.change(&uri("main.lua"), "local id = \"app:\"\nreturn id");
    assert_eq!(editor.labels(&uri("main.lua"), 0, 16), ["app:lib", "app:main"]);
    let symbols = editor.request("workspace/symbol", json!({"query": "DOUBLE"}));
    assert_eq!(symbols[0]["name"], "M.double");
    drop(editor);
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn unknown_requests_and_odd_places_are_answered() {
    let mut editor = Editor::start(None);
    editor.open(URI, "local \u{1f600} = 1\nlocal x = \"\u{1f600}\" .. y\n");
    assert!(editor.try_request("textDocument/foldingRange", json!({})).unwrap_err().contains("not supported"));
    for method in ["textDocument/hover", "textDocument/completion", "textDocument/signatureHelp", "textDocument/definition"] {
        for (line, character) in [(0, 7), (1, 12), (1, 999), (999, 0)] {
            editor.at(method, URI, line, character);
        }
        editor.at(method, "file:///not/open.lua", 0, 0);
    }
}
