//! Opens connections: resolves a host and tries its addresses, the next one while the last has not answered.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{Address, ConnectError, Login};

/// Time limit for each attempt of [`connect`] to connect to one address.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Delay before the next address is tried in parallel, as RFC 8305 recommends.
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects over TCP to `HOST` or `HOST:PORT`. The default port is 2222.
///
/// It tries all addresses of the host, IPv6 and IPv4 in turn. The next attempt starts when the last one has failed or
/// has taken a quarter of a second. Each attempt may take [`CONNECT_TIMEOUT`]. The first connection wins, with
/// `TCP_NODELAY` set.
///
/// # Errors
/// [`ConnectError::Failed`] lists how each address failed. The other errors are an address that cannot be parsed or
/// resolved, and the path of a Unix socket.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let server = listener.local_addr()?.to_string();
/// // `server` is "chat.example.org", "localhost:2222" or "[::1]:2222".
/// let login = chat_client::connect(&server).await?;
/// let (_client, _events) = login.as_guest();
/// # Ok(())
/// # }
/// ```
pub async fn connect(server: &str) -> Result<Login, ConnectError> {
    match server.parse()? {
        Address::Tcp { host, port } => connect_tcp(&host, port).await,
        Address::Unix(_) => Err(ConnectError::NotTcp),
    }
}

/// Connects to the Unix socket at `path`.
///
/// # Errors
/// [`ConnectError::Io`] if the socket cannot be opened.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("chat-client-doc-{}.sock", std::process::id()));
/// # let listener = tokio::net::UnixListener::bind(&path)?;
/// let login = chat_client::connect_unix(&path).await?;
/// # std::fs::remove_file(path)?;
/// # drop((login, listener));
/// # Ok(())
/// # }
/// ```
#[cfg(unix)]
pub async fn connect_unix(path: impl AsRef<std::path::Path>) -> Result<Login, ConnectError> {
    Ok(Login::over(tokio::net::UnixStream::connect(path).await.map_err(ConnectError::Io)?))
}

impl Address {
    /// Connects to this address, as [`connect`] and [`connect_unix`](crate::connect_unix) do.
    ///
    /// # Errors
    /// Those of these functions; on systems without Unix sockets, [`ConnectError::NotTcp`] for a path.
    pub async fn connect(&self) -> Result<Login, ConnectError> {
        match self {
            Self::Tcp { host, port } => connect_tcp(host, *port).await,
            #[cfg(unix)]
            Self::Unix(path) => connect_unix(path).await,
            #[cfg(not(unix))]
            Self::Unix(_) => Err(ConnectError::NotTcp),
        }
    }
}

async fn connect_tcp(host: &str, port: u16) -> Result<Login, ConnectError> {
    let lookup = |source| ConnectError::Lookup { host: host.to_owned(), source };
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(lookup)?.collect();
    if addresses.is_empty() {
        return Err(lookup(io::Error::new(io::ErrorKind::NotFound, "the name has no address")));
    }
    let stream = race(interleave_families(addresses)).await.map_err(ConnectError::Failed)?;
    // Only a delay is at stake: the connection works without it.
    stream.set_nodelay(true).unwrap_or_else(|error| tracing::debug!(%error, "no TCP_NODELAY"));
    Ok(Login::over(stream))
}

/// Alternates between the address families. The resolver's first choice stays first.
fn interleave_families(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut turns = VecDeque::new();
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            return turns;
        }
        turns.extend(pair.into_iter().flatten());
    }
}

/// Connects to the address that answers first, and drops the other attempts.
async fn race(mut waiting: VecDeque<SocketAddr>) -> Result<TcpStream, Vec<(SocketAddr, io::Error)>> {
    let (mut running, mut failures) = (FuturesUnordered::new(), Vec::new());
    loop {
        if running.is_empty() && waiting.is_empty() {
            return Err(failures);
        }
        if let Some(address) = waiting.pop_front() {
            running.push(async move {
                let dialed = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
                (address, dialed.unwrap_or_else(|late| Err(late.into())))
            });
        }
        tokio::select! {
            Some((address, dialed)) = running.next() => match dialed {
                Ok(stream) => {
                    tracing::debug!(%address, "connected");
                    return Ok(stream);
                }
                Err(error) => failures.push((address, error)),
            },
            () = sleep(CONNECTION_ATTEMPT_DELAY), if !waiting.is_empty() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(written: &[&str]) -> Vec<SocketAddr> {
        written.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn address_families_alternate() {
        let resolved = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
        assert_eq!(interleave_families(resolved), addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
        assert_eq!(interleave_families(Vec::new()), addresses(&[]));
    }

    #[tokio::test]
    async fn a_failed_address_is_followed_by_the_next() {
        let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = listener.local_addr().unwrap();
        assert_eq!(race([dead, alive].into()).await.unwrap().peer_addr().unwrap(), alive);
        let failures = race([dead, dead].into()).await.unwrap_err();
        assert_eq!(failures.len(), 2);
    }
}
