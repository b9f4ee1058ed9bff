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
///     ("./chat.sock", "unix:./chat.sock"),
/// ] {
///     assert_eq!(written.parse::<Address>().unwrap().to_string(), meant);
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Address {
    /// `HOST` or `HOST:PORT`. An IPv6 address with a port needs brackets.
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
    /// The text after the colon is not a port.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// The closing bracket is missing, or something other than `:PORT` follows it.
    #[error("an IPv6 address with a port is written [ADDRESS]:PORT")]
    Brackets,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(written: &str) -> Result<Self, AddressError> {
        let path = written.strip_prefix("unix:").or_else(|| written.contains('/').then_some(written));
        if let Some(path) = path {
            return if path.is_empty() { Err(AddressError::Empty) } else { Ok(Self::Unix(path.into())) };
        }
        let (host, port) = match written.strip_prefix('[') {
            Some(rest) => match rest.split_once(']').ok_or(AddressError::Brackets)? {
                (host, "") => (host, None),
                (host, port) => (host, Some(port.strip_prefix(':').ok_or(AddressError::Brackets)?)),
            },
            // Several colons without brackets: an IPv6 address without a port.
            None => match written.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (written, None),
            },
        };
        if host.is_empty() {
            return Err(AddressError::Empty);
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => port.parse().ok().filter(|&port| port != 0).ok_or(AddressError::Port)?,
        };
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
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
            (":2222", AddressError::Empty),
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
