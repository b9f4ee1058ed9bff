//! Unbuffered writes to standard output and standard error.

use std::io;

/// Standard output or standard error.
pub(super) enum Stream {
    Stdout,
    Stderr,
}

#[cfg(unix)]
impl Stream {
    /// Writes some of the bytes, and returns how many. May fail with [`io::ErrorKind::WouldBlock`], because another process
    /// can make the stream non-blocking.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.wait_for_terminal();
        self.with(|stream| Ok(rustix::io::write(stream, bytes)?))
    }

    /// Waits until the stream is writable or closed.
    pub(super) fn wait(&self) {
        use rustix::event::{PollFd, PollFlags, poll};
        // The next write reports any error.
        let _ = self.with(|stream| poll(&mut [PollFd::from_borrowed_fd(stream, PollFlags::OUT)], None));
    }

    /// Enlarges the buffer of the stream if it is a pipe. The bytes in the buffer outlive this process.
    pub(super) fn enlarge_pipe(&self) {
        #[cfg(target_os = "linux")]
        {
            /// The default maximum for unprivileged processes.
            const PIPE_BYTES: usize = 1 << 20;
            let _ = self.with(|stream| rustix::pipe::fcntl_setpipe_size(stream, PIPE_BYTES));
        }
    }

    /// Waits until the process may write. After `stty tostop`, a write from the background would suspend it.
    fn wait_for_terminal(&self) {
        use rustix::termios::{LocalModes, tcgetattr};
        let is_forbidden = || {
            self.with(|stream| {
                super::job_control::in_background(stream)
                    && tcgetattr(stream).is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP))
            })
        };
        while is_forbidden() {
            std::thread::sleep(super::job_control::CHECK_INTERVAL);
        }
    }

    fn with<T>(&self, action: impl FnOnce(std::os::fd::BorrowedFd<'_>) -> T) -> T {
        use std::os::fd::AsFd;
        match self {
            Self::Stdout => action(io::stdout().as_fd()),
            Self::Stderr => action(io::stderr().as_fd()),
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

    #[expect(clippy::unused_self, reason = "same signature as on Unix")]
    pub(super) fn enlarge_pipe(&self) {}
}
