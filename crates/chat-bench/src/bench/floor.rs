//! The floor: a server that does the least possible work. One thread reads a chunk from a socket and writes it
//! unchanged to all other sockets. It has no lines, no names and no order.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use anyhow::{Context, Result};
use mio::{Events, Interest, Poll, Registry, Token, net::TcpListener};

use super::buffered_stream::BufferedStream;

const LISTENER: Token = Token(usize::MAX);

/// Serves until this process is killed.
pub(crate) fn run() -> Result<()> {
    serve().context("cannot serve the floor")
}

fn serve() -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("listening on {}", listener.local_addr()?);

    let mut events = Events::with_capacity(1_024);
    // A connection keeps its index. `None`: it is closed.
    let mut peers: Vec<Option<BufferedStream>> = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, poll.registry(), &mut peers)?;
                continue;
            }
            let sender = event.token().0;
            if event.is_writable() {
                close_on_error(&mut peers[sender], BufferedStream::flush);
            }
            while event.is_readable() {
                let Some(peer) = &mut peers[sender] else { break };
                match peer.read(&mut buffer) {
                    Ok(0) => peers[sender] = None,
                    Ok(count) => {
                        for (_, peer) in peers.iter_mut().enumerate().filter(|(index, _)| *index != sender) {
                            close_on_error(peer, |peer| peer.send(&buffer[..count]));
                        }
                        if count < buffer.len() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => peers[sender] = None,
                }
            }
        }
    }
}

/// Accepts all waiting connections.
fn accept(listener: &TcpListener, registry: &Registry, peers: &mut Vec<Option<BufferedStream>>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nodelay(true)?;
                peers.push(Some(BufferedStream::register(stream, registry, Token(peers.len()))?));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Performs an action on an open connection. Closes the connection if the action fails.
fn close_on_error(peer: &mut Option<BufferedStream>, action: impl FnOnce(&mut BufferedStream) -> io::Result<()>) {
    if peer.as_mut().is_some_and(|open| action(open).is_err()) {
        *peer = None;
    }
}
