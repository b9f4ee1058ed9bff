//! Connections within this program, without a socket: for tests and for gateways.

use tokio::{
    io::{DuplexStream, ReadHalf, WriteHalf},
    sync::mpsc,
};

use super::Listener;
use crate::peer::Peer;

/// The most bytes in flight in each direction.
const PIPE_BYTES: usize = 65_536;
/// Connections that may wait to be accepted.
const BACKLOG: usize = 128;

/// A listener in memory, and its connector.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, listen::memory};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let (connector, listener) = memory();
/// let server = ChatServer::builder().build();
/// tokio::spawn(server.serve(listener).into_future());
/// let mut client = connector.connect().await.expect("the server listens");
/// client.write_all(b"hello\n").await?;
/// let mut answer = [0; 3];
/// client.read_exact(&mut answer).await?;
/// assert_eq!(&answer, b"OK\n");
///
/// server.shutdown().await;
/// assert!(connector.connect().await.is_none());
/// # Ok(()) }
/// ```
pub fn memory() -> (MemoryConnector, MemoryListener) {
    let (sender, streams) = mpsc::channel(BACKLOG);
    (MemoryConnector { sender }, MemoryListener { streams })
}

/// Connects to a [`MemoryListener`]. Clones connect to the same listener.
#[derive(Clone, Debug)]
pub struct MemoryConnector {
    sender: mpsc::Sender<DuplexStream>,
}

impl MemoryConnector {
    /// Opens a connection. Waits if the backlog is full. `None`: the listener was dropped.
    pub async fn connect(&self) -> Option<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        self.sender.send(theirs).await.ok().map(|()| ours)
    }
}

/// Accepts the connections of its [`MemoryConnector`]s.
#[derive(Debug)]
pub struct MemoryListener {
    streams: mpsc::Receiver<DuplexStream>,
}

impl Listener for MemoryListener {
    type Reader = ReadHalf<DuplexStream>;
    type Writer = WriteHalf<DuplexStream>;

    async fn accept(&mut self) -> (Self::Reader, Self::Writer, Peer) {
        match self.streams.recv().await {
            Some(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                (reader, writer, Peer::labelled("memory"))
            }
            // All connectors were dropped.
            None => std::future::pending().await,
        }
    }
}
