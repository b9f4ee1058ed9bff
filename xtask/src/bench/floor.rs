//! The floor: the least that a server can do. One thread; every chunk that is read from one socket is written as it is to
//! all the others. No lines, no names, no queue.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
};

use mio::{
    Events, Interest, Poll, Registry, Token,
    net::{TcpListener, TcpStream},
};

use crate::Failure;

/// The hidden command under which this program starts itself as the floor.
pub(super) const COMMAND: &str = "floor";

const LISTENER: Token = Token(usize::MAX);

struct Peer {
    stream: TcpStream,
    /// What its socket would not take yet.
    owed: Vec<u8>,
}

pub(super) fn run() -> Result<(), Failure> {
    serve().map_err(Failure::while_doing("serve the floor"))
}

fn serve() -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("listening on {}", listener.local_addr()?);

    let (mut events, mut peers) = (Events::with_capacity(1_024), Vec::<Option<Peer>>::new());
    let mut buffer = vec![0; 65_536];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, poll.registry(), &mut peers)?;
                continue;
            }
            let from = event.token().0;
            if event.is_writable() {
                pay(&mut peers[from]);
            }
            while event.is_readable() {
                let Some(peer) = &mut peers[from] else { break };
                match peer.stream.read(&mut buffer) {
                    Ok(0) => peers[from] = None,
                    Ok(count) => {
                        for peer in peers.iter_mut().enumerate().filter(|(to, _)| *to != from).map(|(_, peer)| peer) {
                            relay(peer, &buffer[..count]);
                        }
                        if count < buffer.len() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => peers[from] = None,
                }
            }
        }
    }
}

fn accept(listener: &TcpListener, registry: &Registry, peers: &mut Vec<Option<Peer>>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nodelay(true)?;
                registry.register(&mut stream, Token(peers.len()), Interest::READABLE | Interest::WRITABLE)?;
                peers.push(Some(Peer { stream, owed: Vec::new() }));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn relay(peer: &mut Option<Peer>, octets: &[u8]) {
    let Some(Peer { stream, owed }) = peer else { return };
    let written = if owed.is_empty() { stream.write(octets) } else { Ok(0) };
    match written {
        Ok(count) => owed.extend_from_slice(&octets[count..]),
        Err(error) if error.kind() == ErrorKind::WouldBlock => owed.extend_from_slice(octets),
        Err(_) => *peer = None,
    }
}

fn pay(peer: &mut Option<Peer>) {
    let Some(Peer { stream, owed }) = peer else { return };
    while !owed.is_empty() {
        match stream.write(owed) {
            Ok(count) => drop(owed.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => {
                *peer = None;
                return;
            }
        }
    }
}
