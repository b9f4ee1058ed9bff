//! The address of a server as a person writes it: a host, a host with a port, or the path of a Unix socket.

use std::{fmt, path::PathBuf, str::FromStr};

use chat_proto::DEFAULT_PORT;

/// Where a server listens.
///
/// ```
/// use chat_client::Address;
///
/// for (written, meant) in [
///     ("chat.example.org", "chat.example.org:2222"),
///     ("localhost:4000", "localhost:4000"),
///     ("::1", "[::1]:2222"),
///     ("[::1]:4000", "[::1]:4000"),
///     ("localhost 4000", "localhost:4000"),
///     ("tcp://localhost:4000", "localhost:4000"),
///     (":4000", "localhost:4000"),
///     ("./chat.sock", "unix:./chat.sock"),
/// ] {
///     assert_eq!(written.parse::<Address>().unwrap().to_string(), meant);
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Address {
    /// `HOST`, `HOST:PORT`, `HOST PORT` or `:PORT`, also after `tcp://`. An IPv6 address before `:PORT` needs brackets.
    Tcp {
        /// A host name or an IP address, without brackets.
        host: String,
        /// The port. The default is [`DEFAULT_PORT`].
        port: u16,
    },
    /// `unix:PATH`, or any path that contains a `/`.
    Unix(PathBuf),
}

/// Why a string is not an address.
///
/// ```
/// use chat_client::{Address, AddressError};
///
/// assert_eq!("localhost:0".parse::<Address>(), Err(AddressError::Port));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The host or the path is missing.
    #[error("the host is missing: write HOST, HOST:PORT or unix:PATH")]
    Empty,
    /// A URL whose scheme is not `tcp`, or that has a path.
    #[error("this kind of URL is not supported: write HOST, HOST:PORT or unix:PATH")]
    Url,
    /// `HOST:PORT PORT`.
    #[error("the port is given twice")]
    TwoPorts,
    /// The port is not a number from 1 to 65535.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// The closing bracket is missing, or something other than `:PORT` follows it.
    #[error("an IPv6 address with a port is written [ADDRESS]:PORT")]
    Brackets,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(address: &str) -> Result<Self, AddressError> {
        if let Some(path) = address.strip_prefix("unix:") {
            return unix(path);
        }
        let address = match address.split_once("://") {
            Some(("tcp", address)) => address.strip_suffix('/').unwrap_or(address),
            Some(_) => return Err(AddressError::Url),
            None if address.contains('/') => return unix(address),
            None => address,
        };
        let (host_and_port, separate_port) = match address.split_once(char::is_whitespace) {
            Some((host, port)) => (host, Some(port.trim_start())),
            None => (address, None),
        };
        let (host, port) = match host_and_port.strip_prefix('[') {
            Some(rest) => match rest.split_once(']').ok_or(AddressError::Brackets)? {
                (host, "") => (host, None),
                (host, port) => (host, Some(port.strip_prefix(':').ok_or(AddressError::Brackets)?)),
            },
            // Several colons without brackets: an IPv6 address without a port.
            None => match host_and_port.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (host_and_port, None),
            },
        };
        let host = match host {
            "" if port.is_some() && !host_and_port.starts_with('[') => "localhost",
            "" => return Err(AddressError::Empty),
            host if host.contains('/') => return Err(AddressError::Url),
            host => host,
        };
        let port = match (port, separate_port) {
            (Some(_), Some(_)) => return Err(AddressError::TwoPorts),
            (None, None) => DEFAULT_PORT,
            (Some(port), None) | (None, Some(port)) => {
                port.parse().ok().filter(|&port| port != 0).ok_or(AddressError::Port)?
            }
        };
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
}

fn unix(path: &str) -> Result<Address, AddressError> {
    if path.is_empty() { Err(AddressError::Empty) } else { Ok(Address::Unix(path.into())) }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_addresses_are_refused() {
        for (written, why) in [
            ("", AddressError::Empty),
            (":", AddressError::Port),
            ("[]:2222", AddressError::Empty),
            ("tcp://", AddressError::Empty),
            ("tcp://host/path", AddressError::Url),
            ("http://localhost:2222", AddressError::Url),
            ("localhost:1 2222", AddressError::TwoPorts),
            ("localhost 2222 x", AddressError::Port),
            ("unix:", AddressError::Empty),
            ("localhost:", AddressError::Port),
            ("localhost:0", AddressError::Port),
            ("localhost:65536", AddressError::Port),
            ("localhost:chat", AddressError::Port),
            ("[::1", AddressError::Brackets),
            ("[::1]2222", AddressError::Brackets),
        ] {
            assert_eq!(written.parse::<Address>(), Err(why), "{written:?}");
        }
    }

    #[test]
    fn an_address_is_parsed_from_its_display() {
        for written in ["localhost:2222", "[fe80::1]:1", "127.0.0.1:65535", "unix:/run/chat", "unix:chat"] {
            assert_eq!(written.parse::<Address>().unwrap().to_string(), written);
        }
    }
}
