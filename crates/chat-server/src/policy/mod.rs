//! The embedding program's rules: who may join, and which messages are delivered.

mod login;
mod rules;
mod verdict;

use std::sync::Arc;

use chat_proto::{Name, Text};
use chat_room::ConnId;

pub(crate) use self::rules::{Decision, Outcome, Panicked, Rules};
pub use self::{
    login::{Credential, Login},
    verdict::{Admission, Connect, Deferred, Verdict},
};
use crate::{member::Member, peer::Peer, reason::EndReason};

/// Rules of the embedding program. By default, every method allows everything.
///
/// [`Policy::admit`] is async: it may look a user up. The other methods must not block, because they run on the
/// server's worker threads: decide from what is in memory, or [defer](Verdict::defer). A slow decision delays one client
/// only, and holds no lock of the server. A panic ends that connection only ([`EndReason::Panicked`]).
///
/// An `Arc` of a policy is a policy too, so the embedding program can keep a handle to its policy.
///
/// ```
/// use chat_server::{Admission, ChatServer, Login, Message, Policy, Verdict};
///
/// struct Quiet;
///
/// impl Policy for Quiet {
///     async fn admit(&self, login: Login) -> Admission {
///         let is_known = match login.name() {
///             Some(name) => tokio::spawn(async move { name.as_str() != "mallory" }).await.unwrap_or(false),
///             None => true, // a guest
///         };
///         if is_known { Admission::Admit } else { Admission::RefuseName }
///     }
///
///     fn message(&self, message: &Message) -> Verdict {
///         if message.text().as_str().contains("oaf") { Verdict::Swallow } else { Verdict::Deliver }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), chat_server::LocalError> {
/// let server = ChatServer::builder().policy(Quiet).build();
/// assert!(server.local("mallory").await.is_err());
/// let ann = server.local("ann").await?;
/// assert!(ann.send("hello").await?.seq().is_some());
/// assert!(ann.send("you oaf").await?.seq().is_none(), "acknowledged, and delivered to nobody");
/// # Ok(()) }
/// ```
pub trait Policy: Send + Sync + 'static {
    /// Whether a peer may connect. A refused peer gets `BYE` and is closed (clause 2.6). The server does not ask for
    /// [`LocalClient`](crate::LocalClient)s.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::{collections::HashSet, net::IpAddr, sync::RwLock};
    ///
    /// use chat_server::{ChatServer, Connect, Peer, Policy};
    /// use tokio::io::AsyncReadExt;
    ///
    /// #[derive(Default)]
    /// struct Bans(RwLock<HashSet<IpAddr>>);
    ///
    /// impl Policy for Bans {
    ///     fn connect(&self, peer: &Peer) -> Connect {
    ///         let bans = self.0.read().expect("no panic while it is locked");
    ///         let banned = peer.address().is_some_and(|address| bans.contains(&address.ip()));
    ///         if banned { Connect::Refuse } else { Connect::Accept }
    ///     }
    /// }
    ///
    /// let bans = Bans::default();
    /// bans.0.write().expect("no panic while it is locked").insert("192.0.2.7".parse()?);
    /// let server = ChatServer::builder().policy(bans).build();
    /// let (mut client, stream) = tokio::io::duplex(64);
    /// server.attach(stream, Peer::from(std::net::SocketAddr::from(([192, 0, 2, 7], 4000))));
    /// let mut received = String::new();
    /// client.read_to_string(&mut received).await?;
    /// assert_eq!(received, "BYE\r\n");
    /// # Ok(()) }
    /// ```
    fn connect(&self, peer: &Peer) -> Connect {
        let _ = peer;
        Connect::Accept
    }

    /// Whether a client may join. The server asks for each name that a connection requests, for plain sessions and for
    /// local clients. The decision counts towards the [login timeout](crate::ChatServerBuilder::login_timeout). If the
    /// connection ends first, the future is dropped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{Admission, ChatServer, LocalError, Login, Policy};
    ///
    /// /// `admin` may come from this machine only.
    /// struct Admins;
    ///
    /// impl Policy for Admins {
    ///     async fn admit(&self, login: Login) -> Admission {
    ///         let is_admin = login.name().is_some_and(|name| name.as_str().eq_ignore_ascii_case("admin"));
    ///         let is_on_this_machine = login.peer().address().is_some_and(|address| address.ip().is_loopback());
    ///         if is_admin && !is_on_this_machine { Admission::RefuseName } else { Admission::Admit }
    ///     }
    /// }
    ///
    /// let server = ChatServer::builder().policy(Admins).build();
    /// assert!(server.local("ann").await.is_ok());
    /// assert_eq!(server.local("Admin").await.err(), Some(LocalError::Refused)); // it has no address
    /// # Ok(()) }
    /// ```
    fn admit(&self, login: Login) -> impl Future<Output = Admission> + Send {
        let _ = login;
        std::future::ready(Admission::Admit)
    }

    /// Whether a message is delivered, and with which text.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, LocalError, Message, Policy, Verdict};
    ///
    /// struct Rules;
    ///
    /// impl Policy for Rules {
    ///     fn message(&self, message: &Message) -> Verdict {
    ///         match message.text().as_str() {
    ///             "spam" => Verdict::Swallow,
    ///             text if text.contains("oaf") => Verdict::Refuse,
    ///             text => match text.replace("colour", "color").parse() {
    ///                 Ok(corrected) => Verdict::Replace(corrected),
    ///                 Err(_) => Verdict::Deliver,
    ///             },
    ///         }
    ///     }
    /// }
    ///
    /// let server = ChatServer::builder().policy(Rules).build();
    /// let mut bot = server.local("bot").await?;
    /// let ann = server.local("ann").await?;
    /// assert_eq!(ann.send("spam").await?.seq(), None);
    /// assert_eq!(ann.send("you oaf").await, Err(LocalError::Refused));
    /// ann.send("a colour").await?;
    /// let (_joined, message) = (bot.recv().await?, bot.recv().await?);
    /// assert!(matches!(message, chat_server::Event::Message { text, .. } if text.as_str() == "a color"));
    /// # Ok(()) }
    /// ```
    fn message(&self, message: &Message<'_>) -> Verdict {
        let _ = message;
        Verdict::Deliver
    }

    /// A connection has ended. The server calls this once for each connection that [`connect`](Self::connect) accepted, and
    /// for each local client that has joined.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::{Arc, Mutex};
    ///
    /// use chat_server::{ChatServer, Ended, Policy};
    ///
    /// #[derive(Default)]
    /// struct Log(Mutex<Vec<String>>);
    ///
    /// impl Policy for Log {
    ///     fn ended(&self, ended: &Ended) {
    ///         let name = ended.name().map_or("nobody".into(), |name| name.to_string());
    ///         self.0.lock().expect("no panic while it is locked").push(format!("{name}: {}", ended.reason()));
    ///     }
    /// }
    ///
    /// let log = Arc::new(Log::default());
    /// let server = ChatServer::builder().policy(log.clone()).build();
    /// server.local("ann").await?.leave();
    /// assert_eq!(*log.0.lock().expect("no panic while it is locked"), ["ann: said BYE"]);
    /// # Ok(()) }
    /// ```
    fn ended(&self, ended: &Ended) {
        let _ = ended;
    }
}

