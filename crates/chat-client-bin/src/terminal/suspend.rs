//! Ctrl-Z: the terminal does not act on it while the editor has it in raw mode.

/// Stops the process group, and returns when the shell continues it.
#[cfg(unix)]
pub(super) async fn suspend() {
    use std::time::Duration;

    use rustix::process::{Signal, kill_current_process_group};
    use tokio::{
        signal::unix::{SignalKind, signal},
        time::timeout,
    };

    /// Without a shell, nobody continues the process, and the system does not stop it.
    const STOP_TIMEOUT: Duration = Duration::from_millis(300);

    // The stop signal may arrive late, in any thread. Do not use the terminal before it has.
    let Ok(mut continued) = signal(SignalKind::from_raw(Signal::CONT.as_raw())) else { return };
    if kill_current_process_group(Signal::TSTP).is_ok() {
        let _ = timeout(STOP_TIMEOUT, continued.recv()).await;
    }
}

#[cfg(not(unix))]
pub(super) async fn suspend() {}
