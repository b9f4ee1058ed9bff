//! The codec on a client's side: reads what servers say, writes what clients say.

use bytes::{BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::line::{Line, LineDecoder};
use crate::{ClientMessage, CodecError, ParseError, ServerMessage, Session, Terminator};

/// Reads [`ServerMessage`]s and writes [`ClientMessage`]s, with CRLF. It reads lines that end in a bare LF too; a server
/// whose first line does gets bare LF from then on (clause 1.2).
#[derive(Debug)]
pub struct ClientCodec {
    lines: LineDecoder,
    session: Session,
    /// `None` before the server's first line.
    terminator: Option<Terminator>,
}

impl ClientCodec {
    /// The codec of a connection that is to carry a session of this kind.
    pub fn new(session: Session) -> Self {
        Self { lines: LineDecoder::new(), session, terminator: None }
    }

    /// The kind of session that it writes.
    pub fn session(&self) -> Session {
        self.session
    }

    fn interpret(&mut self, (line, terminator): Line) -> Result<ServerMessage, ParseError> {
        self.terminator.get_or_insert(terminator);
        ServerMessage::parse(line)
    }
}

impl Decoder for ClientCodec {
    type Item = Result<ServerMessage, ParseError>;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, CodecError> {
        let line = self.lines.decode(src)?;
        Ok(line.map(|line| line.and_then(|line| self.interpret(line))))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, CodecError> {
        let line = self.lines.decode_eof(src)?;
        Ok(line.map(|line| line.and_then(|line| self.interpret(line))))
    }
}

impl Encoder<ClientMessage> for ClientCodec {
    type Error = CodecError;

    fn encode(&mut self, message: ClientMessage, dst: &mut BytesMut) -> Result<(), CodecError> {
        message.write(self.session, dst).expect("BytesMut grows");
        dst.put_slice(self.terminator.unwrap_or_default().as_str().as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_decides_how_lines_end() {
        for (heard, end) in [("", "\r\n"), ("OK\r\nOK\n", "\r\n"), ("OK\nOK\r\n", "\n")] {
            let (mut codec, mut heard) = (ClientCodec::new(Session::Named), BytesMut::from(heard));
            while codec.decode(&mut heard).unwrap().is_some() {}
            let mut said = BytesMut::new();
            codec.encode(ClientMessage::Bye, &mut said).unwrap();
            assert_eq!(said, format!("BYE{end}"));
        }
    }
}
