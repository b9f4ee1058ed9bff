//! Reads standard input. Reads a terminal only while the program is in the foreground.

use std::io;

/// Standard input, which may be a terminal.
pub(super) struct Input {
    #[cfg(unix)]
    is_terminal: bool,
}

#[cfg(unix)]
impl Input {
    pub(super) fn stdin() -> Self {
        use std::io::IsTerminal;
        Self { is_terminal: io::stdin().is_terminal() }
    }

    /// Waits for input and reads it. Returns 0 at the end of the input. `Ctrl-D` at a terminal is not the end, because the
    /// user can type more.
    ///
    /// Waits in `poll`, not in `read`: a process that is suspended during `read` and continued in the background would be
    /// suspended again.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        use rustix::{
            event::{PollFd, PollFlags, poll},
            io::Errno,
        };
        let stdin = io::stdin();
        loop {
            let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
            poll(&mut ready, None)?;
            let is_closed = ready[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
            if self.is_terminal && super::job_control::in_background(&stdin) {
                std::thread::sleep(super::job_control::CHECK_INTERVAL);
                continue;
            }
            match rustix::io::read(&stdin, &mut *bytes) {
                // Another process has read the input, or has made it non-blocking.
                Err(Errno::AGAIN) => {}
                Ok(0) | Err(Errno::IO) if self.is_terminal && !is_closed => {
                    std::thread::sleep(super::job_control::CHECK_INTERVAL);
                }
                read => return Ok(read?),
            }
        }
    }
}

#[cfg(not(unix))]
impl Input {
    pub(super) fn stdin() -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "same signature as on Unix")]
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut io::stdin(), bytes)
    }
}
