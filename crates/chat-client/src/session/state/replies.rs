//! Matches replies with requests, also of servers that do not follow the protocol exactly.

use std::mem;

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
            Some(Awaited::Message(said, ticket)) if said == text => {
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
        if reply == ServerMessage::Ok && !self.behaviour.ok_is_an_answer() {
            return Reaction::nothing();
        }
        self.skip(&reply);
        match (reply, self.awaited.pop_front()) {
            (ServerMessage::Ok, Some(Awaited::Message(text, ticket))) => {
                self.accepted += 1;
                self.behaviour.acknowledged(&text);
                Reaction::both(ticket, Answer::Accepted, Event::accepted(text))
            }
            (ServerMessage::Ok, Some(Awaited::GivenUp(count))) => {
                self.accepted += 1;
                self.behaviour.acknowledged_late();
                self.still_given_up(count - 1)
            }
            (ServerMessage::BadReq, Some(Awaited::GivenUp(count))) => {
                self.refused += 1;
                self.behaviour.refused_late();
                self.still_given_up(count - 1)
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

    /// Replies arrive in order (clause 5.3). So an answer to a later request shows that the server has taken the
    /// messages before it, if it is one that sends no `OK`. A probe before it is not answered any more.
    pub(super) fn skip(&mut self, reply: &ServerMessage) {
        let answered = self.awaited.iter().position(|awaited| match reply {
            ServerMessage::Pong => matches!(awaited, Awaited::Pong(_) | Awaited::Probe),
            ServerMessage::Clients { .. } => matches!(awaited, Awaited::Roster(_)),
            ServerMessage::Ok => matches!(awaited, Awaited::Message(..) | Awaited::GivenUp(_)),
            _ => false,
        });
        let Some(before) = answered else { return };
        let skippable = |awaited: &Awaited<T>| match awaited {
            Awaited::Message(..) | Awaited::GivenUp(_) => self.behaviour.answers_may_skip_messages(),
            Awaited::Probe => true,
            Awaited::Roster(_) | Awaited::Pong(_) => false,
        };
        if !self.awaited.iter().take(before).all(skippable) {
            return;
        }
        for awaited in self.awaited.drain(..before) {
            match awaited {
                Awaited::Message(text, ticket) => {
                    self.accepted += 1;
                    self.behaviour.skipped();
                    self.behaviour.expect_echo(&text);
                    self.earlier.push_back(Reaction::both(ticket, Answer::Accepted, Event::accepted(text)));
                }
                Awaited::GivenUp(count) => {
                    self.accepted += count;
                    self.behaviour.skipped();
                }
                Awaited::Roster(_) | Awaited::Pong(_) | Awaited::Probe => {}
            }
        }
    }

    /// Reports all waiting messages as unknown. They keep their places in the queue, for late answers.
    pub(super) fn give_up(&mut self) {
        for awaited in mem::take(&mut self.awaited) {
            let count = match awaited {
                Awaited::Message(_, ticket) => {
                    self.earlier.push_back(Reaction::answer(ticket, Answer::Unknown));
                    1
                }
                Awaited::GivenUp(count) => count,
                request => {
                    self.awaited.push_back(request);
                    continue;
                }
            };
            match self.awaited.back_mut() {
                Some(Awaited::GivenUp(before)) => *before += count,
                _ => self.awaited.push_back(Awaited::GivenUp(count)),
            }
        }
    }

    /// A message that was given up got a late answer: nobody waits for it.
    fn still_given_up(&mut self, count: u64) -> Reaction<T> {
        if count > 0 {
            self.awaited.push_front(Awaited::GivenUp(count));
        }
        Reaction::nothing()
    }

    pub(super) fn put_back(&mut self, front: Option<Awaited<T>>) {
        if let Some(front) = front {
            self.awaited.push_front(front);
        }
    }

    /// A line that does not parse may have been meant as the roster that is expected.
    pub(super) fn bad_line(&mut self, error: ParseError) -> Reaction<T> {
        let roster = error.line().is_some_and(|line| line.starts_with("LIST CLIENTS"));
        while let Some(Awaited::GivenUp(count)) = self.awaited.front().filter(|_| roster) {
            self.unknown += count;
            self.awaited.pop_front();
        }
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
