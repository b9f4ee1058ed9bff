//! A login, for the policy to decide about.

use std::{fmt, sync::Arc};

use chat_proto::Name;
use chat_room::ConnId;

use crate::{member::Identity, peer::Peer};

/// Who wants to join, for [`Policy::admit`](crate::Policy::admit).
#[derive(Clone, Debug)]
pub struct Login {
    identity: Arc<Identity>,
    name: Option<Name>,
    credential: Option<Credential>,
}

impl Login {
    pub(crate) fn new(identity: Arc<Identity>, name: Option<Name>, credential: Option<Credential>) -> Self {
        Self { identity, name, credential }
    }

    /// The number of the connection.
    pub fn id(&self) -> ConnId {
        self.identity.id
    }

    /// The peer, with what the listener or the embedding program attached to it.
    pub fn peer(&self) -> &Peer {
        &self.identity.peer
    }

    /// The name that it asks for. `None`: a plain session, which the server names.
    pub fn name(&self) -> Option<Name> {
        self.name
    }

    /// The credential that came with the login. Protocol 0.1 has none on the wire: only a [`LocalLogin`] carries one.
    /// A gateway attaches what it has authenticated to the [`Peer`] instead.
    ///
    /// [`LocalLogin`]: crate::LocalLogin
    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }
}

/// A secret that came with a login. Its `Debug` form does not show it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{Admission, ChatServer, LocalError, LocalLogin, Login, Policy};
///
/// struct Sesame;
///
/// impl Policy for Sesame {
///     async fn admit(&self, login: Login) -> Admission {
///         match login.credential() {
///             Some(credential) if credential.expose() == "sesame" => Admission::Admit,
///             _ => Admission::Close,
///         }
///     }
/// }
///
/// let server = ChatServer::builder().policy(Sesame).build();
/// assert!(server.local(LocalLogin::new("ann").credential("sesame")).await.is_ok());
/// assert_eq!(server.local("eve").await.err(), Some(LocalError::Refused));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Credential(Arc<str>);

impl Credential {
    pub(crate) fn new(secret: impl Into<Arc<str>>) -> Self {
        Self(secret.into())
    }

    /// The secret. Do not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}
