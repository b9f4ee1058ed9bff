//! How a local client joins.

use std::{net::SocketAddr, sync::Arc};

use chat_proto::Name;
use chat_room::JoinAs;

use super::{LocalClient, LocalError, halves};
use crate::{
    peer::Peer,
    policy::{Admission, Credential, Login},
    shared::Shared,
};

/// The login of a [`LocalClient`]. A name is enough; the rest is for the [`Policy`](crate::Policy).
///
/// ```
/// use chat_server::{ChatServer, LocalLogin};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = ChatServer::builder().build();
/// let login = LocalLogin::new("ann").label("web").address("192.0.2.7:4000".parse()?).data(7_u64);
/// let ann = server.local(login).await?;
/// let peer = ann.member().peer();
/// assert!(peer.is_local());
/// assert_eq!(peer.to_string(), "192.0.2.7:4000");
/// assert_eq!(peer.data::<u64>(), Some(&7));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LocalLogin {
    name: String,
    peer: Peer,
    credential: Option<Credential>,
}

impl LocalLogin {
    /// A login with this name. [`ChatServer::local`](crate::ChatServer::local) checks it.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), peer: Peer::local(), credential: None }
    }

    /// Sets a label: see [`Peer::with_label`].
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.peer = self.peer.with_label(label);
        self
    }

    /// Sets the address of the user behind this client, for example of a web user: see [`Peer::with_address`]. The policy,
    /// the events and the log show it. Limits do not apply to local clients.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.peer = self.peer.with_address(address);
        self
    }

    /// Attaches a value: see [`Peer::with_data`].
    pub fn data<T: Send + Sync + 'static>(mut self, data: T) -> Self {
        self.peer = self.peer.with_data(data);
        self
    }

    /// Adds a credential: see [`Login::credential`].
    pub fn credential(mut self, secret: impl Into<Arc<str>>) -> Self {
        self.credential = Some(Credential::new(secret));
        self
    }

    pub(crate) async fn join(self, shared: Arc<Shared>) -> Result<LocalClient, LocalError> {
        let name = Name::chosen(&self.name)?;
        let identity = shared.identify(self.peer);
        let login = Login::new(Arc::clone(&identity), Some(name), self.credential);
        match shared.policy.admit(login).await? {
            Admission::Admit => {}
            Admission::RefuseName | Admission::Close => return Err(LocalError::Refused),
        }
        // Subscribe before the join, so that no event is missed. Earlier events are skipped by their numbers.
        let events = shared.events.subscribe();
        let (joined, membership) = shared.hub.join(&identity, JoinAs::Name(name)).await?;
        Ok(halves::new_client(shared, joined, membership, events))
    }
}

impl From<&str> for LocalLogin {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for LocalLogin {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<&String> for LocalLogin {
    fn from(name: &String) -> Self {
        Self::new(name)
    }
}

impl From<Name> for LocalLogin {
    fn from(name: Name) -> Self {
        Self::new(name.as_str())
    }
}
