//! The conversation of a person at a terminal: a line editor below, the room above.

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

use chat_client::{Address, ChatClient, Happening, Name, Reconnecting, Redial};
use futures::future::OptionFuture;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use self::{
    completion::Words,
    editor::{Editor, Typed},
    output::Show,
    sent_messages::Sent,
};
use crate::{Args, Exit, complain};

/// Who leaves waits so long for what is not acknowledged yet.
const PARTING: Duration = Duration::from_secs(3);
const NAME_PROMPT: &str = "name: ";

struct Terminal<'a> {
    args: &'a Args,
    room: Reconnecting,
    place: Place,
    name: Option<Name>,
    words: Words,
    show: Show,
    sent: Sent,
    interrupts: mpsc::Receiver<()>,
    /// Who has been in the room comes back; who could not come in at first is told so.
    was_in: bool,
    /// The exit code, once it is decided to leave, and when to wait no longer.
    leaving: Option<(Exit, Instant)>,
}

/// Where it is.
enum Place {
    /// At the door, asked for a name.
    Naming,
    /// On the way in.
    Away,
    In(ChatClient),
}

/// What happened.
enum Step {
    Room(Option<Happening>),
    Typed(Typed),
    Sent(Option<String>),
    Interrupt,
    Due,
}

/// Runs it to its end.
pub(super) async fn run(args: &Args, interrupts: mpsc::Receiver<()>) -> Exit {
    let words = Words::default();
    let mut show = Show::new(args);
    let place = if args.name.is_some() { Place::Away } else { Place::Naming };
    let prompt = if args.name.is_some() { sent_messages::AWAY } else { NAME_PROMPT };
    match Editor::start(words.clone(), prompt, show.color()) {
        Ok(editor) => show.editor = Some(editor),
        Err(error) => {
            complain(&format!("no line editor: {error}; use a pipe"));
            return Exit::Failed;
        }
    }
    let room = Reconnecting::new(Redial::to(args.server.clone()).name(args.name));
    let (name, sent) = (args.name, Sent::default());
    let terminal = Terminal { args, room, place, name, words, show, sent, interrupts, was_in: false, leaving: None };
    terminal.run().await
}

impl Terminal<'_> {
    async fn run(mut self) -> Exit {
        match self.place {
            Place::Naming => {
                self.show.note("your name? 1 to 20 letters and digits; Enter alone: come as a guest").await;
            }
            _ => self.show.note(&connecting(&self.args.server)).await,
        }
        loop {
            let due = self.due();
            let step = tokio::select! {
                happening = self.room.next(), if !matches!(self.place, Place::Naming) => Step::Room(happening),
                typed = self.show.typed() => Step::Typed(typed),
                unknown = self.sent.settled() => Step::Sent(unknown),
                Some(()) = self.interrupts.recv() => Step::Interrupt,
                Some(()) = OptionFuture::from(due.map(sleep_until)) => Step::Due,
            };
            let exit = match step {
                Step::Room(happening) => self.happened(happening).await,
                Step::Typed(typed) => self.typed(typed).await,
                Step::Sent(unknown) => self.settled(unknown).await,
                Step::Interrupt if self.leaving.is_some() => Some(Exit::Interrupted),
                Step::Interrupt => self.leave(Exit::Interrupted).await,
                Step::Due => self.overdue().await,
            };
            self.show_prompt();
            if let Some(exit) = exit {
                return self.end(exit).await;
            }
        }
    }

    fn show_prompt(&self) {
        self.show.prompt(match self.place {
            Place::Naming => NAME_PROMPT,
            Place::Away => sent_messages::AWAY,
            Place::In(_) => self.sent.prompt(),
        });
    }

    fn due(&self) -> Option<Instant> {
        let leaving = self.leaving.map(|(_, end)| end);
        [leaving, self.show.due(), self.sent.due()].into_iter().flatten().min()
    }

    async fn overdue(&mut self) -> Option<Exit> {
        self.show.overdue().await;
        for text in self.sent.overdue() {
            self.show.own(&text, "no OK yet").await;
        }
        match self.leaving {
            Some((exit, end)) if end <= Instant::now() => Some(exit),
            _ => None,
        }
    }

    async fn settled(&mut self, unknown: Option<String>) -> Option<Exit> {
        if let Some(text) = unknown {
            self.show.own(&text, "unknown: delivered or not; it is not sent again").await;
        }
        None
    }

    /// Says BYE, once everything is acknowledged. The terminal is given back at once.
    async fn leave(&mut self, exit: Exit) -> Option<Exit> {
        self.show.stop();
        let Place::In(client) = &self.place else { return Some(exit) };
        client.leave().await;
        self.leaving = Some((exit, Instant::now() + PARTING));
        None
    }

    async fn end(mut self, exit: Exit) -> Exit {
        self.show.stop();
        self.show.overdue_now().await;
        let unknown = self.sent.abandon();
        for text in &unknown {
            self.show.own(text, "unacknowledged").await;
        }
        let told = self.sent.has_unknown() || !unknown.is_empty();
        if told && matches!(exit, Exit::Done | Exit::Lost) { Exit::Unacknowledged } else { exit }
    }
}

fn connecting(server: &Address) -> String {
    format!("connecting to {server}")
}
