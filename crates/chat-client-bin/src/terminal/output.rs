//! Prints to the terminal: above the line being typed, or directly if the editor is stopped.

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

/// Time to wait for further joins and leaves, which are then shown in one line.
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
        let auto_color = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        let paint =
            Paint { color: args.color.resolve(auto_color), bell: args.bell.resolve(true), time: args.time.clone() };
        Self { editor: None, paint, name: args.name, burst: Burst::default(), burst_deadline: None }
    }

    pub(super) fn color(&self) -> bool {
        self.paint.color
    }

    /// The next event of the editor. Pending if there is no editor. Cancel safe.
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

    pub(super) fn set_prompt(&self, prompt: &str) {
        if let Some(editor) = &self.editor {
            editor.set_prompt(prompt);
        }
    }

    /// Stops the editor and restores the terminal.
    pub(super) fn stop(&mut self) {
        let Some(editor) = self.editor.take() else { return };
        let unprinted = editor.stop();
        // Clear the prompt.
        let _ = write!(std::io::stdout(), "\r\u{1b}[K");
        for line in unprinted {
            print_line(&line);
        }
    }

    /// Clears the entered line from the screen. The message appears once the server acknowledges it.
    pub(super) fn erase_entered(&self) {
        if let Some(editor) = &self.editor {
            editor.erase_entered();
        }
    }

    /// Shows an event. `own` is this client's name.
    pub(super) async fn show_event(&mut self, event: &Event, own: Option<Name>) {
        self.name = own;
        if self.burst.add(event) {
            self.burst_deadline.get_or_insert_with(|| Instant::now() + BURST_WINDOW);
            return;
        }
        // The event came after these joins and leaves.
        self.show_burst().await;
        match event {
            Event::Message { from, text, .. } => {
                self.print(self.paint.message(*from, text.as_str(), own, width())).await;
            }
            // Not dimmed like joins and leaves: a notice must not be overlooked.
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

    /// Shows a message of this client, with a remark unless that is empty.
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

    /// The time at which [`Output::show_overdue`] has something to show.
    pub(super) fn due(&self) -> Option<Instant> {
        self.burst_deadline
    }

    /// Shows joins and leaves if the time to wait for further ones is over.
    pub(super) async fn show_overdue(&mut self) {
        if self.burst_deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.show_burst().await;
        }
    }

    /// Shows joins and leaves now.
    pub(super) async fn show_burst(&mut self) {
        self.burst_deadline = None;
        if let Some(line) = self.burst.take_line() {
            self.print(self.paint.note(&line, width())).await;
        }
    }

    async fn print(&mut self, line: String) {
        match &mut self.editor {
            Some(editor) => editor.print(line).await,
            None => print_line(&line),
        }
    }
}

fn print_line(line: &str) {
    // Fails if the terminal is gone: nobody sees the output.
    let _ = writeln!(std::io::stdout(), "{line}");
}
