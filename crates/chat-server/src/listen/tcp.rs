//! TCP connections: their halves share no lock, and their options detect dead peers and slow readers early.

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

use super::{Listener, accept_with_retry};
use crate::peer::Peer;

/// The most connections that wait to be accepted.
const BACKLOG: i32 = 4_096;
/// Silence before the kernel sends a keepalive probe.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
/// The time between two probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// The time after which unacknowledged data ends a connection. Keepalive finds dead peers on idle connections only. By
/// default, a dead peer with data in flight stays for a quarter of an hour.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(90);

/// The most unsent bytes that the kernel buffers. By default, it buffers megabytes. A peer that reads slowly would hold
/// them, and would seem not to read at all for minutes.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 131_072;

impl Listener for TcpListener {
    type Reader = TcpReader;
    type Writer = OwnedWriteHalf;

    async fn accept(&mut self) -> (TcpReader, OwnedWriteHalf, Peer) {
        let (stream, address) = accept_with_retry(|cx| self.poll_accept(cx)).await;
        if let Err(error) = set_tcp_options(&stream) {
            // The connection works without them, or is closed already.
            debug!(%error, peer = %address.ip().to_canonical(), port = address.port(), "cannot set socket options");
        }
        let (reader, writer) = stream.into_split();
        (TcpReader(reader), writer, address.into())
    }
}

/// The receiving half of a TCP connection. It reports a reset even if the sending half has received it first. The kernel
/// reports a reset only once. After that, a read returns the normal end of the stream.
#[derive(Debug)]
pub struct TcpReader(OwnedReadHalf);

impl TcpReader {
    /// The error that ended the stream, unless the peer closed it.
    fn reset(&self) -> Option<io::Error> {
        let stream = self.0.as_ref();
        // A broken pipe means that the peer had closed before. This is a normal end.
        if let Ok(Some(error)) = stream.take_error() {
            return (error.kind() != io::ErrorKind::BrokenPipe).then_some(error);
        }
        // After a normal end, a connection has a peer address until this side closes too. After a reset, it has none.
        stream.peer_addr().is_err().then(|| io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for TcpReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (space, before) = (buf.remaining(), buf.filled().len());
        ready!(Pin::new(&mut self.0).poll_read(cx, buf))?;
        let ended = space > 0 && buf.filled().len() == before;
        Poll::Ready(if ended { self.reset().map_or(Ok(()), Err) } else { Ok(()) })
    }
}

/// Sets the options that connections of a [`TcpListener`] get from the server: no delay for small writes, keepalive, and on
/// Linux bounds on unacknowledged and unsent data. Without these bounds, a peer that does not read is noticed late. Use this
/// for TCP connections that the server gets in another way, for example with a WebSocket.
///
/// ```
/// use chat_server::{ChatServer, listen::set_tcp_options};
/// use tokio::net::{TcpListener, TcpStream};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let _client = TcpStream::connect(listener.local_addr()?).await?;
/// let (stream, address) = listener.accept().await?;
/// set_tcp_options(&stream)?;
/// assert!(stream.nodelay()?);
/// ChatServer::builder().build().attach(stream, address.into());
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// The first error that the system returns. The options after the failed one are set too.
pub fn set_tcp_options(stream: &TcpStream) -> io::Result<()> {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL);
    let socket = SockRef::from(stream);
    let set = [
        socket.set_tcp_keepalive(&keepalive),
        stream.set_nodelay(true),
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT)),
        #[cfg(target_os = "linux")]
        socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES),
    ];
    set.into_iter().collect()
}

/// Binds exactly this address. An IPv6 one does not accept IPv4, so `0.0.0.0` and `[::]` can be bound side by side.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows this would let two programs share a port.
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
    async fn a_reset_that_the_writer_receives_first_reaches_the_reader_too() {
        let (client, mut reader, mut writer) = connected().await;
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        let error = loop {
            match writer.write_all(b"x").await {
                Ok(()) => tokio::task::yield_now().await,
                Err(error) => break error.kind(),
            }
        };
        assert_eq!(error, ErrorKind::ConnectionReset);
        assert_eq!(reader.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_close_by_the_peer_is_read_as_a_normal_end() {
        let (mut client, mut reader, mut writer) = connected().await;
        client.write_all(b"x").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(reader.read(&mut [0]).await.unwrap(), 1);
        assert_eq!(reader.read(&mut [0]).await.unwrap(), 0);
        writer.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }

    /// Only these options detect a dead link with data in flight.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_accepted_socket_has_kernel_timeouts() {
        let (_client, _reader, writer) = connected().await;
        let stream: &TcpStream = writer.as_ref();
        let socket = SockRef::from(stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), MAX_UNSENT_BYTES);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
    }
}
