//! How a server stops: gracefully, or at once.

use std::time::Duration;

use super::ChatServer;
use crate::shared::Report;

/// The time that connections have to end after a cut.
const CUT_TIMEOUT: Duration = Duration::from_secs(1);

impl ChatServer {
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
    /// (clause 6.3). Clients that do not receive all of it within the [`drain_timeout`](crate::ChatServerBuilder::drain_timeout) are
    /// cut. Several calls wait for the same end.
    ///
    /// When it returns, all members have left, each with an event and a number of its own, and [`ChatServer::stats`] is
    /// final. A connection whose runtime does not run cannot end. The server waits for it for one second after the
    /// cut, and counts it as cut.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Peer};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// let server = ChatServer::builder().build();
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// server.attach(stream, Peer::labelled("gateway"));
    /// client.write_all(b"hello\r\n").await?;
    /// client.read_exact(&mut [0; 4]).await?; // OK
    ///
    /// let report = server.shutdown().await;
    /// assert_eq!((report.drained, report.cut), (1, 0));
    /// let mut rest = String::new();
    /// client.read_to_string(&mut rest).await?;
    /// assert_eq!(rest, "BYE\r\n");
    /// # Ok(()) }
    /// ```
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, EndReason, Peer};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// let server = ChatServer::builder().build();
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// let mut connection = server.attach(stream, Peer::labelled("gateway"));
    /// client.write_all(b"hello\r\n").await?;
    /// client.read_exact(&mut [0; 4]).await?; // OK
    ///
    /// server.cut();
    /// assert_eq!(connection.ended().await, EndReason::ServerCut);
    /// assert_eq!(client.read(&mut [0]).await?, 0, "no BYE");
    /// # Ok(()) }
    /// ```
    pub fn cut(&self) {
        self.shared.cut.cancel();
        self.shared.begin_stop();
    }
}
