//! The program: connects, logs in, joins the terminal or the pipe with the room, and says by its exit code how it went.

mod args;
mod config;
mod exit;
mod json;
mod opening;
mod pipe;
mod reader;
mod terminal;

use std::io::{IsTerminal, Write};

use tokio::sync::mpsc;

use crate::{ChatClient, CloseError, Closed, Events, Talked, render};

pub use crate::Address;
pub use args::{Args, When};
pub use exit::Exit;

/// Does what `args` say, with standard input, output and error. The caller owns the runtime.
///
/// A thread of the runtime may go on reading standard input: end the runtime without waiting for it.
pub async fn run(args: &Args) -> Exit {
    let person = std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    // A dumb terminal cannot move its cursor: lines come and go there as in a pipe.
    let person = person && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb");
    let script = args.json || args.json_in || args.no_input || args.follow || args.timeout.is_some();
    if person && !script { terminal::run(args, interrupts()).await } else { pipe::run(args, interrupts()).await }
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
        (Closed::Abandoned, _) | (Closed::Left, None | Some(std::io::ErrorKind::BrokenPipe)) => Exit::Done,
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
            (Closed::Abandoned, 0, vec![], None, Exit::Done),
            (Closed::Abandoned, 0, text(), None, Exit::Unacknowledged),
            (Closed::GuestsRefused, 0, vec![], None, Exit::Refused),
        ] {
            let talked = Talked { closed, refused, unacknowledged, failure, input_over: true };
            assert_eq!(judge(&talked), exit, "{talked:?}");
        }
    }
}
