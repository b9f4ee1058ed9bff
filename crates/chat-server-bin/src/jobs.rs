//! Job control: who may use the terminal changes with each `Ctrl-Z`, `bg` and `fg`.

use std::{os::fd::AsFd, time::Duration};

/// After so long, whoever may not use the terminal looks again whether it may: nothing tells.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Whether this is the process's terminal, and another program is in front there. To read would suspend the whole process.
pub(super) fn in_background(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|front| front != rustix::process::getpgrp())
}
