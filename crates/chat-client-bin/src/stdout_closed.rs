//! Whether anybody still reads standard output: a program that only listens would not find out before the next message.

use tokio::sync::oneshot;

/// Waits until the reader of standard output is gone, where the system tells; else for ever.
pub(crate) async fn stdout_closed() {
    let (tell, told) = oneshot::channel::<()>();
    #[cfg(unix)]
    let spawned = std::thread::Builder::new().name("reader".to_owned()).spawn(move || {
        if wait_for_hang_up() {
            // Perhaps nobody needs to know any more.
            let _ = tell.send(());
        }
    });
    #[cfg(unix)]
    drop(spawned);
    #[cfg(not(unix))]
    drop(tell);
    if told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Blocks. `false`: this cannot be known here.
#[cfg(unix)]
fn wait_for_hang_up() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};

    let output = std::io::stdout();
    // Nothing is asked for: errors and the end are told all the same.
    let mut watched = [PollFd::new(&output, PollFlags::empty())];
    loop {
        match poll(&mut watched, None) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
            Err(_) => return false,
        }
    }
}