impl<P: Policy> Policy for Arc<P> {
    fn connect(&self, peer: &Peer) -> Connect {
        P::connect(self, peer)
    }

    fn admit(&self, login: Login) -> impl Future<Output = Admission> + Send {
        P::admit(self, login)
    }

    fn message(&self, message: &Message<'_>) -> Verdict {
        P::message(self, message)
    }

    fn ended(&self, ended: &Ended) {
        P::ended(self, ended);
    }
}

/// The default policy: everything is allowed.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct AllowAll;

impl Policy for AllowAll {}

/// A message, for [`Policy::message`].
#[derive(Clone, Debug)]
pub struct Message<'a> {
    from: &'a Member,
    text: Text,
}

impl<'a> Message<'a> {
    pub(crate) fn new(from: &'a Member, text: Text) -> Self {
        Self { from, text }
    }

    /// The sender.
    pub fn from(&self) -> &'a Member {
        self.from
    }

    /// The text as the sender wrote it.
    pub fn text(&self) -> &Text {
        &self.text
    }

    pub(crate) fn into_text(self) -> Text {
        self.text
    }
}

/// The end of a connection, for [`Policy::ended`].
#[derive(Clone, Debug)]
pub struct Ended {
    pub(crate) id: ConnId,
    pub(crate) peer: Peer,
    pub(crate) name: Option<Name>,
    pub(crate) reason: EndReason,
}

impl Ended {
    /// The number of the connection.
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Its peer.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The name under which it joined. `None`: it did not join.
    pub fn name(&self) -> Option<Name> {
        self.name
    }

    /// Why it ended: as in [`Event::Left`](crate::Event::Left), if it was a member.
    pub fn reason(&self) -> &EndReason {
        &self.reason
    }
}
