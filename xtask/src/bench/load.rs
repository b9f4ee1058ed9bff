//! The load: many clients in one thread, which sends while fewer than so many messages are in flight and counts what
//! arrives. It does as little as it can, so that it is not what is measured.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use super::{dialect, process::Kind};
use crate::Failure;

/// Nothing that works takes longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

struct Client {
    stream: TcpStream,
    /// What the socket would not take yet.
    owed: Vec<u8>,
    /// Messages received.
    received: u64,
    /// Octets received while it waits for what tells it that it is in the room.
    greeting: Option<Vec<u8>>,
    welcome: &'static str,
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
    pub(super) fn new(kind: Kind) -> Result<Self, Failure> {
        Ok(Self {
            kind,
            poll: Poll::new().map_err(Failure::while_doing("wait for sockets"))?,
            events: Events::with_capacity(4_096),
            clients: Vec::new(),
            buffer: vec![0; 1 << 18],
            delivered: 0,
            lines: 0,
            count_lines: false,
        })
    }

    /// Connects one more client, which says nothing yet.
    pub(super) fn connect(&mut self, address: SocketAddr, speaks: bool) -> Result<usize, Failure> {
        let connect = || {
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            std::io::Result::Ok(TcpStream::from_std(stream))
        };
        let mut stream = connect().map_err(Failure::while_doing("connect to a server"))?;
        let n = self.clients.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(&mut stream, Token(n), interest);
        registered.map_err(Failure::while_doing("wait for a socket"))?;
        let welcome = dialect::welcome(self.kind, speaks);
        self.clients.push(Client {
            stream,
            owed: Vec::new(),
            received: 0,
            greeting: (!welcome.is_empty()).then(Vec::new),
            welcome,
            ended: false,
        });
        Ok(n)
    }

    /// Connects so many clients, one after the other in the room.
    pub(super) fn join(
        &mut self,
        address: SocketAddr,
        count: usize,
        speaks: impl Fn(usize) -> bool,
    ) -> Result<(), Failure> {
        for n in 0..count {
            let n = self.connect(address, speaks(n))?;
            self.send(n, dialect::login(self.kind, n, speaks(n)).as_bytes());
            // A few at a time: the room hears of each, and nobody is to be cut off for it.
            if n % 32 == 31 {
                self.until_welcome()?;
            }
        }
        self.until_welcome()?;
        // What was said in greeting is no delivery.
        self.delivered = 0;
        for client in &mut self.clients {
            client.received = 0;
        }
        Ok(())
    }

    /// Lets all clients that are connected come in at the same time; counts lines from here on.
    pub(super) fn join_at_once(&mut self) {
        self.count_lines = true;
        for n in 0..self.clients.len() {
            self.send(n, dialect::login(self.kind, n, false).as_bytes());
        }
    }

    fn until_welcome(&mut self) -> Result<(), Failure> {
        self.until("the clients to come in", |load| load.clients.iter().all(|client| client.greeting.is_none()))
    }

    /// Reads until this is so.
    pub(super) fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        let start = Instant::now();
        while !so(self) {
            self.turn(Duration::from_millis(100), |_, _| {})?;
            if start.elapsed() > PATIENCE {
                return Err(Failure::work(format!("{}: waited in vain for {what}", self.kind)));
            }
        }
        Ok(())
    }

    /// Sends what the socket takes; the rest goes when it can.
    pub(super) fn send(&mut self, n: usize, octets: &[u8]) {
        let client = &mut self.clients[n];
        client.owed.extend_from_slice(octets);
        pay(client);
    }

    /// This client reads nothing any more.
    pub(super) fn fall_asleep(&mut self, n: usize) {
        // An error says that the server has closed it.
        let _ = self.poll.registry().deregister(&mut self.clients[n].stream);
    }

    /// Whether the server has ended this client's connection.
    pub(super) fn ended(&self, n: usize) -> bool {
        self.clients[n].ended
    }

    /// Whether this client has been let in.
    pub(super) fn is_in(&self, n: usize) -> bool {
        self.clients[n].greeting.is_none()
    }

    /// Forgets all clients that have ended or are to be hung up, whose numbers are given; the rest move up.
    pub(super) fn replace(&mut self, n: usize, address: SocketAddr) -> Result<(), Failure> {
        let fresh = self.connect(address, false)?;
        self.clients.swap_remove(n);
        debug_assert_eq!(fresh, self.clients.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        let client = &mut self.clients[n];
        let again = self.poll.registry().reregister(&mut client.stream, Token(n), interest);
        again.map_err(Failure::while_doing("wait for a socket"))
    }

    /// Waits for sockets at most so long, and deals with those that are ready. `heard` is told how many messages a client
    /// has received, before and after.
    pub(super) fn turn(&mut self, most: Duration, mut heard: impl FnMut(u64, u64)) -> Result<(), Failure> {
        match self.poll.poll(&mut self.events, Some(most)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled.map_err(Failure::while_doing("wait for sockets"))?,
        }
        for event in &self.events {
            let Some(client) = self.clients.get_mut(event.token().0) else { continue };
            if event.is_writable() {
                pay(client);
            }
            while event.is_readable() {
                match client.stream.read(&mut self.buffer) {
                    Ok(count @ 1..) => {
                        let octets = &self.buffer[..count];
                        greet(client, octets);
                        let messages = memchr::memchr_iter(dialect::MARKER, octets).count() as u64;
                        if self.count_lines {
                            self.lines += memchr::memchr_iter(b'\n', octets).count() as u64;
                        }
                        heard(client.received, client.received + messages);
                        client.received += messages;
                        self.delivered += messages;
                        // Told once: an end that came with the last octets is still to be read.
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

fn pay(client: &mut Client) {
    while !client.owed.is_empty() {
        match client.stream.write(&client.owed) {
            Ok(count) => drop(client.owed.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => {
                client.ended = true;
                return;
            }
        }
    }
}

fn greet(client: &mut Client, octets: &[u8]) {
    if let Some(greeting) = &mut client.greeting {
        greeting.extend_from_slice(octets);
        if memchr::memmem::find(greeting, client.welcome.as_bytes()).is_some() {
            client.greeting = None;
        }
    }
}
