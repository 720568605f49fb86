//! A connection to a server, whichever language it speaks.

use std::sync::Arc;

use moonlet_runtime::{Error, Value};

use super::super::database::Dialect;
use super::super::work::Task;
use super::mysql::{self, Mysql};
use super::postgres::{self, Postgres};
use super::settings::ServerSettings;

/// Why a task came to nothing.
pub(super) enum Failure {
    /// The result is larger than its reader takes, and there may be more of it.
    TooMuch(Error),
    /// Everything else.
    Given(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Given(error)
    }
}

/// A connection.
pub(super) enum Client {
    Postgres(Postgres),
    Mysql(Mysql),
}

/// Stops what runs on a connection, from another one.
pub(super) enum Stopper {
    Postgres(postgres::Stopper),
    Mysql(mysql::Stopper),
}

impl Client {
    /// Connects.
    pub(super) async fn connect(settings: &Arc<ServerSettings>) -> Result<Self, Error> {
        match settings.dialect {
            Dialect::Mysql => Mysql::connect(settings).await.map(Self::Mysql),
            _ => Postgres::connect(settings).await.map(Self::Postgres),
        }
    }

    /// Does what is asked. A future that is dropped leaves the connection in no good state.
    pub(super) async fn perform(&mut self, task: &Task) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Postgres(client) => client.perform(task).await,
            Self::Mysql(client) => client.perform(task).await,
        }
    }

    /// Waits until the server has ended what it did, and learns whether a transaction is open. False: the connection is of no use.
    pub(super) async fn ping(&mut self) -> bool {
        match self {
            Self::Postgres(client) => client.ping().await,
            Self::Mysql(client) => client.ping().await,
        }
    }

    /// Undoes everything that was set on the connection, transactions included. False: the connection is of no use.
    pub(super) async fn reset(&mut self) -> bool {
        match self {
            Self::Postgres(client) => client.reset().await,
            Self::Mysql(client) => client.reset().await,
        }
    }

    pub(super) fn in_transaction(&self) -> bool {
        match self {
            Self::Postgres(client) => client.in_transaction(),
            Self::Mysql(client) => client.in_transaction(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Postgres(client) => client.is_closed(),
            Self::Mysql(client) => client.is_closed(),
        }
    }

    pub(super) fn stopper(&self, settings: &Arc<ServerSettings>) -> Stopper {
        match self {
            Self::Postgres(client) => Stopper::Postgres(client.stopper(settings)),
            Self::Mysql(client) => Stopper::Mysql(client.stopper(settings)),
        }
    }

    pub(super) async fn close(self) {
        match self {
            Self::Postgres(client) => client.close().await,
            Self::Mysql(client) => client.close().await,
        }
    }
}

impl Stopper {
    /// Asks the server to stop; returns when it has heard.
    pub(super) async fn stop(self) {
        match self {
            Self::Postgres(stopper) => stopper.stop().await,
            Self::Mysql(stopper) => stopper.stop().await,
        }
    }
}
