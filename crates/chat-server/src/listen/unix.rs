//! Unix sockets: a path in the file system, which goes when the listener goes.

use std::{
    io,
    os::unix::net::UnixStream as StdUnixStream,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::{
    UnixListener,
    unix::{OwnedReadHalf, OwnedWriteHalf},
};

use super::{Listener, Source, until_accepted};

/// A Unix socket that is bound to a path. Dropped, it removes the path.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    name: Arc<str>,
}

impl UnixSocket {
    /// Binds the path. A socket that a server left behind there, and that nobody serves, is replaced.
    ///
    /// # Errors
    ///
    /// As `bind(2)`: somebody serves the path, it is no socket, or there is no permission.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with I/O enabled.
    pub fn bind(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let listener = match UnixListener::bind(&path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(&path) => {
                std::fs::remove_file(&path)?;
                UnixListener::bind(&path)?
            }
            bound => bound?,
        };
        let name = format!("unix:{}", path.display()).into();
        Ok(Self { listener, path, name })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether it is a socket, and nobody is behind it. What is no socket refuses with another error.
fn is_stale(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    is_socket && StdUnixStream::connect(path).is_err_and(refused)
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // If it is gone already, that is as well.
        let _ = std::fs::remove_file(&self.path);
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
