//! Unix sockets: a path in the file system, which goes when the listener goes.

mod place;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::{
    UnixListener,
    unix::{OwnedReadHalf, OwnedWriteHalf},
};

use self::place::Identity;
use super::{BindOptions, Listener, Source, until_accepted};

/// A Unix socket that is bound to a path. Dropped, it removes the path, unless something else is there by then.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The same from the root on: the current folder may be another when it is removed.
    absolute: PathBuf,
    identity: Identity,
    name: Arc<str>,
}

impl UnixSocket {
    /// Binds the path. A socket that a server left behind there, and that nobody serves, is replaced. While it binds, it
    /// holds a lock: a file beside the path with `.lock` behind its name, which it removes if it has made it.
    ///
    /// # Errors
    ///
    /// As `bind(2)`: [`AddrInUse`](io::ErrorKind::AddrInUse) if somebody serves the path, or is just about to;
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if it is no socket; or there is no permission, for the path or for the
    /// lock.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn bind(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::bind_with(path, &BindOptions::new())
    }

    /// [`bind`](Self::bind), with permissions.
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
        let (socket, identity) = place::listen_at(&path, options.unix_mode)?;
        let listener = UnixListener::from_std(socket.into()).inspect_err(|_| place::remove(&absolute, identity))?;
        let name = format!("unix:{}", path.display()).into();
        Ok(Self { listener, path, absolute, identity, name })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // The listener is still open: nobody takes the path for one that nobody serves.
        place::remove(&self.absolute, self.identity);
    }
}

impl Listener for UnixSocket {
    type Reader = OwnedReadHalf;
    type Writer = OwnedWriteHalf;

    async fn accept(&mut self) -> (OwnedReadHalf, OwnedWriteHalf, Source) {
        let (stream, _) = until_accepted(|cx| self.listener.poll_accept(cx)).await;
        let (reader, writer) = stream.into_split();
        (reader, writer, Source::Named(Arc::clone(&self.name)))
    }
}

/// A socket whose path is the caller's business.
impl Listener for UnixListener {
    type Reader = OwnedReadHalf;
    type Writer = OwnedWriteHalf;

    async fn accept(&mut self) -> (OwnedReadHalf, OwnedWriteHalf, Source) {
        let (stream, _) = until_accepted(|cx| self.poll_accept(cx)).await;
        let (reader, writer) = stream.into_split();
        (reader, writer, Source::Named("unix".into()))
    }
}
