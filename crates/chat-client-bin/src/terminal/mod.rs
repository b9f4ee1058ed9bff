//! The conversation of a person at a terminal: the line editor is at the bottom, the chat room above it.

mod burst;
mod completion;
mod draft;
mod echo_off;
mod editor;
mod output;
mod paint;
mod print_queue;
mod sent_messages;
mod session_events;
mod size;
mod suspend;
mod typed_line;

use std::time::Duration;

use chat_client::{Address, ChatClient, Name, Reconnecting, Redial, SessionEvent};
use futures::future::OptionFuture;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use self::{
    completion::Completions,
    editor::{Editor, EditorEvent},
    output::Output,
    sent_messages::SentMessages,
};
use crate::{Args, Exit, print_error};

/// Time to wait for acknowledgements before leaving.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);
const NAME_PROMPT: &str = "name: ";

struct Terminal<'a> {
    args: &'a Args,
    session: Reconnecting,
    stage: Stage,
    name: Option<Name>,
    completions: Completions,
    output: Output,
    sent: SentMessages,
    interrupts: mpsc::Receiver<()>,
    /// Whether a session was open before. If so, the client retries after a failed attempt. A failed first attempt ends
    /// the program.
    was_connected: bool,
    /// While leaving: the exit code and the deadline.
    leaving: Option<(Exit, Instant)>,
}

/// The stage of the connection.
enum Stage {
    /// Waiting for the person to enter a name.
    AskingName,
    /// Connecting or reconnecting.
    Connecting,
    Connected(ChatClient),
}

/// One event of the main loop.
enum Step {
    Session(Option<SessionEvent>),
    Typed(EditorEvent),
    /// The outcome of a sent message. The text if the outcome is unknown.
    Sent(Option<String>),
    Interrupt,
    /// A deadline has passed.
    Due,
}

/// Runs a conversation at the terminal.
pub(super) async fn run(args: &Args, interrupts: mpsc::Receiver<()>) -> Exit {
    let completions = Completions::default();
    let mut output = Output::new(args);
    let stage = if args.name.is_some() { Stage::Connecting } else { Stage::AskingName };
    let prompt = if args.name.is_some() { sent_messages::CONNECTING_PROMPT } else { NAME_PROMPT };
    match Editor::start(completions.clone(), prompt, output.color()) {
        Ok(editor) => output.editor = Some(editor),
        Err(error) => {
            print_error(&format!("cannot start the line editor: {error}; use a pipe instead"));
            return Exit::Failed;
        }
    }
    let session = Reconnecting::new(Redial::to(args.server.clone()).name(args.name));
    let (name, sent) = (args.name, SentMessages::default());
    let terminal = Terminal {
        args,
        session,
        stage,
        name,
        completions,
        output,
        sent,
        interrupts,
        was_connected: false,
        leaving: None,
    };
    terminal.run().await
}

impl Terminal<'_> {
    async fn run(mut self) -> Exit {
        match self.stage {
            Stage::AskingName => {
                self.output.note("enter a name of 1 to 20 letters and digits, or nothing to join as a guest").await;
            }
            _ => self.output.note(&connecting(&self.args.server)).await,
        }
        loop {
            let due = self.due();
            let step = tokio::select! {
                event = self.session.next(), if !matches!(self.stage, Stage::AskingName) => Step::Session(event),
                event = self.output.next_event() => Step::Typed(event),
                unknown = self.sent.next_outcome() => Step::Sent(unknown),
                Some(()) = self.interrupts.recv() => Step::Interrupt,
                Some(()) = OptionFuture::from(due.map(sleep_until)) => Step::Due,
            };
            let exit = match step {
                Step::Session(event) => self.on_session_event(event).await,
                Step::Typed(event) => self.on_editor_event(event).await,
                Step::Sent(unknown) => self.on_outcome(unknown).await,
                Step::Interrupt if self.leaving.is_some() => Some(Exit::Interrupted),
                Step::Interrupt => self.leave(Exit::Interrupted).await,
                Step::Due => self.on_due().await,
            };
            self.show_prompt();
            if let Some(exit) = exit {
                return self.end(exit).await;
            }
        }
    }

    fn show_prompt(&self) {
        self.output.set_prompt(match self.stage {
            Stage::AskingName => NAME_PROMPT,
            Stage::Connecting => sent_messages::CONNECTING_PROMPT,
            Stage::Connected(_) => self.sent.prompt(),
        });
    }

    /// The earliest deadline.
    fn due(&self) -> Option<Instant> {
        let leaving = self.leaving.map(|(_, end)| end);
        [leaving, self.output.due(), self.sent.due()].into_iter().flatten().min()
    }

    async fn on_due(&mut self) -> Option<Exit> {
        self.output.show_overdue().await;
        for text in self.sent.overdue() {
            self.output.own_message(&text, "no OK yet").await;
        }
        match self.leaving {
            Some((exit, end)) if end <= Instant::now() => Some(exit),
            _ => None,
        }
    }

    async fn on_outcome(&mut self, unknown: Option<String>) -> Option<Exit> {
        if let Some(text) = unknown {
            self.output.own_message(&text, "unknown: it may have been delivered; it is not sent again").await;
        }
        None
    }

    /// Restores the terminal at once, and sends BYE when every message is acknowledged.
    async fn leave(&mut self, exit: Exit) -> Option<Exit> {
        self.output.stop();
        let Stage::Connected(client) = &self.stage else { return Some(exit) };
        client.leave().await;
        self.leaving = Some((exit, Instant::now() + LEAVE_TIMEOUT));
        None
    }

    /// Shows what is left to show, and returns the final exit code.
    async fn end(mut self, exit: Exit) -> Exit {
        self.output.stop();
        self.output.show_burst().await;
        let unknown = self.sent.abandon();
        for text in &unknown {
            self.output.own_message(text, "unacknowledged").await;
        }
        let any_unknown = self.sent.has_unknown() || !unknown.is_empty();
        if any_unknown && matches!(exit, Exit::Done | Exit::Lost) { Exit::Unacknowledged } else { exit }
    }
}

fn connecting(server: &Address) -> String {
    format!("connecting to {server}")
}
