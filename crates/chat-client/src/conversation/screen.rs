//! Shows a conversation: data on one stream, status on another.

use std::{fmt, io};

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{Line, render};
use crate::{Event, escape};

type Format = Box<dyn Fn(&Event) -> Option<Line> + Send>;

/// Two streams of lines: `O` for the conversation, such as stdout, and `E` for messages about the session, such as
/// stderr.
///
/// Lines are buffered and written together by [`Screen::flush`]. Everything is escaped before it is shown: see
/// [`escape`](crate::escape).
///
/// ```
/// use chat_client::{
///     Event,
///     conversation::{Line, Screen},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut output, mut status) = (Vec::new(), Vec::new());
/// // Shows joins only, in a form of its own.
/// let mut screen = Screen::new(&mut output, &mut status).format(|event| match event {
///     Event::Joined { name, .. } => Some(Line::Data(format!("+{name}"))),
///     _ => None,
/// });
/// screen.event(&Event::joined("ann".parse()?));
/// screen.event(&Event::left("ann".parse()?));
/// screen.status("one join");
/// screen.flush().await;
/// assert_eq!(output, b"+ann\n");
/// assert_eq!(status, b"-- one join\n");
/// # Ok(())
/// # }
/// ```
pub struct Screen<O, E> {
    format: Format,
    output: O,
    status: E,
    data: String,
    notes: String,
    failure: Option<io::ErrorKind>,
}

impl<O: AsyncWrite + Unpin, E: AsyncWrite + Unpin> Screen<O, E> {
    /// A screen with these two streams.
    pub fn new(output: O, status: E) -> Self {
        Self { format: Box::new(render), output, status, data: String::new(), notes: String::new(), failure: None }
    }

    /// Uses `format` in place of [`render`]. The lines must be escaped.
    #[must_use]
    pub fn format(mut self, format: impl Fn(&Event) -> Option<Line> + Send + 'static) -> Self {
        self.format = Box::new(format);
        self
    }

    /// Adds a line of data. It must be escaped.
    pub fn data(&mut self, line: &str) {
        self.data.extend([line, "\n"]);
    }

    /// Adds an event, if it has a line.
    pub fn event(&mut self, event: &Event) {
        match (self.format)(event) {
            Some(Line::Data(line)) => self.data(&line),
            Some(Line::Status(line)) => self.status(&line),
            None => {}
        }
    }

    /// Adds a status line. It is escaped here.
    pub fn status(&mut self, line: &str) {
        self.notes.extend(["-- ", &escape(line), "\n"]);
    }

    /// Writes the buffered lines.
    ///
    /// After the output has failed, nothing more is written to it: see [`Screen::failure`]. Errors of the status are
    /// ignored, because there is no other place to report them.
    pub async fn flush(&mut self) {
        if self.failure.is_none() && !self.data.is_empty() {
            self.failure = write(&mut self.output, &self.data).await.err().map(|error| error.kind());
        }
        self.data.clear();
        if !self.notes.is_empty() {
            drop(write(&mut self.status, &self.notes).await);
            self.notes.clear();
        }
    }

    /// Why writing to the output failed. [`BrokenPipe`](io::ErrorKind::BrokenPipe): its reader has closed it.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.failure
    }
}

impl<O, E> fmt::Debug for Screen<O, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("failure", &self.failure).finish_non_exhaustive()
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), lines: &str) -> io::Result<()> {
    stream.write_all(lines.as_bytes()).await?;
    stream.flush().await
}
