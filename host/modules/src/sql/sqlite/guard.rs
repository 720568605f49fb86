//! What statements may not do, whoever wrote them: reach other files, load code, change how the database is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, Result};

/// What the guard and the connection tell each other while a statement is prepared.
#[derive(Default)]
pub(super) struct Flags {
    /// A statement of the host itself is prepared.
    pub(super) internal: AtomicBool,
    /// The statement is `VACUUM`, which attaches a file of its own.
    pub(super) vacuum: AtomicBool,
    /// The statement calls a function that can run for long without being interrupted.
    pub(super) heavy: AtomicBool,
    /// A statement makes or fills something temporary.
    pub(super) temporary: AtomicBool,
}

/// Settings that only tell about the database; their values cannot be changed from here.
const READABLE: &[&str] = &[
    "application_id",
    "auto_vacuum",
    "cell_size_check",
    "collation_list",
    "compile_options",
    "data_version",
    "encoding",
    "freelist_count",
    "function_list",
    "journal_mode",
    "max_page_count",
    "module_list",
    "page_count",
    "page_size",
    "pragma_list",
    "query_only",
    "schema_version",
];

/// Settings that belong to whoever uses the database, and questions with arguments.
const FREE: &[&str] = &[
    "application_id",
    "case_sensitive_like",
    "count_changes",
    "defer_foreign_keys",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "optimize",
    "quick_check",
    "recursive_triggers",
    "reverse_unordered_selects",
    "shrink_memory",
    "synchronous",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
    "wal_autocheckpoint",
    "wal_checkpoint",
];

/// Settings that applications make from habit: they have no effect, and are no error.
const IGNORED: &[&str] = &[
    "analysis_limit",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cache_spill",
    "journal_mode",
    "journal_size_limit",
    "locking_mode",
    "mmap_size",
    "page_size",
    "temp_store",
    "threads",
];

/// Functions that take time in proportion to what they return or less; a statement that calls others gets a thread of its own.
const LIGHT: &[&str] = &[
    "abs",
    "avg",
    "changes",
    "coalesce",
    "count",
    "date",
    "datetime",
    "ifnull",
    "iif",
    "julianday",
    "last_insert_rowid",
    "length",
    "lower",
    "max",
    "min",
    "nullif",
    "round",
    "sign",
    "strftime",
    "substr",
    "substring",
    "sum",
    "time",
    "total",
    "typeof",
    "unixepoch",
    "upper",
];

/// Confines a connection.
pub(super) fn confine(connection: &mut Connection, flags: &Arc<Flags>, max_value: i32) -> Result<()> {
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
    ] {
        connection.set_db_config(config, on)?;
    }
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, max_value),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        (Limit::SQLITE_LIMIT_COLUMN, 1000),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 500),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 500),
        (Limit::SQLITE_LIMIT_VDBE_OP, 1_000_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
        // `LIKE` compares at each place of a text, and cannot be stopped.
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 32_766),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    let flags = Arc::clone(flags);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        let reads = matches!(context.action, AuthAction::Read { .. } | AuthAction::Select | AuthAction::Pragma { .. });
        if context.database_name == Some("temp") && !reads {
            flags.temporary.store(true, Ordering::Relaxed);
        }
        judge(&flags, &context.action)
    }))
}

fn judge(flags: &Flags, action: &AuthAction<'_>) -> Authorization {
    if flags.internal.load(Ordering::Relaxed) {
        return Authorization::Allow;
    }
    match action {
        AuthAction::Attach { filename } if filename.is_empty() && flags.vacuum.load(Ordering::Relaxed) => Authorization::Allow,
        AuthAction::Detach { .. } if flags.vacuum.load(Ordering::Relaxed) => Authorization::Allow,
        AuthAction::Attach { .. } | AuthAction::Detach { .. } | AuthAction::Unknown { .. } => Authorization::Deny,
        AuthAction::Pragma { pragma_name, pragma_value } => pragma(pragma_name, pragma_value.is_some()),
        AuthAction::Function { function_name } => {
            let is = |name: &&str| function_name.eq_ignore_ascii_case(name);
            if ["load_extension", "fts3_tokenizer"].iter().any(is) {
                return Authorization::Deny;
            }
            if !LIGHT.iter().any(is) {
                flags.heavy.store(true, Ordering::Relaxed);
            }
            Authorization::Allow
        }
        AuthAction::Recursive => {
            flags.heavy.store(true, Ordering::Relaxed);
            Authorization::Allow
        }
        _ => Authorization::Allow,
    }
}

fn pragma(name: &str, sets: bool) -> Authorization {
    let is = |other: &&str| name.eq_ignore_ascii_case(other);
    if FREE.iter().any(is) || (!sets && READABLE.iter().any(is)) {
        Authorization::Allow
    } else if IGNORED.iter().any(is) {
        Authorization::Ignore
    } else {
        Authorization::Deny
    }
}
