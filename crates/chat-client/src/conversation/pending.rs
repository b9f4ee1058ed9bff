//! The pending requests of a conversation, in order.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use chat_proto::Text;
use tokio::sync::oneshot;

use crate::{Receipt, SendError, session::Answer};

/// Requests that wait for answers. The session limits their number.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<PendingRequest>);

#[derive(Debug)]
enum PendingRequest {
    Message(Text, Receipt),
    Roster(oneshot::Receiver<Answer>),
}

/// The outcome of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing to report.
    Done,
    Refused(Text),
    /// The session ended without an answer.
    Unanswered(Text),
    NoRoster,
}

impl Pending {
    pub(super) fn message(&mut self, text: Text, receipt: Receipt) {
        self.0.push_back(PendingRequest::Message(text, receipt));
    }

    pub(super) fn roster(&mut self, answer: oneshot::Receiver<Answer>) {
        self.0.push_back(PendingRequest::Roster(answer));
    }

    /// Takes the messages without an answer. Nobody waits for them any more.
    pub(super) fn abandon(&mut self) -> impl Iterator<Item = Text> {
        std::mem::take(&mut self.0).into_iter().filter_map(|request| match request {
            PendingRequest::Message(text, _) => Some(text),
            PendingRequest::Roster(_) => None,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits for the outcome of the oldest request, for ever if there is none. Cancel safe.
    pub(super) async fn front(&mut self) -> Outcome {
        poll_fn(|cx| self.poll_front(cx)).await
    }

    fn poll_front(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        // Answers arrive in the order of the requests (clause 5.3), so only the front can be done.
        let answer = match self.0.front_mut() {
            Some(PendingRequest::Message(_, receipt)) => ready!(Pin::new(receipt).poll(cx)),
            Some(PendingRequest::Roster(answer)) => {
                // The roster itself is an event.
                let refused = matches!(ready!(Pin::new(answer).poll(cx)), Ok(Answer::Refused | Answer::Malformed));
                if refused { Err(SendError::Refused) } else { Ok(()) }
            }
            None => return Poll::Pending,
        };
        Poll::Ready(match (self.0.pop_front(), answer) {
            (_, Ok(())) | (None, _) => Outcome::Done,
            (Some(PendingRequest::Message(text, _)), Err(SendError::Refused)) => Outcome::Refused(text),
            (Some(PendingRequest::Message(text, _)), Err(_)) => Outcome::Unanswered(text),
            (Some(PendingRequest::Roster(_)), Err(_)) => Outcome::NoRoster,
        })
    }
}
