//! A conversation: lines that somebody types or a script pipes in, joined with what happens in the room.

mod command;
mod input;
mod pending;
mod render;
mod screen;

use std::{io, iter, time::Duration};

use chat_proto::Text;
use futures::{Stream, StreamExt};
use tokio::{io::AsyncWrite, time::sleep};

use crate::{ChatClient, Closed, Event, Events, client::Slot};
use pending::{Outcome, Pending};

pub use command::Input;
pub use input::{InputError, input_lines, inputs};
pub use render::{Line, render};
pub use screen::Screen;

/// When a conversation has to end, the server has so long for what it still owes.
const PARTING: Duration = Duration::from_secs(1);

/// How a conversation went.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Talked {
    /// How its session ended.
    pub closed: Closed,
    /// How many lines did not become a message: the server refused them, or they hold what no message may.
    pub refused: usize,
    /// The messages that the session ended without an answer to (clause 7.6).
    pub unacknowledged: Vec<Text>,
    /// Why the input could not be read, or the output not be written any more.
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe): the output's reader has seen enough.
    pub failure: Option<io::ErrorKind>,
    /// Whether there is nothing left of the input, or it said `/quit`.
    pub input_over: bool,
}

/// Talks until the input ends (or says `/quit`), the output's reader is gone, `until` is done, or the session is over.
///
/// `input` says what to do: see [`inputs`]. What others
/// say goes to the screen's output, what concerns the session to its status. At the end it waits for every
/// answer that is still out, then says `BYE`; after `until`, only for a second.
///
/// Events are read all the time, so none is missed as long as the output takes what it is given.
pub async fn talk<I, O, E>(
    client: &ChatClient,
    events: &mut Events,
    input: I,
    screen: &mut Screen<O, E>,
    until: impl Future<Output = ()>,
) -> Talked
where
    I: Stream<Item = Result<Input, InputError>>,
    O: AsyncWrite + Unpin,
    E: AsyncWrite + Unpin,
{
    let mut input = std::pin::pin!(input);
    let mut until = std::pin::pin!(async {
        until.await;
        PARTING
    });
    let mut parting = None;
    let mut talk =
        Talk { client, screen, pending: Pending::default(), refused: 0, unacknowledged: Vec::new(), failure: None };
    // Room for one request, got before a line is read: input that comes faster than the server answers is left unread.
    let mut slot: Option<Slot<'_>> = None;
    let (mut listening, mut over) = (true, false);
    let closed = loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => {
                    if let Some(closed) = talk.show(event, events).await {
                        break closed;
                    }
                }
                None => break Closed::Aborted,
            },
            room = client.slot(), if slot.is_none() && !over => match room {
                Some(room) if listening => slot = Some(room),
                Some(room) => {
                    room.leave();
                    over = true;
                }
                None => over = true,
            },
            line = input.next(), if slot.is_some() && listening => match (line, slot.take()) {
                (Some(line), Some(room)) => slot = talk.take(line, room, &mut listening).await,
                _ => listening = false,
            },
            left = &mut until, if parting.is_none() => {
                parting = Some(Box::pin(sleep(left)));
                listening = false;
            }
            () = async { parting.as_mut().expect("it is asked for").await }, if parting.is_some() => {
                break Closed::Abandoned;
            }
            outcome = talk.pending.front(), if !talk.pending.is_empty() => talk.settle(outcome).await,
        }
        if talk.screen.failure().is_some() {
            listening = false;
        }
        if !listening {
            slot = None;
        }
    };
    drop(slot);
    talk.finish(closed, !listening).await
}

struct Talk<'a, O, E> {
    client: &'a ChatClient,
    screen: &'a mut Screen<O, E>,
    pending: Pending,
    refused: usize,
    unacknowledged: Vec<Text>,
    failure: Option<io::ErrorKind>,
}

