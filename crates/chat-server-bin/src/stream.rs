//! The standard streams as the system has them: without a buffer, and whatever others have made of them.

use std::io;

/// Standard output or standard error.
pub(super) enum Stream {
    Stdout,
    Stderr,
}

#[cfg(unix)]
impl Stream {
    /// Writes a part, or as [`io::ErrorKind::WouldBlock`] where somebody has made it so.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.wait_for_the_terminal();
        self.with(|stream| Ok(rustix::io::write(stream, bytes)?))
    }

    /// Waits until it takes more, or its reader is gone.
    pub(super) fn wait(&self) {
        use rustix::event::{PollFd, PollFlags, poll};
        // Any error shows when it is written to.
        let _ = self.with(|stream| poll(&mut [PollFd::from_borrowed_fd(stream, PollFlags::OUT)], None));
    }

    /// Makes a pipe larger, if it is one. What is in a pipe is still there when its writer has ended.
    pub(super) fn make_room(&self) {
        #[cfg(target_os = "linux")]
        {
            /// What everybody may have.
            const ROOM: usize = 1 << 20;
            let _ = self.with(|stream| rustix::pipe::fcntl_setpipe_size(stream, ROOM));
        }
    }

    /// Where `stty tostop` says so, a write from the background would suspend the whole process.
    fn wait_for_the_terminal(&self) {
        use rustix::termios::{LocalModes, tcgetattr};
        let is_forbidden = || {
            self.with(|stream| {
                super::jobs::in_background(stream)
                    && tcgetattr(stream).is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP))
            })
        };
        while is_forbidden() {
            std::thread::sleep(super::jobs::LOOK_AGAIN);
        }
    }

    fn with<T>(&self, then: impl FnOnce(std::os::fd::BorrowedFd<'_>) -> T) -> T {
        use std::os::fd::AsFd;
        match self {
            Self::Stdout => then(io::stdout().as_fd()),
            Self::Stderr => then(io::stderr().as_fd()),
        }
    }
}

#[cfg(not(unix))]
impl Stream {
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        use std::io::Write;
        match self {
            Self::Stdout => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush())?,
            Self::Stderr => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    pub(super) fn wait(&self) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }

    #[expect(clippy::unused_self, reason = "the twin of another system's")]
    pub(super) fn make_room(&self) {}
}
