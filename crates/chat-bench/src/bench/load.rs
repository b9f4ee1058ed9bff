//! The load generator: many clients in one thread. It does as little work as possible, so that the server is the
//! bottleneck.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use mio::{Events, Poll, Token, net::TcpStream};

use super::{buffered_stream::BufferedStream, dialect, server_kind::ServerKind};

/// Maximum time to wait for a reaction of the server. A working server is far faster.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum number of clients that log in at the same time. Every client receives each join, so with too many joins at
/// once the server would disconnect clients that lag.
const MAX_CONCURRENT_LOGINS: usize = 32;

struct Client {
    stream: BufferedStream,
    /// Number of messages received.
    received: u64,
    /// Bytes received during the login. `None` after the login, or if the server sends no reply to it.
    login_reply: Option<Vec<u8>>,
    /// The server's reply to the login contains this.
    welcome: &'static str,
    /// The server has closed the connection.
    is_closed: bool,
}

pub(super) struct Load {
    server: ServerKind,
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    /// Number of messages received by all clients together.
    pub(super) delivered: u64,
    /// Number of lines received by all clients together.
    pub(super) lines: u64,
    count_lines: bool,
}

impl Load {
    pub(super) fn new(server: ServerKind) -> Result<Self> {
        Ok(Self {
            server,
            poll: Poll::new().context("cannot create a poll")?,
            events: Events::with_capacity(4_096),
            clients: Vec::new(),
            buffer: vec![0; 1 << 18],
            delivered: 0,
            lines: 0,
            count_lines: false,
        })
    }

    /// Connects a client without logging it in. Returns its index.
    pub(super) fn connect(&mut self, address: SocketAddr, is_speaker: bool) -> Result<usize> {
        let connect = || {
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            std::io::Result::Ok(TcpStream::from_std(stream))
        };
        let stream = connect().context("cannot connect to a server")?;
        let index = self.clients.len();
        let stream = BufferedStream::register(stream, self.poll.registry(), Token(index));
        let welcome = dialect::welcome(self.server, is_speaker);
        self.clients.push(Client {
            stream: stream.context("cannot poll a socket")?,
            received: 0,
            login_reply: (!welcome.is_empty()).then(Vec::new),
            welcome,
            is_closed: false,
        });
        Ok(index)
    }

    /// Connects this many clients and logs them in. Returns after the last login.
    pub(super) fn join(&mut self, address: SocketAddr, count: usize, is_speaker: impl Fn(usize) -> bool) -> Result<()> {
        for index in 0..count {
            let client = self.connect(address, is_speaker(index))?;
            self.send(client, dialect::login(self.server, client, is_speaker(index)).as_bytes());
            if (index + 1) % MAX_CONCURRENT_LOGINS == 0 {
                self.wait_for_logins()?;
            }
        }
        self.wait_for_logins()?;
        // Messages received during the login do not count.
        self.delivered = 0;
        for client in &mut self.clients {
            client.received = 0;
        }
        Ok(())
    }

    /// Logs in all connected clients at once without waiting. Counts lines from then on.
    pub(super) fn join_all_at_once(&mut self) {
        self.count_lines = true;
        for client in 0..self.clients.len() {
            self.send(client, dialect::login(self.server, client, false).as_bytes());
        }
    }

    fn wait_for_logins(&mut self) -> Result<()> {
        self.wait_until("all clients are logged in", |load| {
            load.clients.iter().all(|client| client.login_reply.is_none())
        })
    }

    /// Polls until the condition holds. The error after a timeout contains the description of the condition.
    pub(super) fn wait_until(&mut self, description: &str, holds: impl Fn(&Self) -> bool) -> Result<()> {
        let start = Instant::now();
        while !holds(self) {
            self.poll(Duration::from_millis(100), |_, _| {})?;
            if start.elapsed() > TIMEOUT {
                bail!("{}: waited {} s until {description}", self.server, TIMEOUT.as_secs());
            }
        }
        Ok(())
    }

    /// Sends bytes. [`Load::poll`] sends those that the socket does not accept now.
    pub(super) fn send(&mut self, client: usize, bytes: &[u8]) {
        let client = &mut self.clients[client];
        client.is_closed |= client.stream.send(bytes).is_err();
    }

    /// Stops reading from this client's connection.
    pub(super) fn stop_reading(&mut self, client: usize) {
        // Fails if the server has closed the connection.
        let _ = self.clients[client].stream.deregister(self.poll.registry());
    }

    /// Whether the server has closed this client's connection.
    pub(super) fn is_closed(&self, client: usize) -> bool {
        self.clients[client].is_closed
    }

    /// Whether this client is logged in.
    pub(super) fn is_logged_in(&self, client: usize) -> bool {
        self.clients[client].login_reply.is_none()
    }

    /// Closes this client's connection, and connects a new client with the same index.
    pub(super) fn replace(&mut self, client: usize, address: SocketAddr) -> Result<()> {
        let added = self.connect(address, false)?;
        self.clients.swap_remove(client);
        debug_assert_eq!(added, self.clients.len());
        let replaced = self.clients[client].stream.reregister(self.poll.registry(), Token(client));
        replaced.context("cannot poll a socket")
    }

    /// Waits until a socket is ready, or for `timeout`. Then reads from and writes to all ready sockets.
    ///
    /// After each read, calls `on_read` with the number of messages that the client had received before and after it.
    pub(super) fn poll(&mut self, timeout: Duration, mut on_read: impl FnMut(u64, u64)) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled.context("cannot poll the sockets")?,
        }
        for event in &self.events {
            let Some(client) = self.clients.get_mut(event.token().0) else { continue };
            if event.is_writable() {
                client.is_closed |= client.stream.flush().is_err();
            }
            while event.is_readable() {
                match client.stream.read(&mut self.buffer) {
                    Ok(count @ 1..) => {
                        let bytes = &self.buffer[..count];
                        track_login(client, bytes);
                        let messages = memchr::memchr_iter(dialect::MARKER, bytes).count() as u64;
                        if self.count_lines {
                            self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
                        }
                        on_read(client.received, client.received + messages);
                        client.received += messages;
                        self.delivered += messages;
                        // Mio reports the end of the connection once. If it did so with these bytes, read on.
                        if count < self.buffer.len() && !event.is_read_closed() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Ok(0) | Err(_) => {
                        client.is_closed = true;
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Detects the end of the login.
fn track_login(client: &mut Client, bytes: &[u8]) {
    if let Some(reply) = &mut client.login_reply {
        reply.extend_from_slice(bytes);
        if memchr::memmem::find(reply, client.welcome.as_bytes()).is_some() {
            client.login_reply = None;
        }
    }
}
