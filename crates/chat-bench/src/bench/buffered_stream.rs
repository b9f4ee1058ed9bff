//! A non-blocking TCP stream that buffers the bytes that its socket does not accept.

use std::io::{self, ErrorKind, Read, Write};

use mio::{Interest, Registry, Token, net::TcpStream};

pub(super) struct BufferedStream {
    stream: TcpStream,
    /// Bytes that the socket has not accepted yet.
    pending: Vec<u8>,
}

impl BufferedStream {
    /// Registers the stream, so that it is polled for reading and writing.
    pub(super) fn register(mut stream: TcpStream, registry: &Registry, token: Token) -> io::Result<Self> {
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, pending: Vec::new() })
    }

    /// Changes the token of the stream.
    pub(super) fn reregister(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.reregister(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    pub(super) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.stream)
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    /// Sends bytes, and buffers those that the socket does not accept.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = if self.pending.is_empty() { write(&mut self.stream, bytes)? } else { 0 };
        self.pending.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends the buffered bytes. To be called when the socket becomes writable.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let sent = write(&mut self.stream, &self.pending)?;
        self.pending.drain(..sent);
        Ok(())
    }
}

/// Writes until the socket accepts no more. Returns the number of bytes that it accepted.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
