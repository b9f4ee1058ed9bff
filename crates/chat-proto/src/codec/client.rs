//! The codec on a client's side: reads what servers say, writes what clients say.

use bytes::{BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::line::LineDecoder;
use crate::{ClientMessage, CodecError, ParseError, ServerMessage, Session, Terminator};

/// Reads [`ServerMessage`]s and writes [`ClientMessage`]s, always with CRLF. It reads lines that end in a bare LF too.
#[derive(Debug)]
pub struct ClientCodec {
    lines: LineDecoder,
    session: Session,
}

impl ClientCodec {
    /// The codec of a connection that is to carry a session of this kind.
    pub fn new(session: Session) -> Self {
        Self { lines: LineDecoder::new(), session }
    }

    /// The kind of session that it writes.
    pub fn session(&self) -> Session {
        self.session
    }
}

impl Decoder for ClientCodec {
    type Item = Result<ServerMessage, ParseError>;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, CodecError> {
        let line = self.lines.decode(src)?;
        Ok(line.map(|line| line.and_then(|(line, _)| ServerMessage::parse(line))))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Self::Item>, CodecError> {
        let line = self.lines.decode_eof(src)?;
        Ok(line.map(|line| line.and_then(|(line, _)| ServerMessage::parse(line))))
    }
}

impl Encoder<ClientMessage> for ClientCodec {
    type Error = CodecError;

    fn encode(&mut self, message: ClientMessage, dst: &mut BytesMut) -> Result<(), CodecError> {
        message.write(self.session, dst).expect("BytesMut grows");
        dst.put_slice(Terminator::CrLf.as_str().as_bytes());
        Ok(())
    }
}
