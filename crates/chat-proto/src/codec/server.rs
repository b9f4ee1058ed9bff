//! The codec on a server's side: reads what clients say, writes what servers say.

use bytes::{BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::line::LineDecoder;
use crate::{ClientMessage, CodecError, Fault, MAX_LINE, ParseError, ServerMessage, Session, Stage, Terminator};

/// The codec of a server: decodes [`ClientMessage`]s and encodes [`ServerMessage`]s.
///
/// A line that cannot be parsed is an item, `Err(`[`ParseError`]`)`, and decoding goes on behind it. Only a [`CodecError`] ends
/// the stream. The codec buffers one line of at most [`MAX_LINE`] bytes and drops an unterminated last line (clause 1.7).
///
/// The first line of the connection decides the [`Session`] (clause 2.1), and the [`Terminator`] of all lines that the codec
/// writes (clause 1.2). After a first line in error, a server answers and closes (clause 2.4).
///
/// ```
/// use chat_proto::{ClientMessage, ServerCodec, ServerMessage, Session};
/// use futures::{SinkExt, StreamExt};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio_util::codec::Framed;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, mut client) = tokio::io::duplex(4096);
/// # client.write_all(b"hello\nBYE\n").await?;
/// // A client sends `hello` and `BYE`, which end in a bare LF.
/// let mut lines = Framed::new(stream, ServerCodec::new());
/// assert_eq!(lines.next().await.transpose()?, Some(Ok(ClientMessage::Msg("hello".parse()?))));
/// assert_eq!(lines.codec().session(), Some(Session::Plain));
/// lines.send(ServerMessage::Ok).await?; // ends in a bare LF, too
/// assert_eq!(lines.next().await.transpose()?, Some(Ok(ClientMessage::Bye)));
/// # drop(lines);
/// # let mut answer = String::new();
/// # client.read_to_string(&mut answer).await?;
/// # assert_eq!(answer, "OK\n");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ServerCodec {
    lines: LineDecoder,
    session: Option<Session>,
    terminator: Terminator,
    /// Bytes of the first line that have been looked at.
    scanned: usize,
}

impl ServerCodec {
    /// A codec for a new connection.
    pub fn new() -> Self {
        Self { lines: LineDecoder::new(), session: None, terminator: Terminator::default(), scanned: 0 }
    }

    /// The kind of session that the first line opened. `None` before that line, and after a first line in error.
    pub fn session(&self) -> Option<Session> {
        self.session
    }

    /// How the lines to this peer end.
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
