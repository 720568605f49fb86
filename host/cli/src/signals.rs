//! SIGINT and SIGTERM: the first asks, the second ends at once.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;

use crate::{exit, output};

/// Sends an event for the first signal; a second one ends this program whatever it is at.
pub(crate) fn listen<T: Send + 'static>(events: Sender<T>, event: impl Fn() -> T + Send + 'static) -> io::Result<()> {
    // Handlers must stand when this returns, so that no signal is missed.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut signals = runtime.block_on(async { Signals::new() })?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            signals.next().await;
            // Nobody listens any more once the end has come.
            let _ = events.send(event());
            let number = signals.next().await;
            output::flush();
            end(exit::signal(number));
        });
    })?;
    Ok(())
}

#[expect(clippy::exit, reason = "the user has asked twice, and whatever still runs does not heed")]
fn end(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Gives the number of the next signal.
    async fn next(&mut self) -> u8 {
        use std::future::poll_fn;
        use std::task::Poll;

        const INTERRUPT: u8 = 2;
        const TERMINATE: u8 = 15;
        poll_fn(|context| {
            if self.interrupt.poll_recv(context).is_ready() {
                Poll::Ready(INTERRUPT)
            } else if self.terminate.poll_recv(context).is_ready() {
                Poll::Ready(TERMINATE)
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> u8 {
        const INTERRUPT: u8 = 2;
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPT
    }
}
