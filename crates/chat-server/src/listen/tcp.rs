//! TCP: halves that share no lock, no delay for small lines, and keepalive for peers that cannot be asked.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
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
    type Reader = TcpReader;
    type Writer = OwnedWriteHalf;

    async fn accept(&mut self) -> (TcpReader, OwnedWriteHalf, Source) {
        let (stream, address) = until_accepted(|cx| self.poll_accept(cx)).await;
        if let Err(error) = set_up(&stream) {
            // It works without, if not as well; or it is gone already.
            debug!(%error, peer = %address.ip().to_canonical(), port = address.port(), "cannot set socket options");
        }
        let (reader, writer) = stream.into_split();
        (TcpReader(reader), writer, Source::Address(address))
    }
}

/// The receiving half of a TCP connection. It tells a reset from an end, also where the sending half has met the reset first:
/// the kernel reports it to one of the two, and shows the other a plain end.
#[derive(Debug)]
pub struct TcpReader(OwnedReadHalf);

impl TcpReader {
    /// Why the stream has ended, if not because the peer has closed it.
    fn reset(&self) -> Option<io::Error> {
        let stream = self.0.as_ref();
        // A peer that had closed before is said to be gone by a broken pipe: that is an end.
        if let Ok(Some(error)) = stream.take_error() {
            return (error.kind() != io::ErrorKind::BrokenPipe).then_some(error);
        }
        // After an end a connection still has a peer, until this side closes too; after a reset it has none.
        stream.peer_addr().is_err().then(|| io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for TcpReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (room, before) = (buf.remaining(), buf.filled().len());
        ready!(Pin::new(&mut self.0).poll_read(cx, buf))?;
        let ended = room > 0 && buf.filled().len() == before;
        Poll::Ready(if ended { self.reset().map_or(Ok(()), Err) } else { Ok(()) })
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

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn connected() -> (TcpStream, TcpReader, OwnedWriteHalf) {
        let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (reader, writer, _) = Listener::accept(&mut listener).await;
        (client, reader, writer)
    }

    #[tokio::test]
    async fn a_reset_that_the_writer_met_first_reaches_the_reader_too() {
        let (client, mut reader, mut writer) = connected().await;
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        let met = loop {
            match writer.write_all(b"x").await {
                Ok(()) => tokio::task::yield_now().await,
                Err(error) => break error.kind(),
            }
        };
        assert_eq!(met, ErrorKind::ConnectionReset);
        assert_eq!(reader.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_close_by_the_peer_is_read_as_a_plain_end() {
        let (mut client, mut reader, mut writer) = connected().await;
        client.write_all(b"x").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(reader.read(&mut [0]).await.unwrap(), 1);
        assert_eq!(reader.read(&mut [0]).await.unwrap(), 0);
        writer.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }

    /// What the kernel does about a peer behind a dead link is told by these: nothing else finds one that has a line under way.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_accepted_socket_has_kernel_timeouts() {
        let (_client, _reader, writer) = connected().await;
        let stream: &TcpStream = writer.as_ref();
        let socket = SockRef::from(stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
    }
}
