//! The embedding program's handle to the server.

mod connect;
mod operate;
mod stop;
mod weak;

use std::sync::Arc;

pub use self::weak::WeakChatServer;
use crate::{
    builder::ChatServerBuilder,
    limit::SharedLimits,
    listen::{Endpoint, Listener},
    options::Options,
    policy::Rules,
    serve::Serve,
    shared::Shared,
    stats::Stats,
};

/// A handle to a chat server: one room, in which all members see the same order of messages, joins and leaves.
///
/// Clones are handles to the same server. The caller owns the runtime, the listeners, the signals and the logger.
///
/// When all handles are dropped, connections and local clients continue until they end by themselves. The server and
/// subscriptions to its events end with the last of them. [`ChatServer::shutdown`] and [`ChatServer::cut`] end all of
/// them.
///
/// The hub runs in the runtime in which the server was [built](ChatServerBuilder::build). When that runtime ends, the
/// server stops: [`ChatServer::stopping`] resolves, and connections in other runtimes get `BYE`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, Event};
///
/// let server = ChatServer::builder().build();
/// let same = server.clone();
/// let mut bot = server.local("bot").await?;
/// let ann = same.local("ann").await?;
/// ann.send("hello").await?;
/// assert!(matches!(bot.recv().await?, Event::Joined { .. }));
/// assert!(matches!(bot.recv().await?, Event::Message { .. }));
/// same.shutdown().await;
/// server.stopping().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ChatServer {
    shared: Arc<Shared>,
}

impl ChatServer {
    /// A builder with the default options; [`build`](ChatServerBuilder::build) starts the server.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::ChatServer;
    ///
    /// let server = ChatServer::builder().max_clients(100).build();
    /// assert_eq!(server.stats().clients, 0);
    /// # Ok(()) }
    /// ```
    pub fn builder() -> ChatServerBuilder {
        ChatServerBuilder::new()
    }

    pub(crate) fn start(options: Options, limits: SharedLimits, policy: Rules) -> Self {
        Self { shared: Arc::new(Shared::start(options, limits, policy)) }
    }

    /// Serves all connections of `listener` until the server stops. Nothing happens before the result is awaited.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// use chat_server::ChatServer;
    /// use tokio::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let stop = std::future::ready(()); // for example tokio::signal::ctrl_c()
    /// let report = ChatServer::builder().build().serve(listener).with_graceful_shutdown(stop).await;
    /// assert_eq!((report.drained, report.cut), (0, 0));
    /// # Ok(()) }
    /// ```
    pub fn serve(&self, listener: impl Listener) -> Serve {
        Serve::new(self.clone()).and(listener)
    }

    /// Serves all connections of these endpoints, as [`ChatServer::serve`] does.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, listen::ListenAddr};
    ///
    /// let address: ListenAddr = "localhost:0".parse()?; // perhaps 127.0.0.1 and ::1
    /// let server = ChatServer::builder().build();
    /// let serving = tokio::spawn(server.serve_all(address.bind().await?).into_future());
    /// server.shutdown().await;
    /// assert!(!serving.await?.failed);
    /// # Ok(()) }
    /// ```
    pub fn serve_all(&self, endpoints: impl IntoIterator<Item = Endpoint>) -> Serve {
        Serve::new(self.clone()).and_all(endpoints)
    }

    /// A handle that does not keep the server alive.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::ChatServer;
    ///
    /// let server = ChatServer::builder().build();
    /// let weak = server.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(server);
    /// assert!(weak.upgrade().is_none());
    /// # Ok(()) }
    /// ```
    pub fn downgrade(&self) -> WeakChatServer {
        WeakChatServer(Arc::downgrade(&self.shared))
    }

    /// The server's statistics.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, EndReason};
    ///
    /// let server = ChatServer::builder().build();
    /// let ann = server.local("ann").await?;
    /// ann.send("hello").await?;
    /// assert_eq!((server.stats().clients, server.stats().messages), (1, 1));
    /// ann.leave();
    /// server.shutdown().await;
    /// assert_eq!(server.stats().ended_by(&EndReason::Bye), 1);
    /// # Ok(()) }
    /// ```
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}
