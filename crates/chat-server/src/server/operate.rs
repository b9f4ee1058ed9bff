//! What an operator can do: list the members, watch the room, send notices, and kick members.

use std::sync::Arc;

use chat_proto::Text;
use chat_room::ConnId;

use super::ChatServer;
use crate::{event::Events, member::Member, reason::EndReason};

impl ChatServer {
    /// The members of the room, in the order of their connections, including local clients. Empty after the end of the server.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::ChatServer;
    ///
    /// let server = ChatServer::builder().build();
    /// let (_ann, _bob) = (server.local("ann").await?, server.local("bob").await?);
    /// let names: Vec<_> = server.clients().await.iter().map(ToString::to_string).collect();
    /// assert_eq!(names, ["ann", "bob"]);
    /// # Ok(()) }
    /// ```
    pub async fn clients(&self) -> Vec<Member> {
        self.shared.hub.members().await.unwrap_or_default()
    }

    /// Sends a member away: it leaves the room, and receives its pending lines and `BYE`. `why` is for the log and the
    /// events: [`EndReason::Kicked`]. Returns `false` if no member has this number.
    ///
    /// The client can connect again. A [`Policy`](crate::Policy) can refuse it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, EndReason, Event};
    ///
    /// let server = ChatServer::builder().build();
    /// let mut bot = server.local("bot").await?;
    /// let eve = server.local("eve").await?;
    /// assert!(server.kick(eve.member().id(), "flooding").await);
    /// assert!(!server.kick(eve.member().id(), "again").await);
    ///
    /// let Event::Joined { .. } = bot.recv().await? else { panic!() };
    /// let Event::Left { reason, .. } = bot.recv().await? else { panic!() };
    /// assert_eq!(reason, EndReason::Kicked("flooding".into()));
    /// # Ok(()) }
    /// ```
    pub async fn kick(&self, id: ConnId, why: impl Into<Arc<str>>) -> bool {
        self.shared.hub.end_member(id, EndReason::Kicked(why.into())).await.unwrap_or(false)
    }

    /// Sends a `NOTICE` to all members (clause 7.8). Returns the number of the notice in the order. `None`: the server has
    /// stopped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Event};
    ///
    /// let server = ChatServer::builder().build();
    /// let mut bot = server.local("bot").await?;
    /// let seq = server.notice("the server stops at noon".parse()?).await;
    /// let Event::Notice { text, .. } = bot.recv().await? else { panic!() };
    /// assert_eq!((seq, text.as_str()), (Some(2), "the server stops at noon"));
    /// # Ok(()) }
    /// ```
    pub async fn notice(&self, text: Text) -> Option<u64> {
        self.shared.hub.notice(text).await.ok()
    }

    /// Sends a `NOTICE` to one member (clause 7.8), for example a message from before it joined. The notice has no number in
    /// the order and no event, but it has a position: the member receives it after everything that was placed before, and
    /// several notices keep their order.
    ///
    /// If the member's queue is full (64 replies and notices), this waits for space. If the future is dropped, the notice may or
    /// may not be sent.
    ///
    /// Returns `false` if no member has this number, if the member is a [`LocalClient`](crate::LocalClient), or if the server
    /// has stopped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Event, Peer};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// let server = ChatServer::builder().build();
    /// let mut events = server.events();
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// server.attach(stream, Peer::labelled("gateway"));
    /// client.write_all(b"PROT 0.1 CONNECT USER ann\r\n").await?;
    ///
    /// let Some(Ok(Event::Joined { member, .. })) = events.recv().await else { panic!() };
    /// assert!(server.notice_to(member.id(), format!("welcome, {member}").parse()?).await);
    /// server.shutdown().await;
    /// let mut received = String::new();
    /// client.read_to_string(&mut received).await?;
    /// assert_eq!(received, "NAME OK\r\nWELCOME\r\nNOTICE welcome, ann\r\nBYE\r\n");
    /// # Ok(()) }
    /// ```
    pub async fn notice_to(&self, id: ConnId, text: Text) -> bool {
        self.shared.hub.notice_to(id, text).await.unwrap_or(false)
    }

    /// Subscribes to all events from now on. [`watch`](Self::watch) also returns the current members.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Event};
    ///
    /// let server = ChatServer::builder().build();
    /// let mut events = server.events();
    /// server.local("ann").await?.send("hello").await?;
    /// server.shutdown().await;
    ///
    /// let mut seen = Vec::new();
    /// while let Some(event) = events.recv().await {
    ///     match event? {
    ///         Event::Joined { member, .. } => seen.push(format!("{member} joined")),
    ///         Event::Message { from, text, .. } => seen.push(format!("{from} said {text}")),
    ///         Event::Left { member, .. } => seen.push(format!("{member} left")),
    ///         _ => {}
    ///     }
    /// }
    /// assert_eq!(seen, ["ann joined", "ann said hello", "ann left"]);
    /// # Ok(()) }
    /// ```
    pub fn events(&self) -> Events {
        self.shared.events.subscribe()
    }

    /// The members of the room, and a subscription to all events that follow. There is no gap between the two.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Event};
    ///
    /// let server = ChatServer::builder().build();
    /// let _ann = server.local("ann").await?;
    /// let (clients, mut events) = server.watch().await;
    /// let _bob = server.local("bob").await?;
    /// assert_eq!(clients[0].name().as_str(), "ann");
    /// let Some(Ok(Event::Joined { member, .. })) = events.recv().await else { panic!() };
    /// assert_eq!(member.name().as_str(), "bob");
    /// # Ok(()) }
    /// ```
    pub async fn watch(&self) -> (Vec<Member>, Events) {
        let events = self.shared.events.clone();
        let ended = || (Vec::new(), self.shared.events.subscribe());
        self.shared.hub.watch(events).await.unwrap_or_else(|_| ended())
    }
}
