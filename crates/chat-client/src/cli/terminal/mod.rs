//! The conversation of a person at a terminal: a line editor below, the room above.

mod above;
mod burst;
mod complete;
mod draft;
mod editor;
mod paint;
mod quiet;
mod sent;
mod show;
mod size;
mod suspend;
mod typing;

use std::{future::pending, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{Address, Args, Exit, complain, opening};
use crate::{ChatClient, Closed, Event, Happening, Name, OpenError, Reconnecting, Redial};
use complete::Words;
use editor::{Editor, Typed};
use sent::Sent;
use show::Show;

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
    let prompt = if args.name.is_some() { sent::AWAY } else { NAME_PROMPT };
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
                () = at(due) => Step::Due,
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
            Place::Away => sent::AWAY,
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

    async fn happened(&mut self, happening: Option<Happening>) -> Option<Exit> {
        match happening {
            Some(Happening::Connected { client, gap }) => self.came_in(client, gap).await,
            Some(Happening::Event(Event::Closed(closed))) => return self.closed(closed).await,
            Some(Happening::Event(event)) => {
                self.words.hear(&event);
                self.show.event(&event, self.name).await;
            }
            Some(Happening::Lost { why, unknown: _ }) => {
                self.place = Place::Away;
                if let Some((exit, _)) = self.leaving {
                    return Some(exit);
                }
                self.show.warning(&format!("connection lost: {why}")).await;
                if why == Closed::TurnedAway || !self.args.reconnect.or(true) {
                    return Some(if why == Closed::TurnedAway { Exit::Refused } else { Exit::Lost });
                }
            }
            Some(Happening::Failed { why, again }) => return self.failed(&why, again).await,
            None => return Some(self.leaving.map_or(Exit::Lost, |(exit, _)| exit)),
        }
        None
    }

    async fn came_in(&mut self, client: ChatClient, gap: Option<Duration>) {
        let server = &self.args.server;
        if let Some(gap) = gap {
            let gap = format!("~~~~ back again: {:.1} s were not heard, and are not shown ~~~~", gap.as_secs_f32());
            self.show.warning(&gap).await;
        }
        self.show
            .note(&match client.name() {
                Some(name) => format!("connected to {server} as {name}; /help tells the commands"),
                None => format!("connected to {server} as a guest; /name NAME gives you a name"),
            })
            .await;
        if client.name().is_some() {
            // The roster is an event, which Tab and the reader learn from.
            if let Some(slot) = client.slot().await {
                drop(slot.roster());
            }
        }
        self.was_in = true;
        self.place = Place::In(client);
    }

    /// One's own BYE, or a server that takes no guests.
    async fn closed(&mut self, closed: Closed) -> Option<Exit> {
        self.place = Place::Away;
        if let Some((exit, _)) = self.leaving {
            return Some(exit);
        }
        self.room.resume();
        if closed == Closed::GuestsRefused {
            self.show.warning(&closed.to_string()).await;
            self.place = Place::Naming;
        }
        None
    }

    async fn failed(&mut self, why: &OpenError, again: Option<Duration>) -> Option<Exit> {
        let (exit, sentence) = opening::explain(why, &self.args.server);
        if again.is_none() && why.is_about_the_name() {
            self.show.warning(&why.to_string()).await;
            self.show.note("choose another name").await;
            self.place = Place::Naming;
            return None;
        }
        let tries = self.args.reconnect.or(self.was_in);
        let Some(delay) = again.filter(|_| tries) else {
            self.show.warning(&sentence).await;
            return Some(exit);
        };
        let sentence = if self.was_in { format!("cannot come back: {why}") } else { sentence };
        let next = format!("{sentence}; next try in {:.1} s, or /reconnect", delay.as_secs_f32());
        self.show.warning(&next).await;
        None
    }

    /// Says BYE, once everything is acknowledged. The terminal is given back at once.
    async fn leave(&mut self, exit: Exit) -> Option<Exit> {
        self.show.stop();
        let Place::In(client) = &self.place else { return Some(exit) };
        if let Some(slot) = client.slot().await {
            slot.leave();
        }
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

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
