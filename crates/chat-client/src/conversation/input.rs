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

/// The lines of `reader` as messages. No line is a command: a script or a file says what it contains.
///
/// Empty lines are [`Input::Empty`], because an empty text is not valid (clause 1.5). Otherwise as [`inputs`].
///
/// ```
/// use std::pin::pin;
///
/// use chat_client::conversation::{Input, texts};
/// use futures::StreamExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut texts = pin!(texts(&b"/quit\n"[..]));
/// assert_eq!(texts.next().await, Some(Ok(Input::Say("/quit".parse()?))));
/// # Ok(())
/// # }
/// ```
pub fn texts<R: AsyncRead>(reader: R) -> impl Stream<Item = Result<Input, InputError>> {
    input_lines(reader, MAX_LINE).map(|line| line.map(|line| Input::text(&line)))
}

/// The lines of `reader` without their LF or CRLF, of at most `longest` bytes. The last line may lack its line end. A
/// line that cannot be read is an item, and the stream goes on. A byte order mark at the start is not a part of the first
/// line.
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
    let codec = InputCodec { lines: LinesCodec::new_with_max_length(longest), is_first: true };
    let lines = FramedRead::new(reader, codec);
    lines.map(|line| line.unwrap_or_else(|error| Err(InputError::Io(error.kind()))))
}

/// `LinesCodec` with its errors as items: a stream ends after an error.
struct InputCodec {
    lines: LinesCodec,
    /// Whether no line was read yet.
    is_first: bool,
}

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
        let item = item(self.lines.decode(src));
        Ok(self.without_mark(item))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<Item>> {
        let item = item(self.lines.decode_eof(src));
        Ok(self.without_mark(item))
    }
}

impl InputCodec {
    fn without_mark(&mut self, item: Option<Item>) -> Option<Item> {
        let is_first = self.is_first && item.is_some();
        self.is_first &= item.is_none();
        match item {
            Some(Ok(line)) if is_first => {
                Some(Ok(line.strip_prefix('\u{feff}').map_or_else(|| line.clone(), ToOwned::to_owned)))
            }
            item => item,
        }
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
    async fn a_byte_order_mark_at_the_start_is_no_text() {
        let lines: Vec<_> = input_lines("\u{feff}a\n\u{feff}b\n".as_bytes(), MAX_LINE).collect().await;
        assert_eq!(lines, [Ok("a".to_owned()), Ok("\u{feff}b".to_owned())]);
    }

    #[tokio::test]
    async fn an_endless_last_line_is_an_error() {
        let endless = b"x".repeat(100_000);
        let lines: Vec<_> = input_lines(&endless[..], MAX_LINE).collect().await;
        assert_eq!(lines, [Err(InputError::TooLong)]);
    }
}
