//! A connection to a MySQL or MariaDB server.

use std::sync::Arc;

use moonlet_runtime::{Error, Value};
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;
use mysql_async::{ClientIdentity, Conn, DriverError, Opts, OptsBuilder, Params, QueryResult, SslOpts};

use super::super::work::{Command, Rows, Task, Wish, Work, changes, wrong_count};
use super::client::Failure;
use super::settings::{Mode, ServerSettings, Tls};
use crate::fail::unsupported;

mod fault;
mod value;

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 64;
/// What a packet may have beside a value.
const SLACK: u64 = 1 << 20;

/// A connection.
pub(super) struct Mysql {
    connection: Conn,
    in_transaction: bool,
    parse_time: bool,
}

/// Stops what runs on a connection.
pub(super) struct Stopper {
    number: u32,
    settings: Arc<ServerSettings>,
}

impl Mysql {
    pub(super) async fn connect(settings: &ServerSettings) -> Result<Self, Error> {
        let connection = dial(settings).await?;
        Ok(Self { connection, in_transaction: false, parse_time: settings.parse_time })
    }

    pub(super) async fn perform(&mut self, task: &Task) -> Result<Vec<Value>, Failure> {
        match task {
            Task::Step(command) => self.step(command).await.map(|()| vec![true.into()]).map_err(Failure::from),
            Task::Run(work) => self.run(work).await,
        }
    }

    async fn step(&mut self, command: &Command) -> Result<(), Error> {
        let Command::Begin { isolation, read_only } = command else { return self.command(&command.sql('`')).await };
        if let Some(level) = isolation.standard()? {
            self.command(&format!("SET TRANSACTION ISOLATION LEVEL {level}")).await?;
        }
        self.command(if *read_only { "START TRANSACTION READ ONLY" } else { "START TRANSACTION" }).await
    }

    async fn command(&mut self, sql: &str) -> Result<(), Error> {
        let result = self.connection.query_drop(sql).await;
        self.note();
        result.map_err(|error| fault::explain(&error))
    }

    async fn run(&mut self, work: &Work) -> Result<Vec<Value>, Failure> {
        let result = self.run_noted(work).await;
        // What answers a preparation looks like something else, and changes nothing.
        if work.wish != Wish::Check {
            self.note();
        }
        result
    }

    async fn run_noted(&mut self, work: &Work) -> Result<Vec<Value>, Failure> {
        let explain = |error: mysql_async::Error| Failure::Given(fault::explain(&error));
        if work.wish != Wish::Check && work.parameters.is_empty() && !work.exact {
            let result = self.connection.query_iter(&*work.sql).await.map_err(explain)?;
            return collect(result, work, self.parse_time).await;
        }
        let statement = self.connection.prep(&*work.sql).await.map_err(explain)?;
        if work.wish == Wish::Check {
            return Ok(Vec::new());
        }
        let parameters = work.fitting(usize::from(statement.num_params()))?;
        if parameters.len() > usize::from(u16::MAX) {
            return Err(wrong_count(usize::from(u16::MAX), parameters.len()).into());
        }
        let parameters = match parameters {
            [] => Params::Empty,
            some => Params::Positional(some.iter().map(value::bind).collect()),
        };
        let result = self.connection.exec_iter(statement, parameters).await.map_err(explain)?;
        collect(result, work, self.parse_time).await
    }

    /// Keeps what the server said about transactions with its last answer.
    fn note(&mut self) {
        if let Some(packet) = self.connection.last_ok_packet() {
            self.in_transaction = packet.status_flags().contains(StatusFlags::SERVER_STATUS_IN_TRANS);
        }
    }

    pub(super) async fn ping(&mut self) -> bool {
        let well = self.connection.ping().await.is_ok();
        self.note();
        well
    }

    pub(super) async fn reset(&mut self) -> bool {
        // Old servers cannot: then a new connection is the only clean one.
        let well = self.connection.reset().await.is_ok_and(|done| done);
        self.in_transaction = false;
        well
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connection.is_disconnected()
    }

    pub(super) fn stopper(&self, settings: &Arc<ServerSettings>) -> Stopper {
        Stopper { number: self.connection.id(), settings: Arc::clone(settings) }
    }

    pub(super) async fn close(self) {
        let _ = self.connection.disconnect().await;
    }
}

