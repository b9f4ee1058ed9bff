//! The conversation of a person at a terminal: the line being typed is at the bottom, the chat room above it.
//!
//! Keyboard, screen and signals do not wait for each other: reads and writes have threads of their own, and nothing in
//! the main loop waits.

mod device;
mod entered_lines;
mod input;
mod key_presses;
mod leaving;
mod output;
mod prompt;
mod requests;
mod room;
mod screen;
mod sent_messages;
mod session_events;
mod shown;

use chat_client::{Address, ChatClient, Name, Reconnecting, Redial, SessionEvent};
use futures::future::OptionFuture;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use self::{
    device::{FramePermit, Keyboard, Signal, Signals},
    input::{Completions, Editor, History, KeyDecoder},
    output::Output,
    requests::{Request, Requests, Sent},
    screen::Screen,
    sent_messages::SentMessages,
};
use crate::{Args, Exit, log_file::LogFile, print_error};

#[derive(Debug)]
struct Terminal<'a> {
    args: &'a Args,
    session: Reconnecting,
    stage: Stage,
    name: Option<Name>,
    completions: Completions,
    editor: Editor,
    /// `None` while leaving.
    keyboard: Option<Keyboard>,
    decoder: KeyDecoder,
    /// When an incomplete key is taken as it is.
    key_deadline: Option<Instant>,
    output: Output,
    requests: Requests,
    sent: SentMessages,
    interrupts: mpsc::Receiver<()>,
    signals: Signals,
    /// Whether a session was open before. If so, the client retries after a failed attempt. A failed first attempt ends
    /// the program.
    was_connected: bool,
    /// While leaving: the exit code and the deadline.
    leaving: Option<(Exit, Instant)>,
}

/// The stage of the connection.
#[derive(Debug)]
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
    /// Bytes from the keyboard. `None`: the terminal is gone.
    Typed(Option<Vec<u8>>),
    /// The screen can be updated.
    Frame(FramePermit),
    /// The first request was given to the session.
    Sent(Sent),
    /// The outcome of a sent message. The text if the outcome is unknown.
    Outcome(Option<String>),
    Interrupt,
    Signal(Signal),
    /// A deadline has passed.
    Due,
}

/// Runs a conversation at the terminal.
pub(super) async fn run(args: &Args, interrupts: mpsc::Receiver<()>) -> Exit {
    let log = match args.terminal.log.as_deref().map(LogFile::open).transpose() {
        Ok(log) => log,
        Err(why) => {
            print_error(&why);
            return Exit::Failed;
        }
    };
    device::leave_on_panic();
    let history = if args.terminal.history.resolve(true) { History::kept() } else { History::default() };
    let auto_color = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    // The signals first: from the moment at which the terminal is in raw mode, none of them may end the program.
    let devices = Signals::install().and_then(|signals| {
        let mut screen = Screen::start(args.color.resolve(auto_color))?;
        screen.open()?;
        Ok((signals, screen, Keyboard::start()?))
    });
    let (signals, screen, keyboard) = match devices {
        Ok(devices) => devices,
        Err(error) => {
            device::leave();
            print_error(&format!("cannot use the terminal: {error}; use a pipe instead"));
            return Exit::Failed;
        }
    };
    let terminal = Terminal {
        args,
        session: Reconnecting::new(Redial::to(args.server.clone()).name(args.name)),
        stage: if args.name.is_some() { Stage::Connecting } else { Stage::AskingName },
        name: args.name,
        completions: Completions::default(),
        editor: Editor::new(history),
        keyboard: Some(keyboard),
        decoder: KeyDecoder::default(),
        key_deadline: None,
        output: Output::new(args, screen, log),
        requests: Requests::default(),
        sent: SentMessages::default(),
        interrupts,
        signals,
        was_connected: false,
        leaving: None,
    };
    terminal.run().await
}

impl Terminal<'_> {
    async fn run(mut self) -> Exit {
        match self.stage {
            Stage::AskingName => {
                self.output.note("enter a name of 1 to 20 letters and digits, or nothing to join as a guest");
            }
            _ => self.output.note(&connecting(&self.args.server)),
        }
        loop {
            self.show_typed();
            let step = self.next_step().await;
            let exit = match step {
                Step::Session(event) => self.on_session_event(event),
                Step::Typed(Some(bytes)) => self.on_bytes(&bytes).await,
                Step::Typed(None) => self.leave(leaving::HANG_UP).await,
                Step::Frame(permit) => {
                    self.output.screen.write_frame(permit);
                    None
                }
                Step::Sent(request) => self.on_sent(request),
                Step::Outcome(unknown) => self.on_outcome(unknown),
                Step::Interrupt => self.leave(Exit::Interrupted).await,
                Step::Signal(signal) => self.on_signal(signal).await,
                Step::Due => self.on_due().await,
            };
            if let Some(exit) = exit {
                return self.end(exit).await;
            }
        }
    }

    async fn next_step(&mut self) -> Step {
        let due = self.due();
        let client = match &self.stage {
            Stage::Connected(client) => Some(client),
            _ => None,
        };
        let reads_session = !matches!(self.stage, Stage::AskingName) && self.output.screen.has_room();
        tokio::select! {
            event = self.session.next(), if reads_session => Step::Session(event),
            Some(bytes) = OptionFuture::from(self.keyboard.as_mut().map(Keyboard::next)) => Step::Typed(bytes),
            permit = self.output.screen.ready() => Step::Frame(permit),
            request = self.requests.send_first(client) => Step::Sent(request),
            unknown = self.sent.next_outcome() => Step::Outcome(unknown),
            Some(()) = self.interrupts.recv() => Step::Interrupt,
            signal = self.signals.next() => Step::Signal(signal),
            Some(()) = OptionFuture::from(due.map(sleep_until)) => Step::Due,
        }
    }

    fn show_typed(&mut self) {
        let prompt = match self.stage {
            Stage::AskingName => prompt::NAME,
            Stage::Connecting => prompt::CONNECTING,
            Stage::Connected(_) => prompt::connected(self.sent.len() + self.requests.messages()),
        };
        let (prompt, text, cursor) = self.editor.view(prompt);
        self.output.screen.show_typed(prompt, text, cursor);
    }

    /// The earliest deadline.
    fn due(&self) -> Option<Instant> {
        let leaving = self.leaving.map(|(_, end)| end);
        [leaving, self.key_deadline, self.output.due(), self.sent.due()].into_iter().flatten().min()
    }

    async fn on_due(&mut self) -> Option<Exit> {
        self.output.show_overdue();
        for text in self.sent.overdue() {
            self.output.own_message(&text, "no OK yet");
        }
        if self.key_deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return self.on_silence().await;
        }
        match self.leaving {
            Some((exit, end)) if end <= Instant::now() => Some(exit),
            _ => None,
        }
    }

    fn on_sent(&mut self, request: Sent) -> Option<Exit> {
        self.requests.remove_first();
        match request {
            Sent::Message(text, Ok(receipt)) => self.sent.push(text, receipt),
            Sent::Message(_, Err(chat_client::SendError::Bye)) => {
                self.output.warning("a guest cannot send BYE as a message; /quit leaves");
            }
            // The session is over. Its next event says so.
            Sent::Message(text, Err(_)) => self.requests.push_front(Request::Say(text)),
            Sent::Other => {}
        }
        None
    }

    fn on_outcome(&mut self, unknown: Option<String>) -> Option<Exit> {
        if let Some(text) = unknown {
            self.output.own_message(&text, "unknown: it may have been delivered; it is not sent again");
        }
        None
    }
}

fn connecting(server: &Address) -> String {
    format!("connecting to {server}")
}
