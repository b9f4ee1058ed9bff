//! A server that does what a test says, and waits for nothing without end.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream},
    net::{TcpListener, TcpStream},
};

/// Waits for `what`, and fails the test where it would hang.
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

/// A port given by the system, and its address.
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
    /// The next lines of the client are these, with CRLF.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        let expected: String = lines.lines().flat_map(|line| [line, "\r\n"]).collect();
        async move {
            for line in expected.split_inclusive('\n') {
                let mut heard = String::new();
                within(self.stream.read_line(&mut heard)).await.unwrap();
                assert_eq!(heard, line, "expected at {place}");
            }
        }
    }

    /// The next octets of the client are these.
    #[track_caller]
    pub(crate) fn expect_octets(&mut self, octets: &[u8]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        let mut heard = vec![0; octets.len()];
        async move {
            within(self.stream.read_exact(&mut heard)).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(octets), "expected at {place}");
        }
    }

    /// Sends these octets in one write.
    pub(crate) async fn say(&mut self, octets: impl AsRef<[u8]>) {
        within(self.stream.write_all(octets.as_ref())).await.unwrap();
    }

    /// Sends these lines with CRLF.
    pub(crate) async fn lines(&mut self, lines: &str) {
        let lines: String = lines.lines().flat_map(|line| [line, "\r\n"]).collect();
        self.say(lines).await;
    }

    /// The client has nothing more to say, and has closed.
    pub(crate) async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        within(self.stream.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }

    /// Lets a client in under this name.
    pub(crate) async fn welcome(&mut self, name: &str) {
        self.expect(&format!("PROT 0.1 CONNECT USER {name}")).await;
        self.lines("NAME OK\nWELCOME").await;
    }

    /// Answers `BYE`.
    pub(crate) async fn part(mut self) {
        self.expect("BYE").await;
        self.lines("BYE").await;
        self.expect_end().await;
    }
}
