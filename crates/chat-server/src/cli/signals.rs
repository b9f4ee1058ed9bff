//! Signals: SIGINT, SIGTERM and the operator's `BYE` stop the program, a second signal at once; SIGUSR1 asks for numbers.

use std::io::{self, Write};

use chat_server::ChatServer;
use tokio::sync::oneshot;
use tracing::{info, warn};

/// The signals that ask the program to end.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    user: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { interrupt, terminate, user: Some(signal(SignalKind::user_defined1())?) })
    }

    #[cfg(not(unix))]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }

    /// Answers each SIGUSR1 with the server in numbers, on stdout: asked for, it does not depend on how much is logged.
    #[cfg(unix)]
    pub(super) fn answer_with_stats(&mut self, server: ChatServer) {
        let Some(mut asked) = self.user.take() else { return };
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                let stats = server.stats();
                // A closed stdout cannot be told anything; one that nobody reads keeps only this waiting.
                let _ = tokio::task::spawn_blocking(move || writeln!(io::stdout(), "{stats}")).await;
            }
        });
    }

    #[cfg(not(unix))]
    pub(super) fn answer_with_stats(&mut self, _: ChatServer) {}

    /// Resolves when the program is to stop gracefully. From then on, a further signal cuts all connections.
    pub(super) async fn first_then_cut(mut self, server: ChatServer, bye: oneshot::Receiver<()>) {
        let cause = tokio::select! {
            signal = self.next() => signal,
            Ok(()) = bye => "BYE", // An error only ends the waiting for it.
        };
        info!(cause, "stopping");
        tokio::spawn(async move {
            let signal = self.next().await;
            warn!(signal, "stopping at once");
            server.cut();
        });
    }
}
