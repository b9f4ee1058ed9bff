//! Explains why no session was opened: an exit code, and a message that says what to do.

use chat_client::{Address, LoginError, OpenError};

use crate::Exit;

/// The exit code and the message for `error`.
pub(crate) fn explain(error: &OpenError, server: &Address) -> (Exit, String) {
    let login = match error {
        OpenError::Connect(error) => {
            let hint = "is the server running? Give its address as the last argument";
            return (Exit::CannotConnect, format!("cannot connect to {server}: {error} ({hint})"));
        }
        OpenError::Login(login) => login,
        other => return (Exit::CannotConnect, other.to_string()),
    };
    match login {
        LoginError::NameRefused { .. } | LoginError::OutOfAttempts { .. } => {
            (Exit::Refused, format!("{login}: choose another with --name"))
        }
        LoginError::TimedOut => (Exit::CannotConnect, format!("cannot connect to {server}: {login}")),
        LoginError::Closed | LoginError::EndlessLine | LoginError::Io(_) => {
            (Exit::Lost, format!("connection lost: {login}; try again"))
        }
        LoginError::TurnedAway => (Exit::Refused, format!("{login}; try again later")),
        _ => (Exit::Refused, format!("{login}; check the address")),
    }
}
