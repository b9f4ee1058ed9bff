//! The handle of a session: sends messages and requests, and returns their answers.

use std::time::Duration;

use chat_proto::{Name, Text};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot, watch,
    },
    time::Instant,
};

use crate::{
    CloseError, CloseReason, Receipt, RequestError, SendError, SessionReport,
    session::{Answer, Ended, Orders, Request, Ticket},
};

/// A handle of an open session. Clones are handles of the same session.
///
/// At most [`MAX_QUEUED`](crate::MAX_QUEUED) requests wait to be written, and at most
/// [`MAX_OUTSTANDING`](crate::MAX_OUTSTANDING) wait for an answer. The next call waits for room. Every call returns
/// when the session ends. None has a time limit of its own, because a server may be slow (clause 6.6): use
/// `tokio::time::timeout` to set one.
///
/// Calls end with the session at the latest, and a session does not outlive its connection. Under a name, it sends `PING`
/// after [`KEEPALIVE_INTERVAL`](crate::KEEPALIVE_INTERVAL) of silence, and ends if nothing comes for as long again
/// ([`CloseReason::Silent`]). A guest cannot send `PING`: over TCP, the operating system detects a dead connection.
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
    orders: watch::Sender<Orders>,
    ended: watch::Receiver<Option<Ended>>,
    name: Option<Name>,
}

impl ChatClient {
    pub(crate) fn new(
        requests: mpsc::Sender<Request<Ticket>>,
        orders: watch::Sender<Orders>,
        ended: watch::Receiver<Option<Ended>>,
        name: Option<Name>,
    ) -> Self {
        Self { requests, orders, ended, name }
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
        self.check(&text)?;
        let (request, receipt) = say(text);
        self.requests.send(request).await.map_err(|_| SendError::Closed)?;
        Ok(receipt)
    }

    /// Queues `text` if there is room: [`ChatClient::queue`] for a caller that must not wait.
    ///
    /// # Errors
    /// [`SendError::Full`] if the queue has no room, and the errors of [`ChatClient::queue`]. The message was not sent.
    pub fn try_queue(&self, text: Text) -> Result<Receipt, SendError> {
        self.check(&text)?;
        let (request, receipt) = say(text);
        self.requests.try_send(request).map_err(|error| not_queued(&error))?;
        Ok(receipt)
    }

    /// In a guest's session this line would mean "leave", and it is a valid text (clause 4.3).
    fn check(&self, text: &Text) -> Result<(), SendError> {
        if self.name.is_none() && text.as_str() == "BYE" { Err(SendError::Bye) } else { Ok(()) }
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
        if self.name.is_some() {
            let (ticket, _) = oneshot::channel();
            // Fails if the session is over.
            drop(self.requests.send(Request::Roster(ticket)).await);
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
    /// Requests that clones make after this call are not sent. The server has [`LEAVE_TIMEOUT`](crate::LEAVE_TIMEOUT)
    /// for each further answer. If the session is already over, the call returns its report.
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

    /// Starts to leave as [`ChatClient::close`] does, and does not wait for anything: not for room in the queue, nor for
    /// the end of the session.
    #[allow(clippy::unused_async, reason = "a later version may have to wait")]
    pub async fn leave(&self) {
        self.start_to_leave();
    }

    pub(crate) fn start_to_leave(&self) {
        self.leave_by(None);
    }

    /// Starts to leave as [`ChatClient::close`] does, and ends the session after this time at the latest. Messages
    /// without an answer are then unknown. It does not wait.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chat_client::{CloseReason, Login};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (stream, _server) = tokio::io::duplex(4096);
    /// let (client, _events) = Login::over(stream).as_guest();
    /// drop(client.queue("hello".parse()?).await?);
    /// client.leave_within(Duration::from_millis(10)); // this server answers nothing
    /// let report = client.closed().await;
    /// assert_eq!((report.reason, report.unknown), (CloseReason::TimedOut, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn leave_within(&self, limit: Duration) {
        self.leave_by(Instant::now().checked_add(limit));
    }

    fn leave_by(&self, limit: Option<Instant>) {
        self.orders.send_modify(|orders| {
            orders.leave = true;
            orders.leave_by = [orders.leave_by, limit].into_iter().flatten().min();
        });
    }

    /// Waits until the session is over, and returns its report. It does not end the session. Cancel safe.
    pub async fn closed(&self) -> SessionReport {
        let mut ended = self.ended.clone();
        let ended = ended.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone());
        // The task is gone without a report: nothing is known.
        let aborted = SessionReport { reason: CloseReason::Aborted, accepted: 0, refused: 0, unknown: 0 };
        ended.map_or(aborted, |ended| ended.report)
    }

    /// When the last line of a session that is over was received.
    #[cfg(feature = "reconnect")]
    pub(crate) fn last_received(&self) -> Option<Instant> {
        self.ended.borrow().as_ref().map(|ended| ended.last_received)
    }

    /// The report of a session that is over.
    #[cfg(feature = "conversation")]
    pub(crate) fn report(&self) -> Option<SessionReport> {
        self.ended.borrow().as_ref().map(|ended| ended.report.clone())
    }

    /// Makes the session read no more than its reader of events takes, even if requests wait for answers.
    #[cfg(feature = "conversation")]
    pub(crate) fn wait_for_reader(&self) {
        self.orders.send_modify(|orders| orders.waits_for_reader = true);
    }

    /// [`ChatClient::request_clients`] for a caller that must not wait.
    #[cfg(feature = "conversation")]
    pub(crate) fn try_request_clients(&self) -> Result<oneshot::Receiver<Answer>, SendError> {
        let (ticket, answer) = oneshot::channel();
        self.requests.try_send(Request::Roster(ticket)).map_err(|error| not_queued(&error))?;
        Ok(answer)
    }

    /// Waits until the queue has room, or the session is over. Cancel safe.
    #[cfg(feature = "conversation")]
    pub(crate) async fn has_room(&self) {
        // The permit may be returned: only its holder sends next.
        drop(self.requests.reserve().await);
    }

    async fn ask(&self, request: impl FnOnce(Ticket) -> Request<Ticket>) -> Result<Answer, RequestError> {
        if self.name.is_none() {
            return Err(RequestError::Guest);
        }
        let (ticket, answer) = oneshot::channel();
        self.requests.send(request(ticket)).await.map_err(|_| RequestError::Closed)?;
        answer.await.map_err(|_| RequestError::Closed)
    }
}

fn not_queued(error: &TrySendError<Request<Ticket>>) -> SendError {
    match error {
        TrySendError::Full(_) => SendError::Full,
        TrySendError::Closed(_) => SendError::Closed,
    }
}

fn say(text: Text) -> (Request<Ticket>, Receipt) {
    let (ticket, answer) = oneshot::channel();
    (Request::Say(text, ticket), Receipt::new(answer))
}

fn failure(answer: &Answer) -> RequestError {
    match answer {
        Answer::Refused => RequestError::Refused,
        Answer::Unknown | Answer::NotSent => RequestError::Closed,
        _ => RequestError::Malformed,
    }
}
