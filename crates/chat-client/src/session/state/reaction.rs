//! What follows from a line of the server: an answer to who waits, an event, the end.

use chat_proto::Name;

use crate::{Closed, Event};

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

impl<T> Reaction<T> {
    pub(super) fn nothing() -> Self {
        Self { answer: None, event: None, closed: None }
    }

    pub(super) fn event(event: Event) -> Self {
        Self { event: Some(event), ..Self::nothing() }
    }

    pub(super) fn answer(ticket: T, answer: Answer) -> Self {
        Self { answer: Some((ticket, answer)), ..Self::nothing() }
    }

    pub(super) fn both(ticket: T, answer: Answer, event: Event) -> Self {
        Self { answer: Some((ticket, answer)), event: Some(event), closed: None }
    }
}
