//! Reads the terminal's input on a thread of its own, because a read may last for ever.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tokio::sync::mpsc;

/// Maximum number of bytes of one read.
const READ_SIZE: usize = 64 * 1024;

/// The bytes that the terminal sends. After it is dropped, the thread reads no more.
#[derive(Debug)]
pub(crate) struct Keyboard {
    pieces: mpsc::Receiver<Vec<u8>>,
    is_over: Arc<AtomicBool>,
}

impl Keyboard {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, pieces) = mpsc::channel(1);
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        thread::Builder::new().name("keyboard".to_owned()).spawn(move || read(&sender, &ends))?;
        Ok(Self { pieces, is_over })
    }

    /// The next bytes. `None` when the terminal is gone. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        self.pieces.recv().await
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn read(pieces: &mpsc::Sender<Vec<u8>>, is_over: &AtomicBool) {
    let mut bytes = vec![0; READ_SIZE];
    loop {
        let read = system::wait().and_then(|()| {
            // This input is for the shell.
            if is_over.load(Ordering::Relaxed) { Ok(0) } else { system::read(&mut bytes) }
        });
        match read {
            Ok(0) => return,
            Ok(count) => {
                if pieces.blocking_send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(unix)]
mod system {
    use std::io;

    use rustix::event::{PollFd, PollFlags, poll};

    /// Waits until there is something to read.
    pub(super) fn wait() -> io::Result<()> {
        let input = io::stdin();
        poll(&mut [PollFd::new(&input, PollFlags::IN)], None)?;
        Ok(())
    }

    pub(super) fn read(bytes: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(io::stdin(), bytes)?)
    }
}

#[cfg(not(unix))]
mod system {
    use std::io::{self, Read};

    pub(super) fn wait() -> io::Result<()> {
        Ok(())
    }

    pub(super) fn read(bytes: &mut [u8]) -> io::Result<usize> {
        io::stdin().lock().read(bytes)
    }
}
