//! The conversation of a script: stdin and stdout carry messages, stderr carries status, and the exit code is the
//! outcome.

use std::{io::IsTerminal, pin::Pin};

use chat_client::{
    CloseReason, Reconnecting, Redial, SessionEvent,
    conversation::{self, ConversationEnd, ConversationReport, InputError, Screen, input_lines, inputs, talk, texts},
};
use futures::{Stream, StreamExt, stream};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Args, Exit,
    json::{self, Record},
    log_file::{EventLog, LogFile},
    open_failure, pipe_format, print_error,
    stdout_closed::stdout_closed,
};

type Input = Pin<Box<dyn Stream<Item = Result<conversation::Input, InputError>>>>;

/// Maximum length of a JSON line, in bytes. The longest text fits, even with every character escaped.
const MAX_JSON_LINE: usize = 64 * 1024;

/// Why the conversation was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stop {
    /// The time of `--timeout` is over.
    Timeout,
    /// The reader of stdout has closed it.
    OutputClosed,
    /// Ctrl-C.
    Interrupt,
}

/// Runs a conversation from stdin to stdout.
pub(crate) async fn run(args: &Args, mut interrupts: mpsc::Receiver<()>) -> Exit {
    let log = match args.terminal.log.as_deref().map(LogFile::open).transpose() {
        Ok(log) => EventLog::new(log, args.name),
        Err(why) => {
            print_error(&why);
            return Exit::Failed;
        }
    };
    let settings = args.clone();
    let mut screen = Screen::new(tokio::io::stdout(), tokio::io::stderr()).format(move |event, lines| {
        if let SessionEvent::Event(event) = event {
            log.append(event);
        }
        pipe_format::show(&settings, event, lines);
    });
    if args.json {
        // A script that waits for an answer must not wait forever.
        screen = screen.format_failure(|why, lines| lines.data(&json::line(&Record::Failed { why })));
    }
    let reconnects = args.reconnect.resolve(false);
    let sessions = Reconnecting::new(Redial::to(args.server.clone()).name(args.name));
    let mut sessions = if reconnects { sessions } else { sessions.once() };
    let (stop, mut stopped) = (CancellationToken::new(), None);
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
    let report = {
        let mut talk = std::pin::pin!(talk(&mut sessions, input(args), &mut screen, stop.cancelled()));
        let mut deadline = std::pin::pin!(async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        });
        let mut output_closed = std::pin::pin!(stdout_closed());
        loop {
            let cause = tokio::select! {
                report = &mut talk => break report,
                Some(()) = interrupts.recv() => Stop::Interrupt,
                () = &mut deadline, if stopped.is_none() => Stop::Timeout,
                () = &mut output_closed, if stopped.is_none() => Stop::OutputClosed,
            };
            if cause == Stop::Interrupt && stopped == Some(cause) {
                return Exit::Interrupted;
            }
            stopped = Some(cause);
            stop.cancel();
        }
    };
    if may_try_again(&report, stopped) && !reconnects {
        screen.status("run it again, or use --reconnect");
        screen.flush().await;
    }
    exit(args, &report, stopped)
}

fn input(args: &Args) -> Input {
    if args.no_input {
        return Box::pin(stream::pending());
    }
    // What a person types at a terminal without an editor is no data.
    let reads_commands = args.commands || std::io::stdin().is_terminal();
    let stdin = tokio::io::stdin();
    let lines: Input = if args.json_in {
        Box::pin(input_lines(stdin, MAX_JSON_LINE).map(|line| line.map(|line| json::command(&line))))
    } else if reads_commands {
        Box::pin(inputs(stdin))
    } else {
        Box::pin(texts(stdin))
    };
    // With `--follow`, the conversation continues after the last line.
    if args.follow { Box::pin(lines.chain(stream::pending())) } else { lines }
}

/// Whether the connection was lost, and a second run would send no message twice.
fn may_try_again(report: &ConversationReport, stopped: Option<Stop>) -> bool {
    let is_lost =
        matches!(&report.end, ConversationEnd::Closed(reason) if reason.is_lost() || *reason == CloseReason::ServerBye);
    is_lost && report.unacknowledged == 0 && stopped.is_none()
}

/// The exit code. Messages without `OK` matter more than how the last attempt ended.
fn exit(args: &Args, report: &ConversationReport, stopped: Option<Stop>) -> Exit {
    if stopped == Some(Stop::Interrupt) {
        return Exit::Interrupted;
    }
    let exit = match &report.end {
        ConversationEnd::Closed(reason) => Exit::of_session(reason, stopped.is_some(), report.failure),
        ConversationEnd::OpenFailed(error) => {
            let (exit, message) = open_failure::explain(error, &args.server);
            print_error(&message);
            exit
        }
        ConversationEnd::Stopped => {
            print_error(&match stopped {
                Some(Stop::OutputClosed) => format!("no connection to {}, and stdout was closed", args.server),
                _ => format!("cannot connect to {} in time; raise --timeout", args.server),
            });
            Exit::CannotConnect
        }
        _ => Exit::Lost,
    };
    // A line that was not sent can be sent again: the exit code says why it was not sent.
    let explains_unsent = matches!(exit, Exit::CannotConnect | Exit::Lost | Exit::Failed);
    let without_ok = report.refused + report.unacknowledged + if explains_unsent { 0 } else { report.unsent };
    match exit {
        Exit::Refused => exit,
        _ if without_ok > 0 => Exit::Unacknowledged,
        exit => exit,
    }
}
