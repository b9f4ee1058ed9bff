//! Listeners: the trait, its implementations for TCP, Unix sockets and memory, and handshakes (such as TLS) that come before
//! a connection is served. Nothing here depends on the chat protocol.

mod addr;
mod handshakes;
mod memory;
mod options;
#[cfg(feature = "proxy-protocol")]
mod proxy_protocol;
mod tcp;
mod tcp_all;
#[cfg(unix)]
mod unix;

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};
use tracing::warn;

use crate::peer::Peer;

#[cfg(feature = "proxy-protocol")]
pub use self::proxy_protocol::read_proxy_header;
#[cfg(unix)]
pub use self::unix::UnixSocket;
pub use self::{
    addr::{AddrError, Endpoint, ListenAddr},
    handshakes::Handshakes,
    memory::{MemoryConnector, MemoryListener, memory},
    options::BindOptions,
    tcp::{TcpReader, set_tcp_options},
};

/// A source of connections. Implement it to serve another transport.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, EndReason, Event, Peer, listen::Listener};
/// use tokio::{
///     io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
///     sync::mpsc,
/// };
///
/// /// Streams that another part of the program has accepted.
/// struct Accepted(mpsc::Receiver<DuplexStream>);
///
/// impl Listener for Accepted {
///     type Reader = ReadHalf<DuplexStream>;
///     type Writer = WriteHalf<DuplexStream>;
///
///     async fn accept(&mut self) -> (Self::Reader, Self::Writer, Peer) {
///         match self.0.recv().await {
///             Some(stream) => {
///                 let (reader, writer) = tokio::io::split(stream);
///                 (reader, writer, Peer::labelled("accepted"))
///             }
///             None => std::future::pending().await, // there will be no more
///         }
///     }
/// }
///
/// let (sender, streams) = mpsc::channel(16);
/// let server = ChatServer::builder().build();
/// let mut events = server.events();
/// tokio::spawn(server.serve(Accepted(streams)).into_future());
/// let (mut client, stream) = tokio::io::duplex(64);
/// sender.send(stream).await?;
/// client.write_all(b"hello\n").await?;
/// let Some(Ok(Event::Joined { member, .. })) = events.recv().await else { panic!() };
/// assert_eq!(member.peer().label(), Some("accepted"));
/// # Ok(()) }
/// ```
pub trait Listener: Send + 'static {
    /// The receiving half of a connection.
    type Reader: AsyncRead + Unpin + Send + 'static;
    /// The sending half of a connection.
    type Writer: AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection. It cannot fail: an implementation logs an error, waits and tries again. Dropping
    /// the future loses no connection.
    fn accept(&mut self) -> impl Future<Output = (Self::Reader, Self::Writer, Peer)> + Send;
}

/// The pause after an error such as "too many open files". It is long enough that retries cost almost nothing, and short
/// enough that clients hardly notice it after the error is over.
const ERROR_PAUSE: Duration = Duration::from_millis(250);

/// Accepts one connection. Logs errors and tries again.
async fn accept_with_retry<T>(mut poll_accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>) -> T {
    loop {
        match poll_fn(&mut poll_accept).await {
            Ok(accepted) => return accepted,
            // The peer disconnected before it was accepted. Another may be waiting: try again at once.
            Err(error) if is_disconnect(&error) => {}
            Err(error) => {
                warn!(%error, "cannot accept; trying again");
                sleep(ERROR_PAUSE).await;
            }
        }
    }
}

fn is_disconnect(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
