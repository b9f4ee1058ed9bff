//! Addresses to listen on, as users write them.

use std::{fmt, io, net::SocketAddr, path::PathBuf, str::FromStr};

use tokio::net::{TcpListener, lookup_host};

use super::BindOptions;
#[cfg(unix)]
use super::UnixSocket;

/// Where to listen: `127.0.0.1:2222`, `[::1]:2222`, `localhost:2222` (all that it resolves to), or a Unix socket as
/// `unix:PATH` or any path with a `/` in it.
///
/// ```
/// use chat_server::listen::ListenAddr;
///
/// for text in ["127.0.0.1:2222", "[::1]:2222", "localhost:0"] {
///     assert_eq!(text.parse(), Ok(ListenAddr::Tcp(text.into())));
/// }
/// for text in ["/run/chat.sock", "unix:chat.sock"] {
///     assert!(matches!(text.parse(), Ok(ListenAddr::Unix(_))));
/// }
/// assert!("2222".parse::<ListenAddr>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ListenAddr {
    /// A host, by address or name, and a port; port 0 lets the system choose.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// The text is not an address to listen on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("give HOST:PORT, as in 127.0.0.1:2222 or [::1]:2222, or the path of a Unix socket, as in unix:/run/chat.sock")]
pub struct AddrError;

impl FromStr for ListenAddr {
    type Err = AddrError;

    fn from_str(address: &str) -> Result<Self, AddrError> {
        if let Some(path) = address.strip_prefix("unix:") {
            return if path.is_empty() { Err(AddrError) } else { Ok(Self::Unix(path.into())) };
        }
        if address.contains('/') {
            return Ok(Self::Unix(address.into()));
        }
        let (host, port) = address.rsplit_once(':').ok_or(AddrError)?;
        let bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        if host.is_empty() || bare_ipv6 || port.parse::<u16>().is_err() {
            return Err(AddrError);
        }
        Ok(Self::Tcp(address.to_owned()))
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A bound listener, ready for [`ChatServer::serve_all`](crate::ChatServer::serve_all).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::listen::ListenAddr;
///
/// let endpoints = "127.0.0.1:0".parse::<ListenAddr>()?.bind().await?;
/// let address = endpoints[0].tcp_address().expect("a TCP port");
/// assert_ne!(address.port(), 0, "the system chose one");
/// println!("listening on {}", endpoints[0]);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Endpoint {
    /// A TCP port.
    Tcp(TcpListener),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(UnixSocket),
}

impl ListenAddr {
    /// Binds the address. A name that resolves to several addresses gives several endpoints. Addresses that this
    /// machine does not have are skipped with a warning, unless it has none of them. With port 0, all endpoints get the
    /// same port if possible.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, listen::ListenAddr};
    ///
    /// let endpoints = "localhost:0".parse::<ListenAddr>()?.bind().await?;
    /// for endpoint in &endpoints {
    ///     println!("listening on {endpoint}");
    /// }
    /// let serve = ChatServer::builder().build().serve_all(endpoints);
    /// serve.with_graceful_shutdown(async {}).await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The name does not resolve, the address is in use, this machine does not have it, or permission is missing. For
    /// Unix sockets, those of [`UnixSocket::bind`](super::UnixSocket::bind).
    pub async fn bind(&self) -> io::Result<Vec<Endpoint>> {
        self.bind_with(&BindOptions::new()).await
    }

    /// Binds the address as [`bind`](Self::bind) does, with options.
    ///
    /// # Errors
    ///
    /// Those of `bind`, or the options cannot be applied.
    pub async fn bind_with(&self, options: &BindOptions) -> io::Result<Vec<Endpoint>> {
        match self {
            Self::Tcp(address) => {
                let mut addresses: Vec<_> = lookup_host(address).await?.collect();
                addresses.sort_unstable();
                addresses.dedup();
                Ok(super::tcp_all::bind_all(&addresses)?.into_iter().map(Endpoint::Tcp).collect())
            }
            #[cfg(unix)]
            Self::Unix(path) => Ok(vec![Endpoint::Unix(UnixSocket::bind_with(path, options)?)]),
            #[cfg(not(unix))]
            Self::Unix(_) => {
                let _ = options;
                Err(io::Error::new(io::ErrorKind::Unsupported, "no Unix sockets on this system"))
            }
        }
    }
}

impl Endpoint {
    /// The address, with the port that the system chose. `None` for a Unix socket.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(error) => write!(f, "an unknown address ({error})"),
            },
            #[cfg(unix)]
            Self::Unix(socket) => write!(f, "unix:{}", socket.path().display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_as_users_write_them() {
        for tcp in ["127.0.0.1:2222", "[::1]:0", "localhost:2222"] {
            assert_eq!(tcp.parse(), Ok(ListenAddr::Tcp(tcp.into())));
        }
        for (text, path) in [("unix:/run/a", "/run/a"), ("unix:a", "a"), ("./a", "./a"), ("/run/a:1", "/run/a:1")] {
            assert_eq!(text.parse(), Ok(ListenAddr::Unix(path.into())));
        }
        for invalid in ["", "2222", ":2222", "::1:2222", "localhost", "localhost:", "localhost:65536", "unix:"] {
            assert_eq!(invalid.parse::<ListenAddr>(), Err(AddrError), "{invalid:?}");
        }
    }
}
