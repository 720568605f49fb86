//! What modules are for, which classes they belong to, and which acts of theirs policies decide.

/// What is known of a module beside its functions.
pub(super) struct Description {
    pub(super) name: &'static str,
    pub(super) purpose: &'static str,
    /// Whoever runs code of others refuses modules by these.
    pub(super) classes: &'static [&'static str],
    /// The actions that policies allow or deny.
    pub(super) actions: &'static [&'static str],
}

const fn module(
    name: &'static str,
    purpose: &'static str,
    classes: &'static [&'static str],
    actions: &'static [&'static str],
) -> Description {
    Description { name, purpose, classes, actions }
}

const PURE: &[&str] = &["deterministic"];
const ENCODING: &[&str] = &["encoding", "deterministic"];
const RANDOM: &[&str] = &["nondeterministic"];
const STORAGE: &[&str] = &["storage", "io"];
const NETWORK: &[&str] = &["network", "io"];

static DESCRIPTIONS: &[Description] = &[
    module("archive", "zip and tar, entry by entry", &["encoding"], &["archive.read", "archive.write"]),
    module("base64", "bytes as text and back", ENCODING, &[]),
    module("cloudstorage", "objects in buckets of S3", &["storage", "network"], &["cloudstorage.get"]),
    module("compress", "gzip, deflate, zlib, brotli and zstd", ENCODING, &[]),
    module(
        "contract",
        "interfaces and their implementations",
        &["process"],
        &["contract.get", "contract.open", "contract.call", "contract.implementations", "contract.context", "contract.security"],
    ),
    module(
        "crypto",
        "randomness, encryption, signatures, tokens, keys, and hashes of passwords",
        &["security", "nondeterministic"],
        &[],
    ),
    module("ctx", "values that callers pass on", PURE, &[]),
    module("env", "variables that entries declare", STORAGE, &["env.get", "env.set"]),
    module(
        "eval_runner",
        "runs code that a program brings along",
        &["process"],
        &["eval.run", "eval.compile", "eval.module", "eval.import", "eval.class"],
    ),
    module("events", "the event bus of the node", &["process"], &["events.subscribe", "events.send"]),
    module("excel", "workbooks of Excel", &["encoding"], &[]),
    module("exec", "commands of the operating system", &["io"], &["exec.get", "exec.run"]),
    module("expr", "expressions that come as data", PURE, &[]),
    module("fs", "volumes of files", STORAGE, &["fs.get"]),
    module("funcs", "calls of functions", &["process"], &["funcs.call", "funcs.context", "funcs.security", "network.select"]),
    module("hash", "digests and message authentication codes", ENCODING, &[]),
    module("html", "makes HTML of strangers harmless", PURE, &[]),
    module("http", "the request that is answered, and its response", NETWORK, &[]),
    module(
        "http_client",
        "requests to servers",
        NETWORK,
        &[
            "http_client.request",
            "http_client.private_ip",
            "http_client.insecure_tls",
            "http_client.unix_socket",
            "network.select",
        ],
    ),
    module("io", "the terminal", &["io"], &[]),
    module("json", "JSON, and schemas of it", ENCODING, &[]),
    module("logger", "records in the log", &["io"], &[]),
    module("metrics", "counters, gauges and histograms", &["io"], &[]),
    module(
        "pg",
        "groups of processes",
        &["process"],
        &[
            "pg.open",
            "pg.join",
            "pg.leave",
            "pg.get_members",
            "pg.get_local_members",
            "pg.which_groups",
            "pg.which_local_groups",
            "pg.broadcast",
            "pg.broadcast_local",
            "pg.monitor",
            "pg.events",
        ],
    ),
    module("queue", "queues of messages", STORAGE, &["queue.publish", "queue.publish.queue"]),
    module("registry", "the entries of the application", STORAGE, &["registry.get", "registry.apply", "registry.apply_version"]),
    module(
        "security",
        "who acts, and what they may do",
        &["security"],
        &[
            "security.actor.create",
            "security.scope.create",
            "security.policy.get",
            "security.policy_group.get",
            "security.token_store.get",
            "security.token.create",
            "security.token.validate",
            "security.token.revoke",
        ],
    ),
    module("sql", "SQL databases: SQLite, Postgres, MySQL", STORAGE, &["db.get"]),
    module(
        "store",
        "stores of keys and values",
        STORAGE,
        &["store.get", "store.key.get", "store.key.set", "store.key.has", "store.key.delete", "store.key.list", "store.info"],
    ),
    module("stream", "streams of bytes", &["io"], &[]),
    module(
        "system",
        "the node itself",
        &["process", "nondeterministic"],
        &["system.read", "system.control", "system.gc", "system.exit", "system.lock"],
    ),
    module("templates", "pages and letters from templates", PURE, &["template.get"]),
    module("text", "regular expressions, differences and chunks", PURE, &[]),
    module("time", "moments, durations, zones and timers", &["time", "nondeterministic"], &[]),
    module("tty", "keys and styles of the terminal", &["io"], &[]),
    module("uuid", "identifiers", RANDOM, &[]),
    module(
        "websocket",
        "WebSockets to servers",
        NETWORK,
        &["websocket.connect", "websocket.connect.url", "http_client.private_ip"],
    ),
    module("yaml", "YAML", ENCODING, &[]),
];

/// Finds the description of a module.
pub(super) fn find(name: &str) -> Option<&'static Description> {
    DESCRIPTIONS.iter().find(|description| description.name == name)
}
