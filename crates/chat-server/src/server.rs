//! The embedding program's handle to the server.

use std::{sync::Arc, time::Duration};

use chat_proto::Name;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    ChatServerBuilder, Events, LocalClient, LocalError, PeerInfo, Policy, Report, Serve, Stats, conn,
    listen::{Endpoint, Listener},
    options::Options,
    shared::Shared,
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

    pub(crate) fn start(options: Options, policy: Arc<dyn Policy>) -> Self {
        Self { shared: Arc::new(Shared::start(options, policy)) }
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
        endpoints.into_iter().fold(Serve::new(self.clone()), |serve, endpoint| match endpoint {
            Endpoint::Tcp(listener) => serve.and(listener),
            #[cfg(unix)]
            Endpoint::Unix(listener) => serve.and(listener),
        })
    }

    /// Serves one client over any byte stream. It counts towards [`max_clients`](ChatServerBuilder::max_clients).
    ///
    /// Its tasks run in the current runtime; if that runtime ends, the client leaves. Outside of a runtime, they run in
    /// the one in which the server was built.
    ///
    /// # Panics
    ///
    /// In a runtime without time ([`enable_time`](tokio::runtime::Builder::enable_time)).
    pub fn attach<S>(&self, stream: S, peer: PeerInfo)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        self.attach_halves(reader, writer, peer);
    }

    /// Serves one client over the two halves of a stream, as [`ChatServer::attach`] does. Use it for transports with a
    /// cheaper way to split.
    pub fn attach_halves<R, W>(&self, reader: R, writer: W, peer: PeerInfo)
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        self.shared.spawn(conn::serve(Arc::clone(&self.shared), reader, writer, peer.canonical()));
    }

    /// Joins as a client inside this program: the same rules and order, without a socket. It does not count towards
    /// [`max_clients`](ChatServerBuilder::max_clients).
    ///
    /// # Errors
    ///
    /// The name is not valid, taken or refused by the policy, or the server stops.
    pub async fn local<N>(&self, name: N) -> Result<LocalClient, LocalError>
    where
        N: AsRef<str>,
    {
        LocalClient::join(Arc::clone(&self.shared), Name::chosen(name.as_ref())?).await
    }

    /// Subscribes to all events from now on.
    pub fn events(&self) -> Events {
        self.shared.events.subscribe()
    }

    /// The server's statistics.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Resolves when the server begins to stop, for any reason; also when the runtime in which it was built has ended.
    pub async fn stopping(&self) {
        self.shared.stop.cancelled().await;
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
            () = shared.sleep(Some(CUT_TIMEOUT)) => shared.report(shared.connections.inside()),
        }
    }

    /// Stops at once: all connections end without `BYE`, and all members leave. A [`ChatServer::shutdown`] in progress
    /// then returns as soon as all tasks have ended.
    pub fn cut(&self) {
        self.shared.cut.cancel();
        self.shared.begin_stop();
    }
}
