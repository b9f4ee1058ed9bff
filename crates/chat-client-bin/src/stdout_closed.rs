//! Detects that stdout was closed. A client that only listens would otherwise notice at the next message.

use tokio::sync::oneshot;

/// Waits until the reader of stdout has closed it. Never returns on systems that do not report this.
pub(crate) async fn stdout_closed() {
    let (closed, reported) = oneshot::channel::<()>();
    #[cfg(unix)]
    let spawned = std::thread::Builder::new().name("stdout-closed".to_owned()).spawn(move || {
        if wait_for_hang_up() {
            // Fails if the session has ended.
            let _ = closed.send(());
        }
    });
    #[cfg(unix)]
    drop(spawned);
    #[cfg(not(unix))]
    drop(closed);
    if reported.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Blocks until stdout is closed. Returns `false` if the system does not report that.
#[cfg(unix)]
fn wait_for_hang_up() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};

    let output = std::io::stdout();
    // No flags: `poll` always reports errors and hang-ups.
    let mut watched = [PollFd::new(&output, PollFlags::empty())];
    loop {
        match poll(&mut watched, None) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
            Err(_) => return false,
        }
    }
}
