//! Module `sql`: SQL databases: SQLite files and databases in memory, Postgres and MySQL servers.
//!
//! A handle, a transaction and a prepared statement are resources of the process; at its end each gives its connection back, and what a
//! transaction left open is rolled back. The query builder is Lua, see `sql/builder.lua`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moonlet_registry::Change;
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, NodeHandle, Value};

mod database;
mod databases;
mod job;
mod moment;
mod server;
mod session;
mod sqlite;
mod value;
mod work;

pub(crate) use database::Database;
pub use databases::Databases;
use session::{Prepared, Session};
pub(crate) use work::Parameter;
use work::{Command, Isolation, Wish, Work};

use crate::fail::{self, field, invalid};

const DB: &str = "DB";
const TRANSACTION: &str = "Transaction";
const STATEMENT: &str = "Statement";
const TYPES: &[(&str, &str)] = &[("POSTGRES", "postgres"), ("MYSQL", "mysql"), ("SQLITE", "sqlite"), ("UNKNOWN", "unknown")];
const ISOLATION: &[(&str, &str)] = &[
    ("DEFAULT", "default"),
    ("READ_UNCOMMITTED", "read_uncommitted"),
    ("READ_COMMITTED", "read_committed"),
    ("WRITE_COMMITTED", "write_committed"),
    ("REPEATABLE_READ", "repeatable_read"),
    ("SERIALIZABLE", "serializable"),
];

/// The databases of this node.
pub struct Sql {
    databases: Arc<Databases>,
}

impl Sql {
    /// Serves these databases.
    #[must_use]
    pub fn new(databases: Arc<Databases>) -> Self {
        Self { databases }
    }

    fn get(&self, call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
        let id = args.text(1)?;
        if id.is_empty() {
            return Err(invalid("connection ID is required").into());
        }
        let id = call.resolve(id);
        call.check("db.get", &id)?;
        call.check_namespace(&id)?;
        let entry = fail::entry(call, &id, "a database (such as `kind: db.sql.sqlite`)", |kind| kind.starts_with("db.sql."))?;
        if let Some(database) = self.databases.find(&entry)? {
            return Answer::one(call.keep(DB, Arc::new(Session::handle(database)))?);
        }
        let databases = Arc::clone(&self.databases);
        let keeper = call.keeper();
        call.run_blocking(move || {
            let database = databases.open(&entry)?;
            Ok(vec![keeper.keep(DB, Arc::new(Session::handle(database)))?])
        })
    }
}

