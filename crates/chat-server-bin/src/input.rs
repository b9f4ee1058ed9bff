//! Standard input, at a terminal only while the program is in front there.

use std::io;

/// What is typed, or whatever else standard input is.
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

    /// Waits for more, and reads it; 0 at the end.
    ///
    /// It does not wait in `read`: a process that is suspended there and goes on in the background would be suspended again. At a
    /// terminal, `Ctrl-D` is not the end: more may be typed.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        use rustix::{
            event::{PollFd, PollFlags, poll},
            io::Errno,
        };
        let stdin = io::stdin();
        loop {
            let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
            poll(&mut ready, None)?;
            let is_over = ready[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
            if self.is_terminal && super::jobs::in_background(&stdin) {
                std::thread::sleep(super::jobs::LOOK_AGAIN);
                continue;
            }
            match rustix::io::read(&stdin, &mut *bytes) {
                // Somebody else may have read it, or have made it non-blocking.
                Err(Errno::AGAIN) => {}
                Ok(0) | Err(Errno::IO) if self.is_terminal && !is_over => {
                    std::thread::sleep(super::jobs::LOOK_AGAIN);
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

    #[expect(clippy::unused_self, reason = "the twin of another system's")]
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut io::stdin(), bytes)
    }
}
