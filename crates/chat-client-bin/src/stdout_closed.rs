//! Notices that stdout is closed. A program that only listens would not notice before the next message.

use tokio::sync::oneshot;

/// Waits until the reader of stdout has closed it. On systems that do not report this, it waits for ever.
pub(crate) async fn stdout_closed() {
    let (closed, reported) = oneshot::channel::<()>();
    #[cfg(unix)]
    let spawned = std::thread::Builder::new().name("reader".to_owned()).spawn(move || {
        if wait_for_hang_up() {
            // The receiver may be gone already.
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

/// Blocks until stdout is closed. `false`: the system does not report it.
#[cfg(unix)]
fn wait_for_hang_up() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};

    let output = std::io::stdout();
    // No flags: errors and hang-ups are always reported.
    let mut watched = [PollFd::new(&output, PollFlags::empty())];
    loop {
        match poll(&mut watched, None) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
            Err(_) => return false,
        }
    }
}
