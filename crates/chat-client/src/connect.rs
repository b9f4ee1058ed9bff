//! From a name to a connection: every address of a host is tried before it is given up.

use std::{io, time::Duration};

use tokio::{net::TcpStream, time::timeout};

use crate::{Address, ConnectError, Login};

/// So long one address may take to answer, before the next is tried.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects over TCP to `HOST` or `HOST:PORT`; the port is 2222 unless given.
///
/// All addresses of the host are tried in turn, each for [`CONNECT_TIMEOUT`] at most. Small writes are not delayed
/// (`TCP_NODELAY`). The error tells how each address failed.
pub async fn connect(server: &str) -> Result<Login, ConnectError> {
    let (host, port) = match server.parse()? {
        Address::Tcp { host, port } => (host, port),
        Address::Unix(_) => return Err(ConnectError::NotTcp),
    };
    let addresses = tokio::net::lookup_host((host.as_str(), port))
        .await
        .map_err(|source| ConnectError::Lookup { host: host.clone(), source })?;
    let mut failures = Vec::new();
    for address in addresses {
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await.unwrap_or_else(|late| Err(late.into())) {
            Ok(stream) => {
                // A connection that cannot be tuned still works.
                stream.set_nodelay(true).unwrap_or_else(|error| tracing::debug!(%error, "no TCP_NODELAY"));
                tracing::debug!(%address, "connected");
                return Ok(Login::over(stream));
            }
            Err(error) => failures.push((address, error)),
        }
    }
    if failures.is_empty() {
        let source = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        return Err(ConnectError::Lookup { host, source });
    }
    Err(ConnectError::Failed(failures))
}

/// Connects to the Unix socket at `path`.
#[cfg(unix)]
pub async fn connect_unix(path: impl AsRef<std::path::Path>) -> Result<Login, ConnectError> {
    Ok(Login::over(tokio::net::UnixStream::connect(path).await.map_err(ConnectError::Unix)?))
}
