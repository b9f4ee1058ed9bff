//! The peer of a connection, before it has a name.

use std::{fmt, net::SocketAddr, sync::Arc};

use crate::listen::Source;

/// Where a connection comes from: for policies and the log.
///
/// An IPv4-mapped address such as `::ffff:192.0.2.7` is always converted to `192.0.2.7`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PeerInfo {
    /// A socket address.
    Address(SocketAddr),
    /// A peer without an address, with a name that the embedding program or the listener gives it.
    Named(Arc<str>),
}

impl PeerInfo {
    /// A peer without an address, such as `gateway` or the path of a Unix socket.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self::Named(name.into())
    }

    /// Its address, if it has one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Named(_) => None,
        }
    }
}

impl PeerInfo {
    /// The same peer with an IPv4-mapped address converted.
    pub(crate) fn canonical(self) -> Self {
        match self {
            Self::Address(SocketAddr::V6(address)) if address.ip().to_ipv4_mapped().is_some() => {
                Self::Address(SocketAddr::new(address.ip().to_canonical(), address.port()))
            }
            other => other,
        }
    }
}

impl From<SocketAddr> for PeerInfo {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address).canonical()
    }
}

impl From<Source> for PeerInfo {
    fn from(source: Source) -> Self {
        match source {
            Source::Address(address) => address.into(),
            Source::Named(name) => Self::Named(name),
        }
    }
}

impl fmt::Display for PeerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Named(name) => name.escape_debug().fmt(f),
        }
    }
}
