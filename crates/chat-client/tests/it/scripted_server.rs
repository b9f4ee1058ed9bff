//! A server that a test scripts. No wait is without a limit. The tests of `chat-client-bin` use this file, too.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream},
    net::{TcpListener, TcpStream},
};

/// Waits for `what`, and fails the test after 20 seconds.
#[track_caller]
pub(crate) fn within<F: Future>(what: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move {
        let Ok(output) = tokio::time::timeout(Duration::from_secs(20), what).await else {
            panic!("nothing happens at {place}");
        };
        output
    }
}

/// Waits for `what` on paused time, which passes at once.
pub(crate) async fn within_minutes<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(500), what).await.expect("nothing happens for 500 seconds")
}

/// A listener on a port that the system chooses, and its address.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

pub(crate) struct Server<S> {
    stream: BufReader<S>,
}

pub(crate) type MemoryServer = Server<DuplexStream>;

impl Server<DuplexStream> {
    /// A server, and the client's end of the connection.
    pub(crate) fn in_memory() -> (MemoryServer, DuplexStream) {
        let (near, far) = tokio::io::duplex(1 << 20);
        (Self { stream: BufReader::new(near) }, far)
    }
}

impl Server<TcpStream> {
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = within(listener.accept()).await.unwrap();
        Self { stream: BufReader::new(stream) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Server<S> {
    /// Expects these lines with CRLF.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        let expected: String = lines.lines().flat_map(|line| [line, "\r\n"]).collect();
        async move {
            for line in expected.split_inclusive('\n') {
                let mut received = String::new();
                within(self.stream.read_line(&mut received)).await.unwrap();
                assert_eq!(received, line, "expected at {place}");
            }
        }
    }

    /// Expects these bytes.
    #[track_caller]
    pub(crate) fn expect_bytes(&mut self, bytes: &[u8]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        let mut received = vec![0; bytes.len()];
        async move {
            within(self.stream.read_exact(&mut received)).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&received), String::from_utf8_lossy(bytes), "expected at {place}");
        }
    }

    /// Sends these bytes in one write.
    pub(crate) async fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends these lines with CRLF.
    pub(crate) async fn send_lines(&mut self, lines: &str) {
        let lines: String = lines.lines().flat_map(|line| [line, "\r\n"]).collect();
        self.send_bytes(lines).await;
    }

    /// Expects that the client closes without another line.
    pub(crate) async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        within(self.stream.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }

    /// Accepts a login under this name.
    pub(crate) async fn welcome(&mut self, name: &str) {
        self.expect(&format!("PROT 0.1 CONNECT USER {name}")).await;
        self.send_lines("NAME OK\nWELCOME").await;
    }

    /// Expects `BYE`, answers it, and expects the end.
    pub(crate) async fn answer_bye(mut self) {
        self.expect("BYE").await;
        self.send_lines("BYE").await;
        self.expect_end().await;
    }
}
