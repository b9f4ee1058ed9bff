//! From a name to a connection: every address of a host is tried, the next while the last has not answered yet.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{Address, ConnectError, Login};

/// So long one address may take to answer, before it is given up.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// So long an address is alone, before the next is tried beside it: what RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects over TCP to `HOST` or `HOST:PORT`; the port is 2222 unless given.
///
/// All addresses of the host are tried, IPv6 and IPv4 by turns: the next one when the last has failed or is silent for a
/// quarter of a second, each for [`CONNECT_TIMEOUT`] at most. The first that answers is taken. Small writes are not delayed
/// (`TCP_NODELAY`). The error tells how each address failed.
pub async fn connect(server: &str) -> Result<Login, ConnectError> {
    match server.parse()? {
        Address::Tcp { host, port } => connect_tcp(&host, port).await,
        Address::Unix(_) => Err(ConnectError::NotTcp),
    }
}

/// Connects to the Unix socket at `path`.
#[cfg(unix)]
pub async fn connect_unix(path: impl AsRef<std::path::Path>) -> Result<Login, ConnectError> {
    Ok(Login::over(tokio::net::UnixStream::connect(path).await.map_err(ConnectError::Unix)?))
}

impl Address {
    /// Connects to this address, as [`connect`] and [`connect_unix`](crate::connect_unix) do.
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
    let stream = race(by_turns(addresses)).await.map_err(ConnectError::Failed)?;
    // A connection that cannot be tuned still works.
    stream.set_nodelay(true).unwrap_or_else(|error| tracing::debug!(%error, "no TCP_NODELAY"));
    Ok(Login::over(stream))
}

/// The families by turns, the resolver's first choice first.
fn by_turns(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
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

/// The first that answers; the others are dropped.
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
            () = sleep(HEAD_START), if !waiting.is_empty() => {}
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
    fn the_families_take_turns() {
        let resolved = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
        assert_eq!(by_turns(resolved), addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
        assert_eq!(by_turns(Vec::new()), addresses(&[]));
    }

    #[tokio::test]
    async fn an_address_that_fails_is_followed_by_the_next() {
        let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = listener.local_addr().unwrap();
        assert_eq!(race([dead, alive].into()).await.unwrap().peer_addr().unwrap(), alive);
        let failures = race([dead, dead].into()).await.unwrap_err();
        assert_eq!(failures.len(), 2);
    }
}