impl Stopper {
    pub(super) async fn stop(self) {
        let Ok(mut connection) = dial(&self.settings).await else { return };
        let _ = connection.query_drop(format!("KILL QUERY {}", self.number)).await;
        let _ = connection.disconnect().await;
    }
}

/// Collects what one or several statements give; what counts is the last.
async fn collect<P: mysql_async::prelude::Protocol>(
    mut result: QueryResult<'_, '_, P>,
    work: &Work,
    parse_time: bool,
) -> Result<Vec<Value>, Failure> {
    let mut last = Value::Array(Vec::new());
    loop {
        let columns = result.columns().unwrap_or_default();
        let mut rows = Rows::new(columns.iter().map(|column| column.name_str().as_ref().into()).collect(), work);
        if work.wish == Wish::Changes {
            last = changes(result.last_insert_id().unwrap_or(0).into(), result.affected_rows());
        }
        while let Some(row) = result.next().await.map_err(|error| Failure::Given(fault::explain(&error)))? {
            if work.wish == Wish::Rows {
                let values = row.unwrap_raw().into_iter().zip(columns.iter());
                let values =
                    values.map(|(value, column)| value::read(value.unwrap_or(mysql_async::Value::NULL), column, parse_time));
                rows.push(values.map(Ok)).map_err(Failure::TooMuch)?;
            }
        }
        if work.wish == Wish::Rows {
            last = rows.finish();
        }
        if result.is_empty() {
            break;
        }
    }
    // A statement after the first may have failed.
    result.drop_result().await.map_err(|error| Failure::Given(fault::explain(&error)))?;
    Ok(vec![last])
}

async fn dial(settings: &ServerSettings) -> Result<Conn, Error> {
    let tls = settings.tls.mode != Mode::Disable;
    if tls {
        // The driver reads the files itself, and does not say which one it misses.
        super::tls::options(&settings.tls)?;
    }
    match Conn::new(options(settings, tls)).await {
        Err(mysql_async::Error::Driver(DriverError::NoClientSslFlagFromServer)) if settings.tls.mode == Mode::Prefer => {
            Conn::new(options(settings, false)).await.map_err(|error| fault::explain_connect(&error))
        }
        Err(mysql_async::Error::Driver(DriverError::NoClientSslFlagFromServer)) => {
            Err(unsupported("the server has no TLS: set it up there, or write `options: { sslmode: disable }`"))
        }
        connected => connected.map_err(|error| fault::explain_connect(&error)),
    }
}

fn options(settings: &ServerSettings, tls: bool) -> Opts {
    let mut session = vec!["SET time_zone = '+00:00'".to_owned()];
    session.extend(settings.session.iter().map(|(name, value)| format!("SET {name} = {value}")));
    let packet = usize::try_from(settings.terms.max_value + SLACK).unwrap_or(usize::MAX);
    OptsBuilder::default()
        .ip_or_hostname(settings.host.clone())
        .tcp_port(settings.port)
        .user(Some(settings.username.clone()))
        .pass(settings.password.clone())
        .db_name(Some(settings.database.clone()))
        // The network, and not a socket whose path the server names.
        .prefer_socket(false)
        .stmt_cache_size(STATEMENTS)
        .client_found_rows(settings.found_rows)
        // Nobody waits in memory for the end of a packet that is too large.
        .max_allowed_packet(Some(packet))
        .wait_timeout(Some(28_800))
        .setup(session)
        .ssl_opts(tls.then(|| tls_options(&settings.tls)))
        .into()
}

fn tls_options(tls: &Tls) -> SslOpts {
    let mut options = SslOpts::default();
    if let Some(authorities) = &tls.authorities {
        options = options.with_root_certs(vec![authorities.clone().into()]).with_disable_built_in_roots(true);
    }
    if let (Some(certificate), Some(key)) = (&tls.certificate, &tls.key) {
        options = options.with_client_identity(Some(ClientIdentity::new(certificate.clone().into(), key.clone().into())));
    }
    match tls.mode {
        Mode::Disable | Mode::Prefer | Mode::Require => {
            options.with_danger_accept_invalid_certs(true).with_danger_skip_domain_validation(true)
        }
        Mode::VerifyCa => options.with_danger_skip_domain_validation(true),
        Mode::VerifyFull => options,
    }
}
