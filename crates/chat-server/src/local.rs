//! A client inside this program: the same rules and order, without a socket.

use std::sync::Arc;

use chat_proto::{Name, NameError, Text, TextError};
use chat_room::{ConnId, JoinAs};

use crate::{
    Event, Events,
    hub::{JoinError, Membership, Stopped},
    peer::PeerInfo,
    policy::{Admission, Verdict},
    reason::EndReason,
    shared::Shared,
};

/// A client inside this program, from [`ChatServer::local`](crate::ChatServer::local). When dropped, it leaves, in any
/// thread.
///
/// It has no rate limit: its speed is up to the embedding program.
#[derive(Debug)]
pub struct LocalClient {
    shared: Arc<Shared>,
    conn: ConnId,
    peer: PeerInfo,
    membership: Membership,
    name: Name,
    /// The number of its own `JOIN`. Earlier events are not for it.
    joined: u64,
    events: Events,
    /// It was too slow and has left.
    lagged: bool,
}

/// Why a local client could not join, say something or receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The name is not valid (clauses 1.6 and 2.7).
    #[error(transparent)]
    Name(#[from] NameError),
    /// Another client has this name, in whatever case.
    #[error("the name is taken")]
    NameTaken,
    /// The text is not valid (clause 1.5).
    #[error(transparent)]
    Text(#[from] TextError),
    /// The policy refused the name or the message.
    #[error("refused by the policy")]
    Refused,
    /// It received too slowly and was cut: its next event would come after a hole (clause 5.5).
    #[error("cut off, because it received too slowly")]
    Lagged,
    /// The server has stopped.
    #[error("the server has stopped")]
    Stopped,
}

impl LocalClient {
    pub(crate) async fn join(shared: Arc<Shared>, name: Name) -> Result<Self, LocalError> {
        let peer = PeerInfo::named("local");
        if shared.policy.admit(&peer, Some(name)) != Admission::Admit {
            return Err(LocalError::Refused);
        }
        // Subscribe before the join, so that no event is missed. Earlier events are skipped by their numbers.
        let events = shared.events.subscribe();
        let conn = shared.next_conn();
        let (joined, membership) = shared.hub.join(conn, JoinAs::Name(name)).await.map_err(|error| match error {
            JoinError::NameTaken => LocalError::NameTaken,
            JoinError::Stopped => LocalError::Stopped,
        })?;
        Ok(Self { shared, conn, peer, membership, name, joined: joined.seq, events, lagged: false })
    }

    /// Its name.
    pub fn name(&self) -> Name {
        self.name
    }

    /// Sends a message, and returns its number in the order, as `OK` does for other clients (clause 5.1).
    ///
    /// If the future is dropped, the message may or may not be delivered.
    ///
    /// # Errors
    ///
    /// The text is not valid, the policy refuses it, the server has stopped, or this client was cut. The message is not
    /// delivered.
    pub async fn send(&self, text: impl AsRef<str>) -> Result<u64, LocalError> {
        if self.lagged {
            return Err(LocalError::Lagged);
        }
        let Self { shared, conn, peer, .. } = self;
        match shared.policy.message(peer, self.name, Text::new(text.as_ref())?) {
            Verdict::Deliver(text) => shared.hub.say_and_wait(*conn, text).await.map_err(|Stopped| LocalError::Stopped),
            Verdict::Refuse => Err(LocalError::Refused),
        }
    }

    /// Receives the next event after its own join, except its own messages. When the server stops, it receives the
    /// leaves of all members, its own too, and then [`LocalError::Stopped`]. At least 1,024 batches of events are kept
    /// for it. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// [`LocalError::Lagged`] or [`LocalError::Stopped`]: there are no more events.
    pub async fn recv(&mut self) -> Result<Event, LocalError> {
        if self.lagged {
            return Err(LocalError::Lagged);
        }
        loop {
            match self.events.recv().await {
                Some(Ok(event)) if event.seq() <= self.joined => {}
                Some(Ok(Event::Message { from, .. })) if from == self.name => {}
                Some(Ok(event)) => return Ok(event),
                Some(Err(_)) => {
                    self.lagged = true;
                    self.membership.leave(EndReason::Lagged);
                    return Err(LocalError::Lagged);
                }
                None => return Err(LocalError::Stopped),
            }
        }
    }

    /// Leaves after its last message.
    #[expect(clippy::unused_async, reason = "a leave may have to wait one day; nothing here does today")]
    pub async fn leave(mut self) {
        self.membership.leave(EndReason::Bye);
    }
}

impl Drop for LocalClient {
    fn drop(&mut self) {
        self.membership.leave(EndReason::Closed);
    }
}
