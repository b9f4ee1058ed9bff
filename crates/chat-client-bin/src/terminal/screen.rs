//! The screen: lines of the conversation that are not printed yet, and the line being typed below them.

use std::collections::VecDeque;

use super::{
    device::{self, FramePermit, OutputThread},
    shown::{CLEAR, Line, area},
};

/// Maximum number of lines in one frame. The line being typed is shown again after each frame.
const MAX_LINES_PER_FRAME: usize = 500;
/// Maximum number of lines that wait. When it is reached, the session's events must wait.
const MAX_WAITING_LINES: usize = 10_000;

/// What is on the screen, and what is to be printed.
#[derive(Debug)]
pub(super) struct Screen {
    thread: OutputThread,
    color: bool,
    waiting: VecDeque<Line>,
    mode: Mode,
    /// Prompt, text and position of the cursor. `None` at first.
    typed: Option<(String, String, usize)>,
    /// The line being typed must be shown again.
    is_outdated: bool,
    /// A sequence for the start of the next frame.
    before: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// The line being typed is below the conversation.
    Typing,
    /// Nothing is shown.
    Suspended,
    /// Only lines of the conversation are shown.
    Closed,
}

impl Screen {
    /// Starts the thread that writes. Nothing is shown until [`Screen::open`].
    pub(super) fn start(color: bool) -> std::io::Result<Self> {
        let thread = OutputThread::start()?;
        let (waiting, before) = (VecDeque::new(), String::new());
        Ok(Self { thread, color, mode: Mode::Suspended, waiting, typed: None, is_outdated: false, before })
    }

    /// Prints a line above the line being typed, at the next frame.
    pub(super) fn print(&mut self, line: Line) {
        self.waiting.push_back(line);
    }

    /// Whether more lines can wait.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING_LINES
    }

    /// Shows this line being typed: its prompt, its text, and the position of its cursor in bytes.
    pub(super) fn show_typed(&mut self, prompt: String, text: &str, cursor: usize) {
        if self.typed.as_ref().is_none_or(|(old, typed, at)| *old != prompt || typed != text || *at != cursor) {
            self.typed = Some((prompt, text.to_owned(), cursor));
            self.is_outdated = true;
        }
    }

    /// Shows the line being typed again, because the size of the terminal has changed.
    pub(super) fn repaint(&mut self) {
        self.is_outdated = true;
    }

    /// Scrolls the conversation off the screen. It stays in the terminal's memory.
    pub(super) fn scroll_away(&mut self) {
        let (rows, _) = device::size();
        self.before.push_str(CLEAR);
        self.before.push_str(&"\r\n".repeat(rows));
        self.is_outdated = true;
    }

    /// Puts the terminal into raw mode, and shows the line being typed.
    pub(super) fn open(&mut self) -> std::io::Result<()> {
        device::enter()?;
        self.before.push_str(device::ENTER);
        (self.mode, self.is_outdated) = (Mode::Typing, true);
        Ok(())
    }

    /// Clears the line being typed and restores the terminal. Nothing is shown until [`Screen::open`].
    pub(super) async fn suspend(&mut self) {
        self.mode = Mode::Suspended;
        self.write_last().await;
    }

    /// Clears the line being typed and restores the terminal. Later lines are still printed.
    pub(super) async fn close(&mut self) {
        self.mode = Mode::Closed;
        self.write_last().await;
    }

    /// Prints all waiting lines and restores the terminal.
    async fn write_last(&mut self) {
        let mut frame = self.frame(usize::MAX);
        if device::leave() {
            frame.push_str(device::LEAVE);
        }
        self.thread.write(frame).await;
    }

    /// Waits until there is something to show, and the terminal can take it. Cancel safe.
    pub(super) async fn ready(&self) -> FramePermit {
        if self.mode == Mode::Suspended || (self.waiting.is_empty() && !self.is_outdated) {
            std::future::pending::<()>().await;
        }
        self.thread.ready().await
    }

    /// Writes the next frame.
    pub(super) fn write_frame(&mut self, permit: FramePermit) {
        // A task of the session has panicked, but the conversation goes on. If this fails, the terminal is gone.
        if self.mode == Mode::Typing && !device::is_entered() {
            let _ = self.open();
        }
        permit.write(self.frame(MAX_LINES_PER_FRAME));
    }

    /// Clears the line being typed, prints lines, and shows the line being typed again.
    fn frame(&mut self, max_lines: usize) -> String {
        let size = device::size();
        let mut frame = std::mem::take(&mut self.before);
        if self.typed.is_some() {
            frame.push_str(CLEAR);
        }
        let count = max_lines.min(self.waiting.len());
        for line in self.waiting.drain(..count) {
            frame.push_str(&line.render(self.color, size.1));
            frame.push_str("\r\n");
        }
        self.is_outdated = false;
        if let (Mode::Typing, Some((prompt, text, cursor))) = (self.mode, &self.typed) {
            frame.push_str(&area(prompt, text, *cursor, size));
        }
        frame
    }

    /// Takes the lines that are not printed yet, as they would be in a terminal of this width.
    #[cfg(test)]
    pub(super) fn take_waiting(&mut self, width: usize) -> Vec<String> {
        self.waiting.drain(..).map(|line| line.render(self.color, width)).collect()
    }
}
