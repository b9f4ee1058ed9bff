//! The handle of a session: sends messages and requests, and returns their answers.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use chat_proto::{Name, Text};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    CloseError, CloseReason, RequestError, SendError, SessionReport,
    session::{Answer, Request, Ticket},
};

/// A handle of an open session. Clones are handles of the same session.
///
/// At most [`MAX_QUEUED`](crate::MAX_QUEUED) requests wait to be written, and at most
/// [`MAX_OUTSTANDING`](crate::MAX_OUTSTANDING) wait for an answer. The next call waits for room. Every call returns
/// when the session ends. None has a time limit of its own, because a server may be slow (clause 6.6): use
/// `tokio::time::timeout` to set one.
///
/// There is one exception. If the server does not answer the first message within 33 seconds, the session assumes that
/// it never answers messages: they end as [`SendError::Unknown`] at once. The first answer ends this. From then on each
/// message waits for its answer again, and [`SessionReport`] includes late answers.
///
/// ```
/// use chat_client::Login;
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\n", "LIST CLIENTS 2 ann bob\r\n", "OK\r\n", "BYE\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (client, _events) = Login::over(stream).log_in("bob".parse()?).await?;
/// assert_eq!(client.clients().await?.len(), 2);
/// client.send("hello".parse()?).await?; // done at the `OK`
/// let report = client.close().await?;
/// assert_eq!(report.accepted, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ChatClient {
    requests: mpsc::Sender<Request<Ticket>>,
    report: watch::Receiver<Option<SessionReport>>,
    name: Option<Name>,
}

impl ChatClient {
    pub(crate) fn new(
        requests: mpsc::Sender<Request<Ticket>>,
        report: watch::Receiver<Option<SessionReport>>,
        name: Option<Name>,
    ) -> Self {
        Self { requests, report, name }
    }

    /// The name of this client. `None` for a guest: the server chooses its name and does not tell it (clause 2.3).
    pub fn name(&self) -> Option<Name> {
        self.name
    }

    /// Sends `text` to everybody, and waits for the `OK` (clauses 3.5 and 4.1).
    ///
    /// If the future is dropped before it is done, the message may have been sent or not. To send messages without waiting for
    /// each `OK`, use [`ChatClient::queue`].
    ///
    /// # Errors
    /// [`SendError::Refused`] for a `BAD REQ`, [`SendError::Unknown`] if the session ended before the answer, and the errors of
    /// [`ChatClient::queue`].
    pub async fn send(&self, text: Text) -> Result<(), SendError> {
        self.queue(text).await?.await
    }

    /// Queues `text` and does not wait for the `OK`: use it to send many messages in a row.
    ///
    /// It waits for room in the queue. Messages are sent in the order in which these calls return. Dropping the receipt
    /// does not cancel the message.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the session is over, and [`SendError::Bye`] for a guest that sends `BYE`. The message was not sent.
    pub async fn queue(&self, text: Text) -> Result<Receipt, SendError> {
        // In a guest's session this line would mean "leave", and it is a valid text (clause 4.3).
        if self.name.is_none() && text.as_str() == "BYE" {
            return Err(SendError::Bye);
        }
        Ok(self.reserve_request().await.ok_or(SendError::Closed)?.say(text))
    }

    /// Returns the names of all who are present (clause 3.6). The events contain the same roster, at its place in the
    /// order.
    ///
    /// # Errors
    /// [`RequestError`]: a guest cannot ask, the server refused or sent no valid roster, or the session is over.
    pub async fn clients(&self) -> Result<Vec<Name>, RequestError> {
        match self.ask(Request::Roster).await? {
            Answer::Roster(names) => Ok(names),
            other => Err(failure(&other)),
        }
    }

    /// Requests the roster and does not wait for it: it arrives as [`Event::Roster`](crate::Event::Roster).
    ///
    /// It waits for room in the queue. In a guest's session, or when the session is over, it does nothing.
    pub async fn request_clients(&self) {
        if self.name.is_some()
            && let Some(permit) = self.reserve_request().await
        {
            drop(permit.roster());
        }
    }

    /// Sends `PING` and waits for the `PONG` (clause 3.7).
    ///
    /// # Errors
    /// [`RequestError`]: a guest cannot ask, the server refused, or the session is over.
    pub async fn ping(&self) -> Result<(), RequestError> {
        match self.ask(Request::Ping).await? {
            Answer::Pong => Ok(()),
            other => Err(failure(&other)),
        }
    }

    /// Leaves: sends everything that is queued, waits for all answers, sends `BYE`, and waits for the server's `BYE`.
    ///
    /// Requests that clones make after this call are not sent. If the session is already over, the call returns its
    /// report.
    ///
    /// # Errors
    /// [`CloseError`] if messages have no answer, or the session was stopped. It contains the report.
    pub async fn close(&self) -> Result<SessionReport, CloseError> {
        self.leave().await;
        let report = self.closed().await;
        if report.unknown == 0 && report.reason != CloseReason::Aborted {
            Ok(report)
        } else {
            Err(CloseError::new(report))
        }
    }

    /// Starts to leave as [`ChatClient::close`] does, and does not wait for the end of the session. It waits for room
    /// in the queue.
    pub async fn leave(&self) {
        if let Some(permit) = self.reserve_request().await {
            permit.leave();
        }
    }

    /// Waits until the session is over, and returns its report. It does not end the session. Cancel safe.
    pub async fn closed(&self) -> SessionReport {
        let mut report = self.report.clone();
        let ended = report.wait_for(Option::is_some).await.ok().and_then(|report| report.clone());
        // The task is gone without a report: nothing is known.
        ended.unwrap_or(SessionReport { reason: CloseReason::Aborted, accepted: 0, refused: 0, unknown: 0 })
    }

    /// Waits for room for one request. `None`: the session is over. Cancel safe.
    pub(crate) async fn reserve_request(&self) -> Option<RequestPermit<'_>> {
        self.requests.reserve().await.ok().map(RequestPermit)
    }

    async fn ask(&self, request: impl FnOnce(Ticket) -> Request<Ticket>) -> Result<Answer, RequestError> {
        if self.name.is_none() {
            return Err(RequestError::Guest);
        }
        let permit = self.reserve_request().await.ok_or(RequestError::Closed)?;
        permit.ask(request).await.map_err(|_| RequestError::Closed)
    }
}

fn failure(answer: &Answer) -> RequestError {
    match answer {
        Answer::Refused => RequestError::Refused,
        Answer::Unknown | Answer::NotSent => RequestError::Closed,
        _ => RequestError::Malformed,
    }
}

/// Room for one request. The end of a session waits until each permit is used or dropped.
#[derive(Debug)]
pub(crate) struct RequestPermit<'a>(mpsc::Permit<'a, Request<Ticket>>);

impl RequestPermit<'_> {
    /// The caller checks that a guest does not send `BYE`.
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

/// The answer to one message: a future that is done at its `OK` or `BAD REQ`, or when the session ends.
///
/// ```
/// use chat_client::{Login, SendError};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\n", "OK\r\n", "BAD REQ\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (client, _events) = Login::over(stream).log_in("bob".parse()?).await?;
/// let first = client.queue("one".parse()?).await?;
/// let second = client.queue("two".parse()?).await?; // sent without waiting for the first `OK`
/// assert_eq!(first.await, Ok(()));
/// assert_eq!(second.await, Err(SendError::Refused));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "without the receipt, nobody knows whether the message was accepted"]
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
            // Also if the task is gone: only the task knows that a message was not sent.
            _ => Err(SendError::Unknown),
        })
    }
}
