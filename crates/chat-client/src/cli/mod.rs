//! The program: connects, logs in, joins the terminal or the pipe with the room, and says by its exit code how it went.

mod args;
mod exit;

use std::io::Write;

use tokio::sync::mpsc;

use crate::{
    ChatClient, CloseError, Closed, ConnectError, Events, Login, LoginError, Name, Screen, Talked, input_lines, render,
    talk,
};

pub use crate::Address;
pub use args::Args;
pub use exit::Exit;

/// Does what `args` say, with standard input, output and error. The caller owns the runtime.
///
/// A thread of the runtime may go on reading standard input: end the runtime without waiting for it.
pub async fn run(args: &Args) -> Exit {
    let mut interrupts = interrupts();
    let opened = tokio::select! {
        opened = open(&args.server, args.name) => opened,
        // There is nobody yet to say BYE to.
        Some(()) = interrupts.recv() => return Exit::Interrupted,
    };
    let (client, mut events) = match opened {
        Ok(session) => session,
        Err((exit, why)) => {
            complain(&why);
            return exit;
        }
    };
    let mut screen = Screen::new(tokio::io::stdout(), tokio::io::stderr());
    screen.status(&match client.name() {
        Some(name) => format!("connected to {} as {name} (/help tells the commands)", args.server),
        None => format!("connected to {} as a guest; --name NAME gives you a name", args.server),
    });
    screen.flush().await;
    let talked = tokio::select! {
        talked = talk(&client, &mut events, input_lines(tokio::io::stdin()), &mut screen) => talked,
        Some(()) = interrupts.recv() => return interrupted(&client, events, interrupts).await,
    };
    judge(&talked)
}

/// Each Ctrl-C from now on, also while nobody waits for one.
fn interrupts() -> mpsc::Receiver<()> {
    let (interrupt, interrupts) = mpsc::channel(2);
    tokio::spawn(async move {
        // Where Ctrl-C cannot be had, it ends the process as ever.
        while tokio::signal::ctrl_c().await.is_ok() && interrupt.send(()).await.is_ok() {}
    });
    interrupts
}

/// Connects and logs in, or says why not.
async fn open(server: &Address, name: Option<Name>) -> Result<(ChatClient, Events), (Exit, String)> {
    let cannot = |error: ConnectError| {
        let hint = "is the server running there? The address is the last argument, HOST:PORT";
        (Exit::CannotConnect, format!("cannot connect to {server}: {error} ({hint})"))
    };
    match server {
        Address::Tcp { .. } => log_in(crate::connect(&server.to_string()).await.map_err(cannot)?, name).await,
        #[cfg(unix)]
        Address::Unix(path) => log_in(crate::connect_unix(path).await.map_err(cannot)?, name).await,
        #[cfg(not(unix))]
        Address::Unix(_) => Err(cannot(ConnectError::NotTcp)),
    }
}

async fn log_in(login: Login, name: Option<Name>) -> Result<(ChatClient, Events), (Exit, String)> {
    let Some(name) = name else { return Ok(login.as_guest()) };
    login.log_in(name).await.map_err(|error| match &error {
        LoginError::NameRefused { .. } | LoginError::OutOfTries { .. } => {
            (Exit::Refused, format!("{error}: choose another with --name"))
        }
        LoginError::Closed | LoginError::Broken(_) => (Exit::Lost, format!("connection lost: {error}; try again")),
        LoginError::TurnedAway => (Exit::Refused, format!("{error}; try again later")),
        _ => (Exit::Refused, format!("{error}; check the address")),
    })
}

/// Says BYE first; a second interrupt leaves at once.
async fn interrupted(client: &ChatClient, events: Events, mut again: mpsc::Receiver<()>) -> Exit {
    // Nobody reads them any more, and nothing shall wait for that.
    drop(events);
    let report = tokio::select! {
        closed = client.close() => closed.unwrap_or_else(|CloseError(report)| report),
        Some(()) = again.recv() => return Exit::Interrupted,
    };
    if report.unknown > 0 {
        complain(&format!("interrupted; unacknowledged messages: {}", report.unknown));
    }
    Exit::Interrupted
}

/// The exit code of a conversation, the gravest of what happened.
fn judge(talked: &Talked) -> Exit {
    match (talked.closed, talked.failure) {
        (Closed::TurnedAway | Closed::GuestsRefused, _) => Exit::Refused,
        _ if talked.refused > 0 || !talked.unacknowledged.is_empty() => Exit::Unacknowledged,
        (Closed::Left, None | Some(std::io::ErrorKind::BrokenPipe)) => Exit::Done,
        (Closed::Left, Some(_)) => Exit::Failed,
        _ => Exit::Lost,
    }
}

/// One line on standard error, where there is one.
pub fn complain(why: &str) {
    drop(writeln!(std::io::stderr(), "chat-client: {}", render::escape(why)));
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn the_gravest_counts() {
        let text = || vec!["a".parse().unwrap()];
        for (closed, refused, unacknowledged, failure, exit) in [
            (Closed::Left, 0, vec![], None, Exit::Done),
            (Closed::Left, 0, vec![], Some(ErrorKind::BrokenPipe), Exit::Done),
            (Closed::Left, 0, vec![], Some(ErrorKind::StorageFull), Exit::Failed),
            (Closed::Left, 1, vec![], None, Exit::Unacknowledged),
            (Closed::Eof, 0, vec![], None, Exit::Lost),
            (Closed::ServerBye, 0, vec![], None, Exit::Lost),
            (Closed::Eof, 0, text(), None, Exit::Unacknowledged),
            (Closed::TurnedAway, 0, text(), None, Exit::Refused),
            (Closed::GuestsRefused, 0, vec![], None, Exit::Refused),
        ] {
            let talked = Talked { closed, refused, unacknowledged, failure };
            assert_eq!(judge(&talked), exit, "{talked:?}");
        }
    }
}
