//! What follows from a line of the server: an answer, an event, the end of the session.

use chat_proto::Name;

use crate::{CloseReason, Event};

/// The outcome of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Accepted,
    Refused,
    Roster(Vec<Name>),
    Pong,
    /// The server's answer contradicts itself.
    Malformed,
    /// The session ended first: it may have been done or not (clause 7.6).
    Unknown,
    /// The session ended before the request was written.
    NotSent,
}

/// What follows from a line.
#[derive(Debug)]
pub(crate) struct Reaction<T> {
    pub(crate) answer: Option<(T, Answer)>,
    pub(crate) event: Option<Event>,
    pub(crate) close_reason: Option<CloseReason>,
}

impl<T> Reaction<T> {
    pub(super) fn nothing() -> Self {
        Self { answer: None, event: None, close_reason: None }
    }

    pub(super) fn event(event: Event) -> Self {
        Self { event: Some(event), ..Self::nothing() }
    }

    pub(super) fn answer(ticket: T, answer: Answer) -> Self {
        Self { answer: Some((ticket, answer)), ..Self::nothing() }
    }

    pub(super) fn both(ticket: T, answer: Answer, event: Event) -> Self {
        Self { answer: Some((ticket, answer)), event: Some(event), close_reason: None }
    }
}
