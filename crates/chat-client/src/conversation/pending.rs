//! What a conversation has asked for and not heard of yet, in order.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use chat_proto::Text;
use tokio::sync::oneshot;

use crate::{Receipt, SendError, session::Answer};

/// Requests that wait for their answers. The session bounds how many there can be.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<Request>);

#[derive(Debug)]
enum Request {
    Message(Text, Receipt),
    Roster(oneshot::Receiver<Answer>),
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// All is well.
    Done,
    Refused(Text),
    /// The session ended first.
    Unanswered(Text),
    NoRoster,
}

impl Pending {
    pub(super) fn message(&mut self, text: Text, receipt: Receipt) {
        self.0.push_back(Request::Message(text, receipt));
    }

    pub(super) fn roster(&mut self, answer: oneshot::Receiver<Answer>) {
        self.0.push_back(Request::Roster(answer));
    }

    /// The messages that have no answer yet, for whom nobody waits any more.
    pub(super) fn abandon(&mut self) -> impl Iterator<Item = Text> {
        std::mem::take(&mut self.0).into_iter().filter_map(|request| match request {
            Request::Message(text, _) => Some(text),
            Request::Roster(_) => None,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What becomes of the oldest request; it waits for ever if there is none. It may be dropped unfinished.
    pub(super) async fn front(&mut self) -> Outcome {
        poll_fn(|cx| self.poll_front(cx)).await
    }

    fn poll_front(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        // Answers come in the order of the requests (clause 5.3), so the front is the only one to look at.
        let answer = match self.0.front_mut() {
            Some(Request::Message(_, receipt)) => ready!(Pin::new(receipt).poll(cx)),
            Some(Request::Roster(answer)) => {
                // The roster itself is among the events, in its place.
                let refused = matches!(ready!(Pin::new(answer).poll(cx)), Ok(Answer::Refused | Answer::Malformed));
                if refused { Err(SendError::Refused) } else { Ok(()) }
            }
            None => return Poll::Pending,
        };
        Poll::Ready(match (self.0.pop_front(), answer) {
            (_, Ok(())) | (None, _) => Outcome::Done,
            (Some(Request::Message(text, _)), Err(SendError::Refused)) => Outcome::Refused(text),
            (Some(Request::Message(text, _)), Err(_)) => Outcome::Unanswered(text),
            (Some(Request::Roster(_)), Err(_)) => Outcome::NoRoster,
        })
    }
}
