//! The exit codes, and what each means.

use std::{io::ErrorKind, process::ExitCode};

use chat_client::Closed;

/// How the program ends. `--help` tells the codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// 0: all that was said is acknowledged, and the session ended with `BYE`.
    Done,
    /// 1: the input could not be read, or the output not be written.
    Failed,
    /// 2: the command line is wrong.
    Usage,
    /// 3: no connection.
    CannotConnect,
    /// 4: the server does not let this client in: name taken, protocol, full.
    Refused,
    /// 5: the server ended the session, or the connection was lost; nothing that was sent is unacknowledged.
    Lost,
    /// 6: not every message was acknowledged with `OK`: refused, not sendable, or the session ended before.
    Unacknowledged,
    /// 130: interrupted with Ctrl-C.
    Interrupted,
}

/// The end of `--help`.
pub(super) const HELP: &str = "\
Exit codes:
  0    everything said was acknowledged
  1    the input cannot be read, or the output not be written
  2    wrong usage
  3    cannot connect
  4    refused by the server: name taken, unknown protocol, server full, no guests
  5    connection lost, or ended by the server, with nothing unacknowledged
  6    a message was refused or not acknowledged; standard error tells which
  130  interrupted (Ctrl-C says BYE first; a second one leaves at once)";

impl Exit {
    /// The exit code of a conversation that ended for this reason, with this many messages that got no `OK`.
    pub(crate) fn of_conversation(closed: Closed, without_ok: usize, failure: Option<ErrorKind>) -> Self {
        match (closed, failure) {
            (Closed::TurnedAway | Closed::GuestsRefused, _) => Self::Refused,
            _ if without_ok > 0 => Self::Unacknowledged,
            (Closed::Abandoned, _) | (Closed::Left, None | Some(ErrorKind::BrokenPipe)) => Self::Done,
            (Closed::Left, Some(_)) => Self::Failed,
            _ => Self::Lost,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::CannotConnect => 3,
            Self::Refused => 4,
            Self::Lost => 5,
            Self::Unacknowledged => 6,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_the_worst_that_happened() {
        for (closed, without_ok, failure, expected) in [
            (Closed::Left, 0, None, Exit::Done),
            (Closed::Left, 0, Some(ErrorKind::BrokenPipe), Exit::Done),
            (Closed::Left, 0, Some(ErrorKind::StorageFull), Exit::Failed),
            (Closed::Left, 1, None, Exit::Unacknowledged),
            (Closed::Eof, 0, None, Exit::Lost),
            (Closed::ServerBye, 0, None, Exit::Lost),
            (Closed::Eof, 1, None, Exit::Unacknowledged),
            (Closed::TurnedAway, 1, None, Exit::Refused),
            (Closed::Abandoned, 0, None, Exit::Done),
            (Closed::Abandoned, 1, None, Exit::Unacknowledged),
            (Closed::GuestsRefused, 0, None, Exit::Refused),
        ] {
            let code = Exit::of_conversation(closed, without_ok, failure);
            assert_eq!(code, expected, "{closed:?} {without_ok} {failure:?}");
        }
    }
}
