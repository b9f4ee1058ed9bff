//! A script's conversation: messages on stdin and stdout, status on stderr, and the outcome as an exit code.

use std::{pin::Pin, time::Duration};

use chat_client::{
    ChatClient, CloseReason, DialOutcome, Name, Redial,
    conversation::{self, ConversationReport, InputError, Line, Screen, input_lines, inputs, talk},
};
use futures::{Stream, StreamExt, future::OptionFuture, stream};
use tokio::{
    io::{Stderr, Stdout},
    sync::mpsc,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    Args, Exit, complain, interrupted,
    json::{self, Record},
    open_failure,
    stdout_closed::stdout_closed,
};

type Input = Pin<Box<dyn Stream<Item = Result<conversation::Input, InputError>>>>;

/// Maximum length of a JSON line. Any text fits, even with every character escaped.
const MAX_JSON_LINE: usize = 64 * 1024;

struct Pipe<'a> {
    args: &'a Args,
    interrupts: mpsc::Receiver<()>,
    screen: Screen<Stdout, Stderr>,
    input: Input,
    deadline: Option<Instant>,
    /// Messages of earlier sessions that were refused or not acknowledged.
    refused: usize,
    unacknowledged: usize,
}

/// Runs a conversation from stdin to stdout.
pub(crate) async fn run(args: &Args, interrupts: mpsc::Receiver<()>) -> Exit {
    let screen = Screen::new(tokio::io::stdout(), tokio::io::stderr());
    let screen = if args.json { screen.format(|event| Some(Line::Data(json::event(event)))) } else { screen };
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
    // With `--follow`, the input never ends.
    if args.follow { Box::pin(lines.chain(stream::pending())) } else { lines }
}

impl Pipe<'_> {
    async fn run(mut self) -> Exit {
        let mut redial = Redial::to(self.args.server.clone()).name(self.args.name);
        let reconnects = self.args.reconnect.or(false);
        let mut lost: Option<Instant> = None;
        loop {
            let dialed = tokio::select! {
                dialed = redial.next() => dialed,
                // There is no session yet, so no BYE.
                Some(()) = self.interrupts.recv() => return Exit::Interrupted,
                Some(()) = deadline(self.deadline) => {
                    complain(&format!("cannot connect to {} in time (allow more with --timeout)", self.args.server));
                    return self.worst(Exit::CannotConnect);
                }
            };
            let (client, mut events) = match dialed {
                DialOutcome::Connected(client, events) => (client, events),
                DialOutcome::Failed { error, retry_in, .. } => {
                    let (exit, sentence) = open_failure::explain(&error, &self.args.server);
                    let Some(delay) = retry_in.filter(|_| reconnects) else {
                        complain(&sentence);
                        return self.worst(exit);
                    };
                    self.screen.status(&format!("{sentence}; next try in {:.1} s", delay.as_secs_f32()));
                    self.screen.flush().await;
                    continue;
                }
                _ => continue,
            };
            self.greet(&client, lost.take().map(|lost| lost.elapsed()));
            self.screen.flush().await;
            let deadline = deadline(self.deadline);
            let until = async {
                tokio::select! {
                    Some(()) = deadline => {}
                    () = stdout_closed() => {}
                }
            };
            let report = tokio::select! {
                report = talk(&client, &mut events, &mut self.input, &mut self.screen, until) => report,
                Some(()) = self.interrupts.recv() => return interrupted(&client, events, self.interrupts).await,
            };
            self.add_up(&report).await;
            let may_reconnect = report.reason.is_lost() || report.reason == CloseReason::ServerBye;
            if !(reconnects && may_reconnect && !report.input_over) {
                // After unacknowledged messages, do not suggest to run it again: it might send them twice.
                if may_reconnect && !reconnects && report.unacknowledged.is_empty() {
                    self.screen.status("try again, or let --reconnect do it");
                    self.screen.flush().await;
                }
                let without_ok = report.refused + report.unacknowledged.len();
                return self.worst(Exit::of_conversation(&report.reason, without_ok, report.failure));
            }
            lost = Some(Instant::now());
            self.screen.status("connecting again");
            self.screen.flush().await;
        }
    }

    fn greet(&mut self, client: &ChatClient, gap: Option<Duration>) {
        let server = self.args.server.to_string();
        let name = client.name();
        if self.args.json {
            let name = name.as_ref().map(Name::as_str);
            let gap = gap.map(|gap| (gap.as_secs_f64() * 1000.0).round() / 1000.0);
            self.screen.data(&json::line(&Record::Connected { server: &server, name, gap }));
        }
        self.screen.status(&match (gap, name) {
            (Some(gap), _) => format!("connected again; {:.1} s were not heard", gap.as_secs_f32()),
            (None, Some(name)) => format!("connected to {server} as {name} (/help tells the commands)"),
            (None, None) => format!("connected to {server} as a guest; --name NAME gives you a name"),
        });
    }

    /// Adds up the messages without `OK` of a session.
    async fn add_up(&mut self, report: &ConversationReport) {
        self.refused += report.refused;
        self.unacknowledged += report.unacknowledged.len();
        if self.args.json {
            for text in &report.unacknowledged {
                self.screen.data(&json::line(&Record::Unacknowledged { text: text.as_str() }));
            }
            self.screen.flush().await;
        }
    }

    /// Unacknowledged messages are more important than how the last attempt ended.
    fn worst(&self, exit: Exit) -> Exit {
        if self.refused + self.unacknowledged > 0 && exit != Exit::Refused { Exit::Unacknowledged } else { exit }
    }
}

fn deadline(time: Option<Instant>) -> OptionFuture<Sleep> {
    time.map(sleep_until).into()
}
