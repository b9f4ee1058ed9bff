//! Opens connections: resolves a host and tries its addresses, the next one while the last has not answered.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{Address, ConnectError, Login};

/// Time limit for each attempt of [`connect`] to connect to one address.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Silence before the operating system checks whether the connection is alive. A guest has no other means.
const KEEPALIVE_TIME: Duration = Duration::from_secs(30);
/// The time between two checks.
#[cfg(any(target_os = "linux", target_vendor = "apple", windows))]
const KEEPALIVE_PROBE_INTERVAL: Duration = Duration::from_secs(10);
/// Number of failed checks after which the connection is dead.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
const KEEPALIVE_PROBES: u32 = 3;
/// How long sent data may stay unacknowledged by the other system. Keepalive checks idle connections only.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(75);

/// Delay before the next address is tried in parallel, as RFC 8305 recommends.
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects over TCP to `HOST` or `HOST:PORT`. The default port is 2222.
///
/// It tries all addresses of the host, IPv6 and IPv4 in turn. The next attempt starts when the last one has failed or
/// has taken a quarter of a second. Each attempt may take [`CONNECT_TIMEOUT`]. The first connection wins, with
/// `TCP_NODELAY` and keepalive set. If no chat server answers the login there, [`Login::log_in`] tries the next address.
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
    let mut fallback = Fallback { addresses: interleave_families(addresses) };
    let stream = fallback.race().await.map_err(ConnectError::Failed)?;
    Ok(Login::over_tcp(stream, fallback))
}

/// Prepares a connection. It works without these options, so errors are ignored.
fn set_up(stream: &TcpStream) {
    let set = || {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME);
        #[cfg(any(target_os = "linux", target_vendor = "apple", windows))]
        let keepalive = keepalive.with_interval(KEEPALIVE_PROBE_INTERVAL);
        #[cfg(any(target_os = "linux", target_vendor = "apple"))]
        let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
        socket.set_tcp_keepalive(&keepalive)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        io::Result::Ok(())
    };
    set().unwrap_or_else(|error| tracing::debug!(%error, "cannot set socket options"));
}

/// The addresses of a host that have not failed, in the order in which they are tried.
#[derive(Debug, Default)]
pub(crate) struct Fallback {
    addresses: VecDeque<SocketAddr>,
}

impl Fallback {
    /// Connects to the next address that accepts. `None` if there is none.
    pub(crate) async fn connect(&mut self) -> Option<TcpStream> {
        self.race().await.inspect_err(|failures| tracing::debug!(?failures, "no other address")).ok()
    }

    /// Connects to the address that answers first, and drops the other attempts. The addresses that have not failed
    /// remain.
    async fn race(&mut self) -> Result<TcpStream, Vec<(SocketAddr, io::Error)>> {
        let (mut waiting, mut running, mut failures) = (self.addresses.clone(), FuturesUnordered::new(), Vec::new());
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
                Some((address, dialed)) = running.next() => {
                    self.addresses.retain(|remaining| *remaining != address);
                    match dialed {
                        Ok(stream) => {
                            tracing::debug!(%address, "connected");
                            set_up(&stream);
                            return Ok(stream);
                        }
                        Err(error) => failures.push((address, error)),
                    }
                }
                () = sleep(CONNECTION_ATTEMPT_DELAY), if !waiting.is_empty() => {}
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

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
        let mut host = Fallback { addresses: [dead, alive].into() };
        assert_eq!(host.race().await.unwrap().peer_addr().unwrap(), alive);
        assert_eq!(host.addresses, [], "neither is tried again");
        let failures = Fallback { addresses: [dead, dead].into() }.race().await.unwrap_err();
        assert_eq!(failures.len(), 2);
    }

    /// A connection that is accepted but never answered must not hide a good server at another address of the host.
    #[tokio::test]
    async fn a_login_without_an_answer_goes_on_at_the_next_address() {
        let [silent, good] = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let mut host = Fallback { addresses: [&silent, &good].map(|listener| listener.local_addr().unwrap()).into() };
        std::thread::spawn(move || {
            let (mut stream, _) = good.accept().unwrap();
            stream.write_all(b"NAME OK\r\nWELCOME\r\n").unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        });
        let first = host.race().await.unwrap();
        assert_eq!(first.peer_addr().unwrap(), silent.local_addr().unwrap());
        let login = tokio::spawn(Login::over_tcp(first, host).log_in("bob".parse().unwrap()));
        tokio::task::yield_now().await;
        // Only the silence passes at once. The sockets need real time.
        tokio::time::pause();
        tokio::time::advance(crate::LOGIN_TIMEOUT).await;
        tokio::time::resume();
        let (client, _events) = timeout(Duration::from_secs(20), login).await.unwrap().unwrap().unwrap();
        assert_eq!(client.name().unwrap().as_str(), "bob");
    }
}
