//! A handle that does not keep the server alive.

use std::{fmt, sync::Weak};

use super::ChatServer;
use crate::shared::Shared;

/// A handle that does not keep the server alive, from [`ChatServer::downgrade`]. Any part of the program
/// can hold one, even the server's own [`Policy`](crate::Policy).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::OnceLock;
///
/// use chat_server::{ChatServer, Message, Policy, Verdict, WeakChatServer};
///
/// /// Announces in the room what it refuses.
/// #[derive(Default)]
/// struct Strict(OnceLock<WeakChatServer>);
///
/// impl Policy for Strict {
///     fn message(&self, message: &Message) -> Verdict {
///         if !message.text().as_str().contains("oaf") {
///             return Verdict::Deliver;
///         }
///         if let Some(server) = self.0.get().and_then(WeakChatServer::upgrade) {
///             let notice = format!("{}, be polite", message.from()).parse().expect("a short text");
///             tokio::spawn(async move { server.notice(notice).await });
///         }
///         Verdict::Refuse
///     }
/// }
///
/// let policy = std::sync::Arc::new(Strict::default());
/// let server = ChatServer::builder().policy(policy.clone()).build();
/// policy.0.set(server.downgrade()).expect("set once");
/// let mut bot = server.local("bot").await?;
/// let ann = server.local("ann").await?;
/// assert!(ann.send("you oaf").await.is_err());
/// let (_joined, notice) = (bot.recv().await?, bot.recv().await?);
/// assert!(matches!(notice, chat_server::Event::Notice { text, .. } if text.as_str() == "ann, be polite"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WeakChatServer(pub(super) Weak<Shared>);

impl WeakChatServer {
    /// Returns the server. `None`: all handles, connections and local clients are gone.
    pub fn upgrade(&self) -> Option<ChatServer> {
        self.0.upgrade().map(|shared| ChatServer { shared })
    }
}

impl fmt::Debug for WeakChatServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakChatServer").finish_non_exhaustive()
    }
}
