//! The embedding program's handle to the server.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use chat_proto::Text;
use chat_room::ConnId;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    builder::ChatServerBuilder,
    conn,
    connection::{Connection, EndGuard},
    event::Events,
    limit::SharedLimits,
    listen::{Endpoint, Listener},
    local::{LocalClient, LocalError, LocalLogin},
    member::Member,
    options::Options,
    peer::Peer,
    policy::Rules,
    reason::EndReason,
    serve::Serve,
    shared::{Report, Shared},
    stats::Stats,
};

/// The time that connections have to end after a cut.
const CUT_TIMEOUT: Duration = Duration::from_secs(1);

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
#[derive(Clone, Debug)]
pub struct ChatServer {
    shared: Arc<Shared>,
}

impl ChatServer {
    /// A builder with the default options; [`build`](ChatServerBuilder::build) starts the server.
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
    pub fn serve_all(&self, endpoints: impl IntoIterator<Item = Endpoint>) -> Serve {
        Serve::new(self.clone()).and_all(endpoints)
    }

    /// Serves one client over any byte stream. It counts towards [`max_clients`](ChatServerBuilder::max_clients).
    ///
    /// Its tasks run in the current runtime; if that runtime ends, the client leaves. Outside of a runtime, they run in
    /// the one in which the server was built.
    ///
    /// # Panics
    ///
    /// In a runtime without time ([`enable_time`](tokio::runtime::Builder::enable_time)).
    pub fn attach<S>(&self, stream: S, peer: Peer) -> Connection
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        self.attach_halves(reader, writer, peer)
    }

    /// Serves one client over the two halves of a stream, as [`ChatServer::attach`] does. Use it for transports with a
    /// cheaper way to split.
    pub fn attach_halves<R, W>(&self, reader: R, writer: W, peer: Peer) -> Connection
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let identity = self.shared.identify(peer);
        let (connection, ended) = Connection::new(Arc::clone(&identity));
        self.spawn(EndGuard::new(Arc::clone(&self.shared), identity, Some(ended)), reader, writer);
        connection
    }

    /// Serves one client of a listener: nobody needs a handle to it.
    pub(crate) fn accept<R, W>(&self, reader: R, writer: W, peer: Peer)
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        self.spawn(EndGuard::new(Arc::clone(&self.shared), self.shared.identify(peer), None), reader, writer);
    }

    fn spawn<R, W>(&self, guard: EndGuard, reader: R, writer: W)
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        self.shared.spawn(conn::serve(guard, reader, writer));
    }

    /// Joins as a client inside this program: the same rules and order, without a socket. It does not count towards
    /// [`max_clients`](ChatServerBuilder::max_clients).
    ///
    /// # Errors
    ///
    /// The name is not valid, taken or refused by the policy, or the server stops.
    pub async fn local(&self, login: impl Into<LocalLogin>) -> Result<LocalClient, LocalError> {
        login.into().join(Arc::clone(&self.shared)).await
    }

    /// The members of the room, in the order of their connections; local clients too. Empty after the end of the server.
    pub async fn clients(&self) -> Vec<Member> {
        self.shared.hub.members().await.unwrap_or_default()
    }

    /// Sends a member away: it leaves the room, and gets what it is owed and `BYE`. `why` is for the log and the events:
    /// [`EndReason::Kicked`]. `false`: nobody has this number. It may come back; a [`Policy`](crate::Policy) decides
    /// whether it may join.
    pub async fn kick(&self, id: ConnId, why: impl Into<Arc<str>>) -> bool {
        self.shared.hub.end_member(id, EndReason::Kicked(why.into())).await.unwrap_or(false)
    }

    /// Tells all members something: `NOTICE` (clause 7.8). Returns its number in the order. `None`: the server has
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

    /// Tells one member something: `NOTICE` (clause 7.8), for example what was said before it joined. It has no number in the
    /// order and no event, but a place: what was placed before comes before it, and several notices keep their order. If
    /// the client has not taken its last 64 replies, this waits for it. If the future is dropped, the notice may or may not be
    /// sent.
    ///
    /// `false`: nobody has this number any more, it is a [`LocalClient`], or the server has stopped.
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

    /// Subscribes to all events from now on. To know who is in the room before them, [`watch`](Self::watch).
    pub fn events(&self) -> Events {
        self.shared.events.subscribe()
    }

    /// The members of the room, and all events after that, with no gap between them.
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

    /// A handle that does not keep the server alive.
    pub fn downgrade(&self) -> WeakChatServer {
        WeakChatServer(Arc::downgrade(&self.shared))
    }

    /// The server's statistics.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Resolves when the server begins to stop, for any reason; also when the runtime in which it was built has ended.
    /// The future does not keep the server alive. Other parts of the program can stop with the server:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use chat_server::ChatServer;
    ///
    /// let server = ChatServer::builder().build();
    /// let other = tokio::spawn(server.stopping()); // for example axum::serve(..).with_graceful_shutdown(server.stopping())
    /// server.shutdown().await;
    /// assert!(other.await.is_ok());
    /// # }
    /// ```
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        self.shared.stop.clone().cancelled_owned()
    }

    /// Stops gracefully: accepts no more connections, delivers what was acknowledged, and sends `BYE` to all clients
    /// (clause 6.3). Clients that do not take it within the [`drain_timeout`](ChatServerBuilder::drain_timeout) are
    /// cut. Several calls wait for the same end.
    ///
    /// When it returns, all members have left, each with an event and a number of its own, and [`ChatServer::stats`] is
    /// final. Connections whose runtime does not run cannot end: they are waited for one second after the cut, and
    /// counted as cut.
    pub async fn shutdown(&self) -> Report {
        let shared = &self.shared;
        shared.begin_stop();
        shared.tasks.close();
        let all_ended = async || {
            shared.ended.cancelled().await;
            shared.tasks.wait().await;
        };
        tokio::select! {
            biased;
            () = all_ended() => return shared.report(0),
            () = shared.sleep(shared.options.drain_timeout) => self.cut(),
        }
        tokio::select! {
            biased;
            () = all_ended() => shared.report(0),
            () = shared.sleep(Some(CUT_TIMEOUT)) => shared.report(shared.counters.connections()),
        }
    }

    /// Stops at once: all connections end without `BYE`, and all members leave. A [`ChatServer::shutdown`] in progress
    /// then returns as soon as all tasks have ended.
    pub fn cut(&self) {
        self.shared.cut.cancel();
        self.shared.begin_stop();
    }
}

/// A handle that does not keep the server alive, from [`ChatServer::downgrade`]. A program's parts may hold one, also
/// inside the server's own [`Policy`](crate::Policy).
#[derive(Clone)]
pub struct WeakChatServer(Weak<Shared>);

impl WeakChatServer {
    /// The server, unless the last handle, connection and local client are gone.
    pub fn upgrade(&self) -> Option<ChatServer> {
        self.0.upgrade().map(|shared| ChatServer { shared })
    }
}

impl fmt::Debug for WeakChatServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakChatServer").finish_non_exhaustive()
    }
}
