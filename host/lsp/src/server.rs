//! The loop: one message after the other, each answered before the next is read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lsp_server::{Connection, Message, Notification, Request, Response};
use serde_json::{Value, json};

use crate::convert::{diagnostic_of, path_of};
use crate::documents::Documents;
use crate::features;
use crate::project::Project;

/// What ends a server before its time.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The editor does not keep to the protocol, or is gone.
    #[error("the editor broke the protocol: {0}")]
    Protocol(#[from] lsp_server::ProtocolError),
    /// Standard input or output failed.
    #[error("standard input or output failed: {0}")]
    Io(#[from] std::io::Error),
    /// An answer could not be sent.
    #[error("the editor is gone")]
    Gone,
}

/// Serves an editor over standard input and output until it says goodbye.
///
/// # Errors
/// When the editor breaks the protocol or goes without a word.
pub fn serve_stdio() -> Result<(), ServerError> {
    let (connection, threads) = Connection::stdio();
    serve(&connection)?;
    drop(connection);
    threads.join()?;
    Ok(())
}

/// Serves an editor over a connection.
///
/// # Errors
/// When the editor breaks the protocol or goes without a word.
pub fn serve(connection: &Connection) -> Result<(), ServerError> {
    let (id, params) = connection.initialize_start()?;
    let result = json!({"capabilities": features::capabilities(), "serverInfo": {"name": "moonlet"}});
    connection.initialize_finish(id, result)?;
    let mut server =
        Server { documents: Documents::default(), project: Project::new(root_of(&params)), published: BTreeMap::new() };
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    return Ok(());
                }
                send(connection, Message::Response(server.request(request)))?;
            }
            Message::Notification(notification) => {
                for answer in server.notification(&notification) {
                    send(connection, Message::Notification(answer))?;
                }
            }
            Message::Response(_) => {}
        }
    }
    Ok(())
}

fn send(connection: &Connection, message: Message) -> Result<(), ServerError> {
    connection.sender.send(message).map_err(|_| ServerError::Gone)
}

fn root_of(params: &Value) -> Option<PathBuf> {
    let folder = params.pointer("/workspaceFolders/0/uri").or_else(|| params.get("rootUri"));
    let path = folder.and_then(Value::as_str).and_then(path_of)?;
    Some(path.canonicalize().unwrap_or(path))
}

pub(crate) struct Server {
    pub(crate) documents: Documents,
    pub(crate) project: Project,
    /// What the editor shows of each document, by its hash.
    published: BTreeMap<String, u64>,
}

impl Server {
    fn request(&mut self, request: Request) -> Response {
        match features::answer(self, &request.method, &request.params) {
            Some(Ok(value)) => Response::new_ok(request.id, value),
            Some(Err(message)) => Response::new_err(request.id, lsp_server::ErrorCode::InvalidRequest as i32, message),
            None => {
                let message = format!("`{}` is not supported", request.method);
                Response::new_err(request.id, lsp_server::ErrorCode::MethodNotFound as i32, message)
            }
        }
    }

    /// Takes a change, and gives what to report about it.
    fn notification(&mut self, notification: &Notification) -> Vec<Notification> {
        let params = &notification.params;
        let uri = params.pointer("/textDocument/uri").and_then(Value::as_str).unwrap_or("");
        match notification.method.as_str() {
            "textDocument/didOpen" => {
                if let Some(text) = params.pointer("/textDocument/text").and_then(Value::as_str) {
                    self.documents.set(uri, text.to_owned());
                }
                self.publish()
            }
            "textDocument/didChange" => {
                // Whole documents are asked for, so the last change holds everything.
                let changes = params.get("contentChanges").and_then(Value::as_array);
                if let Some(text) =
                    changes.and_then(|changes| changes.last()).and_then(|change| change.get("text")).and_then(Value::as_str)
                {
                    self.documents.set(uri, text.to_owned());
                }
                self.publish()
            }
            "textDocument/didClose" => {
                self.documents.close(uri);
                self.published.remove(uri);
                if let Some(path) = path_of(uri) {
                    self.project.close(&path);
                }
                // Those that import it see what stands on disk again.
                let mut notifications = vec![published(uri, Vec::new())];
                notifications.append(&mut self.publish());
                notifications
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                self.project.reload();
                self.publish()
            }
            _ => Vec::new(),
        }
    }

    /// Checks what is open: a change in one file may matter to another. What the editor shows already is not sent again.
    fn publish(&mut self) -> Vec<Notification> {
        let uris: Vec<String> = self.documents.uris().map(str::to_owned).collect();
        let mut notifications = Vec::new();
        for uri in uris {
            let (Some(path), Some(text)) = (path_of(&uri), self.documents.get(&uri).map(str::to_owned)) else { continue };
            if path.extension().is_none_or(|extension| extension != "lua") {
                continue;
            }
            let found = self.project.check(&path, &text, &self.documents);
            if self.published.insert(uri.clone(), found.hash) == Some(found.hash) {
                continue;
            }
            let found = found.diagnostics.iter();
            notifications.push(published(&uri, found.map(|found| diagnostic_of(found, &uri, &text)).collect()));
        }
        notifications
    }
}

fn published(uri: &str, diagnostics: Vec<Value>) -> Notification {
    Notification::new("textDocument/publishDiagnostics".to_owned(), json!({"uri": uri, "diagnostics": diagnostics}))
}
