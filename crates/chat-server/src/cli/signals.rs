//! What makes the program stop: SIGINT, SIGTERM, the operator's `BYE`; and a second signal, at once.

use std::io;

use chat_server::ChatServer;
use tokio::sync::oneshot;
use tracing::{info, warn};

/// The signals that ask the program to end.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
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
