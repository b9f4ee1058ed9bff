//! A client inside this program: the same rules and order, without a socket.

mod error;
mod halves;
mod login;

pub use self::{
    error::LocalError,
    halves::{LocalEvents, LocalReceipt, LocalSender},
    login::LocalLogin,
};
use crate::{event::Event, member::Member};

/// A client inside this program, from [`ChatServer::local`](crate::ChatServer::local).
///
/// It leaves when it is dropped, in any thread. When it is [split](Self::split), it leaves when both halves and all
/// clones of the sender are dropped. It has no rate limit: its speed is up to the embedding program.
///
/// ```
/// use chat_server::{ChatServer, Event};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = ChatServer::builder().build();
/// let mut bot = server.local("bot").await?;
/// let ann = server.local("ann").await?;
/// let receipt = ann.send("hello").await?;
///
/// let Event::Joined { member, .. } = bot.recv().await? else { panic!() };
/// assert_eq!(member.name(), ann.name());
/// let Event::Message { seq, text, .. } = bot.recv().await? else { panic!() };
/// assert_eq!((Some(seq), text.as_str()), (receipt.seq(), "hello"));
/// ann.leave();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct LocalClient {
    sender: LocalSender,
    events: LocalEvents,
}

impl LocalClient {
    pub(crate) fn new(sender: LocalSender, events: LocalEvents) -> Self {
        Self { sender, events }
    }

    /// This client as a member of the room.
    pub fn member(&self) -> &Member {
        self.sender.member()
    }

    /// Its name.
    pub fn name(&self) -> chat_proto::Name {
        self.member().name()
    }

    /// The members of the room, including this client: see [`ChatServer::clients`](crate::ChatServer::clients).
    pub async fn clients(&self) -> Vec<Member> {
        self.sender.clients().await
    }

    /// Sends a message: [`LocalSender::send`].
    ///
    /// # Errors
    ///
    /// Those of `LocalSender::send`.
    pub async fn send(&self, text: impl AsRef<str>) -> Result<LocalReceipt, LocalError> {
        self.sender.send(text).await
    }

    /// Receives the next event: [`LocalEvents::recv`].
    ///
    /// # Errors
    ///
    /// Those of `LocalEvents::recv`: there are no more events.
    pub async fn recv(&mut self) -> Result<Event, LocalError> {
        self.events.recv().await
    }

    /// Splits it into a sender, which can be cloned, and its events.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Event};
    ///
    /// let server = ChatServer::builder().build();
    /// let (sender, mut events) = server.local("echo").await?.split();
    /// tokio::spawn(async move {
    ///     while let Ok(event) = events.recv().await {
    ///         if let Event::Message { text, .. } = event {
    ///             let sender = sender.clone();
    ///             tokio::spawn(async move { sender.send(text).await }); // receives meanwhile
    ///         }
    ///     }
    /// });
    /// let mut ann = server.local("ann").await?;
    /// ann.send("hello").await?;
    /// let Event::Message { from, text, .. } = ann.recv().await? else { panic!() };
    /// assert_eq!((from.name().as_str(), text.as_str()), ("echo", "hello"));
    /// # Ok(()) }
    /// ```
    pub fn split(self) -> (LocalSender, LocalEvents) {
        (self.sender, self.events)
    }

    /// Leaves, after its last message. The reason is [`EndReason::Bye`](crate::EndReason::Bye).
    pub fn leave(self) {
        self.sender.leave();
    }
}
