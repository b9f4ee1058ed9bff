//! Unix sockets. Dropping the listener removes its path.

mod socket_file;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::{
    UnixListener,
    unix::{OwnedReadHalf, OwnedWriteHalf},
};

use self::socket_file::Identity;
use super::{BindOptions, Listener, accept_with_retry};
use crate::peer::Peer;

/// A Unix socket that is bound to a path. Dropping it removes the path, unless another file has taken its place.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, listen::{BindOptions, UnixSocket}};
/// use tokio::{io::AsyncWriteExt, net::UnixStream};
///
/// let path = std::env::temp_dir().join(format!("chat-example-of-the-documentation-{}.sock", std::process::id()));
/// let socket = UnixSocket::bind_with(&path, &BindOptions::new().unix_mode(0o600))?;
/// let server = ChatServer::builder().build();
/// let mut events = server.events();
/// let serving = tokio::spawn(server.serve(socket).into_future());
/// UnixStream::connect(&path).await?.write_all(b"hello\n").await?;
/// assert!(events.recv().await.is_some());
/// server.shutdown().await;
/// serving.await?;
/// assert!(!path.exists());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The absolute path: the current directory may change before the removal.
    absolute: PathBuf,
    identity: Identity,
    label: Arc<str>,
}

impl UnixSocket {
    /// Binds the path. Replaces a stale socket, on which no server listens. During the call, a lock file exists: its name is
    /// the path with `.lock` appended. The call removes a lock file that it has created.
    ///
    /// # Errors
    ///
    /// Those of `bind(2)`: [`AddrInUse`](io::ErrorKind::AddrInUse) if a server listens at the path, or is about to;
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if the path is no socket; or permission for the path or the lock
    /// is missing.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn bind(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::bind_with(path, &BindOptions::new())
    }

    /// Binds the path as [`bind`](Self::bind) does, with permissions.
    ///
    /// # Errors
    ///
    /// Those of `bind`, or the permissions cannot be set.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn bind_with(path: impl Into<PathBuf>, options: &BindOptions) -> io::Result<Self> {
        let path = path.into();
        let absolute = std::path::absolute(&path)?;
        let (socket, identity) = socket_file::listen_at(&path, options.unix_mode)?;
        let listener =
            UnixListener::from_std(socket.into()).inspect_err(|_| socket_file::remove(&absolute, identity))?;
        let label = format!("unix:{}", path.display()).into();
        Ok(Self { listener, path, absolute, identity, label })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // The listener is still open here, so no other server takes the socket for a stale one.
        socket_file::remove(&self.absolute, self.identity);
    }
}

impl Listener for UnixSocket {
    type Reader = OwnedReadHalf;
    type Writer = OwnedWriteHalf;

    async fn accept(&mut self) -> (OwnedReadHalf, OwnedWriteHalf, Peer) {
        let (stream, _) = accept_with_retry(|cx| self.listener.poll_accept(cx)).await;
        let (reader, writer) = stream.into_split();
        (reader, writer, Peer::labelled(Arc::clone(&self.label)))
    }
}

/// The caller owns the path: it is not removed.
impl Listener for UnixListener {
    type Reader = OwnedReadHalf;
    type Writer = OwnedWriteHalf;

    async fn accept(&mut self) -> (OwnedReadHalf, OwnedWriteHalf, Peer) {
        let (stream, _) = accept_with_retry(|cx| self.poll_accept(cx)).await;
        let (reader, writer) = stream.into_split();
        (reader, writer, Peer::labelled("unix"))
    }
}
