//! Job control. After `Ctrl-Z` and `bg` the program may not use the terminal; after `fg` it may.

use std::{os::fd::AsFd, time::Duration};

/// Interval at which a background process checks whether it may use the terminal. There is no event for this.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Whether the terminal controls this process, but another program is in its foreground. A read would then suspend this
/// process.
pub(super) fn in_background(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|foreground| foreground != rustix::process::getpgrp())
}
