//! Binds all addresses of a name. A machine may lack some of them, such as the `::1` of `localhost`.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;
use tracing::warn;

use super::tcp::bind;

/// The most ports that are tried to find one that is free at all addresses.
const MAX_PORTS: usize = 16;

/// Binds all addresses. It skips those that this machine lacks, unless it lacks all.
pub(super) fn bind_all(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    let mut tries = 1..=MAX_PORTS;
    loop {
        let last = tries.next().is_none_or(|number| number == MAX_PORTS);
        match bind_each(addresses, !last) {
            // The port that the system chose at one address is in use at another.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && lets_system_choose(addresses) && !last => {}
            bound => return bound,
        }
    }
}

fn lets_system_choose(addresses: &[SocketAddr]) -> bool {
    addresses.len() > 1 && addresses.iter().all(|address| address.port() == 0)
}

fn bind_each(addresses: &[SocketAddr], same_port: bool) -> io::Result<Vec<TcpListener>> {
    let (mut bound, mut lacking) = (Vec::<TcpListener>::new(), Vec::new());
    for mut address in addresses.iter().copied() {
        if let Some(first) = bound.first()
            && address.port() == 0
            && same_port
        {
            address.set_port(first.local_addr()?.port());
        }
        match bind(address) {
            Ok(listener) => bound.push(listener),
            Err(error) if is_lacking(&error) => lacking.push((address, error)),
            Err(error) => return Err(error),
        }
    }
    if bound.is_empty()
        && let Some((_, error)) = lacking.pop()
    {
        return Err(error);
    }
    for (address, error) in lacking {
        warn!(%address, %error, "not listening there: this machine does not have that address");
    }
    Ok(bound)
}

/// Whether this machine lacks the address or its family.
fn is_lacking(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || is_unknown_family(error)
}

#[cfg(unix)]
fn is_unknown_family(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::AFNOSUPPORT)
}

#[cfg(not(unix))]
fn is_unknown_family(error: &io::Error) -> bool {
    /// `WSAEAFNOSUPPORT`.
    const NO_SUCH_FAMILY: i32 = 10_047;
    error.raw_os_error() == Some(NO_SUCH_FAMILY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address for documentation, which no machine has (RFC 5737).
    const UNASSIGNED: &str = "192.0.2.1:0";

    fn bound(addresses: &[&str]) -> io::Result<Vec<SocketAddr>> {
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        bind_all(&addresses)?.iter().map(TcpListener::local_addr).collect()
    }

    #[tokio::test]
    async fn an_address_that_this_machine_lacks_is_skipped_if_it_has_another() {
        for addresses in [["127.0.0.1:0", UNASSIGNED], [UNASSIGNED, "127.0.0.1:0"]] {
            let bound = bound(&addresses).unwrap();
            assert_eq!(bound.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>(), ["127.0.0.1"]);
        }
        assert_eq!(bound(&[UNASSIGNED, UNASSIGNED]).unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[tokio::test]
    async fn an_address_in_use_is_an_error() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        assert_eq!(bound(&["127.0.0.2:0", &address]).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn a_port_chosen_by_the_system_is_the_same_at_all_addresses() {
        let bound = bound(&["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0"]).unwrap();
        assert_eq!(bound.len(), 3);
        assert!(bound.iter().all(|address| address.port() == bound[0].port() && address.port() != 0), "{bound:?}");
    }
}
