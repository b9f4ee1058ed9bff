//! Signals: those that end a program, and the operator's `BYE`, stop it gracefully, a second one at once; SIGUSR1 asks for
//! numbers.

use std::io;

use chat_server::ChatServer;
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::outlet::Outlet;

/// The signals that ask the program to end.
pub(super) struct Signals {
    #[cfg(unix)]
    ending: Vec<(&'static str, tokio::signal::unix::Signal)>,
    #[cfg(unix)]
    user: Option<tokio::signal::unix::Signal>,
}

/// That the terminal is gone. A shell and the system each send it, so the second one says nothing new.
const HANGUP: &str = "SIGHUP";

impl Signals {
    #[cfg(unix)]
    pub(super) fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut ending = vec![
            ("SIGINT", signal(SignalKind::interrupt())?),
            ("SIGTERM", signal(SignalKind::terminate())?),
            ("SIGQUIT", signal(SignalKind::quit())?),
        ];
        if !hangup_is_ignored() {
            ending.push((HANGUP, signal(SignalKind::hangup())?));
        }
        // A log file at its limit of size is as a full disk is: taken, this signal ends nothing, and the write fails.
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        Ok(Self { ending, user: Some(signal(SignalKind::user_defined1())?) })
    }

    #[cfg(not(unix))]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) -> &'static str {
        std::future::poll_fn(|cx| {
            let ready =
                self.ending.iter_mut().find_map(|(name, signal)| signal.poll_recv(cx).is_ready().then_some(*name));
            ready.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await
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
    pub(super) fn answer_with_stats(&mut self, server: ChatServer, stdout: Outlet) {
        let Some(mut asked) = self.user.take() else { return };
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                if !stdout.push(format!("{}\n", server.stats()).into_bytes()) {
                    warn!("cannot answer SIGUSR1: nobody reads standard output");
                }
            }
        });
    }

    #[cfg(not(unix))]
    pub(super) fn answer_with_stats(&mut self, _: ChatServer, _: Outlet) {}

    /// Resolves when the program is to stop gracefully. From then on, a further signal cuts all connections.
    pub(super) async fn first_then_cut(mut self, server: ChatServer, bye: oneshot::Receiver<()>) {
        let cause = tokio::select! {
            signal = self.next() => signal,
            Ok(()) = bye => "BYE", // An error only ends the waiting for it.
        };
        info!(cause, "stopping");
        tokio::spawn(async move {
            let signal = loop {
                match self.next().await {
                    HANGUP => {}
                    signal => break signal,
                }
            };
            warn!(signal, "stopping at once");
            server.cut();
        });
    }
}

/// Whether the program was started to outlive its terminal, as `nohup` does: that is to stay so.
#[cfg(target_os = "linux")]
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A set of bits, of which SIGHUP, signal 1, is the lowest.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Only Linux tells it without a system call of its own.
#[cfg(all(unix, not(target_os = "linux")))]
fn hangup_is_ignored() -> bool {
    false
}
