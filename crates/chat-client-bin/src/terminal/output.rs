//! Prints to the terminal: above the line being typed, or directly when there is no editor.

use std::{io::Write, time::Duration};

use chat_client::{
    Event, Name,
    conversation::{Line, render},
};
use tokio::time::Instant;

use super::{
    burst::Burst,
    editor::{Editor, EditorCommand, EditorEvent},
    paint::Paint,
    size::columns as width,
};
use crate::Args;

/// Time to wait for further joins and leaves, to show them in one line.
const BURST_WINDOW: Duration = Duration::from_millis(400);

pub(super) struct Output {
    pub(super) editor: Option<Editor>,
    paint: Paint,
    name: Option<Name>,
    burst: Burst,
    /// The deadline of the burst.
    burst_deadline: Option<Instant>,
}

impl Output {
    pub(super) fn new(args: &Args) -> Self {
        let sensible = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        let paint = Paint { color: args.color.or(sensible), bell: args.bell.or(true), time: args.time.clone() };
        Self { editor: None, paint, name: args.name, burst: Burst::default(), burst_deadline: None }
    }

    pub(super) fn color(&self) -> bool {
        self.paint.color
    }

    /// The next event of the editor. Without an editor it waits for ever. Cancel safe.
    pub(super) async fn next_event(&mut self) -> EditorEvent {
        match &mut self.editor {
            Some(editor) => editor.next_event().await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn command(&self, command: EditorCommand) {
        if let Some(editor) = &self.editor {
            editor.command(command);
        }
    }

    pub(super) fn prompt(&self, prompt: &str) {
        if let Some(editor) = &self.editor {
            editor.prompt(prompt);
        }
    }

    /// Stops the editor and restores the terminal.
    pub(super) fn stop(&mut self) {
        let Some(editor) = self.editor.take() else { return };
        let left = editor.stop();
        // Clears the prompt.
        let _ = write!(std::io::stdout(), "\r\u{1b}[K");
        for line in left {
            out(&line);
        }
    }

    /// Clears the line that was entered. Its message is shown when it is acknowledged.
    pub(super) fn erase(&self) {
        if let Some(editor) = &self.editor {
            editor.erase();
        }
    }

    pub(super) async fn event(&mut self, event: &Event, own: Option<Name>) {
        self.name = own;
        if self.burst.add(event) {
            self.burst_deadline.get_or_insert_with(|| Instant::now() + BURST_WINDOW);
            return;
        }
        // Show earlier joins and leaves first.
        self.show_burst().await;
        match event {
            Event::Message { from, text, .. } => {
                self.print(self.paint.message(*from, text.as_str(), own, width())).await;
            }
            // Dimmed, as joins and leaves are, it could be overlooked.
            Event::Notice { text, .. } => self.warning(&format!("* notice: {text}")).await,
            Event::Accepted { text, .. } => self.own_message(text.as_str(), "").await,
            Event::Refused { text, .. } => self.own_message(text.as_str(), "refused by the server").await,
            event => match render(event) {
                Some(Line::Data(line)) => self.note(&line).await,
                Some(Line::Status(line)) => self.warning(&line).await,
                _ => {}
            },
        }
    }

    /// Shows this client's own message, with a remark.
    pub(super) async fn own_message(&mut self, text: &str, remark: &str) {
        let width = width();
        let line = match (self.name, remark) {
            (Some(name), "") => self.paint.message(name, text, Some(name), width),
            (None, "") => self.paint.note(&format!("<you> {text}"), width),
            (Some(name), remark) => self.paint.note(&format!("<{name}> {text}  [{remark}]"), width),
            (None, remark) => self.paint.note(&format!("<you> {text}  [{remark}]"), width),
        };
        self.print(line).await;
    }

    pub(super) async fn note(&mut self, text: &str) {
        self.print(self.paint.note(text, width())).await;
    }

    pub(super) async fn warning(&mut self, text: &str) {
        self.show_burst().await;
        self.print(self.paint.warning(text, width())).await;
    }

    /// When [`Output::show_overdue`] has something to show.
    pub(super) fn due(&self) -> Option<Instant> {
        self.burst_deadline
    }

    pub(super) async fn show_overdue(&mut self) {
        if self.burst_deadline.is_some_and(|burst_deadline| burst_deadline <= Instant::now()) {
            self.show_burst().await;
        }
    }

    /// Shows joins and leaves.
    pub(super) async fn show_burst(&mut self) {
        self.burst_deadline = None;
        if let Some(line) = self.burst.take_line() {
            self.print(self.paint.note(&line, width())).await;
        }
    }

    async fn print(&mut self, line: String) {
        match &mut self.editor {
            Some(editor) => editor.print(line).await,
            None => out(&line),
        }
    }
}

fn out(line: &str) {
    // Fails if the terminal is gone: nothing to show.
    let _ = writeln!(std::io::stdout(), "{line}");
}
