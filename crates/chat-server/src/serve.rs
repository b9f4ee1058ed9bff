//! Runs a server on its listeners until it stops.

use std::{convert::Infallible, fmt, future::IntoFuture};

use futures::{
    FutureExt, StreamExt,
    future::{self, BoxFuture},
    stream::FuturesUnordered,
};

use crate::{
    listen::{Endpoint, Listener},
    server::ChatServer,
    shared::Report,
};

/// A server with one or more listeners. Awaiting it runs the server, and returns the [`Report`] of its stop.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, listen::memory};
/// use tokio::net::TcpListener;
///
/// let tcp = TcpListener::bind("127.0.0.1:0").await?;
/// let (connector, in_memory) = memory();
/// let server = ChatServer::builder().build();
/// let (stop, stopped) = tokio::sync::oneshot::channel();
/// let serve = server.serve(tcp).and(in_memory).with_graceful_shutdown(async { _ = stopped.await });
/// let serving = tokio::spawn(serve.into_future());
///
/// let _client = connector.connect().await.expect("the server listens");
/// stop.send(()).expect("the server runs");
/// let report = serving.await?;
/// assert!(!report.failed);
/// # Ok(()) }
/// ```
#[must_use = "nothing is served before this is awaited"]
pub struct Serve {
    server: ChatServer,
    accepting: FuturesUnordered<BoxFuture<'static, Infallible>>,
    signal: BoxFuture<'static, ()>,
}

impl Serve {
    pub(crate) fn new(server: ChatServer) -> Self {
        Self { server, accepting: FuturesUnordered::new(), signal: future::pending().boxed() }
    }

    /// Adds a listener.
    pub fn and(self, listener: impl Listener) -> Self {
        self.accepting.push(accept(self.server.clone(), listener).boxed());
        self
    }

    /// Adds endpoints.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, listen::{ListenAddr, memory}};
    ///
    /// let (_connector, listener) = memory();
    /// let endpoints = "127.0.0.1:0".parse::<ListenAddr>()?.bind().await?;
    /// let serve = ChatServer::builder().build().serve(listener).and_all(endpoints);
    /// serve.with_graceful_shutdown(async {}).await;
    /// # Ok(()) }
    /// ```
    pub fn and_all(self, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        endpoints.into_iter().fold(self, |serve, endpoint| match endpoint {
            Endpoint::Tcp(listener) => serve.and(listener),
            #[cfg(unix)]
            Endpoint::Unix(listener) => serve.and(listener),
        })
    }

    /// Stops gracefully as soon as `signal` resolves, as [`ChatServer::shutdown`] does.
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.signal = signal.boxed();
        self
    }

    async fn run(self) -> Report {
        let Self { server, mut accepting, signal } = self;
        tokio::select! {
            // Poll the signal before the listeners, so that its handler is registered before any client connects.
            biased;
            () = server.stopping() => {}
            () = signal => {}
            () = async { while accepting.next().await.is_some() {} future::pending().await } => {}
        }
        // Close the listeners.
        drop(accepting);
        server.shutdown().await
    }
}

impl IntoFuture for Serve {
    type Output = Report;
    type IntoFuture = BoxFuture<'static, Report>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

async fn accept<L: Listener>(server: ChatServer, mut listener: L) -> Infallible {
    loop {
        let (reader, writer, peer) = listener.accept().await;
        server.accept(reader, writer, peer);
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("server", &self.server)
            .field("listeners", &self.accepting.len())
            .finish_non_exhaustive()
    }
}
