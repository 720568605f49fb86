//! What work for a process asks while it goes on: whether anybody still waits for it, and whether there is room for what it gathers.

use moonlet_runtime::{Error, Freight};

use super::Canceled;

/// What is gathered is charged in pieces of this size.
const PIECE: usize = 16 * 1024;

/// Watches over one piece of work.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    canceled: Canceled,
    /// None: nothing is charged, in tests.
    freight: Option<Freight>,
    owed: usize,
}

impl Watch {
    /// For a job, or with a flag of its own for work in the caller's step.
    pub(crate) fn new(canceled: &Canceled, freight: Freight) -> Self {
        Self { canceled: canceled.clone(), freight: Some(freight), owed: 0 }
    }

    /// Tells whether to go on. It costs next to nothing.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.canceled.check()
    }

    /// Returns the flag that it looks at.
    pub(crate) fn canceled(&self) -> Canceled {
        self.canceled.clone()
    }

    /// Charges bytes that the work holds until its end; ask before they are allocated.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Error> {
        self.check()?;
        self.owed = self.owed.saturating_add(bytes);
        if self.owed >= PIECE
            && let Some(freight) = &self.freight
        {
            freight.add(std::mem::take(&mut self.owed))?;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn of(canceled: &Canceled) -> Self {
        Self { canceled: canceled.clone(), ..Self::default() }
    }

    #[cfg(test)]
    pub(crate) fn canceled_now() -> Self {
        let watch = Self::default();
        watch.canceled.set();
        watch
    }
}
