//! A terminal that echoes nothing: keys pressed while the editor is between two lines are neither shown nor changed.

#[cfg(unix)]
use rustix::termios::{InputModes, LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// While it lives, the terminal is quiet. The editor finds it so, and leaves it so after each line.
#[derive(Debug)]
pub(super) struct EchoOff {
    /// `None`: there is nothing to give back.
    #[cfg(unix)]
    before: Option<Termios>,
}

impl EchoOff {
    /// Failing, the terminal stays as it is: that is no more than ugly.
    #[cfg(unix)]
    pub(super) fn enable() -> Self {
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(mut modes) = before.clone() {
            modes.local_modes -= LocalModes::ECHO | LocalModes::ICANON;
            // Enter stays Enter: as a line feed, the editor would take it for Ctrl-J.
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
            // A terminal that is gone needs nothing back.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
