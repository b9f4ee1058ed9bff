//! The codec on a server's side: reads what clients say, writes what servers say.

use bytes::{BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::line::LineDecoder;
use crate::{ClientMessage, CodecError, Fault, MAX_LINE, ParseError, ServerMessage, Session, Stage, Terminator};

/// Reads [`ClientMessage`]s and writes [`ServerMessage`]s.
///
/// It follows the connection's first line: that decides the [`Session`] (clause 2.1) and the [`Terminator`] of all
/// that is written (clause 1.2). A first line in error decides nothing: the server closes (clause 2.4).
#[derive(Debug)]
pub struct ServerCodec {
    lines: LineDecoder,
    session: Option<Session>,
    terminator: Terminator,
    /// Bytes of the first line that have been looked at.
    scanned: usize,
}

impl ServerCodec {
    /// The codec of a new connection.
    pub fn new() -> Self {
        Self { lines: LineDecoder::new(), session: None, terminator: Terminator::default(), scanned: 0 }
    }

    /// The kind of session that the first line opened; `None` until it has come.
    pub fn session(&self) -> Option<Session> {
        self.session
    }

    /// What ends the lines to this peer.
    pub fn terminator(&self) -> Terminator {
        self.terminator
    }

    /// Sees at once that no line will come of it (clause 2.4), as with the `ClientHello` of TLS, which has no LF.
    fn foreign(&mut self, src: &BytesMut) -> bool {
        let seen = &src[..src.len().min(MAX_LINE)];
        let fresh = &seen[self.scanned.min(seen.len())..];
        let end = fresh.iter().position(|&byte| byte == b'\n');
        self.scanned = seen.len();
        fresh[..end.unwrap_or(fresh.len())].iter().any(|&byte| never_in_a_line(byte))
    }

    fn interpret(&mut self, line: String, terminator: Terminator) -> Result<ClientMessage, ParseError> {
        if let Some(session) = self.session {
            return ClientMessage::parse(Stage::Later(session), line);
        }
        self.terminator = terminator;
        let message = ClientMessage::parse(Stage::First, line);
        // A name that cannot be had is no reason to go: the client is asked for another (clause 3.3).
        self.session = match &message {
            Ok(message) => Some(message.opens()),
            Err(error) => matches!(error.fault(), Fault::Name(_)).then_some(Session::Named),
        };
        message
    }
}

impl Default for ServerCodec {
    fn default() -> Self {
        Self::new()
    }
}

/// Controls other than TAB and CR, and the bytes that UTF-8 never uses.
fn never_in_a_line(byte: u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0B..=0x0C | 0x0E..=0x1F | 0x7F | 0xC0..=0xC1 | 0xF5..=0xFF)
}

impl Decoder for ServerCodec {
    type Item = Result<ClientMessage, ParseError>;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, CodecError> {
        if self.session.is_none() && self.foreign(src) {
            src.clear();
            return Ok(Some(Err(ParseError::new(Fault::NotChat, None))));
        }
        let line = self.lines.decode(src)?;
        Ok(line.map(|line| line.and_then(|(line, terminator)| self.interpret(line, terminator))))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, CodecError> {
        let line = self.lines.decode_eof(src)?;
        Ok(line.map(|line| line.and_then(|(line, terminator)| self.interpret(line, terminator))))
    }
}

impl Encoder<ServerMessage> for ServerCodec {
    type Error = CodecError;

    fn encode(&mut self, message: ServerMessage, dst: &mut BytesMut) -> Result<(), CodecError> {
        message.write(dst).expect("BytesMut grows");
        dst.put_slice(self.terminator.as_str().as_bytes());
        Ok(())
    }
}
