//! The conversation of a script: stdin and stdout carry messages, stderr carries status, and the exit code is the
//! outcome.

use std::{pin::Pin, time::Duration};

use chat_client::{
    ChatClient, CloseReason, DialOutcome, Name, Redial,
    conversation::{self, ConversationReport, InputError, Line, Screen, input_lines, inputs, render, talk},
};
use futures::{Stream, StreamExt, future::OptionFuture, stream};
use tokio::{
    io::{Stderr, Stdout},
    sync::mpsc,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    Args, Exit,
    json::{self, Record},
    leave_on_interrupt,
    log_file::{EventLog, LogFile},
    open_failure, print_error,
    stdout_closed::stdout_closed,
};

type Input = Pin<Box<dyn Stream<Item = Result<conversation::Input, InputError>>>>;

/// Maximum length of a JSON line, in bytes. The longest text fits, even with every character escaped.
const MAX_JSON_LINE: usize = 64 * 1024;

struct Pipe<'a> {
    args: &'a Args,
    interrupts: mpsc::Receiver<()>,
    screen: Screen<Stdout, Stderr>,
    input: Input,
    deadline: Option<Instant>,
    /// Refused messages of all sessions so far.
    refused: usize,
    /// Unacknowledged messages of all sessions so far.
    unacknowledged: usize,
}

/// Runs a conversation from stdin to stdout.
pub(crate) async fn run(args: &Args, interrupts: mpsc::Receiver<()>) -> Exit {
    let log = match args.terminal.log.as_deref().map(LogFile::open).transpose() {
        Ok(log) => log,
        Err(why) => {
            print_error(&why);
            return Exit::Failed;
        }
    };
    let (is_json, log) = (args.json, EventLog::new(log, args.name));
    let screen = Screen::new(tokio::io::stdout(), tokio::io::stderr()).format(move |event| {
        log.append(event);
        if is_json { Some(Line::Data(json::event(event))) } else { render(event) }
    });
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
    let pipe = Pipe { args, interrupts, screen, input: input(args), deadline, refused: 0, unacknowledged: 0 };
    pipe.run().await
}

fn input(args: &Args) -> Input {
    if args.no_input {
        return Box::pin(stream::pending());
    }
    let stdin = tokio::io::stdin();
    let lines: Input = if args.json_in {
        Box::pin(input_lines(stdin, MAX_JSON_LINE).map(|line| line.map(|line| json::command(&line))))
    } else {
        Box::pin(inputs(stdin))
    };
    // With `--follow`, the conversation continues after the last line.
    if args.follow { Box::pin(lines.chain(stream::pending())) } else { lines }
}

impl Pipe<'_> {
    async fn run(mut self) -> Exit {
        let mut redial = Redial::to(self.args.server.clone()).name(self.args.name);
        let reconnects = self.args.reconnect.resolve(false);
        let mut lost: Option<Instant> = None;
        loop {
            let dialed = tokio::select! {
                dialed = redial.next() => dialed,
                // There is no session yet, so there is nobody to send BYE to.
                Some(()) = self.interrupts.recv() => return Exit::Interrupted,
                Some(()) = sleep_until_some(self.deadline) => {
                    print_error(&format!("cannot connect to {} in time; raise --timeout", self.args.server));
                    return self.worst(Exit::CannotConnect);
                }
            };
            let (client, mut events) = match dialed {
                DialOutcome::Connected(client, events) => (client, events),
                DialOutcome::Failed { error, retry_in, .. } => {
                    let (exit, message) = open_failure::explain(&error, &self.args.server);
                    let Some(delay) = retry_in.filter(|_| reconnects) else {
                        print_error(&message);
                        return self.worst(exit);
                    };
                    self.screen.status(&format!("{message}; next attempt in {:.1} s", delay.as_secs_f32()));
                    self.screen.flush().await;
                    continue;
                }
                _ => continue,
            };
            self.show_connected(&client, lost.take().map(|lost| lost.elapsed()));
            self.screen.flush().await;
            let deadline = sleep_until_some(self.deadline);
            let until = async {
                tokio::select! {
                    Some(()) = deadline => {}
                    () = stdout_closed() => {}
                }
            };
            let report = tokio::select! {
                report = talk(&client, &mut events, &mut self.input, &mut self.screen, until) => report,
                Some(()) = self.interrupts.recv() => return leave_on_interrupt(&client, events, self.interrupts).await,
            };
            self.count_without_ok(&report).await;
            let may_reconnect = report.reason.is_lost() || report.reason == CloseReason::ServerBye;
            if !(reconnects && may_reconnect && !report.input_over) {
                // A second run might deliver unacknowledged messages twice, so do not suggest it then.
                if may_reconnect && !reconnects && report.unacknowledged.is_empty() {
                    self.screen.status("run it again, or use --reconnect");
                    self.screen.flush().await;
                }
                let without_ok = report.refused + report.unacknowledged.len();
                return self.worst(Exit::of_conversation(&report.reason, without_ok, report.failure));
            }
            lost = Some(Instant::now());
            self.screen.status("reconnecting");
            self.screen.flush().await;
        }
    }

    fn show_connected(&mut self, client: &ChatClient, gap: Option<Duration>) {
        let server = self.args.server.to_string();
        let name = client.name();
        if self.args.json {
            let name = name.as_ref().map(Name::as_str);
            let gap = gap.map(|gap| (gap.as_secs_f64() * 1000.0).round() / 1000.0);
            self.screen.data(&json::line(&Record::Connected { server: &server, name, gap }));
        }
        self.screen.status(&match (gap, name) {
            (Some(gap), _) => format!("reconnected after {:.1} s; messages in between are missing", gap.as_secs_f32()),
            (None, Some(name)) => format!("connected to {server} as {name} (/help lists the commands)"),
            (None, None) => format!("connected to {server} as a guest; --name NAME sets a name"),
        });
    }

    /// Counts the messages without `OK` of a session that ended. With `--json`, prints the unacknowledged ones.
    async fn count_without_ok(&mut self, report: &ConversationReport) {
        self.refused += report.refused;
        self.unacknowledged += report.unacknowledged.len();
        if self.args.json {
            for text in &report.unacknowledged {
                self.screen.data(&json::line(&Record::Unacknowledged { text: text.as_str() }));
            }
            self.screen.flush().await;
        }
    }

    /// The exit code of all sessions. Messages without `OK` matter more than how the last attempt ended.
    fn worst(&self, exit: Exit) -> Exit {
        if self.refused + self.unacknowledged > 0 && exit != Exit::Refused { Exit::Unacknowledged } else { exit }
    }
}

fn sleep_until_some(time: Option<Instant>) -> OptionFuture<Sleep> {
    time.map(sleep_until).into()
}
