//! The server's options, with their defaults.

use std::time::Duration;

/// Whether plain sessions (section 4) are served.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, Peer, PlainSessions};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let server = ChatServer::builder().plain_sessions(PlainSessions::Refuse).build();
/// let (mut client, stream) = tokio::io::duplex(1024);
/// server.attach(stream, Peer::labelled("netcat"));
/// client.write_all(b"hello\r\n").await?;
/// let mut received = String::new();
/// client.read_to_string(&mut received).await?;
/// assert_eq!(received, "BAD PROT\r\n");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum PlainSessions {
    /// Plain sessions are served.
    #[default]
    Serve,
    /// The first line is answered `BAD PROT`, and the connection closed (clause 2.8).
    Refuse,
}

/// Whether a client's `BYE` stops the server (clause 6.2).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, Peer, StopOnBye};
/// use tokio::io::AsyncWriteExt;
///
/// let server = ChatServer::builder().stop_on_bye(StopOnBye::AnyClient).build();
/// let (mut client, stream) = tokio::io::duplex(1024);
/// server.attach(stream, Peer::labelled("netcat"));
/// client.write_all(b"hello\r\nBYE\r\n").await?;
/// server.stopping().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum StopOnBye {
    /// `BYE` ends the client's own session only.
    #[default]
    Never,
    /// Any client's `BYE` stops the server gracefully.
    AnyClient,
}

/// The options that [`ChatServerBuilder`](crate::ChatServerBuilder) sets. Its methods document them.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) plain_sessions: PlainSessions,
    pub(crate) stop_on_bye: StopOnBye,
    pub(crate) login_timeout: Option<Duration>,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) ping_timeout: Option<Duration>,
    pub(crate) write_timeout: Option<Duration>,
    pub(crate) drain_timeout: Option<Duration>,
    pub(crate) ring_batches: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            plain_sessions: PlainSessions::default(),
            stop_on_bye: StopOnBye::default(),
            login_timeout: Some(Duration::from_secs(120)),
            ping_interval: Some(Duration::from_secs(60)),
            ping_timeout: Some(Duration::from_secs(3)),
            write_timeout: Some(Duration::from_secs(10)),
            drain_timeout: Some(Duration::from_secs(10)),
            ring_batches: 4_096,
        }
    }
}
