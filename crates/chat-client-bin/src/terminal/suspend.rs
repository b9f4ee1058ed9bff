//! Suspends the program on Ctrl-Z. In raw mode, the terminal does not do that itself.

/// Suspends the process group. Returns when the shell continues it.
#[cfg(unix)]
pub(super) async fn suspend() {
    use std::time::Duration;

    use rustix::process::{Signal, kill_current_process_group};
    use tokio::{
        signal::unix::{SignalKind, signal},
        time::timeout,
    };

    /// Without a shell that controls jobs, the system ignores the stop signal, and SIGCONT never arrives.
    const STOP_TIMEOUT: Duration = Duration::from_millis(300);

    // The stop signal may arrive late, in any thread. Wait for SIGCONT before using the terminal again.
    let Ok(mut continued) = signal(SignalKind::from_raw(Signal::CONT.as_raw())) else { return };
    if kill_current_process_group(Signal::TSTP).is_ok() {
        let _ = timeout(STOP_TIMEOUT, continued.recv()).await;
    }
}

#[cfg(not(unix))]
pub(super) async fn suspend() {}
