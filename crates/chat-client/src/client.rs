//! The handle of a session: what its user asks for, and what comes of it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use chat_proto::{Name, Text};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    CloseError, Closed, Report, RequestError, SendError,
    session::{Answer, Request, Ticket},
};

/// A handle of an open session. Clones are handles of the same session.
///
/// At most [`MAX_QUEUED`](crate::MAX_QUEUED) requests wait to be written and [`MAX_OUTSTANDING`](crate::MAX_OUTSTANDING)
/// for their answer; whoever wants to make one more waits first. Nothing here waits longer than the session lasts, but no
/// call has a time limit of its own: a server may be as slow as it likes (clause 6.6). Wrap calls in `timeout` to have one.
///
/// One exception: a server that has not answered the first message within 33 seconds is taken for one that answers none, so
/// that nobody waits for it. Messages then end as [`SendError::Unknown`], until an answer comes after all: from there on each
/// message waits for its own again, and [`Report`] counts the answers to the earlier ones too.
#[derive(Clone, Debug)]
pub struct ChatClient {
    requests: mpsc::Sender<Request<Ticket>>,
    report: watch::Receiver<Option<Report>>,
    name: Option<Name>,
}

impl ChatClient {
    pub(crate) fn new(
        requests: mpsc::Sender<Request<Ticket>>,
        report: watch::Receiver<Option<Report>>,
        name: Option<Name>,
    ) -> Self {
        Self { requests, report, name }
    }

    /// The name that this client logged in under. `None` for a guest: the server names it, and does not tell (clause 2.3).
    pub fn name(&self) -> Option<Name> {
        self.name
    }

    /// Says `text` to everybody, and waits for the `OK` (clauses 3.5 and 4.1).
    ///
    /// A future that is dropped before it is done may have sent the message or not.
    pub async fn send(&self, text: Text) -> Result<(), SendError> {
        self.queue(text).await?.await
    }

    /// Says `text` to everybody, without waiting for the `OK`: for many messages in a row.
    ///
    /// It waits until there is room in the queue. Messages are sent in the order in which these calls are done. The receipt
    /// may be dropped; the message is sent all the same.
    pub async fn queue(&self, text: Text) -> Result<Receipt, SendError> {
        // There, the line is the text, and a text of its own (clause 4.3).
        if self.name.is_none() && text.as_str() == "BYE" {
            return Err(SendError::Bye);
        }
        Ok(self.slot().await.ok_or(SendError::Closed)?.say(text))
    }

    /// Asks who is here (clause 3.6). The same roster is among the events, at its place in the order.
    pub async fn clients(&self) -> Result<Vec<Name>, RequestError> {
        match self.ask(Request::Roster).await? {
            Answer::Roster(names) => Ok(names),
            other => Err(failure(&other)),
        }
    }

    /// Asks who is here, without waiting for the answer: it comes as [`Event::Roster`](crate::Event::Roster).
    ///
    /// It waits until there is room in the queue. It does nothing for a guest, nor when the session is over.
    pub async fn request_clients(&self) {
        if self.name.is_some()
            && let Some(slot) = self.slot().await
        {
            drop(slot.roster());
        }
    }

    /// Asks the server for a sign of life (clause 3.7).
    pub async fn ping(&self) -> Result<(), RequestError> {
        match self.ask(Request::Ping).await? {
            Answer::Pong => Ok(()),
            other => Err(failure(&other)),
        }
    }

    /// Leaves: writes all that is queued, waits for what is not answered yet, says `BYE`, and waits for the server's.
    ///
    /// What clones ask for after this is not sent any more. An error says that there are messages without an answer.
    /// Closing a session that is over already says how it ended.
    pub async fn close(&self) -> Result<Report, CloseError> {
        self.leave().await;
        let report = self.closed().await;
        if report.unknown == 0 && report.closed != Closed::Aborted { Ok(report) } else { Err(CloseError(report)) }
    }

    /// Leaves as [`ChatClient::close`] does, without waiting for the end: it waits until there is room in the queue.
    pub async fn leave(&self) {
        if let Some(slot) = self.slot().await {
            slot.leave();
        }
    }

    /// Waits until the session is over, whoever ends it.
    pub async fn closed(&self) -> Report {
        let mut report = self.report.clone();
        let told = report.wait_for(Option::is_some).await.ok().and_then(|report| *report);
        // The task alone could have told more.
        told.unwrap_or(Report { closed: Closed::Aborted, accepted: 0, refused: 0, unknown: 0 })
    }

    /// Waits for room for one request. `None`: the session is over. It may be dropped unfinished.
    pub(crate) async fn slot(&self) -> Option<Slot<'_>> {
        self.requests.reserve().await.ok().map(Slot)
    }

    async fn ask(&self, request: impl FnOnce(Ticket) -> Request<Ticket>) -> Result<Answer, RequestError> {
        if self.name.is_none() {
            return Err(RequestError::Guest);
        }
        let slot = self.slot().await.ok_or(RequestError::Closed)?;
        slot.ask(request).await.map_err(|_| RequestError::Closed)
    }
}

fn failure(answer: &Answer) -> RequestError {
    match answer {
        Answer::Refused => RequestError::Refused,
        Answer::Unknown | Answer::NotSent => RequestError::Closed,
        _ => RequestError::Malformed,
    }
}

/// Room for one request. A session that ends waits for it to be used or dropped.
#[derive(Debug)]
pub(crate) struct Slot<'a>(mpsc::Permit<'a, Request<Ticket>>);

impl Slot<'_> {
    /// The caller has seen to it that a guest does not say `BYE`.
    pub(crate) fn say(self, text: Text) -> Receipt {
        Receipt { answer: self.ask(|ticket| Request::Say(text, ticket)) }
    }

    pub(crate) fn roster(self) -> oneshot::Receiver<Answer> {
        self.ask(Request::Roster)
    }

    pub(crate) fn leave(self) {
        self.0.send(Request::Leave);
    }

    fn ask(self, request: impl FnOnce(Ticket) -> Request<Ticket>) -> oneshot::Receiver<Answer> {
        let (ticket, answer) = oneshot::channel();
        self.0.send(request(ticket));
        answer
    }
}

/// What becomes of one message: a future that is done when its `OK` or `BAD REQ` has come, or the session is over.
#[derive(Debug)]
#[must_use = "without it nobody knows whether the message was accepted"]
pub struct Receipt {
    answer: oneshot::Receiver<Answer>,
}

impl Future for Receipt {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.answer).poll(cx)) {
            Ok(Answer::Accepted) => Ok(()),
            Ok(Answer::Refused) => Err(SendError::Refused),
            Ok(Answer::NotSent) => Err(SendError::Closed),
            // Also if the task is gone: only its word makes a message sent.
            _ => Err(SendError::Unknown),
        })
    }
}
