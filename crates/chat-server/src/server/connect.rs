//! Clients that do not come through a listener: attached streams, and clients inside the program.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::ChatServer;
use crate::{
    conn,
    connection::{Connection, EndGuard},
    local::{LocalClient, LocalError, LocalLogin},
    peer::Peer,
};

impl ChatServer {
    /// Serves one client over any byte stream. It counts towards [`max_clients`](crate::ChatServerBuilder::max_clients).
    ///
    /// Its tasks run in the current runtime; if that runtime ends, the client leaves. Outside of a runtime, they run in
    /// the one in which the server was built.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, EndReason, Peer};
    /// use tokio::io::AsyncWriteExt;
    ///
    /// let server = ChatServer::builder().build();
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// let mut connection = server.attach(stream, Peer::labelled("gateway"));
    /// client.write_all(b"hello\r\nBYE\r\n").await?;
    /// assert_eq!(connection.ended().await, EndReason::Bye);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// In a runtime without time ([`enable_time`](tokio::runtime::Builder::enable_time)).
    pub fn attach<S>(&self, stream: S, peer: Peer) -> Connection
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        self.attach_halves(reader, writer, peer)
    }

    /// Serves one client over the two halves of a stream, as [`ChatServer::attach`] does. Use it for transports with a
    /// cheaper way to split.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Peer};
    /// use tokio::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let _client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (stream, address) = listener.accept().await?;
    /// let (reader, writer) = stream.into_split(); // without the lock that a general split has
    /// let connection = ChatServer::builder().build().attach_halves(reader, writer, address.into());
    /// assert_eq!(connection.peer().address(), Some(address));
    /// # Ok(()) }
    /// ```
    pub fn attach_halves<R, W>(&self, reader: R, writer: W, peer: Peer) -> Connection
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let identity = self.shared.identify(peer);
        let (connection, ended) = Connection::new(Arc::clone(&identity));
        self.spawn(EndGuard::new(Arc::clone(&self.shared), identity, Some(ended)), reader, writer);
        connection
    }

    /// Serves one client of a listener, without a handle.
    pub(crate) fn accept<R, W>(&self, reader: R, writer: W, peer: Peer)
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        self.spawn(EndGuard::new(Arc::clone(&self.shared), self.shared.identify(peer), None), reader, writer);
    }

    fn spawn<R, W>(&self, guard: EndGuard, reader: R, writer: W)
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        self.shared.spawn(conn::serve(guard, reader, writer));
    }

    /// Joins as a client inside this program: the same rules and order, without a socket. It does not count towards
    /// [`max_clients`](crate::ChatServerBuilder::max_clients).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, LocalError};
    ///
    /// let server = ChatServer::builder().build();
    /// let bot = server.local("bot").await?;
    /// assert_eq!(server.local("Bot").await.err(), Some(LocalError::NameTaken));
    /// bot.leave();
    /// assert!(server.local("Bot").await.is_ok());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The name is not valid, taken or refused by the policy, or the server stops.
    pub async fn local(&self, login: impl Into<LocalLogin>) -> Result<LocalClient, LocalError> {
        login.into().join(Arc::clone(&self.shared)).await
    }
}
