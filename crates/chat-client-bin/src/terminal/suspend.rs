//! Ctrl-Z: the terminal itself does nothing on it while an editor has taken it over.

/// Stops the program, with those that the shell started beside it, and returns when the shell lets it go on.
#[cfg(unix)]
pub(super) async fn suspend() {
    use std::time::Duration;

    use rustix::process::{Signal, kill_current_process_group};
    use tokio::{
        signal::unix::{SignalKind, signal},
        time::timeout,
    };

    /// Without a shell to wake it up, it is not stopped.
    const STOP_TIMEOUT: Duration = Duration::from_millis(300);

    // The signal reaches some thread, some time: until it has, nobody may use the terminal.
    let Ok(mut continued) = signal(SignalKind::from_raw(Signal::CONT.as_raw())) else { return };
    if kill_current_process_group(Signal::TSTP).is_ok() {
        let _ = timeout(STOP_TIMEOUT, continued.recv()).await;
    }
}

#[cfg(not(unix))]
pub(super) async fn suspend() {}
