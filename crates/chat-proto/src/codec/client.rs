//! The codec on a client's side: reads what servers say, writes what clients say.

use bytes::{BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::line::{Line, LineDecoder};
use crate::{ClientMessage, CodecError, ParseError, ServerMessage, Session, Terminator};

/// The codec of a client: decodes [`ServerMessage`]s and encodes [`ClientMessage`]s.
///
/// A line that cannot be parsed is an item, `Err(`[`ParseError`]`)`, and decoding goes on behind it. Only a [`CodecError`] ends
/// the stream. The codec buffers one line of at most [`MAX_LINE`](crate::MAX_LINE) bytes and drops an unterminated last line
/// (clauses 1.7 and 7.7).
///
/// It accepts lines that end in CRLF or in a bare LF. It writes CRLF, unless the server's first line ended in a bare LF.
///
/// ```
/// use chat_proto::{ClientCodec, ClientMessage, ServerMessage, Session};
/// use futures::{SinkExt, StreamExt};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio_util::codec::Framed;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, mut server) = tokio::io::duplex(4096);
/// # server.write_all(b"NAME OK\r\nWELCOME\r\n").await?;
/// // `stream` is a `TcpStream`, or any other transport.
/// let mut lines = Framed::new(stream, ClientCodec::new(Session::Named));
/// lines.send(ClientMessage::ConnectUser("bob".parse()?)).await?;
/// assert_eq!(lines.next().await.transpose()?, Some(Ok(ServerMessage::NameOk)));
/// assert_eq!(lines.next().await.transpose()?, Some(Ok(ServerMessage::Welcome)));
/// # drop(lines);
/// # let mut sent = String::new();
/// # server.read_to_string(&mut sent).await?;
/// # assert_eq!(sent, "PROT 0.1 CONNECT USER bob\r\n");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ClientCodec {
    lines: LineDecoder,
    session: Session,
    /// `None` before the server's first line.
    terminator: Option<Terminator>,
}

impl ClientCodec {
    /// A codec for a new connection. It writes messages in the form of a session of this kind.
    pub fn new(session: Session) -> Self {
        Self { lines: LineDecoder::new(), session, terminator: None }
    }

    /// The kind of session for which it writes.
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
