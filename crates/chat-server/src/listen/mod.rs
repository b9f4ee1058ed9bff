//! Where connections come from: the trait, and listeners for TCP, Unix sockets and memory. Nothing here knows of chat.

mod addr;
mod memory;
mod options;
mod tcp;
mod tcp_all;
#[cfg(unix)]
mod unix;

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};
use tracing::warn;

#[cfg(unix)]
pub use self::unix::UnixSocket;
pub use self::{
    addr::{AddrError, Endpoint, ListenAddr},
    memory::{MemoryConnector, MemoryListener, memory},
    options::BindOptions,
    tcp::TcpReader,
};

/// Something that connections come from. Implement it for a transport of your own.
pub trait Listener: Send + 'static {
    /// The receiving half of a connection.
    type Reader: AsyncRead + Unpin + Send + 'static;
    /// The sending half of a connection.
    type Writer: AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection. It cannot fail: what goes wrong is logged, waited for and tried again. Nothing is
    /// lost if the future is dropped.
    fn accept(&mut self) -> impl Future<Output = (Self::Reader, Self::Writer, Source)> + Send;
}

/// Where a connection comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Source {
    /// A socket address.
    Address(SocketAddr),
    /// Something that has none, such as the path of a Unix socket.
    Named(Arc<str>),
}

/// How long accepting rests after a failure such as "too many open files": long enough to cost nothing, short enough
/// to go unnoticed once it is over.
const REST: Duration = Duration::from_millis(250);

/// Accepts until it works.
async fn until_accepted<T>(mut poll_accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>) -> T {
    loop {
        match poll_fn(&mut poll_accept).await {
            Ok(accepted) => return accepted,
            // The peer was gone before it was accepted: no fault of ours, and the next may be waiting.
            Err(error) if gone(&error) => {}
            Err(error) => {
                warn!(%error, "cannot accept; trying again");
                sleep(REST).await;
            }
        }
    }
}

fn gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
