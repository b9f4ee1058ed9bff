//! Lines of input, of limited length.

use std::io;

use bytes::BytesMut;
use chat_proto::MAX_LINE;
use futures::{Stream, StreamExt};
use tokio::io::AsyncRead;
use tokio_util::codec::{Decoder, FramedRead, LinesCodec, LinesCodecError};

use super::Input;

/// An input line that could not be read. The example of [`inputs`] meets one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The line is longer than any message. It was discarded up to its end.
    #[error("the line is too long: a text has at most {} characters", chat_proto::MAX_TEXT)]
    TooLong,
    /// The line is not UTF-8.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// Reading failed. This is the last item.
    #[error("{0}")]
    Io(io::ErrorKind),
}

/// Parses the lines of `reader`: see [`Input::parse`]. A line that cannot be read is an item, and the stream goes on.
///
/// A line of more than 8,192 bytes is [`InputError::TooLong`]. The last line may lack its line end.
///
/// ```
/// use std::pin::pin;
///
/// use chat_client::conversation::{Input, InputError, inputs};
/// use futures::StreamExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut inputs = pin!(inputs(&b"hello\n\xff\n/quit"[..]));
/// assert_eq!(inputs.next().await, Some(Ok(Input::Say("hello".parse()?))));
/// assert_eq!(inputs.next().await, Some(Err(InputError::NotUtf8)));
/// assert_eq!(inputs.next().await, Some(Ok(Input::Quit)));
/// # Ok(())
/// # }
/// ```
pub fn inputs<R: AsyncRead>(reader: R) -> impl Stream<Item = Result<Input, InputError>> {
    input_lines(reader, MAX_LINE).map(|line| line.map(|line| Input::parse(&line)))
}

/// The lines of `reader` without their LF or CRLF, of at most `longest` bytes. The last line may lack its line end. A
/// line that cannot be read is an item, and the stream goes on.
///
/// ```
/// use chat_client::conversation::{InputError, input_lines};
/// use futures::StreamExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lines: Vec<_> = input_lines(&b"one\r\nfifteen\ntwo"[..], 5).collect().await;
/// assert_eq!(lines, [Ok("one".to_owned()), Err(InputError::TooLong), Ok("two".to_owned())]);
/// # }
/// ```
pub fn input_lines<R: AsyncRead>(reader: R, longest: usize) -> impl Stream<Item = Result<String, InputError>> {
    let lines = FramedRead::new(reader, InputCodec(LinesCodec::new_with_max_length(longest)));
    lines.map(|line| line.unwrap_or_else(|error| Err(InputError::Io(error.kind()))))
}

/// `LinesCodec` with its errors as items: a stream ends after an error.
struct InputCodec(LinesCodec);

type Item = Result<String, InputError>;

fn item(line: Result<Option<String>, LinesCodecError>) -> Option<Item> {
    match line {
        Ok(line) => line.map(Ok),
        Err(LinesCodecError::MaxLineLengthExceeded) => Some(Err(InputError::TooLong)),
        // The codec reads from memory, so this is invalid UTF-8.
        Err(LinesCodecError::Io(_)) => Some(Err(InputError::NotUtf8)),
    }
}

impl Decoder for InputCodec {
    type Item = Item;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<Item>> {
        Ok(item(self.0.decode(src)))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<Item>> {
        Ok(item(self.0.decode_eof(src)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn unreadable_lines_are_items_between_the_others() {
        let endless = [&b"x".repeat(100_000)[..], b"\nafter\n\xff\xfe\ncaf\xc3\xa9\r\n\nlast"].concat();
        let lines: Vec<_> = input_lines(&endless[..], MAX_LINE).collect().await;
        let line = |line: &str| Ok(line.to_owned());
        let expected =
            [Err(InputError::TooLong), line("after"), Err(InputError::NotUtf8), line("café"), line(""), line("last")];
        assert_eq!(lines, expected);
    }

    #[tokio::test]
    async fn an_endless_last_line_is_an_error() {
        let endless = b"x".repeat(100_000);
        let lines: Vec<_> = input_lines(&endless[..], MAX_LINE).collect().await;
        assert_eq!(lines, [Err(InputError::TooLong)]);
    }
}
