//! The state of a session: pending requests, and what a line from the server means. No socket, no clock, no runtime.
//!
//! Answers arrive in the order of the requests (clause 5.3). So pending requests are a queue, and a reply normally answers
//! its front. `replies.rs` handles servers that omit an `OK`.

mod reaction;
mod replies;

use std::{collections::VecDeque, mem};

use chat_proto::{ClientMessage, Name, ParseError, RosterReader, ServerMessage, Session, Text};

use super::{MAX_OUTSTANDING, ack_behaviour::AckBehaviour};
use crate::{CloseReason, Event, SessionReport};

pub(crate) use reaction::{Answer, Reaction};

/// A request of the library's user. `T` identifies where its answer goes.
#[derive(Debug)]
pub(crate) enum Request<T> {
    Say(Text, T),
    Roster(T),
    Ping(T),
}

/// A session after its login.
#[derive(Debug)]
pub(crate) struct State<T> {
    session: Session,
    awaited: VecDeque<Awaited<T>>,
    roster: RosterReader,
    /// Number of `PING`s to answer. A number, so that a flood of them takes no memory.
    pongs: u64,
    leaving: Leaving,
    /// Whether the server has sent anything.
    has_received: bool,
    /// `None` for a guest: only the server knows its name.
    name: Option<Name>,
    behaviour: AckBehaviour,
    /// Reactions to handle before the one that `receive` has returned.
    earlier: VecDeque<Reaction<T>>,
    /// Whether to send `PING`.
    probe: bool,
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

/// A request without an answer at the end of a session.
#[derive(Debug)]
pub(crate) struct Unanswered<T> {
    pub(crate) ticket: T,
    /// The text, if the request is a message.
    pub(crate) message: Option<Text>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaving {
    No,
    /// When all requests are answered.
    Soon,
    /// `BYE` has been sent.
    Said,
}

impl<T> State<T> {
    pub(crate) fn new(session: Session, name: Option<Name>) -> Self {
        Self {
            session,
            name,
            behaviour: AckBehaviour::default(),
            earlier: VecDeque::new(),
            probe: false,
            awaited: VecDeque::new(),
            roster: RosterReader::default(),
            pongs: 0,
            leaving: Leaving::No,
            has_received: false,
            accepted: 0,
            refused: 0,
        }
    }

    /// Whether another request is accepted. The number is limited, so that a server that never answers cannot fill the
    /// memory.
    pub(crate) fn takes_requests(&self) -> bool {
        self.leaving == Leaving::No && self.awaited.len() < MAX_OUTSTANDING
    }

    /// Whether an answer or the server's `BYE` is expected.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.is_answered() || self.leaving != Leaving::No
    }

    /// Whether no caller waits for an answer.
    fn is_answered(&self) -> bool {
        self.awaited.iter().all(|awaited| matches!(awaited, Awaited::Probe))
    }

    /// Whether the session is leaving.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving != Leaving::No
    }

    /// Accepts a request. The returned message must be written next.
    pub(crate) fn request(&mut self, request: Request<T>) -> ClientMessage {
        let (message, awaited) = match request {
            Request::Say(text, ticket) => (ClientMessage::Msg(text.clone()), Awaited::Message(text, ticket)),
            Request::Roster(ticket) => (ClientMessage::ReqClients, Awaited::Roster(ticket)),
            Request::Ping(ticket) => (ClientMessage::Ping, Awaited::Pong(ticket)),
        };
        self.awaited.push_back(awaited);
        message
    }

    /// Leaves when everything that was requested is answered.
    pub(crate) fn leave(&mut self) {
        if self.leaving == Leaving::No {
            self.leaving = Leaving::Soon;
        }
    }

    /// Whether the session may send a `PING` of its own. A guest may not: it would be a message.
    pub(crate) fn can_ping(&self) -> bool {
        self.session == Session::Named
    }

