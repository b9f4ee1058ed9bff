//! The server as the embedding program holds it.

use std::{sync::Arc, time::Duration};

use chat_proto::Name;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use crate::{
    ChatServerBuilder, Events, LocalClient, LocalError, PeerInfo, Policy, Report, Serve, Stats, conn,
    listen::{Endpoint, Listener},
    options::Options,
    shared::Shared,
};

/// A chat server: one room, in which everybody sees the same order of things.
///
/// A handle: clones are the same server. The caller owns the runtime, the listeners, the signals and the logger.
///
/// Connections and local clients go on when all handles are dropped, until they end by themselves. The server ends with the
/// last of them, and so do subscriptions to its events. [`ChatServer::shutdown`] and [`ChatServer::cut`] end them all.
///
/// The room lives in the runtime that the server was [built](ChatServerBuilder::build) in. When that runtime ends, the server
/// stops as by a shutdown: [`ChatServer::stopping`] resolves, and connections that other runtimes serve get `BYE`.
#[derive(Clone, Debug)]
pub struct ChatServer {
    shared: Arc<Shared>,
}

impl ChatServer {
    /// Sets up a server; its [`build`](ChatServerBuilder::build) starts it.
    pub fn builder() -> ChatServerBuilder {
        ChatServerBuilder::new()
    }

    pub(crate) fn start(options: Options, policy: Arc<dyn Policy>) -> Self {
        Self { shared: Arc::new(Shared::start(options, policy)) }
    }

    /// Serves all who come to `listener`, until the server is told to stop. Nothing happens before the result is
    /// awaited.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// use chat_server::ChatServer;
    /// use tokio::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let stop = std::future::ready(()); // for instance tokio::signal::ctrl_c()
    /// let report = ChatServer::builder().build().serve(listener).with_graceful_shutdown(stop).await;
    /// assert_eq!((report.drained, report.cut), (0, 0));
    /// # Ok(()) }
    /// ```
    pub fn serve(&self, listener: impl Listener) -> Serve {
        Serve::new(self.clone()).and(listener)
    }

    /// Serves all who come to any of these endpoints, as [`ChatServer::serve`] does.
    pub fn serve_all(&self, endpoints: impl IntoIterator<Item = Endpoint>) -> Serve {
        endpoints.into_iter().fold(Serve::new(self.clone()), |serve, endpoint| match endpoint {
            Endpoint::Tcp(listener) => serve.and(listener),
            #[cfg(unix)]
            Endpoint::Unix(listener) => serve.and(listener),
        })
    }

    /// Serves one client over any stream of octets. It counts as one of the
    /// [`max_clients`](ChatServerBuilder::max_clients). Its tasks run in the runtime that this is called in; if that one ends,
    /// the client leaves. Called outside of any, they run in the one that the server was built in.
    pub fn attach<S>(&self, stream: S, peer: PeerInfo)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        self.attach_halves(reader, writer, peer);
    }

    /// Serves one client over the two halves of a stream, as [`ChatServer::attach`] does, for transports that have a cheaper
    /// way to split.
    pub fn attach_halves<R, W>(&self, reader: R, writer: W, peer: PeerInfo)
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        self.shared.spawn(conn::serve(Arc::clone(&self.shared), reader, writer, peer.canonical()));
    }

    /// Joins as a client inside of this program: the same rules, order and answers, and no socket. It does not count
    /// as one of the [`max_clients`](ChatServerBuilder::max_clients).
    ///
    /// # Errors
    ///
    /// As for any client: the name is not valid, taken or refused by the policy, or the server stops.
    pub async fn local<N>(&self, name: N) -> Result<LocalClient, LocalError>
    where
        N: AsRef<str>,
    {
        LocalClient::join(Arc::clone(&self.shared), Name::chosen(name.as_ref())?).await
    }

    /// Subscribes to what happens in the room from now on.
    pub fn events(&self) -> Events {
        self.shared.events.subscribe()
    }

    /// What the server has done so far, in numbers.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Resolves when the server begins to stop, by whatever cause: also if the runtime that it was built in has ended.
    pub async fn stopping(&self) {
        self.shared.stop.cancelled().await;
    }

    /// Stops gracefully: nobody comes in any more, what was taken is delivered, everybody gets `BYE` (clause 6.3).
    /// Who has not taken it after the [`drain_timeout`](ChatServerBuilder::drain_timeout) is cut off. Called twice, both
    /// calls wait for the same end.
    ///
    /// When it returns, everybody has left: each with an event and a number of its own, and the numbers of
    /// [`ChatServer::stats`] are final.
    pub async fn shutdown(&self) -> Report {
        let shared = &self.shared;
        shared.begin_stop();
        shared.tasks.close();
        let all_ended = async || {
            shared.ended.cancelled().await;
            shared.tasks.wait().await;
        };
        if timeout(shared.options.drain_timeout.unwrap_or(Duration::MAX), all_ended()).await.is_err() {
            self.cut();
            all_ended().await;
        }
        shared.tally.report()
    }

    /// Stops at once: all connections end, with nothing more to say to them, and everybody leaves. A
    /// [`ChatServer::shutdown`] under way then ends without further waiting; one that is called later only waits until all
    /// of it has ended.
    pub fn cut(&self) {
        self.shared.cut.cancel();
        self.shared.begin_stop();
    }
}
