//! The operator's terminal, where `BYE` stops the server.

use std::{io, thread};

use tokio::sync::oneshot;

/// Resolves when `BYE` is typed; to an error if it never will. A server may well have no input.
pub(super) fn bye() -> oneshot::Receiver<()> {
    let (typed, bye) = oneshot::channel();
    if in_background() {
        return bye; // To read would suspend the whole process.
    }
    // A thread, because reading cannot be given up; it ends with the process.
    thread::spawn(move || {
        if io::stdin().lines().map_while(Result::ok).any(|line| line.trim() == "BYE") {
            // An error says that the server stops already.
            let _ = typed.send(());
        }
    });
    bye
}

/// Whether stdin is a terminal at which another program is in front, as after `chat-server &`.
#[cfg(unix)]
fn in_background() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|front| front != rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn in_background() -> bool {
    false
}
