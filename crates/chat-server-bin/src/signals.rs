//! Handles signals: the first terminating signal stops the server gracefully, the second stops it at once. SIGUSR1 prints
//! counters.

use std::io;

use chat_server::ChatServer;
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::outlet::Outlet;

/// The installed signal handlers.
pub(super) struct Signals {
    #[cfg(unix)]
    terminating: Vec<(&'static str, tokio::signal::unix::Signal)>,
    #[cfg(unix)]
    usr1: Option<tokio::signal::unix::Signal>,
}

/// The signal of a closed terminal. The shell and the system may both send it, so it does not count as a second signal.
const HANGUP: &str = "SIGHUP";

impl Signals {
    /// Installs the handlers.
    #[cfg(unix)]
    pub(super) fn install() -> io::Result<Self> {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        // By default, even rarely used signals would end the program without `BYE`, and leave its Unix sockets behind.
        let names_and_numbers = [
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
        let mut terminating = Vec::new();
        for (name, number) in names_and_numbers {
            terminating.push((name, signal(SignalKind::from_raw(number.as_raw()))?));
        }
        if !hangup_is_ignored() {
            terminating.push((HANGUP, signal(SignalKind::hangup())?));
        }
        // By default, SIGXFSZ ends a process that exceeds the limit of file sizes. With a handler, the write fails instead,
        // as on a full disk.
        drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
        Ok(Self { terminating, usr1: Some(signal(SignalKind::user_defined1())?) })
    }

    #[cfg(not(unix))]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for a terminating signal.
    #[cfg(unix)]
    pub(super) async fn next_terminating(&mut self) -> &'static str {
        std::future::poll_fn(|cx| {
            let ready =
                self.terminating.iter_mut().find_map(|(name, signal)| signal.poll_recv(cx).is_ready().then_some(*name));
            ready.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await
    }

    #[cfg(not(unix))]
    pub(super) async fn next_terminating(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }

    /// Prints the counters to stdout on each SIGUSR1, independently of the log level.
    #[cfg(unix)]
    pub(super) fn print_stats_on_usr1(&mut self, server: ChatServer, stdout: Outlet) {
        let Some(mut usr1) = self.usr1.take() else { return };
        tokio::spawn(async move {
            while usr1.recv().await.is_some() {
                if !stdout.push(format!("{}\n", server.stats()).into_bytes()) {
                    warn!("cannot print the counters: nothing reads standard output");
                }
            }
        });
    }

    #[cfg(not(unix))]
    pub(super) fn print_stats_on_usr1(&mut self, _: ChatServer, _: Outlet) {}

    /// Resolves when the server must stop gracefully. After that, a terminating signal cuts all connections.
    pub(super) async fn stop_requested(mut self, server: ChatServer, bye: oneshot::Receiver<()>) {
        let cause = tokio::select! {
            signal = self.next_terminating() => signal,
            // An error means that the input has ended.
            Ok(()) = bye => "BYE",
        };
        info!(cause, "stopping");
        tokio::spawn(async move {
            let signal = loop {
                match self.next_terminating().await {
                    HANGUP => {}
                    signal => break signal,
                }
            };
            warn!(signal, "stopping at once");
            server.cut();
        });
    }
}

/// Whether the program was started with SIGHUP ignored, as by `nohup`. It must then outlive its terminal.
#[cfg(target_os = "linux")]
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A bit mask. SIGHUP is signal 1, the lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Other systems do not report this without `unsafe` code.
#[cfg(all(unix, not(target_os = "linux")))]
fn hangup_is_ignored() -> bool {
    false
}
