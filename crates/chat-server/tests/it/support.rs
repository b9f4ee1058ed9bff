//! A client for tests, which sends and receives raw lines over any stream. Every wait has a timeout.

use std::time::Duration;

use chat_server::{ChatServer, ChatServerBuilder, Peer as ServerPeer, Report, listen::ListenAddr};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, ToSocketAddrs},
    task::JoinHandle,
    time::timeout,
};

/// Longer than any step of a passing test takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);
/// The same on paused time, where a long timeout costs nothing.
const PAUSED_TIMEOUT: Duration = Duration::from_secs(100_000);

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

pub(crate) struct Peer {
    stream: Box<dyn Stream>,
    received: Vec<u8>,
    timeout: Duration,
}

impl Peer {
    pub(crate) fn over(stream: impl Stream) -> Self {
        Self { stream: Box::new(stream), received: Vec::new(), timeout: TEST_TIMEOUT }
    }

    pub(crate) async fn tcp(address: impl ToSocketAddrs) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    /// A peer whose connection is reset when it is dropped.
    pub(crate) async fn tcp_that_resets(address: impl ToSocketAddrs) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        Self::over(stream)
    }

    /// A client that is attached to the server in memory, for tests on paused time.
    pub(crate) fn paused(server: &ChatServer) -> Self {
        Self::paused_as(server, ServerPeer::labelled("test"))
    }

    /// Like [`Peer::paused`], with this `ServerPeer`.
    pub(crate) fn paused_as(server: &ChatServer, peer: ServerPeer) -> Self {
        let (ours, theirs) = tokio::io::duplex(65_536);
        server.attach(theirs, peer);
        Self { timeout: PAUSED_TIMEOUT, ..Self::over(ours) }
    }

    /// Logs in with this name.
    pub(crate) async fn join(mut self, name: &str) -> Self {
        self.send(&format!("PROT 0.1 CONNECT USER {name}")).await;
        self.expect("NAME OK").await;
        self.expect("WELCOME").await;
        self
    }

    /// Sends these bytes as they are.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        timeout(self.timeout, self.stream.write_all(bytes)).await.expect("the server reads in time").unwrap();
    }

    /// Sends a line and its CRLF.
    pub(crate) async fn send(&mut self, line: &str) {
        self.raw(format!("{line}\r\n").as_bytes()).await;
    }

    /// The next line, with its terminator. Empty at the end of the stream.
    pub(crate) async fn line_bytes(&mut self) -> Vec<u8> {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
                return self.received.drain(..=end).collect();
            }
            if !self.read_more().await {
                return std::mem::take(&mut self.received);
            }
        }
    }

    /// The next `count` bytes, or fewer at the end of the stream.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count && self.read_more().await {}
        self.received.drain(..count.min(self.received.len())).collect()
    }

    /// The next line, without its CRLF.
    pub(crate) async fn line(&mut self) -> String {
        let line = String::from_utf8(self.line_bytes().await).unwrap();
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("{line:?} is not a complete line")).to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &str) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move { assert_eq!(self.line().await, expected, "at {at}") }
    }

    #[track_caller]
    pub(crate) fn expect_end(&mut self) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            while self.read_more().await {}
            assert_eq!(String::from_utf8_lossy(&self.received), "", "at {at}");
        }
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> String {
        while self.read_more().await {}
        String::from_utf8(std::mem::take(&mut self.received)).unwrap()
    }

    /// Everything up to the end of the stream. Then the peer is dropped.
    pub(crate) async fn into_rest(mut self) -> String {
        self.rest().await
    }

    /// Sends messages and receives until `BYE`, which must be the last line. At most eight messages wait for their `OK`.
    /// Calls `on_ok` at each `OK`. Returns all messages in the order of receipt, with an own message at its `OK`.
    pub(crate) async fn talk(mut self, name: String, mut on_ok: impl FnMut()) -> Vec<String> {
        let (mut history, mut sent, mut acknowledged) = (Vec::new(), 0, 0);
        loop {
            if sent < acknowledged + 8 {
                self.send(&format!("MSG {sent}")).await;
                sent += 1;
                continue;
            }
            match self.line().await.as_str() {
                "OK" => {
                    history.push(format!("FROM {name} MSG {acknowledged}"));
                    acknowledged += 1;
                    on_ok();
                }
                "BYE" => break,
                line if line.starts_with("FROM") => history.push(line.to_owned()),
                line => assert!(line.starts_with("JOIN"), "{line}"),
            }
        }
        assert_eq!(self.rest().await, "", "BYE is the last line");
        history
    }

    pub(crate) async fn half_close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Reads more bytes. Returns `false` at the end of the stream or after a reset.
    async fn read_more(&mut self) -> bool {
        let read = timeout(self.timeout, self.stream.read_buf(&mut self.received)).await;
        read.expect("bytes or the end arrive in time").unwrap_or(0) > 0
    }
}

/// A builder without rate limits, which would slow tests down.
pub(crate) fn unlimited() -> ChatServerBuilder {
    ChatServer::builder().rate_limit(None).connect_rate(None)
}

/// Starts a server on a port that the system chooses.
pub(crate) async fn start(builder: ChatServerBuilder) -> (ChatServer, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = builder.build();
    tokio::spawn(server.serve(listener).into_future());
    (server, address)
}

/// Starts a server on an address of any kind. Returns it with the task that serves the address.
pub(crate) async fn start_at(address: &ListenAddr, builder: ChatServerBuilder) -> (ChatServer, JoinHandle<Report>) {
    let server = builder.build();
    let serving = tokio::spawn(server.serve_all(address.bind().await.unwrap()).into_future());
    (server, serving)
}

/// A path for a Unix socket, which no other test uses.
#[cfg(unix)]
pub(crate) fn socket_path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("chat-{name}-{}.sock", std::process::id()))
}