impl<'a, O: AsyncWrite + Unpin, E: AsyncWrite + Unpin> Talk<'a, O, E> {
    /// Shows an event and those that are there already, as one write.
    async fn show(&mut self, first: Event, events: &mut Events) -> Option<Closed> {
        const AT_ONCE: usize = 256;
        let mut closed = None;
        for event in iter::once(first).chain(iter::from_fn(|| events.ready())).take(AT_ONCE) {
            if let Event::Closed(reason) = event {
                closed = Some(reason);
            }
            self.screen.event(&event);
        }
        self.screen.flush().await;
        closed
    }

    /// Does what a line says. The room is given back if it was not needed.
    async fn take(
        &mut self,
        input: Result<Input, InputError>,
        room: Slot<'a>,
        listening: &mut bool,
    ) -> Option<Slot<'a>> {
        let input = match input {
            Ok(input) => input,
            Err(InputError::Io(kind)) => {
                self.screen.status(&format!("cannot read the input: {kind}"));
                self.failure = Some(kind);
                *listening = false;
                self.screen.flush().await;
                return None;
            }
            Err(error) => return self.not_sent(&error.to_string(), room).await,
        };
        let guest = self.client.name().is_none();
        match input {
            Input::Nothing => return Some(room),
            Input::Say(text) if guest && text.as_str() == "BYE" => {
                return self.not_sent("a guest cannot say BYE: /quit leaves, --name NAME gives you a name", room).await;
            }
            Input::Say(text) => self.pending.message(text.clone(), room.say(text)),
            Input::Clients if guest => {
                self.screen.status("guests cannot ask who is here: come with a name (--name NAME)");
                self.screen.flush().await;
                return Some(room);
            }
            Input::Clients => self.pending.roster(room.roster()),
            Input::Quit => *listening = false,
            Input::Help => {
                command::HELP.lines().for_each(|line| self.screen.status(line));
                self.screen.flush().await;
                return Some(room);
            }
            Input::Unknown(word) => {
                let hint = format!("no such command: {word} (/help tells them; to say it, write /{word})");
                return self.not_sent(&hint, room).await;
            }
            Input::Reconnect | Input::Name(_) => {
                return self.not_sent("that is for a terminal: here, start with --reconnect, --name", room).await;
            }
            Input::Senseless(why) => return self.not_sent(&why, room).await,
            Input::Unsayable(why) => return self.not_sent(&why.to_string(), room).await,
        }
        None
    }

    async fn not_sent(&mut self, why: &str, room: Slot<'a>) -> Option<Slot<'a>> {
        self.refused += 1;
        self.screen.status(&format!("not sent: {why}"));
        self.screen.flush().await;
        Some(room)
    }

    async fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done => return,
            Outcome::Unanswered(text) => self.unacknowledged.push(text),
            Outcome::Refused(text) => {
                self.refused += 1;
                self.screen.status(&format!("refused by the server: {text}"));
            }
            Outcome::NoRoster => self.screen.status("the server does not tell who is here"),
        }
        self.screen.flush().await;
    }

    /// The session is over, so every answer that is still to come is there.
    async fn finish(mut self, closed: Closed, input_over: bool) -> Talked {
        if closed == Closed::Abandoned {
            self.unacknowledged.extend(self.pending.abandon());
        }
        while !self.pending.is_empty() {
            let outcome = self.pending.front().await;
            self.settle(outcome).await;
        }
        if closed != Closed::Left {
            let lost = if closed.is_lost() { "connection lost: " } else { "" };
            self.screen.status(&format!("{lost}{closed}"));
        }
        if !self.unacknowledged.is_empty() {
            let many = self.unacknowledged.len();
            self.screen.status(&format!("{many} unacknowledged (delivered or not, nobody can say):"));
            for text in &self.unacknowledged {
                self.screen.status(&format!("unacknowledged: {text}"));
            }
        }
        self.screen.flush().await;
        let failure = self.failure.or(self.screen.failure());
        Talked { closed, refused: self.refused, unacknowledged: self.unacknowledged, failure, input_over }
    }
}
