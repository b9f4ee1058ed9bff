//! The load: many clients in one thread. It sends messages and counts deliveries. It does as little work as possible,
//! so that the server is the bottleneck.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use super::{dialect, kind::Kind};

/// Time to wait for anything that a server must send. A working server is far faster.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

struct Client {
    stream: TcpStream,
    /// Bytes that the socket has not accepted yet.
    pending: Vec<u8>,
    /// Number of messages received.
    received: u64,
    /// Bytes received so far. `None` when the client has joined.
    login: Option<Vec<u8>>,
    /// A part of what the client receives when it has joined.
    welcome: &'static str,
    /// The server has closed the connection.
    is_closed: bool,
}

pub(super) struct Load {
    kind: Kind,
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    /// Number of messages that all clients have received.
    pub(super) delivered: u64,
    /// Number of lines that all clients have received.
    pub(super) lines: u64,
    count_lines: bool,
}

impl Load {
    pub(super) fn new(kind: Kind) -> Result<Self> {
        Ok(Self {
            kind,
            poll: Poll::new().context("cannot wait for sockets")?,
            events: Events::with_capacity(4_096),
            clients: Vec::new(),
            buffer: vec![0; 1 << 18],
            delivered: 0,
            lines: 0,
            count_lines: false,
        })
    }

    /// Connects a client, which sends nothing yet. Returns its number.
    pub(super) fn connect(&mut self, address: SocketAddr, speaks: bool) -> Result<usize> {
        let connect = || {
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            std::io::Result::Ok(TcpStream::from_std(stream))
        };
        let mut stream = connect().context("cannot connect to a server")?;
        let n = self.clients.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(&mut stream, Token(n), interest);
        registered.context("cannot wait for a socket")?;
        let welcome = dialect::welcome(self.kind, speaks);
        self.clients.push(Client {
            stream,
            pending: Vec::new(),
            received: 0,
            login: (!welcome.is_empty()).then(Vec::new),
            welcome,
            is_closed: false,
        });
        Ok(n)
    }

    /// Connects and logs in this many clients, a few at a time.
    pub(super) fn join(&mut self, address: SocketAddr, count: usize, speaks: impl Fn(usize) -> bool) -> Result<()> {
        for n in 0..count {
            let n = self.connect(address, speaks(n))?;
            self.send(n, dialect::login(self.kind, n, speaks(n)).as_bytes());
            // Every client receives each join. If too many joined at a time, the server would cut clients that lag.
            if n % 32 == 31 {
                self.wait_for_welcome()?;
            }
        }
        self.wait_for_welcome()?;
        // Bytes received during the login are no deliveries.
        self.delivered = 0;
        for client in &mut self.clients {
            client.received = 0;
        }
        Ok(())
    }

    /// Logs in all connected clients at the same time, and counts lines from then on.
    pub(super) fn join_at_once(&mut self) {
        self.count_lines = true;
        for n in 0..self.clients.len() {
            self.send(n, dialect::login(self.kind, n, false).as_bytes());
        }
    }

    fn wait_for_welcome(&mut self) -> Result<()> {
        self.wait_for("the clients to join", |load| load.clients.iter().all(|client| client.login.is_none()))
    }

    /// Reads until `is_met`. After a timeout, the error names `what` it waited for.
    pub(super) fn wait_for(&mut self, what: &str, is_met: impl Fn(&Self) -> bool) -> Result<()> {
        let start = Instant::now();
        while !is_met(self) {
            self.poll(Duration::from_millis(100), |_, _| {})?;
            if start.elapsed() > TIMEOUT {
                bail!("{}: waited {} s for {what}", self.kind, TIMEOUT.as_secs());
            }
        }
        Ok(())
    }

    /// Sends as many bytes as the socket accepts. The rest follows when the socket is writable.
    pub(super) fn send(&mut self, n: usize, bytes: &[u8]) {
        let client = &mut self.clients[n];
        client.pending.extend_from_slice(bytes);
        flush(client);
    }

    /// Stops reading from this client's connection.
    pub(super) fn stop_reading(&mut self, n: usize) {
        // Fails if the server has closed the connection.
        let _ = self.poll.registry().deregister(&mut self.clients[n].stream);
    }

    /// Whether the server has closed this client's connection.
    pub(super) fn is_closed(&self, n: usize) -> bool {
        self.clients[n].is_closed
    }

    /// Whether this client has joined.
    pub(super) fn has_joined(&self, n: usize) -> bool {
        self.clients[n].login.is_none()
    }

    /// Closes this client's connection, and connects a new client with the same number.
    pub(super) fn replace(&mut self, n: usize, address: SocketAddr) -> Result<()> {
        let added = self.connect(address, false)?;
        self.clients.swap_remove(n);
        debug_assert_eq!(added, self.clients.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        let client = &mut self.clients[n];
        let again = self.poll.registry().reregister(&mut client.stream, Token(n), interest);
        again.context("cannot wait for a socket")
    }

    /// Waits for sockets for at most `timeout`, then reads from and writes to those that are ready. After each read,
    /// calls `received` with the number of messages that the client had received before, and has received now.
    pub(super) fn poll(&mut self, timeout: Duration, mut received: impl FnMut(u64, u64)) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled.context("cannot wait for sockets")?,
        }
        for event in &self.events {
            let Some(client) = self.clients.get_mut(event.token().0) else { continue };
            if event.is_writable() {
                flush(client);
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
                        received(client.received, client.received + messages);
                        client.received += messages;
                        self.delivered += messages;
                        // If the end of the connection came with these bytes, read on: mio does not report it again.
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

/// Sends the pending bytes.
fn flush(client: &mut Client) {
    while !client.pending.is_empty() {
        match client.stream.write(&client.pending) {
            Ok(count) => drop(client.pending.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => {
                client.is_closed = true;
                return;
            }
        }
    }
}

/// Notices when the client has joined.
fn track_login(client: &mut Client, bytes: &[u8]) {
    if let Some(received) = &mut client.login {
        received.extend_from_slice(bytes);
        if memchr::memmem::find(received, client.welcome.as_bytes()).is_some() {
            client.login = None;
        }
    }
}
