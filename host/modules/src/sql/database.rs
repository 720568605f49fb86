//! A database, whichever kind it is, and its connections.

use std::sync::Arc;
use std::time::Duration;

use moonlet_runtime::{Error, Value};

use super::server::{self, Owner, Server};
use super::sqlite::{self, Sqlite};
use super::work::{Parameter, Wish, Work};

/// What holds for statements of every database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// The most bytes of one value, or of one row where the database does not tell values apart while they come.
    pub(super) max_value: u64,
    /// How long a statement may run.
    pub(super) statement_timeout: Duration,
    /// How long to wait for a connection.
    pub(super) wait_timeout: Duration,
}

/// Which language a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    Mysql,
}

impl Dialect {
    /// The name by which Lua knows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }

    /// What stands around names.
    pub(crate) fn quote(self) -> char {
        if self == Self::Mysql { '`' } else { '"' }
    }

    /// Writes a statement of the host, whose placeholders are `?`, as the database wants them.
    pub(crate) fn placeholders(self, sql: &str) -> String {
        if self != Self::Postgres {
            return sql.to_owned();
        }
        let mut written = String::with_capacity(sql.len() + 16);
        for (number, piece) in sql.split('?').enumerate() {
            if number > 0 {
                written.push_str(&format!("${number}"));
            }
            written.push_str(piece);
        }
        written
    }
}

/// Numbers about a database for `db:stats()`.
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) max_open: u64,
    pub(super) in_use: u64,
    pub(super) idle: u64,
    pub(super) waits: u64,
    pub(super) waited: Duration,
    pub(super) max_idle_closed: u64,
    pub(super) max_lifetime_closed: u64,
}

/// One database.
pub(crate) enum Database {
    /// A file, or memory, of this program.
    Sqlite(Sqlite),
    /// A server on the network.
    Server(Arc<Server>),
}

/// A connection, for as long as somebody has it. What is left open at the end is rolled back.
pub(super) enum Lease {
    Sqlite(sqlite::Lease),
    Server(server::Lease),
}

impl Database {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Server(server) => server.dialect(),
        }
    }

    pub(super) fn terms(&self) -> Terms {
        match self {
            Self::Sqlite(sqlite) => sqlite.settings().terms,
            Self::Server(server) => server.settings().terms,
        }
    }

    pub(super) fn stats(&self) -> Stats {
        match self {
            Self::Sqlite(sqlite) => sqlite.stats(),
            Self::Server(server) => server.stats(),
        }
    }

    /// Stands for somebody who keeps what he sets on connections, see [`Owner`]; none where there is nothing to keep apart.
    pub(super) fn owner(&self) -> Option<Arc<Owner>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Server(server) => Some(Owner::of(server)),
        }
    }

    /// Waits for a connection.
    pub(super) async fn lease(&self, owner: Option<&Arc<Owner>>) -> Result<Lease, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.lease().await.map(Lease::Sqlite),
            Self::Server(server) => server.lease(owner.map_or(0, |owner| owner.number())).await.map(Lease::Server),
        }
    }

    /// Waits until nobody has the connection, where there is only one.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.lease().await.map(drop),
            Self::Server(_) => Ok(()),
        }
    }

    /// Runs a statement of the host on a thread that may wait: gives its rows, or what it changed.
    pub(crate) fn run_blocking(
        &self,
        sql: &Arc<str>,
        parameters: Vec<Parameter>,
        rows: bool,
        max_bytes: usize,
    ) -> Result<Value, Error> {
        let wish = if rows { Wish::Rows } else { Wish::Changes };
        let work = Work { sql: Arc::clone(sql), parameters, wish, exact: true, max_bytes, freight: None };
        let values = match self {
            Self::Sqlite(sqlite) => sqlite.run_blocking(&work)?,
            Self::Server(server) => server.run_blocking(work)?,
        };
        Ok(values.into_iter().next().unwrap_or(Value::Nil))
    }
}

impl Lease {
    /// Tells whether a transaction is open.
    pub(super) fn in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(lease) => lease.in_transaction(),
            Self::Server(lease) => lease.in_transaction(),
        }
    }
}