    /// Whether a message waits for its answer, and a `PING` would show how this server acknowledges.
    pub(crate) fn is_unproven(&self) -> bool {
        let is_message = |awaited: &Awaited<T>| matches!(awaited, Awaited::Message(..));
        let is_probe = |awaited: &Awaited<T>| matches!(awaited, Awaited::Probe | Awaited::Pong(_));
        self.can_ping()
            && self.behaviour.is_undecided()
            && self.awaited.iter().any(is_message)
            && !self.awaited.iter().any(is_probe)
    }

    /// Makes the session send `PING`, if it can.
    pub(crate) fn ping(&mut self) {
        self.probe = self.can_ping() && self.leaving != Leaving::Said;
    }

    /// The next reaction that precedes the one to the last line. Call it until `None`.
    pub(crate) fn next_earlier(&mut self) -> Option<Reaction<T>> {
        self.earlier.pop_front()
    }

    /// The next message that the session sends on its own. Call it until `None`.
    pub(crate) fn next_own_message(&mut self) -> Option<ClientMessage> {
        if self.pongs > 0 {
            self.pongs -= 1;
            return Some(ClientMessage::Pong);
        }
        let unproven = || matches!(self.awaited.back(), Some(Awaited::Message(..)));
        if mem::take(&mut self.probe) || (self.behaviour.omits_ok() && unproven()) {
            self.awaited.push_back(Awaited::Probe);
            return Some(ClientMessage::Ping);
        }
        if self.leaving == Leaving::Soon && self.is_answered() {
            self.leaving = Leaving::Said;
            return Some(ClientMessage::Bye);
        }
        None
    }

    /// Handles a line from the server.
    pub(crate) fn receive(&mut self, line: Result<ServerMessage, ParseError>) -> Reaction<T> {
        let first = !mem::replace(&mut self.has_received, true);
        let message = match line {
            Ok(message) => message,
            Err(error) => return self.bad_line(error),
        };
        match message {
            ServerMessage::From { name, text } if self.is_own(name) => self.own_message(name, text),
            ServerMessage::From { name, text } => Reaction::event(Event::message(name, text)),
            ServerMessage::Join(name) => Reaction::event(Event::joined(name)),
            ServerMessage::Logout(name) => Reaction::event(Event::left(name)),
            ServerMessage::Notice(text) => Reaction::event(Event::notice(text)),
            ServerMessage::Ping if self.session == Session::Named => {
                self.pongs = self.pongs.saturating_add(1);
                Reaction::nothing()
            }
            ServerMessage::Bye => Reaction { close_reason: Some(self.bye(first)), ..Reaction::nothing() },
            ServerMessage::BadProt if first && self.session == Session::Plain => {
                Reaction { close_reason: Some(CloseReason::GuestsRefused), ..Reaction::nothing() }
            }
            ServerMessage::Other(line) => Reaction::event(Event::Other(line)),
            reply => self.reply(reply),
        }
    }

    fn bye(&self, first: bool) -> CloseReason {
        match self.leaving {
            Leaving::Said => CloseReason::Left,
            _ if first && self.session == Session::Plain => CloseReason::TurnedAway,
            _ => CloseReason::ServerBye,
        }
    }

    /// Ends the session: returns its report, and the requests without an answer.
    pub(crate) fn end(self, reason: CloseReason) -> (SessionReport, impl Iterator<Item = Unanswered<T>>) {
        // BYE is sent only after all requests are answered, so how the server closes the connection does not matter.
        let reason = if self.leaving == Leaving::Said { CloseReason::Left } else { reason };
        let messages = self.awaited.iter().filter(|awaited| matches!(awaited, Awaited::Message(..))).count();
        let unknown = u64::try_from(messages).unwrap_or(u64::MAX);
        let report = SessionReport { reason, accepted: self.accepted, refused: self.refused, unknown };
        let unanswered = self.awaited.into_iter().filter_map(|awaited| match awaited {
            Awaited::Message(text, ticket) => Some(Unanswered { ticket, message: Some(text) }),
            Awaited::Roster(ticket) | Awaited::Pong(ticket) => Some(Unanswered { ticket, message: None }),
            Awaited::Probe => None,
        });
        (report, unanswered)
    }
}

#[cfg(test)]
mod other_servers_tests;
#[cfg(test)]
mod tests;
