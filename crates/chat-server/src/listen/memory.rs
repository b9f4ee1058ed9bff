//! Connections inside of this program: no socket, for tests and for gateways.

use tokio::{
    io::{DuplexStream, ReadHalf, WriteHalf},
    sync::mpsc,
};

use super::{Listener, Source};

/// Octets that may be under way in each direction.
const PIPE: usize = 65_536;
/// Connections that may wait to be accepted.
const BACKLOG: usize = 128;

/// A listener in memory, and what connects to it.
pub fn memory() -> (MemoryConnector, MemoryListener) {
    let (dial, dialled) = mpsc::channel(BACKLOG);
    (MemoryConnector { dial }, MemoryListener { dialled })
}

/// Connects to a [`MemoryListener`]. Clones connect to the same.
#[derive(Clone, Debug)]
pub struct MemoryConnector {
    dial: mpsc::Sender<DuplexStream>,
}

impl MemoryConnector {
    /// A new connection, once there is room for it to wait in; `None` if the listener is gone.
    pub async fn connect(&self) -> Option<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        self.dial.send(theirs).await.ok().map(|()| ours)
    }
}

/// Accepts what its [`MemoryConnector`]s connect.
#[derive(Debug)]
pub struct MemoryListener {
    dialled: mpsc::Receiver<DuplexStream>,
}

impl Listener for MemoryListener {
    type Reader = ReadHalf<DuplexStream>;
    type Writer = WriteHalf<DuplexStream>;

    async fn accept(&mut self) -> (Self::Reader, Self::Writer, Source) {
        match self.dialled.recv().await {
            Some(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                (reader, writer, Source::Named("memory".into()))
            }
            // Nobody can connect any more.
            None => std::future::pending().await,
        }
    }
}
