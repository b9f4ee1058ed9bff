//! What a session waits for, and what a line from the server means to it: no socket, no clock, no runtime.
//!
//! Answers come in the order of the requests (clause 5.3), so what is awaited is a queue, and only its front is matched:
//! a reply that does not fit there is one that nobody waits for.

mod reaction;
mod replies;

use std::{collections::VecDeque, mem, time::Duration};

use chat_proto::{ClientMessage, Name, ParseError, RosterReader, ServerMessage, Session, Text};

use super::{
    MAX_OUTSTANDING,
    ack_behaviour::{Habits, Resort},
};
use crate::{Closed, Event, Report};

pub(crate) use reaction::{Answer, Reaction};

/// Something that the user of the library wants. `T` is where the answer goes.
#[derive(Debug)]
pub(crate) enum Request<T> {
    Say(Text, T),
    Roster(T),
    Ping(T),
    /// Leave, once everything before it is answered.
    Leave,
}

/// A session after its login.
#[derive(Debug)]
pub(crate) struct State<T> {
    session: Session,
    awaited: VecDeque<Awaited<T>>,
    roster: RosterReader,
    /// `PING`s of the server that have no `PONG` yet: a number, so that a flood of them takes no memory.
    pongs: u64,
    leaving: Leaving,
    /// Whether the server has ever said anything.
    heard: bool,
    /// `None` for a guest, whose name only the server knows.
    name: Option<Name>,
    habits: Habits,
    /// Reactions that go before the one to the last line.
    earlier: VecDeque<Reaction<T>>,
    /// Whether a sign of life is to be asked for.
    probe: bool,
    /// Messages whose answer cannot come any more.
    unknown: u64,
    accepted: u64,
    refused: u64,
}

#[derive(Debug)]
enum Awaited<T> {
    Message(Text, T),
    Roster(T),
    Pong(T),
    /// The session's own `PING`.
    Probe,
    /// So many messages that nobody waits for any more, because the server seemed to answer nothing. Answers to them may come.
    GivenUp(u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaving {
    No,
    /// As soon as nothing is awaited any more.
    Soon,
    /// `BYE` is said.
    Said,
}

impl<T> State<T> {
    pub(crate) fn new(session: Session, name: Option<Name>) -> Self {
        Self {
            session,
            name,
            habits: Habits::default(),
            earlier: VecDeque::new(),
            probe: false,
            unknown: 0,
            awaited: VecDeque::new(),
            roster: RosterReader::default(),
            pongs: 0,
            leaving: Leaving::No,
            heard: false,
            accepted: 0,
            refused: 0,
        }
    }

    /// Whether another request may be made now: a server that never answers must not fill the memory.
    pub(crate) fn takes_requests(&self) -> bool {
        self.leaving == Leaving::No && self.awaited.len() < MAX_OUTSTANDING
    }

    /// Whether somebody waits for the server to say something.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.is_answered() || self.leaving != Leaving::No
    }

    /// Whether nobody waits for an answer.
    fn is_answered(&self) -> bool {
        self.awaited.iter().all(|awaited| matches!(awaited, Awaited::Probe | Awaited::GivenUp(_)))
    }

    /// Whether it is on its way out.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving != Leaving::No
    }

    /// Takes a request. What it says must be written next.
    pub(crate) fn request(&mut self, request: Request<T>) -> Option<ClientMessage> {
        let (message, awaited) = match request {
            Request::Say(text, ticket) => (ClientMessage::Msg(text.clone()), Awaited::Message(text, ticket)),
            Request::Roster(ticket) => (ClientMessage::ReqClients, Awaited::Roster(ticket)),
            Request::Ping(ticket) => (ClientMessage::Ping, Awaited::Pong(ticket)),
            Request::Leave => {
                if self.leaving == Leaving::No {
                    self.leaving = Leaving::Soon;
                }
                return None;
            }
        };
        self.awaited.push_back(awaited);
        if self.habits.is_silent() {
            self.give_up();
        }
        Some(message)
    }

