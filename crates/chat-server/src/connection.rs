//! A handle to a connection that the embedding program attached, and the guard that reports the connection's end.

use std::{fmt, sync::Arc};

use chat_room::ConnId;
use tokio::sync::oneshot;

use crate::{member::Identity, peer::Peer, policy::Ended, reason::EndReason, shared::Shared};

/// A connection that was passed to [`ChatServer::attach`](crate::ChatServer::attach). Dropping it does nothing: the
/// connection goes on.
///
/// ```
/// use chat_server::{ChatServer, EndReason, Peer};
/// use tokio::io::AsyncReadExt;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let server = ChatServer::builder().build();
/// let (mut client, stream) = tokio::io::duplex(1024);
/// let mut connection = server.attach(stream, Peer::labelled("gateway"));
/// connection.kick("the gateway closes");
/// assert_eq!(connection.ended().await, EndReason::Kicked("the gateway closes".into()));
///
/// let mut received = String::new();
/// client.read_to_string(&mut received).await?;
/// assert_eq!(received, "BYE\r\n");
/// # Ok(()) }
/// ```
pub struct Connection {
    identity: Arc<Identity>,
    end: End,
}

enum End {
    Awaited(oneshot::Receiver<EndReason>),
    Known(EndReason),
}

impl Connection {
    /// The handle, and the sender of the reason for the end.
    pub(crate) fn new(identity: Arc<Identity>) -> (Self, oneshot::Sender<EndReason>) {
        let (ended, end) = oneshot::channel();
        (Self { identity, end: End::Awaited(end) }, ended)
    }

    /// Its number, which is never used twice.
    pub fn id(&self) -> ConnId {
        self.identity.id
    }

    /// Its peer.
    pub fn peer(&self) -> &Peer {
        &self.identity.peer
    }

    /// Sends the client away: it leaves the room, and receives its pending lines and `BYE`, within the
    /// [write timeout](crate::ChatServerBuilder::write_timeout). `why` is for the log and the events.
    pub fn kick(&self, why: impl Into<Arc<str>>) {
        self.identity.end(EndReason::Kicked(why.into()));
    }

    /// Ends the connection at once, without `BYE`. `why` is for the log and the events.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, EndReason, Peer};
    /// use tokio::io::AsyncReadExt;
    ///
    /// let server = ChatServer::builder().build();
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// let mut connection = server.attach(stream, Peer::labelled("gateway"));
    /// connection.cut("the backend is gone");
    /// assert_eq!(connection.ended().await, EndReason::Cut("the backend is gone".into()));
    /// assert_eq!(client.read(&mut [0]).await?, 0);
    /// # Ok(()) }
    /// ```
    pub fn cut(&self, why: impl Into<Arc<str>>) {
        self.identity.end(EndReason::Cut(why.into()));
    }

    /// Waits until the connection has ended: the client has left, and its pending lines were written or dropped. Returns the
    /// reason. The reason of a member is the one in its [`Event::Left`](crate::Event::Left).
    ///
    /// Each later call returns the same reason, even if an earlier future was dropped.
    pub async fn ended(&mut self) -> EndReason {
        if let End::Awaited(end) = &mut self.end {
            // The sender is gone without a reason: the connection's task was dropped.
            self.end = End::Known(end.await.unwrap_or(EndReason::Dropped));
        }
        match &self.end {
            End::Known(reason) => reason.clone(),
            End::Awaited(_) => unreachable!("it was awaited"),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Reports the end of a connection, however it ends: to its handle and, if it was accepted, to the policy and the
/// statistics.
pub(crate) struct EndGuard {
    pub(crate) shared: Arc<Shared>,
    pub(crate) identity: Arc<Identity>,
    handle: Option<oneshot::Sender<EndReason>>,
    is_accepted: bool,
}

impl EndGuard {
    pub(crate) fn new(
        shared: Arc<Shared>,
        identity: Arc<Identity>,
        handle: Option<oneshot::Sender<EndReason>>,
    ) -> Self {
        Self { shared, identity, handle, is_accepted: false }
    }

    /// The connection is accepted.
    pub(crate) fn accept(&mut self) {
        self.is_accepted = true;
        self.shared.counters.accepted();
    }

    /// Reports the end. A second call has no effect.
    pub(crate) fn end(&mut self, reason: EndReason) {
        if std::mem::take(&mut self.is_accepted) {
            self.shared.counters.closed();
            let Identity { id, peer, .. } = &*self.identity;
            let (peer, name, reason) = (peer.clone(), self.identity.name(), reason.clone());
            self.shared.policy.ended(&Ended { id: *id, peer, name, reason });
        }
        if let Some(handle) = self.handle.take() {
            // It fails only if the handle is gone.
            let _ = handle.send(reason);
        }
    }
}

impl Drop for EndGuard {
    /// Reports the end of a task that was dropped. Any other end is already reported.
    fn drop(&mut self) {
        self.end(EndReason::Dropped);
    }
}
