//! Shows a conversation: data on one stream, status on another.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::AsyncWrite;

use super::render_session;
use crate::{SessionEvent, escape};

/// No event is taken while more bytes than this wait to be written.
const HIGH_WATER: usize = 64 * 1024;
/// The same when the conversation ends.
const MAX_LAST_LINES: usize = 4 * 1024 * 1024;

type Format = Box<dyn Fn(&SessionEvent, &mut Lines) + Send>;
type FormatFailure = Box<dyn Fn(&str, &mut Lines) + Send>;

/// Two streams of lines: `O` for the conversation, such as stdout, and `E` for messages about the session, such as
/// stderr.
///
/// Lines are buffered, and [`Screen::flush`] writes them. Everything is escaped before it is shown: see
/// [`escape`](crate::escape).
///
/// ```
/// use chat_client::{Event, SessionEvent, conversation::Screen};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut output, mut status) = (Vec::new(), Vec::new());
/// // Shows joins only, in a form of its own.
/// let mut screen = Screen::new(&mut output, &mut status).format(|event, lines| {
///     if let SessionEvent::Event(Event::Joined { name, .. }) = event {
///         lines.data(&format!("+{name}"));
///     }
/// });
/// screen.event(&SessionEvent::Event(Event::joined("ann".parse()?)));
/// screen.event(&SessionEvent::Event(Event::left("ann".parse()?)));
/// screen.status("one join");
/// screen.flush().await;
/// assert_eq!(output, b"+ann\n");
/// assert_eq!(status, b"-- one join\n");
/// # Ok(())
/// # }
/// ```
pub struct Screen<O, E> {
    format: Format,
    format_failure: FormatFailure,
    /// Number of bytes of data that failed lines of the input have added since the data was last written completely.
    failure_bytes: usize,
    lines: Lines,
    output: O,
    /// Whether `output` has written everything that it was given.
    is_output_flushed: bool,
    status: E,
    is_status_flushed: bool,
    failure: Option<io::ErrorKind>,
}

/// Lines that wait to be written. The example of [`Screen`] adds one.
#[derive(Debug, Default)]
pub struct Lines {
    data: BytesMut,
    status: BytesMut,
}

impl Lines {
    /// Adds a line of data. It must be escaped.
    pub fn data(&mut self, line: &str) {
        append(&mut self.data, &[line, "\n"]);
    }

    /// Adds a status line. It is escaped here.
    pub fn status(&mut self, line: &str) {
        append(&mut self.status, &["-- ", &escape(line), "\n"]);
    }
}

fn append(buffer: &mut BytesMut, parts: &[&str]) {
    for part in parts {
        buffer.extend_from_slice(part.as_bytes());
    }
}

impl<O: AsyncWrite + Unpin, E: AsyncWrite + Unpin> Screen<O, E> {
    /// A screen with these two streams.
    pub fn new(output: O, status: E) -> Self {
        Self {
            format: Box::new(render_session),
            format_failure: Box::new(|_, _| {}),
            failure_bytes: 0,
            lines: Lines::default(),
            output,
            is_output_flushed: true,
            status,
            is_status_flushed: true,
            failure: None,
        }
    }

    /// Uses `format` in place of [`render_session`].
    #[must_use]
    pub fn format(mut self, format: impl Fn(&SessionEvent, &mut Lines) + Send + 'static) -> Self {
        self.format = Box::new(format);
        self
    }

    /// Also uses `format` where a line of the input fails, such as an unknown command, or `/clients` from a guest. It gets the
    /// status line that tells why, unescaped.
    #[must_use]
    pub fn format_failure(mut self, format: impl Fn(&str, &mut Lines) + Send + 'static) -> Self {
        self.format_failure = Box::new(format);
        self
    }

    /// Adds a line of data. It must be escaped.
    pub fn data(&mut self, line: &str) {
        self.lines.data(line);
    }

    /// Adds an event, if it has a line.
    pub fn event(&mut self, event: &SessionEvent) {
        (self.format)(event, &mut self.lines);
    }

    /// Adds a status line. It is escaped here.
    pub fn status(&mut self, line: &str) {
        self.lines.status(line);
    }

    /// Adds the status line of a failed line of the input.
    pub(super) fn input_failed(&mut self, why: &str) {
        self.lines.status(why);
        let before = self.lines.data.len();
        (self.format_failure)(why, &mut self.lines);
        self.failure_bytes += self.lines.data.len() - before;
    }

    /// Writes the buffered lines. Cancel safe: the next call continues.
    ///
    /// After the output has failed, nothing more is written to it: see [`Screen::failure`]. Errors of the status are
    /// ignored, because there is no other place to report them.
    pub async fn flush(&mut self) {
        poll_fn(|cx| self.poll_flush(cx)).await;
    }

    /// Why writing to the output failed. [`BrokenPipe`](io::ErrorKind::BrokenPipe): its reader has closed it.
    /// [`TimedOut`](io::ErrorKind::TimedOut): the conversation had to end, and the output did not take everything.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.failure
    }

    /// Whether there are few lines to write. There is more room for the last ones.
    pub(super) fn has_room(&self, is_ending: bool) -> bool {
        let limit = if is_ending { MAX_LAST_LINES } else { HIGH_WATER };
        self.lines.data.len().max(self.lines.status.len()) < limit
    }

    /// Whether there are few lines to write that lines of the input cause by themselves.
    pub(super) fn has_input_room(&self) -> bool {
        self.lines.status.len().max(self.failure_bytes) < HIGH_WATER
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.lines.data.is_empty() && self.lines.status.is_empty() && self.is_output_flushed && self.is_status_flushed
    }

    /// Writes no further data.
    pub(super) fn give_up(&mut self) {
        if !(self.lines.data.is_empty() && self.is_output_flushed) {
            self.fail(io::ErrorKind::TimedOut);
        }
    }

    fn fail(&mut self, kind: io::ErrorKind) {
        self.failure.get_or_insert(kind);
        self.lines.data.clear();
        self.is_output_flushed = true;
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.failure.is_some() {
            self.lines.data.clear();
        }
        // Both, so that neither has to wait for the other.
        let output = match poll_write(&mut self.output, &mut self.lines.data, &mut self.is_output_flushed, cx) {
            Poll::Ready(Err(error)) => {
                self.fail(error.kind());
                Poll::Ready(())
            }
            poll => poll.map(drop),
        };
        if self.lines.data.is_empty() {
            self.failure_bytes = 0;
        }
        let status = match poll_write(&mut self.status, &mut self.lines.status, &mut self.is_status_flushed, cx) {
            Poll::Ready(Err(_)) => {
                self.lines.status.clear();
                self.is_status_flushed = true;
                Poll::Ready(())
            }
            poll => poll.map(drop),
        };
        ready!(output);
        status
    }
}

/// Writes and flushes the buffer.
fn poll_write(
    stream: &mut (impl AsyncWrite + Unpin),
    buffer: &mut BytesMut,
    is_flushed: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while !buffer.is_empty() {
        *is_flushed = false;
        match ready!(Pin::new(&mut *stream).poll_write(cx, buffer))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            written => buffer.advance(written),
        }
    }
    if !*is_flushed {
        ready!(Pin::new(stream).poll_flush(cx))?;
        *is_flushed = true;
    }
    Poll::Ready(Ok(()))
}

impl<O, E> fmt::Debug for Screen<O, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("failure", &self.failure).finish_non_exhaustive()
    }
}
