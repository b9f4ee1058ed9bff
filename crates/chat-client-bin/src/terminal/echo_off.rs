//! Turns off the terminal's echo, so that keys pressed between two lines are neither shown nor changed.

#[cfg(unix)]
use rustix::termios::{InputModes, LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Keeps the echo off until it is dropped. The editor restores the modes that it found, so the echo stays off between
/// lines.
#[derive(Debug)]
pub(super) struct EchoOff {
    /// The modes to restore. `None` if they could not be read.
    #[cfg(unix)]
    before: Option<Termios>,
}

impl EchoOff {
    /// Turns the echo off. Ignores errors: the terminal may then show keys twice.
    #[cfg(unix)]
    pub(super) fn enable() -> Self {
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(mut modes) = before.clone() {
            modes.local_modes -= LocalModes::ECHO | LocalModes::ICANON;
            // Otherwise the terminal turns Enter into a line feed, which the editor reads as Ctrl-J.
            modes.input_modes -= InputModes::ICRNL;
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &modes);
        }
        Self { before }
    }

    #[cfg(not(unix))]
    pub(super) fn enable() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for EchoOff {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Fails if the terminal is gone: there is nothing to restore.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
