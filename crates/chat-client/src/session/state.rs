//! What a session waits for, and what a line from the server means to it: no socket, no clock, no runtime.
//!
//! Answers come in the order of the requests (clause 5.3), so what is awaited is a queue, and only its front is matched:
//! a reply that does not fit there is one that nobody waits for.

use std::{collections::VecDeque, mem, time::Duration};

use chat_proto::{ClientMessage, Name, ParseError, RosterReader, ServerMessage, Session, Text};

use super::{
    MAX_OUTSTANDING,
    habits::{Habits, Resort},
};
use crate::{Closed, Event, Report};

/// Something that the user of the library wants. `T` is where the answer goes.
#[derive(Debug)]
pub(crate) enum Request<T> {
    Say(Text, T),
    Roster(T),
    Ping(T),
    /// Leave, once everything before it is answered.
    Leave,
}

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Accepted,
    Refused,
    Roster(Vec<Name>),
    Pong,
    /// The server's answer contradicts itself.
    Malformed,
    /// The session ended, and nobody can say (clause 7.6).
    Unknown,
    /// The session ended before it was written.
    NotSent,
}

/// What follows from a line.
#[derive(Debug)]
pub(crate) struct Reaction<T> {
    pub(crate) answer: Option<(T, Answer)>,
    pub(crate) event: Option<Event>,
    pub(crate) closed: Option<Closed>,
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
    /// Messages that nobody waits for any more, because the server answers nothing.
    given_up: u64,
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
            given_up: 0,
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
        !self.awaited.is_empty() || self.leaving != Leaving::No
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
        if self.leaving == Leaving::Soon && self.awaited.is_empty() {
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

    fn is_own(&self, name: Name) -> bool {
        self.name.is_some_and(|own| own.key() == name.key())
    }

    /// A server that sends its clients their own messages back: that is an answer, or comes beside it.
    fn own(&mut self, from: Name, text: Text) -> Reaction<T> {
        if self.habits.is_late_echo(&text) {
            return Reaction::nothing();
        }
        match self.awaited.pop_front() {
            Some(Awaited::Message(said, ticket)) if said == text => {
                self.habits.echoed();
                self.accepted += 1;
                Reaction::both(ticket, Answer::Accepted, Event::Accepted(text))
            }
            front => {
                self.put_back(front);
                Reaction::event(Event::Message { from, text })
            }
        }
    }

    /// Matches a reply with the oldest request.
    fn reply(&mut self, reply: ServerMessage) -> Reaction<T> {
        if reply == ServerMessage::Ok && !self.habits.ok_is_an_answer() {
            return Reaction::nothing();
        }
        self.skip(&reply);
        match (reply, self.awaited.pop_front()) {
            (ServerMessage::Ok, Some(Awaited::Message(text, ticket))) => {
                self.accepted += 1;
                self.habits.acknowledged(&text);
                Reaction::both(ticket, Answer::Accepted, Event::Accepted(text))
            }
            (ServerMessage::BadReq, Some(Awaited::Message(text, ticket))) => {
                self.refused += 1;
                Reaction::both(ticket, Answer::Refused, Event::Refused(text))
            }
            (ServerMessage::BadReq, Some(Awaited::Roster(ticket) | Awaited::Pong(ticket))) => {
                self.roster = RosterReader::default();
                Reaction::answer(ticket, Answer::Refused)
            }
            (ServerMessage::Pong | ServerMessage::BadReq, Some(Awaited::Probe)) => Reaction::nothing(),
            (ServerMessage::Pong, Some(Awaited::Pong(ticket))) => Reaction::answer(ticket, Answer::Pong),
            (ServerMessage::Clients { total, names }, Some(Awaited::Roster(ticket))) => {
                match self.roster.push(total, names) {
                    Ok(Some(names)) => Reaction::both(ticket, Answer::Roster(names.clone()), Event::Roster(names)),
                    Ok(None) => {
                        self.awaited.push_front(Awaited::Roster(ticket));
                        Reaction::nothing()
                    }
                    Err(_) => Reaction::answer(ticket, Answer::Malformed),
                }
            }
            (stray, awaited) => {
                self.put_back(awaited);
                Reaction::event(Event::Unexpected(stray))
            }
        }
    }

    /// Replies come in order (clause 5.3). So the answer to a later request shows that the server has taken the messages
    /// before it, if it is one that says no `OK`; and a probe that is passed over is not answered any more.
    fn skip(&mut self, reply: &ServerMessage) {
        let answered = self.awaited.iter().position(|awaited| match reply {
            ServerMessage::Pong => matches!(awaited, Awaited::Pong(_) | Awaited::Probe),
            ServerMessage::Clients { .. } => matches!(awaited, Awaited::Roster(_)),
            ServerMessage::Ok => matches!(awaited, Awaited::Message(..)),
            _ => false,
        });
        let Some(before) = answered else { return };
        let skippable = |awaited: &Awaited<T>| match awaited {
            Awaited::Message(..) => self.habits.answers_may_skip_messages(),
            Awaited::Probe => true,
            Awaited::Roster(_) | Awaited::Pong(_) => false,
        };
        if !self.awaited.iter().take(before).all(skippable) {
            return;
        }
        for awaited in self.awaited.drain(..before) {
            if let Awaited::Message(text, ticket) = awaited {
                self.accepted += 1;
                self.habits.skipped();
                self.habits.expect_echo(&text);
                self.earlier.push_back(Reaction::both(ticket, Answer::Accepted, Event::Accepted(text)));
            }
        }
    }

    /// Nobody waits for messages any more.
    fn give_up(&mut self) {
        for awaited in mem::take(&mut self.awaited) {
            match awaited {
                Awaited::Message(_, ticket) => {
                    self.given_up += 1;
                    self.earlier.push_back(Reaction::answer(ticket, Answer::Unknown));
                }
                Awaited::Probe => {}
                request => self.awaited.push_back(request),
            }
        }
    }

    fn put_back(&mut self, front: Option<Awaited<T>>) {
        if let Some(front) = front {
            self.awaited.push_front(front);
        }
    }

    /// A line that does not parse may have been the answer that is waited for, if it was meant as a roster.
    fn bad_line(&mut self, error: ParseError) -> Reaction<T> {
        let roster = error.line().is_some_and(|line| line.starts_with("LIST CLIENTS"));
        let ticket = match self.awaited.pop_front() {
            Some(Awaited::Roster(ticket)) if roster => {
                self.roster = RosterReader::default();
                Some((ticket, Answer::Malformed))
            }
            front => {
                self.put_back(front);
                None
            }
        };
        Reaction { answer: ticket, event: Some(Event::BadLine(error)), closed: None }
    }

    /// The connection is over: what there is to report, and who has waited in vain.
    pub(crate) fn end(self, closed: Closed) -> (Report, impl Iterator<Item = T>) {
        // After BYE all is answered: it does not matter how the server hangs up.
        let closed = if self.leaving == Leaving::Said { Closed::Left } else { closed };
        let unknown = self.awaited.iter().filter(|awaited| matches!(awaited, Awaited::Message(..))).count();
        let unknown = unknown as u64 + self.given_up;
        let report = Report { closed, accepted: self.accepted, refused: self.refused, unknown };
        let tickets = self.awaited.into_iter().filter_map(|awaited| match awaited {
            Awaited::Message(_, ticket) | Awaited::Roster(ticket) | Awaited::Pong(ticket) => Some(ticket),
            Awaited::Probe => None,
        });
        (report, tickets)
    }
}

impl<T> Reaction<T> {
    fn nothing() -> Self {
        Self { answer: None, event: None, closed: None }
    }

    fn event(event: Event) -> Self {
        Self { event: Some(event), ..Self::nothing() }
    }

    fn answer(ticket: T, answer: Answer) -> Self {
        Self { answer: Some((ticket, answer)), ..Self::nothing() }
    }

    fn both(ticket: T, answer: Answer, event: Event) -> Self {
        Self { answer: Some((ticket, answer)), event: Some(event), closed: None }
    }
}

#[cfg(test)]
#[path = "other_servers_tests.rs"]
mod other_servers_tests;
#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