    /// How long the server may leave it at what it has said, before [`State::overdue`]. `None`: as long as it likes.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let waiting = self.awaited.iter().any(|awaited| matches!(awaited, Awaited::Message(..)));
        self.habits.patience().filter(|_| waiting)
    }

    /// The server has said nothing to a message for too long.
    pub(crate) fn overdue(&mut self) {
        match self.habits.overdue(self.session == Session::Named) {
            Resort::Probe => self.probe = true,
            Resort::Wait => {}
            Resort::GiveUp => self.give_up(),
        }
    }

    /// What goes before the reaction to the last line or to [`State::overdue`]; to be asked until there is nothing more.
    pub(crate) fn earlier(&mut self) -> Option<Reaction<T>> {
        self.earlier.pop_front()
    }

    /// What the session itself has to say now; to be asked until there is nothing more.
    pub(crate) fn due(&mut self) -> Option<ClientMessage> {
        if self.pongs > 0 {
            self.pongs -= 1;
            return Some(ClientMessage::Pong);
        }
        let unproven = || matches!(self.awaited.back(), Some(Awaited::Message(..)));
        if mem::take(&mut self.probe) || (self.habits.is_mute() && unproven()) {
            self.awaited.push_back(Awaited::Probe);
            return Some(ClientMessage::Ping);
        }
        if self.leaving == Leaving::Soon && self.is_answered() {
            self.leaving = Leaving::Said;
            return Some(ClientMessage::Bye);
        }
        None
    }

    /// Takes a line of the server.
    pub(crate) fn hear(&mut self, line: Result<ServerMessage, ParseError>) -> Reaction<T> {
        let first = !mem::replace(&mut self.heard, true);
        let message = match line {
            Ok(message) => message,
            Err(error) => return self.bad_line(error),
        };
        match message {
            ServerMessage::From { name, text } if self.is_own(name) => self.own(name, text),
            ServerMessage::From { name, text } => Reaction::event(Event::Message { from: name, text }),
            ServerMessage::Join(name) => Reaction::event(Event::Joined(name)),
            ServerMessage::Logout(name) => Reaction::event(Event::Left(name)),
            ServerMessage::Ping if self.session == Session::Named => {
                self.pongs = self.pongs.saturating_add(1);
                Reaction::nothing()
            }
            ServerMessage::Bye => Reaction { closed: Some(self.bye(first)), ..Reaction::nothing() },
            ServerMessage::BadProt if first && self.session == Session::Plain => {
                Reaction { closed: Some(Closed::GuestsRefused), ..Reaction::nothing() }
            }
            ServerMessage::Other(line) => Reaction::event(Event::Other(line)),
            reply => self.reply(reply),
        }
    }

    fn bye(&self, first: bool) -> Closed {
        match self.leaving {
            Leaving::Said => Closed::Left,
            _ if first && self.session == Session::Plain => Closed::TurnedAway,
            _ => Closed::ServerBye,
        }
    }

    /// The connection is over: what there is to report, and who has waited in vain.
    pub(crate) fn end(self, closed: Closed) -> (Report, impl Iterator<Item = T>) {
        // After BYE all is answered: it does not matter how the server hangs up.
        let closed = if self.leaving == Leaving::Said { Closed::Left } else { closed };
        let unanswered = self.awaited.iter().map(|awaited| match awaited {
            Awaited::Message(..) => 1,
            Awaited::GivenUp(count) => *count,
            Awaited::Roster(_) | Awaited::Pong(_) | Awaited::Probe => 0,
        });
        let unknown = self.unknown + unanswered.sum::<u64>();
        let report = Report { closed, accepted: self.accepted, refused: self.refused, unknown };
        let tickets = self.awaited.into_iter().filter_map(|awaited| match awaited {
            Awaited::Message(_, ticket) | Awaited::Roster(ticket) | Awaited::Pong(ticket) => Some(ticket),
            Awaited::Probe | Awaited::GivenUp(_) => None,
        });
        (report, tickets)
    }
}

#[cfg(test)]
#[path = "other_servers_tests.rs"]
mod other_servers_tests;
#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
