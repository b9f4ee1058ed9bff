//! The signals that a program at a terminal must handle. `Signals::next` returns each of them, independently of the keyboard.

/// A signal. Ctrl-C is none: in raw mode it is a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(unix), allow(dead_code, reason = "there are no such signals on this system"))]
pub(crate) enum Signal {
    /// End the program: SIGTERM, SIGHUP or SIGQUIT, by number.
    End(u8),
    /// The size of the terminal has changed.
    Resized,
    /// Stop, as with Ctrl-Z.
    Suspend,
    /// The program runs again after a stop.
    Continued,
}

#[cfg(unix)]
pub(crate) use unix::{Signals, ask_to_stop, can_stop, stop};

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::process::{Signal as Number, getpgrp, getpid, getsid, kill_current_process_group, kill_process};
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use super::Signal;

    /// The signals of this process.
    #[derive(Debug)]
    pub(crate) struct Signals {
        terminate: Stream,
        hang_up: Stream,
        quit: Stream,
        resized: Stream,
        stop: Stream,
        continued: Stream,
    }

    impl Signals {
        /// Installs the handlers.
        pub(crate) fn install() -> io::Result<Self> {
            let kind = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
            Ok(Self {
                terminate: kind(Number::TERM)?,
                hang_up: kind(Number::HUP)?,
                quit: kind(Number::QUIT)?,
                resized: kind(Number::WINCH)?,
                stop: kind(Number::TSTP)?,
                continued: kind(Number::CONT)?,
            })
        }

        /// The next signal. Cancel safe.
        pub(crate) async fn next(&mut self) -> Signal {
            tokio::select! {
                Some(()) = self.terminate.recv() => Signal::End(15),
                Some(()) = self.hang_up.recv() => Signal::End(1),
                Some(()) = self.quit.recv() => Signal::End(3),
                Some(()) = self.resized.recv() => Signal::Resized,
                Some(()) = self.stop.recv() => Signal::Suspend,
                Some(()) = self.continued.recv() => Signal::Continued,
                else => std::future::pending().await,
            }
        }
    }

    /// Stops this process. Restore the terminal first. Returns when the shell continues it.
    pub(crate) fn stop() {
        let _ = kill_process(getpid(), Number::STOP);
    }

    /// Asks all processes of the job to stop, as the terminal does on Ctrl-Z when it is not in raw mode. This process
    /// receives it too, as [`Signal::Suspend`].
    pub(crate) fn ask_to_stop() {
        let _ = kill_current_process_group(Number::TSTP);
    }

    /// Whether a shell controls jobs. Without one, nobody would continue this process.
    pub(crate) fn can_stop() -> bool {
        getsid(None).is_ok_and(|session| session != getpgrp())
    }
}

#[cfg(not(unix))]
pub(crate) use elsewhere::{Signals, ask_to_stop, can_stop, stop};

#[cfg(not(unix))]
mod elsewhere {
    use super::Signal;

    /// This system has none of these signals.
    #[derive(Debug)]
    pub(crate) struct Signals;

    impl Signals {
        pub(crate) fn install() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(crate) async fn next(&mut self) -> Signal {
            std::future::pending().await
        }
    }

    pub(crate) fn stop() {}

    pub(crate) fn ask_to_stop() {}

    pub(crate) fn can_stop() -> bool {
        false
    }
}
