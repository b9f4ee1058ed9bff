//! Job control: `Ctrl-Z`, `bg` and `fg` decide whether the program may use the terminal.

use std::{os::fd::AsFd, time::Duration};

/// Interval at which a background process checks whether it may use the terminal: there is no event for it.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Whether this is the process's terminal, and another program is in its foreground. Reading would suspend the process.
pub(super) fn in_background(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|foreground| foreground != rustix::process::getpgrp())
}
