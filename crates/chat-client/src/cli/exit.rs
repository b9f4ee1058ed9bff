//! The exit codes, and what each means.

use std::process::{ExitCode, Termination};

/// How the program ends. `--help` tells the codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Exit {
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
    /// The number.
    pub fn code(self) -> u8 {
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

impl Termination for Exit {
    fn report(self) -> ExitCode {
        self.code().into()
    }
}