fn constants(pairs: &[(&str, &str)]) -> Value {
    Value::Map(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

/// Reads statement and parameters.
fn statement(call: &ModuleCall<'_>, args: &Args<'_>, wish: Wish) -> Result<Work, Fault> {
    let sql = args.text(1)?;
    if sql.trim().is_empty() {
        return Err(invalid("query is required").into());
    }
    if sql.contains('\0') {
        return Err(invalid("a statement cannot have a zero byte in it: bind text that has one as a parameter").into());
    }
    let parameters = value::parameters(call, args.get(2))?;
    Ok(Work { sql: sql.into(), parameters, wish, exact: false, max_bytes: call.max_bytes(), freight: Some(call.freight()) })
}

/// Answers for what handles and transactions have in common.
fn on_session(call: &ModuleCall<'_>, session: &Arc<Session>, method: &str, args: &Args<'_>) -> Result<Answer, Fault> {
    match method {
        "query" => session.run(call, statement(call, args, Wish::Rows)?),
        "execute" => session.run(call, statement(call, args, Wish::Changes)?),
        "prepare" => prepare(call, session, args),
        "type" | "db_type" => {
            session.check()?;
            Answer::one(session.database().dialect().name())
        }
        other => Err(fail::not_found(format!("module `sql` has no method `{other}`")).into()),
    }
}

fn prepare(call: &ModuleCall<'_>, session: &Arc<Session>, args: &Args<'_>) -> Result<Answer, Fault> {
    let work = statement(call, args, Wish::Check)?;
    let keeper = call.keeper();
    let prepared = Prepared { session: Arc::clone(session), sql: Arc::clone(&work.sql), open: AtomicBool::new(true) };
    session.run_with(call, work, move |_| Ok(vec![keeper.keep(STATEMENT, Arc::new(prepared))?]))
}

fn on_handle(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (session, args) = call.method::<Session>(DB, function, args)?;
    match function {
        "DB:begin" => begin(call, &session, &args),
        "DB:release" => {
            session.close();
            Answer::one(true)
        }
        "DB:stats" => {
            session.check()?;
            Answer::one(stats(session.database()))
        }
        _ => on_session(call, &session, function.trim_start_matches("DB:"), &args),
    }
}

fn begin(call: &ModuleCall<'_>, session: &Arc<Session>, args: &Args<'_>) -> Result<Answer, Fault> {
    let options = args.opt_table(1)?;
    let isolation = match field(options, "isolation") {
        Value::Nil => Isolation::Default,
        other => other.as_str().and_then(Isolation::of).ok_or_else(|| {
            let shown = fail::shown(&other.to_string());
            invalid(format!("unknown isolation level {shown}: write one of `sql.isolation`"))
        })?,
    };
    let read_only = match field(options, "read_only") {
        Value::Nil => false,
        Value::Boolean(read_only) => *read_only,
        _ => return Err(invalid("`read_only` must be a boolean").into()),
    };
    let keeper = call.keeper();
    session.begin(call, isolation, read_only, move |transaction| keeper.keep(TRANSACTION, Arc::new(transaction)))
}

fn stats(database: &Database) -> Value {
    let stats = database.stats();
    let fields = [
        ("max_open_connections", stats.max_open.into()),
        ("open_connections", (stats.in_use + stats.idle).into()),
        ("in_use", stats.in_use.into()),
        ("idle", stats.idle.into()),
        ("wait_count", stats.waits.into()),
        ("wait_duration", format!("{:?}", stats.waited).into()),
        ("max_idle_closed", stats.max_idle_closed.into()),
        ("max_idle_time_closed", 0.into()),
        ("max_lifetime_closed", stats.max_lifetime_closed.into()),
    ];
    Value::Map(fields.into_iter().map(|(name, value): (&str, Value)| (name.into(), value)).collect())
}

fn on_transaction(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (session, args) = call.method::<Session>(TRANSACTION, function, args)?;
    let savepoint = |command: fn(String) -> Command| -> Result<Answer, Fault> {
        let name = args.text(1)?;
        if name.is_empty() {
            return Err(invalid("savepoint name is required").into());
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || name.len() > 128 {
            return Err(invalid("savepoint name can only contain alphanumeric characters and underscores").into());
        }
        session.command(call, command(name.to_owned()))
    };
    match function {
        "Transaction:commit" => session.command(call, Command::Commit),
        "Transaction:rollback" => session.command(call, Command::Rollback),
        "Transaction:savepoint" => savepoint(Command::Savepoint),
        "Transaction:rollback_to" => savepoint(Command::RollbackTo),
        "Transaction:release" => savepoint(Command::Release),
        _ => on_session(call, &session, function.trim_start_matches("Transaction:"), &args),
    }
}

fn on_statement(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (prepared, args) = call.method::<Prepared>(STATEMENT, function, args)?;
    if function == "Statement:close" {
        prepared.open.store(false, Ordering::Relaxed);
        return Answer::one(true);
    }
    if !prepared.open.load(Ordering::Relaxed) {
        return Err(invalid("statement is closed").into());
    }
    let wish = if function == "Statement:query" { Wish::Rows } else { Wish::Changes };
    let parameters = value::parameters(call, args.get(1))?;
    let sql = Arc::clone(&prepared.sql);
    prepared
        .session
        .run(call, Work { sql, parameters, wish, exact: true, max_bytes: call.max_bytes(), freight: Some(call.freight()) })
}

/// Makes a marked value of `sql.as`.
fn coerce(call: &ModuleCall<'_>, function: &str, args: &Args<'_>) -> Result<Answer, Fault> {
    let marked = match (function, args.get(1)) {
        (_, Value::Nil) => value::marked(value::NULL, 0),
        ("as_int", Value::Boolean(value)) => value::marked(value::INT, u64::from(*value)),
        ("as_int", Value::F64(float)) => value::marked(value::INT, (*float as i64).cast_unsigned()),
        ("as_int", Value::String(text)) => {
            let number = text.as_str().and_then(|text| text.trim().parse::<i64>().ok());
            let number = number.ok_or_else(|| args.fault(1, "number expected, got string"))?;
            value::marked(value::INT, number.cast_unsigned())
        }
        ("as_int", _) => value::marked(value::INT, args.integer(1)?.cast_unsigned()),
        ("as_float", Value::String(text)) => {
            let number = text.as_str().and_then(|text| text.trim().parse::<f64>().ok());
            let number = number.ok_or_else(|| args.fault(1, "number expected, got string"))?;
            value::marked(value::FLOAT, number.to_bits())
        }
        ("as_float", _) => value::marked(value::FLOAT, args.number(1)?.to_bits()),
        (_, given) => {
            let bytes = match given {
                Value::Boolean(value) => value.to_string().into_bytes(),
                Value::Integer(number) => number.to_string().into_bytes(),
                Value::F64(number) => number.to_string().into_bytes(),
                _ => args.bytes(1)?.to_vec(),
            };
            call.keep(if function == "as_text" { value::TEXT } else { value::BINARY }, Arc::new(bytes))?
        }
    };
    Answer::one(marked)
}

impl HostModule for Sql {
    fn name(&self) -> &str {
        "sql"
    }

    fn manifest(&self) -> Value {
        let manifest = Manifest::new()
            .functions(&["get", "null", "as_int", "as_float", "as_text", "as_binary"])
            .constant("type", constants(TYPES))
            .constant("isolation", constants(ISOLATION))
            .resource(DB, &["query", "execute", "prepare", "begin", "release", "stats", "type"])
            .resource(
                TRANSACTION,
                &["query", "execute", "prepare", "commit", "rollback", "savepoint", "rollback_to", "release", "db_type"],
            )
            .resource(STATEMENT, &["query", "execute", "close"])
            .resource(value::TEXT, &[])
            .resource(value::BINARY, &[])
            // These are numbers of their own and no handles: there is nothing to give back.
            .mark(value::NULL)
            .mark(value::INT)
            .mark(value::FLOAT);
        manifest.build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("sql/sql.lua"))
    }

    fn part(&self, name: &str) -> Option<&'static str> {
        (name == "builder").then_some(include_str!("sql/builder.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function {
            "get" => self.get(call, &Args::new(function, args)),
            "null" => Answer::one(value::marked(value::NULL, 0)),
            "as_int" | "as_float" | "as_text" | "as_binary" => {
                let args = Args::new(function.trim_start_matches("as_"), args);
                coerce(call, function, &args)
            }
            _ if function.starts_with("DB:") => on_handle(call, function, args),
            _ if function.starts_with("Transaction:") => on_transaction(call, function, args),
            _ if function.starts_with("Statement:") => on_statement(call, function, args),
            other => Err(Error::new("NotFound", format!("module `sql` has no function `{other}`")).into()),
        }
    }

    fn start(&self, node: &NodeHandle) -> Result<(), Error> {
        self.databases.start(node)
    }

    fn changed(&self, change: &Change) {
        self.databases.changed(change);
    }
}
