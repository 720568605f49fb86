//! A connection to a Postgres server.

use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use moonlet_runtime::{Error, Value};
use rustc_hash::FxHashMap;
use tokio::io::AsyncReadExt;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{CancelToken, Config, NoTls, SimpleQueryMessage, Statement};

use super::super::work::{Command, Rows, Task, Wish, Work, changes, too_large};
use super::client::Failure;
use super::settings::ServerSettings;
use crate::fail::invalid;

mod fault;
mod value;
mod wire;

use wire::{Seen, Watched};

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 64;

/// A connection.
pub(super) struct Postgres {
    client: tokio_postgres::Client,
    /// Reads and writes for it, and ends with it.
    carrier: JoinHandle<()>,
    seen: Arc<Seen>,
    statements: FxHashMap<Arc<str>, Statement>,
    max_value: u64,
}

/// Stops what runs on a connection.
pub(super) struct Stopper {
    token: CancelToken,
    settings: Arc<ServerSettings>,
}

impl Postgres {
    pub(super) async fn connect(settings: &ServerSettings) -> Result<Self, Error> {
        let (stream, seen) = Watched::new(wire::dial(settings).await?, settings);
        let mut config = Config::new();
        // TLS is there already, or not wanted.
        config.ssl_mode(SslMode::Disable).user(&settings.username).dbname(&settings.database).application_name("moonlet");
        if let Some(password) = &settings.password {
            config.password(password);
        }
        let mut options = "-c TimeZone=UTC".to_owned();
        for (name, value) in &settings.session {
            if name == "application_name" {
                config.application_name(value);
                continue;
            }
            let escaped: String = value
                .chars()
                .flat_map(|character| {
                    let escape = matches!(character, ' ' | '\\').then_some('\\');
                    escape.into_iter().chain([character])
                })
                .collect();
            options.push_str(&format!(" -c {name}={escaped}"));
        }
        config.options(options);
        let connected = config.connect_raw(stream, NoTls).await;
        let (client, connection) = connected.map_err(|error| fault::explain_connect(&error))?;
        let carrier = tokio::spawn(async move {
            // Whoever uses the connection hears why it ended.
            let _ = connection.await;
        });
        let max_value = settings.terms.max_value;
        Ok(Self { client, carrier, seen, statements: FxHashMap::default(), max_value })
    }

    pub(super) async fn perform(&mut self, task: &Task) -> Result<Vec<Value>, Failure> {
        match task {
            Task::Step(command) => self.step(command).await.map(|()| vec![true.into()]).map_err(Failure::from),
            Task::Run(work) => self.run(work).await,
        }
    }

    async fn step(&mut self, command: &Command) -> Result<(), Error> {
        let sql = match command {
            Command::Begin { isolation, read_only } => {
                let level = isolation.standard()?.map_or_else(String::new, |level| format!(" ISOLATION LEVEL {level}"));
                format!("BEGIN{level}{}", if *read_only { " READ ONLY" } else { "" })
            }
            // The server would answer this with a rollback, as if that were well.
            Command::Commit if self.seen.has_failed() => {
                self.command("ROLLBACK").await?;
                return Err(invalid("a statement of the transaction failed, so that it was rolled back: nothing is committed"));
            }
            other => other.sql('"'),
        };
        self.command(&sql).await
    }

