//! The load: many clients in one thread. It sends, and counts what arrives. It does as little as possible, so that the server
//! is what limits the rate.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use super::{dialect, kind::Kind};

/// How long to wait for anything that a server owes. One that works is far faster.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

struct Client {
    stream: TcpStream,
    /// What the socket did not accept yet.
    pending: Vec<u8>,
    /// Messages received.
    received: u64,
    /// What it has received so far, until it has joined.
    login: Option<Vec<u8>>,
    /// What it receives when it has joined.
    welcome: &'static str,
    /// The server has closed the connection.
    ended: bool,
}

pub(super) struct Load {
    kind: Kind,
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    /// Messages received, over all clients.
    pub(super) delivered: u64,
    /// Lines received, over all clients.
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

    /// Connects one more client, which sends nothing yet. Returns its number.
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
            ended: false,
        });
        Ok(n)
    }

    /// Connects this many clients, and logs them in one after the other.
    pub(super) fn join(&mut self, address: SocketAddr, count: usize, speaks: impl Fn(usize) -> bool) -> Result<()> {
        for n in 0..count {
            let n = self.connect(address, speaks(n))?;
            self.send(n, dialect::login(self.kind, n, speaks(n)).as_bytes());
            // A few at a time: everybody is told of each join, and nobody may lag behind for that.
            if n % 32 == 31 {
                self.until_welcome()?;
            }
        }
        self.until_welcome()?;
        // What came during login is no delivery.
        self.delivered = 0;
        for client in &mut self.clients {
            client.received = 0;
        }
        Ok(())
    }

    /// Logs all connected clients in at the same time, and counts lines from here on.
    pub(super) fn join_at_once(&mut self) {
        self.count_lines = true;
        for n in 0..self.clients.len() {
            self.send(n, dialect::login(self.kind, n, false).as_bytes());
        }
    }

    fn until_welcome(&mut self) -> Result<()> {
        self.until("the clients to join", |load| load.clients.iter().all(|client| client.login.is_none()))
    }

    /// Reads until `is_met`. `what` is for the error after the timeout.
    pub(super) fn until(&mut self, what: &str, is_met: impl Fn(&Self) -> bool) -> Result<()> {
        let start = Instant::now();
        while !is_met(self) {
            self.turn(Duration::from_millis(100), |_, _| {})?;
            if start.elapsed() > TIMEOUT {
                bail!("{}: waited {} s for {what}", self.kind, TIMEOUT.as_secs());
            }
        }
        Ok(())
    }

    /// Sends what the socket accepts. The rest follows when the socket is writable.
    pub(super) fn send(&mut self, n: usize, bytes: &[u8]) {
        let client = &mut self.clients[n];
        client.pending.extend_from_slice(bytes);
        flush(client);
    }

    /// Makes this client read nothing from now on.
    pub(super) fn stop_reading(&mut self, n: usize) {
        // An error means that the server has closed it.
        let _ = self.poll.registry().deregister(&mut self.clients[n].stream);
    }

    /// Whether the server has closed this client's connection.
    pub(super) fn ended(&self, n: usize) -> bool {
        self.clients[n].ended
    }

    /// Whether this client has joined.
    pub(super) fn has_joined(&self, n: usize) -> bool {
        self.clients[n].login.is_none()
    }

    /// Closes this client's connection, and gives its number to a new one.
    pub(super) fn replace(&mut self, n: usize, address: SocketAddr) -> Result<()> {
        let fresh = self.connect(address, false)?;
        self.clients.swap_remove(n);
        debug_assert_eq!(fresh, self.clients.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        let client = &mut self.clients[n];
        let again = self.poll.registry().reregister(&mut client.stream, Token(n), interest);
        again.context("cannot wait for a socket")
    }

    /// Waits for sockets for at most `timeout`, and serves those that are ready. Calls `received` with the number of messages
    /// that a client has received, before and after.
    pub(super) fn turn(&mut self, timeout: Duration, mut received: impl FnMut(u64, u64)) -> Result<()> {
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
                        note_login(client, bytes);
                        let messages = memchr::memchr_iter(dialect::MARKER, bytes).count() as u64;
                        if self.count_lines {
                            self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
                        }
                        received(client.received, client.received + messages);
                        client.received += messages;
                        self.delivered += messages;
                        // Mio reports an end once: one that came with the last bytes is still to be read.
                        if count < self.buffer.len() && !event.is_read_closed() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Ok(0) | Err(_) => {
                        client.ended = true;
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

fn flush(client: &mut Client) {
    while !client.pending.is_empty() {
        match client.stream.write(&client.pending) {
            Ok(count) => drop(client.pending.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => {
                client.ended = true;
                return;
            }
        }
    }
}

fn note_login(client: &mut Client, bytes: &[u8]) {
    if let Some(received) = &mut client.login {
        received.extend_from_slice(bytes);
        if memchr::memmem::find(received, client.welcome.as_bytes()).is_some() {
            client.login = None;
        }
    }
}
