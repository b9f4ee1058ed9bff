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
    /// 6: a message has no `OK`: it was refused, it was invalid, or the session ended before the `OK`.
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
  6    a message was refused or not acknowledged; standard error lists it
  130  interrupted (Ctrl-C sends BYE and waits for the OKs; a second Ctrl-C exits at once)
  128+N  at a terminal: ended by signal N, such as SIGTERM (143)";

impl Exit {
    /// The exit code of a conversation that ended for `reason`, with `without_ok` messages that have no `OK`. `failure`
    /// is the error that ended the input or the output.
    pub(crate) fn of_conversation(reason: &CloseReason, without_ok: usize, failure: Option<ErrorKind>) -> Self {
        match (reason, failure) {
            (CloseReason::TurnedAway | CloseReason::GuestsRefused, _) => Self::Refused,
            _ if without_ok > 0 => Self::Unacknowledged,
            (CloseReason::TimedOut, _) | (CloseReason::Left, None | Some(ErrorKind::BrokenPipe)) => Self::Done,
            (CloseReason::Left, Some(_)) => Self::Failed,
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
    fn the_worst_outcome_decides_the_exit_code() {
        for (reason, without_ok, failure, expected) in [
            (CloseReason::Left, 0, None, Exit::Done),
            (CloseReason::Left, 0, Some(ErrorKind::BrokenPipe), Exit::Done),
            (CloseReason::Left, 0, Some(ErrorKind::StorageFull), Exit::Failed),
            (CloseReason::Left, 1, None, Exit::Unacknowledged),
            (CloseReason::Eof, 0, None, Exit::Lost),
            (CloseReason::ServerBye, 0, None, Exit::Lost),
            (CloseReason::Eof, 1, None, Exit::Unacknowledged),
            (CloseReason::TurnedAway, 1, None, Exit::Refused),
            (CloseReason::TimedOut, 0, None, Exit::Done),
            (CloseReason::TimedOut, 1, None, Exit::Unacknowledged),
            (CloseReason::GuestsRefused, 0, None, Exit::Refused),
        ] {
            let code = Exit::of_conversation(&reason, without_ok, failure);
            assert_eq!(code, expected, "{reason:?} {without_ok} {failure:?}");
        }
    }
}
