//! A client inside of this program: the same rules, order and answers, and no socket.

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

/// A client inside of this program, from [`ChatServer::local`](crate::ChatServer::local). Dropped, it leaves, in whatever
/// thread or runtime that happens.
///
/// It is not limited in rate: how fast it may speak is up to the program that it is a part of.
#[derive(Debug)]
pub struct LocalClient {
    shared: Arc<Shared>,
    conn: ConnId,
    peer: PeerInfo,
    membership: Membership,
    name: Name,
    /// The number of its own `JOIN`: what comes before it in the order is not for it.
    joined: u64,
    events: Events,
    /// It was too slow, and has been told so: it has left.
    lagged: bool,
}

/// Why a local client could not join, say something or receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The name is not valid (clauses 1.6 and 2.7).
    #[error(transparent)]
    Name(#[from] NameError),
    /// Somebody has this name, in whatever case.
    #[error("the name is taken")]
    NameTaken,
    /// The text is not valid (clause 1.5).
    #[error(transparent)]
    Text(#[from] TextError),
    /// The policy refused the name or the message.
    #[error("refused by the policy")]
    Refused,
    /// It received too slowly: what it would get next would be after a hole, so that it has been cut off (clause 5.5).
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
        // Subscribed before it joins, so that nothing falls between; what it gets too early is skipped by its number.
        let events = shared.events.subscribe();
        let conn = shared.next_conn();
        let (joined, membership) = shared.hub.join(conn, JoinAs::Name(name)).await.map_err(|error| match error {
            JoinError::NameTaken => LocalError::NameTaken,
            JoinError::Stopped => LocalError::Stopped,
        })?;
        Ok(Self { shared, conn, peer, membership, name, joined: joined.seq, events, lagged: false })
    }

    /// The name that it has joined under.
    pub fn name(&self) -> Name {
        self.name
    }

    /// Says something. Resolves with the number of the message in the order, which is what `OK` means (clause 5.1).
    ///
    /// If the future is dropped, the message may have been said or not.
    ///
    /// # Errors
    ///
    /// The text is not valid or refused by the policy: it reaches nobody. Or the server has stopped, or this client was
    /// cut off.
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

    /// The next thing that happens after it joined, but for what it says itself. When the server stops, it hears everybody
    /// leave, itself too, and then [`LocalError::Stopped`]. At least 1,024 batches of events are
    /// kept for it while it does other things. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// [`LocalError::Lagged`] or [`LocalError::Stopped`]: nothing more will come.
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

    /// Leaves, after all that it has said. Resolves when everybody else is about to see it go.
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
