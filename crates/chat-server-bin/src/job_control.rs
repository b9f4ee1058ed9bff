//! Job control: after `Ctrl-Z` and `bg` the program must not use the terminal until `fg`.

use std::{os::fd::AsFd, time::Duration};

/// Interval at which a background process checks whether it may use the terminal again. The system reports no event.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Whether this process is a background job of the terminal. A read would then suspend it.
pub(super) fn in_background(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|foreground| foreground != rustix::process::getpgrp())
}
