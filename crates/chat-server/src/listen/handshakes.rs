//! Handshakes, such as TLS, between accepting a connection and serving it. They are bounded in time and number, and do not
//! delay `accept`.

use std::{collections::VecDeque, fmt, io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::{AbortHandle, JoinError, JoinSet},
    time::timeout,
};
use tracing::{debug, warn};

use super::Listener;
use crate::{peer::Peer, warning::RareWarning};

/// A listener whose connections go through a handshake before they are served. A handshake gets the halves of the
/// connection and its peer, and returns those that the server uses. An error closes the connection, and is logged at level
/// `DEBUG`.
///
/// Each handshake is a task: a slow one delays nobody. At most 1,024 are pending at a time, for at most 10 seconds each.
/// For one more, the oldest handshake of the same host is aborted, or if there is none, the oldest of all. So one host
/// cannot lock others out. Dropping the listener aborts all handshakes.
///
/// A connection counts towards the limits of the server once its handshake is done.
///
/// ```
/// use chat_server::{ChatServer, listen::{Handshakes, memory}};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let (connector, listener) = memory();
/// // Clients send one byte first.
/// let listener = Handshakes::new(listener, |mut reader, writer, peer| async move {
///     reader.read_u8().await?;
///     Ok((reader, writer, peer))
/// });
/// let server = ChatServer::builder().build();
/// tokio::spawn(server.serve(listener).into_future());
///
/// let mut client = connector.connect().await.expect("the server listens");
/// client.write_all(b"!hello\r\n").await?;
/// let mut answer = [0; 4];
/// client.read_exact(&mut answer).await?;
/// assert_eq!(&answer, b"OK\r\n");
/// # Ok(()) }
/// # use std::future::IntoFuture;
/// ```
pub struct Handshakes<L, H, R, W> {
    listener: L,
    handshake: Arc<H>,
    timeout: Duration,
    max_pending: usize,
    tasks: JoinSet<Option<(R, W, Peer)>>,
    /// The pending handshakes, oldest first, and some that are done.
    started: VecDeque<(Option<IpAddr>, AbortHandle)>,
    full_warning: RareWarning,
}

impl<L, H, R, W> Handshakes<L, H, R, W> {
    /// Adds the handshake to all connections of the listener.
    pub fn new<F>(listener: L, handshake: H) -> Self
    where
        L: Listener,
        H: Fn(L::Reader, L::Writer, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<(R, W, Peer)>> + Send + 'static,
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        Self {
            listener,
            handshake: Arc::new(handshake),
            timeout: Duration::from_secs(10),
            max_pending: 1_024,
            tasks: JoinSet::new(),
            started: VecDeque::new(),
            full_warning: RareWarning::default(),
        }
    }

    /// The time that a handshake may take; 10 seconds by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chat_server::listen::{Handshakes, memory};
    ///
    /// let (_connector, listener) = memory();
    /// let listener = Handshakes::new(listener, |reader, writer, peer| async { Ok((reader, writer, peer)) })
    ///     .timeout(Duration::from_secs(3))
    ///     .max_pending(100);
    /// # let _ = listener;
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The most handshakes at a time; 1,024 by default, and at least one.
    #[must_use]
    pub fn max_pending(mut self, count: usize) -> Self {
        self.max_pending = count.max(1);
        self
    }

    /// Makes space for another handshake, of this host.
    fn make_space(&mut self, host: Option<IpAddr>) {
        if self.started.len() < self.max_pending {
            return;
        }
        self.started.retain(|(_, task)| !task.is_finished());
        if self.started.len() < self.max_pending {
            return;
        }
        if let Some(aborted) = self.full_warning.count() {
            warn!(max_pending = self.max_pending, aborted, "too many handshakes at a time");
        }
        let of_same_host = self.started.iter().position(|(other, _)| *other == host);
        if let Some((_, task)) = self.started.remove(of_same_host.unwrap_or(0)) {
            task.abort();
        }
    }
}

impl<L, H, F, R, W> Listener for Handshakes<L, H, R, W>
where
    L: Listener,
    H: Fn(L::Reader, L::Writer, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<(R, W, Peer)>> + Send + 'static,
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    type Reader = R;
    type Writer = W;

    async fn accept(&mut self) -> (R, W, Peer) {
        loop {
            let (reader, writer, peer) = tokio::select! {
                biased;
                Some(ended) = self.tasks.join_next() => match ended {
                    Ok(Some(connection)) => return connection,
                    Ok(None) => continue,
                    Err(error) => {
                        log_end(&error);
                        continue;
                    }
                },
                accepted = self.listener.accept() => accepted,
            };
            let host = peer.host();
            self.make_space(host);
            let (handshake, time) = (Arc::clone(&self.handshake), self.timeout);
            let task = self.tasks.spawn(async move {
                let done = timeout(time, handshake(reader, writer, peer.clone())).await;
                let failed = match done {
                    Ok(Ok(connection)) => return Some(connection),
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => format!("not done after {} s", time.as_secs_f64()),
                };
                debug!(%peer, error = failed, "handshake failed");
                None
            });
            self.started.push_back((host, task));
        }
    }
}

/// Logs a handshake that was aborted or panicked.
fn log_end(error: &JoinError) {
    if error.is_panic() {
        warn!(%error, "handshake panicked");
    }
}

