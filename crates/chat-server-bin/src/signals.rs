//! Signals. A terminating signal or the operator's `BYE` stops the server gracefully, a second signal stops it at once.
//! SIGUSR1 prints statistics.

use std::io;

use chat_server::ChatServer;
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::outlet::Outlet;

/// The signals that the program handles.
pub(super) struct Signals {
    #[cfg(unix)]
    ending: Vec<(&'static str, tokio::signal::unix::Signal)>,
    #[cfg(unix)]
    user: Option<tokio::signal::unix::Signal>,
}

/// The terminal is gone. The shell and the system may both send it, so it never counts as a second signal.
const HANGUP: &str = "SIGHUP";

impl Signals {
    #[cfg(unix)]
    pub(super) fn install() -> io::Result<Self> {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        // Also those that are seldom sent: their default action would end the program without `BYE`, and leave its
        // sockets behind.
        let terminating = [
            ("SIGINT", Signal::INT),
            ("SIGTERM", Signal::TERM),
            ("SIGQUIT", Signal::QUIT),
            ("SIGUSR2", Signal::USR2),
            ("SIGALRM", Signal::ALARM),
            ("SIGVTALRM", Signal::VTALARM),
            ("SIGPROF", Signal::PROF),
            ("SIGXCPU", Signal::XCPU),
            ("SIGIO", Signal::IO),
            #[cfg(target_os = "linux")]
            ("SIGPWR", Signal::POWER),
        ];
        let mut ending = Vec::new();
        for (name, number) in terminating {
            ending.push((name, signal(SignalKind::from_raw(number.as_raw()))?));
        }
        if !hangup_is_ignored() {
            ending.push((HANGUP, signal(SignalKind::hangup())?));
        }
        // Its default action ends a process that exceeds a file size limit. With a handler, the write fails instead, as
        // on a full disk.
        drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
        Ok(Self { ending, user: Some(signal(SignalKind::user_defined1())?) })
    }

    #[cfg(not(unix))]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for a terminating signal.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> &'static str {
        std::future::poll_fn(|cx| {
            let ready =
                self.ending.iter_mut().find_map(|(name, signal)| signal.poll_recv(cx).is_ready().then_some(*name));
            ready.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }

    /// Prints the statistics on stdout for each SIGUSR1, whatever the log level is.
    #[cfg(unix)]
    pub(super) fn answer_with_stats(&mut self, server: ChatServer, stdout: Outlet) {
        let Some(mut asked) = self.user.take() else { return };
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                if !stdout.push(format!("{}\n", server.stats()).into_bytes()) {
                    warn!("cannot answer SIGUSR1: standard output is not read");
                }
            }
        });
    }

    #[cfg(not(unix))]
    pub(super) fn answer_with_stats(&mut self, _: ChatServer, _: Outlet) {}

    /// Resolves when the program must stop gracefully. After that, another signal cuts all connections.
    pub(super) async fn stop_requested(mut self, server: ChatServer, bye: oneshot::Receiver<()>) {
        let cause = tokio::select! {
            signal = self.next() => signal,
            Ok(()) = bye => "BYE", // An error means that no `BYE` will come.
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

/// Whether SIGHUP was ignored at the start, as under `nohup`: then the program must outlive its terminal.
#[cfg(target_os = "linux")]
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A bit mask, of which SIGHUP, signal 1, is the lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Only Linux tells it without `unsafe`.
#[cfg(all(unix, not(target_os = "linux")))]
fn hangup_is_ignored() -> bool {
    false
}
