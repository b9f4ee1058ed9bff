//! The exit codes and their meanings.

use std::{io::ErrorKind, process::ExitCode};

use chat_client::CloseReason;

/// The exit code of the program. `--help` lists all codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// 0: every message was acknowledged, and the session ended with `BYE`.
    Done,
    /// 1: the input could not be read, or the output could not be written.
    Failed,
    /// 2: the command line or the configuration file is invalid.
    Usage,
    /// 3: the client could not connect.
    CannotConnect,
    /// 4: the server refused the login: the name is taken, the protocol differs, or the server is full.
    Refused,
    /// 5: the server ended the session, or the connection was lost. No message is unacknowledged.
    Lost,
    /// 6: a line has no `OK`: it was refused, it was invalid, it was not sent, or the session ended before the `OK`.
    Unacknowledged,
    /// 130: interrupted with Ctrl-C.
    Interrupted,
    /// 128 and the number of the signal that ended the program.
    Signalled(u8),
}

/// The last part of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    all messages were acknowledged
  1    cannot read the input or write the output
  2    invalid command line or configuration file
  3    cannot connect
  4    login refused: name taken, unknown protocol, server full, or no guests allowed
  5    connection lost or closed by the server; no message is unacknowledged
  6    a line was refused, not acknowledged or not sent; standard error lists or counts it
  130  interrupted (Ctrl-C sends BYE and waits for the OKs; a second Ctrl-C exits at once)
  128+N  at a terminal: ended by signal N, such as SIGTERM (143)";

impl Exit {
    /// The exit code of a conversation whose last session ended for `reason`, and whose messages are all acknowledged.
    /// `is_stopped`: it had to end early. `failure` is the error that ended the input or the output.
    pub(crate) fn of_session(reason: &CloseReason, is_stopped: bool, failure: Option<ErrorKind>) -> Self {
        match (reason, failure) {
            (CloseReason::TurnedAway | CloseReason::GuestsRefused, _) => Self::Refused,
            (CloseReason::Left | CloseReason::TimedOut, Some(kind)) if kind != ErrorKind::BrokenPipe => Self::Failed,
            (CloseReason::Left, _) => Self::Done,
            (CloseReason::TimedOut, _) if is_stopped => Self::Done,
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
            Self::Signalled(number) => 128 + number,
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
    fn the_end_of_the_session_decides_the_exit_code() {
        for (reason, is_stopped, failure, expected) in [
            (CloseReason::Left, false, None, Exit::Done),
            (CloseReason::Left, false, Some(ErrorKind::BrokenPipe), Exit::Done),
            (CloseReason::Left, false, Some(ErrorKind::StorageFull), Exit::Failed),
            (CloseReason::Left, true, Some(ErrorKind::TimedOut), Exit::Failed),
            (CloseReason::Eof, false, None, Exit::Lost),
            (CloseReason::Silent, false, None, Exit::Lost),
            (CloseReason::ServerBye, false, None, Exit::Lost),
            (CloseReason::TurnedAway, false, None, Exit::Refused),
            (CloseReason::TimedOut, true, None, Exit::Done),
            (CloseReason::TimedOut, false, None, Exit::Lost),
            (CloseReason::GuestsRefused, false, None, Exit::Refused),
        ] {
            let code = Exit::of_session(&reason, is_stopped, failure);
            assert_eq!(code, expected, "{reason:?} {is_stopped} {failure:?}");
        }
    }
}