impl<L: fmt::Debug, H, R, W> fmt::Debug for Handshakes<L, H, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshakes")
            .field("listener", &self.listener)
            .field("timeout", &self.timeout)
            .field("max_pending", &self.max_pending)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
        sync::mpsc,
        time::Instant,
    };

    use super::*;

    type Reader = ReadHalf<DuplexStream>;
    type Writer = WriteHalf<DuplexStream>;
    type Halves = (Reader, Writer, Peer);

    /// A listener for connections from chosen addresses.
    struct Source(mpsc::Receiver<Halves>);

    impl Listener for Source {
        type Reader = Reader;
        type Writer = Writer;

        async fn accept(&mut self) -> Halves {
            match self.0.recv().await {
                Some(connection) => connection,
                None => std::future::pending().await,
            }
        }
    }

    struct Clients(mpsc::Sender<Halves>);

    impl Clients {
        fn connect(&self, address: &str) -> DuplexStream {
            let (ours, theirs) = tokio::io::duplex(64);
            let (reader, writer) = tokio::io::split(theirs);
            let peer = Peer::from(std::net::SocketAddr::new(address.parse().unwrap(), 1));
            self.0.try_send((reader, writer, peer)).unwrap();
            ours
        }
    }

    /// Succeeds at `!`, panics at `?`, and fails at any other byte.
    fn expect_exclamation_mark(
        mut reader: Reader,
        writer: Writer,
        peer: Peer,
    ) -> BoxFuture<'static, io::Result<Halves>> {
        Box::pin(async move {
            match reader.read_u8().await? {
                b'!' => Ok((reader, writer, peer)),
                b'?' => panic!("a panic for the test"),
                _ => Err(io::ErrorKind::InvalidData.into()),
            }
        })
    }

    type Handshake = fn(Reader, Writer, Peer) -> BoxFuture<'static, io::Result<Halves>>;

    fn listener() -> (Clients, Handshakes<Source, Handshake, Reader, Writer>) {
        let (sender, receiver) = mpsc::channel(64);
        (Clients(sender), Handshakes::new(Source(receiver), expect_exclamation_mark as Handshake))
    }

    /// Accepts connections until none is ready. Returns their peers.
    async fn accepted(listener: &mut impl Listener) -> Vec<String> {
        let mut peers = Vec::new();
        while let Ok((.., peer)) = timeout(Duration::from_millis(1), listener.accept()).await {
            peers.push(peer.to_string());
        }
        peers
    }

    async fn is_closed(client: &mut DuplexStream) -> bool {
        timeout(Duration::from_millis(1), client.read(&mut [0]))
            .await
            .is_ok_and(|read| read.is_ok_and(|count| count == 0))
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_handshake_delays_nobody_and_ends_in_time() {
        let (clients, mut listener) = listener();
        let mut slow = clients.connect("10.0.0.1");
        let mut wrong = clients.connect("10.0.0.2");
        wrong.write_all(b"x").await.unwrap();
        let mut panics = clients.connect("10.0.0.3");
        panics.write_all(b"?").await.unwrap();
        let mut right = clients.connect("10.0.0.4");
        right.write_all(b"!").await.unwrap();
        let start = Instant::now();
        assert_eq!(accepted(&mut listener).await, ["10.0.0.4:1"]);
        assert!(is_closed(&mut wrong).await && is_closed(&mut panics).await && !is_closed(&mut slow).await);
        assert_eq!(slow.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(start.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn if_too_many_are_pending_the_oldest_of_the_same_host_gives_way() {
        let (clients, listener) = listener();
        let mut listener = listener.max_pending(3);
        let mut other = clients.connect("10.0.0.1");
        let mut flood: Vec<_> = (0..10).map(|_| clients.connect("10.0.0.2")).collect();
        assert_eq!(accepted(&mut listener).await, [""; 0]);
        for (number, client) in flood.iter_mut().enumerate() {
            assert_eq!(is_closed(client).await, number < 8, "{number}");
        }
        other.write_all(b"!").await.unwrap();
        assert_eq!(accepted(&mut listener).await, ["10.0.0.1:1"]);
        // Their hosts have no pending handshakes, so the oldest of all give way.
        let third = ["10.0.0.3", "10.0.0.4"].map(|address| clients.connect(address));
        assert_eq!(accepted(&mut listener).await, [""; 0]);
        assert!(is_closed(&mut flood[8]).await && !is_closed(&mut flood[9]).await);
        drop(third);
    }

    #[tokio::test]
    async fn dropping_the_listener_closes_connections_with_a_pending_handshake() {
        let (clients, mut listener) = listener();
        let mut client = clients.connect("10.0.0.1");
        assert_eq!(accepted(&mut listener).await, [""; 0]);
        drop(listener);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }

    /// Many quick handshakes beside a slow one leave nothing behind.
    #[tokio::test(start_paused = true)]
    async fn finished_handshakes_are_forgotten() {
        let (clients, listener) = listener();
        let mut listener = listener.max_pending(16);
        let mut slow = clients.connect("10.0.0.1");
        for _ in 0..1_000 {
            let mut client = clients.connect("10.0.0.1");
            client.write_all(b"!").await.unwrap();
            listener.accept().await;
        }
        assert!(listener.started.len() <= 16 && listener.tasks.len() <= 1);
        assert!(!is_closed(&mut slow).await);
    }
}