    async fn command(&self, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).await.map_err(|error| self.explain(&error))
    }

    async fn run(&mut self, work: &Work) -> Result<Vec<Value>, Failure> {
        if work.wish == Wish::Changes && work.parameters.is_empty() && !work.exact {
            return self.several(&work.sql).await.map_err(Failure::from);
        }
        let statement = self.statement(&work.sql).await?;
        if work.wish == Wish::Check {
            return Ok(Vec::new());
        }
        match self.prepared(&statement, work).await {
            // A table changed since the statement was prepared. Nothing has happened yet, so that it can be asked for again.
            Err(Tried::Outdated(error)) => {
                self.statements.remove(&work.sql);
                if self.seen.in_transaction() {
                    return Err(self.explain(&error).into());
                }
                let statement = self.statement(&work.sql).await?;
                self.prepared(&statement, work).await.map_err(|tried| tried.failure(self))
            }
            tried => tried.map_err(|tried| tried.failure(self)),
        }
    }

    async fn statement(&mut self, sql: &Arc<str>) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(|error| self.explain(&error))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(Arc::clone(sql), statement.clone());
        Ok(statement)
    }

    async fn prepared(&self, statement: &Statement, work: &Work) -> Result<Vec<Value>, Tried> {
        let parameters = work.fitting(statement.params().len()).map_err(Failure::from)?;
        let stream = self.client.query_raw(statement, parameters).await.map_err(Tried::of)?;
        let mut stream = pin!(stream);
        let columns = statement.columns();
        let mut rows = Rows::new(columns.iter().map(|column| column.name().into()).collect(), work);
        while let Some(row) = stream.try_next().await.map_err(Tried::of)? {
            if work.wish == Wish::Rows {
                rows.check(row.raw_size_bytes()).map_err(Failure::TooMuch)?;
                let values = columns.iter().enumerate().map(|(index, column)| value::read(&row, index, column));
                rows.push(values).map_err(Failure::TooMuch)?;
            }
        }
        Ok(vec![match work.wish {
            Wish::Rows => rows.finish(),
            _ => changes(0.into(), stream.rows_affected().unwrap_or(0)),
        }])
    }

    /// Runs statements without parameters one after another, as one; what counts is the last.
    async fn several(&self, sql: &str) -> Result<Vec<Value>, Error> {
        let explain = |error: tokio_postgres::Error| self.explain(&error);
        let mut stream = pin!(self.client.simple_query_raw(sql).await.map_err(explain)?);
        let mut count = 0;
        while let Some(message) = stream.try_next().await.map_err(explain)? {
            if let SimpleQueryMessage::CommandComplete(rows) = message {
                count = rows;
            }
        }
        Ok(vec![changes(0.into(), count)])
    }

    fn explain(&self, error: &tokio_postgres::Error) -> Error {
        if self.seen.is_too_large() {
            let most = usize::try_from(self.max_value).unwrap_or(usize::MAX);
            return too_large(most, most.saturating_add(1));
        }
        fault::explain(error)
    }

    pub(super) async fn ping(&mut self) -> bool {
        // An answer to an empty statement comes after the answers to all before it.
        self.client.batch_execute("").await.is_ok()
    }

    pub(super) async fn reset(&mut self) -> bool {
        self.statements.clear();
        if self.in_transaction() && self.client.batch_execute("ROLLBACK").await.is_err() {
            return false;
        }
        self.client.batch_execute("DISCARD ALL").await.is_ok()
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.seen.in_transaction()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed() || self.seen.is_too_large()
    }

    pub(super) fn stopper(&self, settings: &Arc<ServerSettings>) -> Stopper {
        Stopper { token: self.client.cancel_token(), settings: Arc::clone(settings) }
    }

    pub(super) async fn close(mut self) {
        self.statements.clear();
        let Self { client, mut carrier, .. } = self;
        drop(client);
        // It says farewell unless the server still sends something that nobody wants.
        if tokio::time::timeout(super::GRACE / 2, &mut carrier).await.is_err() {
            carrier.abort();
        }
    }
}

impl Stopper {
    pub(super) async fn stop(self) {
        let Ok(mut stream) = wire::dial(&self.settings).await else { return };
        if self.token.cancel_query_raw(&mut stream, NoTls).await.is_ok() {
            // The server closes the connection when it has passed on what it was asked for. It sends nothing.
            let _ = stream.read_u8().await;
        }
    }
}

/// Why a prepared statement came to nothing.
enum Tried {
    Outdated(tokio_postgres::Error),
    Refused(tokio_postgres::Error),
    Failed(Failure),
}

impl Tried {
    fn of(error: tokio_postgres::Error) -> Self {
        let code = error.code();
        let is_outdated = code == Some(&SqlState::INVALID_SQL_STATEMENT_NAME)
            || code == Some(&SqlState::FEATURE_NOT_SUPPORTED)
                && error.as_db_error().is_some_and(|error| error.message().contains("cached plan"));
        if is_outdated { Self::Outdated(error) } else { Self::Refused(error) }
    }

    fn failure(self, client: &Postgres) -> Failure {
        match self {
            Self::Outdated(error) | Self::Refused(error) => client.explain(&error).into(),
            Self::Failed(failure) => failure,
        }
    }
}

impl From<Failure> for Tried {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
