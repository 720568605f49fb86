//! What modules are for and which capabilities they are: what evaluated code may have, and what `system.modules` lists.

/// A module, by what it can do.
#[derive(Debug)]
pub(crate) struct Class {
    /// Its name in `require`.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) description: &'static str,
    /// Its classes.
    pub(crate) classes: &'static [&'static str],
}

const fn class(name: &'static str, description: &'static str, classes: &'static [&'static str]) -> Class {
    Class { name, description, classes }
}

/// Classes that evaluated code has only when whoever runs it says so.
const BLOCKED: &[&str] = &["process", "storage", "network"];

/// The same, of modules that have none of [`BLOCKED`]: to allow `network` is enough for `http_client`, whatever else it is.
const BLOCKED_ALONE: &[&str] = &["io", "security", "workflow"];

/// By name.
static CLASSES: &[Class] = &[
    class("archive", "archives of files", &["encoding"]),
    class("base64", "Base64 encoding", &["deterministic", "encoding"]),
    class("cdc", "changes of databases", &["storage", "io"]),
    class("channel", "channels between coroutines", &["deterministic"]),
    class("cloudstorage", "cloud storage", &["storage", "network"]),
    class("compress", "compression", &["deterministic", "encoding"]),
    class("contract", "calling implementations of contracts", &["process"]),
    class("crypto", "encryption, signatures and random bytes", &["nondeterministic", "encoding"]),
    class("ctx", "context values", &["deterministic"]),
    class("env", "environment variables", &["storage", "io"]),
    class("errors", "structured errors", &["deterministic"]),
    class("eval_runner", "running code", &["process"]),
    class("events", "events of the node", &["process"]),
    class("excel", "spreadsheets", &["encoding"]),
    class("exec", "commands of the operating system", &["process", "io"]),
    class("expr", "expressions", &["deterministic"]),
    class("fs", "files", &["storage", "io"]),
    class("funcs", "calling functions", &["process"]),
    class("hash", "hashes", &["deterministic", "encoding"]),
    class("html", "cleaning HTML", &["deterministic", "encoding"]),
    class("http", "answering HTTP requests", &["network", "io"]),
    class("http_client", "HTTP requests", &["network", "io"]),
    class("hub", "the module hub", &["network"]),
    class("io", "the terminal", &["io"]),
    class("json", "JSON encoding and schemas", &["deterministic", "encoding"]),
    class("logger", "the log", &["nondeterministic"]),
    class("metrics", "metrics", &["nondeterministic"]),
    class("payload", "values in transit", &["deterministic", "encoding"]),
    class("pg", "process groups", &["process"]),
    class("process", "processes and messages", &["process"]),
    class("queue", "queues", &["storage", "io"]),
    class("registry", "the registry of entries", &["process", "storage"]),
    class("security", "actors, scopes and policies", &["security"]),
    class("sql", "databases", &["storage", "io"]),
    class("store", "key-value stores", &["storage"]),
    class("stream", "streams of bytes", &["io"]),
    class("system", "the node itself", &["process", "io"]),
    class("templates", "templates", &["deterministic"]),
    class("text", "regular expressions, differences and splitting", &["deterministic"]),
    class("time", "moments, durations and timers", &["time", "nondeterministic"]),
    class("treesitter", "syntax trees", &["deterministic"]),
    class("tty", "terminal styles", &["io"]),
    class("uuid", "unique identifiers", &["nondeterministic", "encoding"]),
    class("websocket", "WebSocket connections", &["network", "io"]),
    class("workflow", "durable workflows", &["workflow"]),
    class("yaml", "YAML encoding", &["deterministic", "encoding"]),
];

/// Finds what a module is.
pub(crate) fn find(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name == name)
}

impl Class {
    /// Names the first class that evaluated code does not have, given those that it was allowed.
    pub(crate) fn blocked(&self, allowed: &[String]) -> Option<&'static str> {
        let asked = if self.classes.iter().any(|class| BLOCKED.contains(class)) { BLOCKED } else { BLOCKED_ALONE };
        let blocked = |class: &&&str| asked.contains(*class) && !allowed.iter().any(|allowed| allowed == **class);
        self.classes.iter().find(blocked).copied()
    }

    /// Tells whether it gives no capability: computing with values, reading the clock, writing to the log.
    pub(crate) fn is_free(&self) -> bool {
        self.blocked(&[]).is_none()
    }
}

/// Lists all modules.
pub(crate) fn all() -> impl Iterator<Item = &'static Class> {
    CLASSES.iter()
}

/// Lists the modules that evaluated code may have without further ado.
pub(crate) fn free() -> impl Iterator<Item = &'static Class> {
    CLASSES.iter().filter(|class| class.is_free())
}
