//! Where a conversation is shown: data on one stream, status on another.

use std::{fmt, io};

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{Line, render};
use crate::{Event, escape};

type Format = Box<dyn Fn(&Event) -> Option<Line> + Send>;

/// Two streams of lines: the conversation on `O` (say, standard output), what concerns the session on `E` (standard error).
///
/// Lines are gathered, and written together. All that is shown is escaped: see [`escape`](crate::escape).
pub struct Screen<O, E> {
    format: Format,
    output: O,
    status: E,
    data: String,
    notes: String,
    failure: Option<io::ErrorKind>,
}

impl<O: AsyncWrite + Unpin, E: AsyncWrite + Unpin> Screen<O, E> {
    /// A screen of these two streams.
    pub fn new(output: O, status: E) -> Self {
        Self { format: Box::new(render), output, status, data: String::new(), notes: String::new(), failure: None }
    }

    /// Shows events in this way, not by [`render`]. Lines must be escaped.
    #[must_use]
    pub fn format(mut self, format: impl Fn(&Event) -> Option<Line> + Send + 'static) -> Self {
        self.format = Box::new(format);
        self
    }

    /// Shows a line of data as it is: it must be escaped.
    pub fn data(&mut self, line: &str) {
        self.data.extend([line, "\n"]);
    }

    /// Shows an event, if it is one to be shown.
    pub fn event(&mut self, event: &Event) {
        match (self.format)(event) {
            Some(Line::Data(line)) => self.data(&line),
            Some(Line::Status(line)) => self.status(&line),
            None => {}
        }
    }

    /// Tells something about the session: one line, escaped here.
    pub fn status(&mut self, line: &str) {
        self.notes.extend(["-- ", &escape(line), "\n"]);
    }

    /// Writes what was gathered.
    ///
    /// A failure of the output is kept for [`Screen::failure`], and nothing more is written there; one of the status is not
    /// worth a word, and there would be nowhere to say it.
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

    /// Why the output takes nothing more. [`BrokenPipe`](io::ErrorKind::BrokenPipe): its reader has gone.
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
