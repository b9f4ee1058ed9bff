//! TCP: halves that share no lock, no delay for small lines, and keepalive for peers that cannot be asked.

use std::{io, net::SocketAddr, time::Duration};

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{
    TcpListener, TcpStream,
    tcp::{OwnedReadHalf, OwnedWriteHalf},
};
use tracing::debug;

use super::{Listener, Source, until_accepted};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;
/// Silence before the kernel asks whether the peer is there.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// And between its questions after that.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long the kernel waits for an acknowledgement of what it has sent. Keepalive asks only where nothing is under way; a
/// peer that is gone with a line on its way would stay for a quarter of an hour.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(90);

/// Bytes that the kernel takes beyond what it can send at once. It would take megabytes: then a peer that reads slowly looks for
/// minutes like one that does not read at all, and each of them holds that much memory.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 131_072;

impl Listener for TcpListener {
    type Reader = OwnedReadHalf;
    type Writer = OwnedWriteHalf;

    async fn accept(&mut self) -> (OwnedReadHalf, OwnedWriteHalf, Source) {
        let (stream, address) = until_accepted(|cx| self.poll_accept(cx)).await;
        if let Err(error) = set_up(&stream) {
            // It works without, if not as well; or it is gone already.
            debug!(%error, peer = %address, "cannot set socket options");
        }
        let (reader, writer) = stream.into_split();
        (reader, writer, Source::Address(address))
    }
}

fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL);
    let socket = SockRef::from(stream);
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        socket.set_tcp_notsent_lowat(UNSENT)?;
    }
    socket.set_tcp_keepalive(&keepalive)
}

/// Binds exactly this address: an IPv6 one takes no IPv4, so that `0.0.0.0` and `[::]` can stand side by side.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows this would let two programs have one port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// What the kernel does about a peer behind a dead link is told by these: nothing else finds one that has a line under way.
    #[tokio::test]
    async fn an_accepted_socket_is_watched_by_the_kernel() {
        let mut listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (reader, _writer, _) = Listener::accept(&mut listener).await;
        let stream: &TcpStream = reader.as_ref();
        let socket = SockRef::from(stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
    }
}
