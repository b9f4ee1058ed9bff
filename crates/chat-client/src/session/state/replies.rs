//! Matches replies with requests, also of servers that do not follow the protocol exactly.

use chat_proto::{Name, ParseError, RosterReader, ServerMessage, Text};

use super::{Answer, Awaited, Reaction, State};
use crate::Event;

impl<T> State<T> {
    pub(super) fn is_own(&self, name: Name) -> bool {
        self.name.is_some_and(|own| own.key() == name.key())
    }

    /// Handles an echo of this client's own message: it acknowledges the message, or is ignored.
    pub(super) fn own_message(&mut self, from: Name, text: Text) -> Reaction<T> {
        if self.behaviour.is_late_echo(&text) {
            return Reaction::nothing();
        }
        match self.awaited.pop_front() {
            Some(Awaited::Message(sent, ticket)) if sent == text => {
                self.behaviour.echoed();
                self.accepted += 1;
                Reaction::both(ticket, Answer::Accepted, Event::accepted(text))
            }
            front => {
                self.put_back(front);
                Reaction::event(Event::message(from, text))
            }
        }
    }

    /// Matches a reply with the oldest request.
    pub(super) fn reply(&mut self, reply: ServerMessage) -> Reaction<T> {
        if reply == ServerMessage::Ok {
            let is_waiting = self.awaited.iter().any(|awaited| matches!(awaited, Awaited::Message(..)));
            if !self.behaviour.ok_is_an_answer(is_waiting) {
                return Reaction::nothing();
            }
        }
        if let Some(reaction) = self.overtake(&reply) {
            return reaction;
        }
        match (reply, self.awaited.pop_front()) {
            (ServerMessage::Ok, Some(Awaited::Message(text, ticket))) => {
                self.accepted += 1;
                self.behaviour.acknowledged(&text);
                Reaction::both(ticket, Answer::Accepted, Event::accepted(text))
            }
            (ServerMessage::BadReq, Some(Awaited::Message(text, ticket))) => {
                self.refused += 1;
                Reaction::both(ticket, Answer::Refused, Event::refused(text))
            }
            (ServerMessage::BadReq, Some(Awaited::Roster(ticket) | Awaited::Pong(ticket))) => {
                self.roster = RosterReader::default();
                Reaction::answer(ticket, Answer::Refused)
            }
            (ServerMessage::Pong | ServerMessage::BadReq, Some(Awaited::Probe)) => Reaction::nothing(),
            (ServerMessage::Pong, Some(Awaited::Pong(ticket))) => Reaction::answer(ticket, Answer::Pong),
            (ServerMessage::Clients { total, names }, Some(Awaited::Roster(ticket))) => {
                match self.roster.push(total, names) {
                    Ok(Some(names)) => Reaction::both(ticket, Answer::Roster(names.clone()), Event::roster(names)),
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

    /// Handles an answer that overtakes requests before its own, although replies arrive in order (clause 5.3).
    ///
    /// A server that sends no `OK` has taken the messages before its answer. A server that sends `OK` still owes it: the
    /// messages go on waiting. A probe before the answer is not answered any more.
    fn overtake(&mut self, reply: &ServerMessage) -> Option<Reaction<T>> {
        let answered = self.awaited.iter().position(|awaited| match reply {
            ServerMessage::Pong => matches!(awaited, Awaited::Pong(_) | Awaited::Probe),
            ServerMessage::Clients { .. } => matches!(awaited, Awaited::Roster(_)),
            ServerMessage::Ok => matches!(awaited, Awaited::Message(..)),
            _ => false,
        })?;
        let may_wait = |awaited: &Awaited<T>| matches!(awaited, Awaited::Message(..) | Awaited::Probe);
        if !self.awaited.iter().take(answered).all(may_wait) {
            return None;
        }
        if self.behaviour.answers_may_skip_messages() || *reply == ServerMessage::Ok {
            for awaited in self.awaited.drain(..answered) {
                if let Awaited::Message(text, ticket) = awaited {
                    self.accepted += 1;
                    self.behaviour.skipped();
                    self.behaviour.expect_echo(&text);
                    self.earlier.push_back(Reaction::both(ticket, Answer::Accepted, Event::accepted(text)));
                }
            }
            return None;
        }
        if answered == 0 || *reply != ServerMessage::Pong {
            return None;
        }
        match self.awaited.remove(answered) {
            Some(Awaited::Pong(ticket)) => Some(Reaction::answer(ticket, Answer::Pong)),
            _ => Some(Reaction::nothing()),
        }
    }

    pub(super) fn put_back(&mut self, front: Option<Awaited<T>>) {
        if let Some(front) = front {
            self.awaited.push_front(front);
        }
    }

    /// A line that does not parse may have been meant as the roster that is expected.
    pub(super) fn bad_line(&mut self, error: ParseError) -> Reaction<T> {
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
        Reaction { answer: ticket, event: Some(Event::BadLine(error)), close_reason: None }
    }
}
