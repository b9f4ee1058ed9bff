//! The floor: a server that does the least possible work. One thread reads a chunk from a socket and writes it
//! unchanged to all other sockets. It has no lines, no names and no order.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
};

use anyhow::{Context, Result};
use mio::{
    Events, Interest, Poll, Registry, Token,
    net::{TcpListener, TcpStream},
};

const LISTENER: Token = Token(usize::MAX);

struct Peer {
    stream: TcpStream,
    /// Bytes that the socket has not accepted yet.
    pending: Vec<u8>,
}

/// Serves until this process is killed.
pub(crate) fn run() -> Result<()> {
    serve().context("cannot serve the floor")
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
                flush(&mut peers[from]);
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

/// Accepts all waiting connections.
fn accept(listener: &TcpListener, registry: &Registry, peers: &mut Vec<Option<Peer>>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nodelay(true)?;
                registry.register(&mut stream, Token(peers.len()), Interest::READABLE | Interest::WRITABLE)?;
                peers.push(Some(Peer { stream, pending: Vec::new() }));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Sends bytes to a peer. Buffers what the socket does not accept.
fn relay(peer: &mut Option<Peer>, bytes: &[u8]) {
    let Some(Peer { stream, pending }) = peer else { return };
    let written = if pending.is_empty() { stream.write(bytes) } else { Ok(0) };
    match written {
        Ok(count) => pending.extend_from_slice(&bytes[count..]),
        Err(error) if error.kind() == ErrorKind::WouldBlock => pending.extend_from_slice(bytes),
        Err(_) => *peer = None,
    }
}

/// Sends the buffered bytes.
fn flush(peer: &mut Option<Peer>) {
    let Some(Peer { stream, pending }) = peer else { return };
    while !pending.is_empty() {
        match stream.write(pending) {
            Ok(count) => drop(pending.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => {
                *peer = None;
                return;
            }
        }
    }
}
