//! Lines to print above the line being typed. They wait until the editor can print them.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError, mpsc as blocking},
};

use reedline::ExternalPrinter;
use tokio::sync::mpsc;

use super::draft::Draft;

/// Maximum number of lines that wait. The sender waits when it is full.
const MAX_QUEUED_LINES: usize = 10_000;
/// Maximum number of lines printed between two keys.
const MAX_LINES_PER_PRINT: usize = 500;

/// Takes lines, and returns those that the editor has not printed.
#[derive(Debug)]
pub(super) struct PrintQueue {
    lines: mpsc::Sender<String>,
    waiting: Arc<Mutex<mpsc::Receiver<String>>>,
}

/// Passes the lines to the editor's printer, on the editor's thread.
#[derive(Debug)]
pub(super) struct PrintFeed {
    waiting: Arc<Mutex<mpsc::Receiver<String>>>,
    printer: blocking::SyncSender<String>,
    draft: Draft,
}

/// The queue, its other end, and the printer for the editor.
pub(super) fn print_queue(draft: Draft) -> (PrintQueue, PrintFeed, ExternalPrinter<String>) {
    let (lines, waiting) = mpsc::channel(MAX_QUEUED_LINES);
    let waiting = Arc::new(Mutex::new(waiting));
    let printer = ExternalPrinter::new(MAX_LINES_PER_PRINT);
    let feed = PrintFeed { waiting: Arc::clone(&waiting), printer: printer.sender(), draft };
    (PrintQueue { lines, waiting }, feed, printer)
}

impl PrintQueue {
    pub(super) async fn print(&self, line: String) {
        // Cannot fail: this struct holds the receiver.
        let _ = self.lines.send(line).await;
    }

    /// Takes the lines that were not printed.
    pub(super) fn left(&self) -> Vec<String> {
        take(&self.waiting, MAX_QUEUED_LINES)
    }
}

impl PrintFeed {
    /// Call it right before the editor prints. No key is handled in between, so the printer finds the cursor where this
    /// puts it.
    pub(super) fn feed(&self) {
        let Some(aside) = self.draft.step_aside() else { return };
        let lines = take(&self.waiting, MAX_LINES_PER_PRINT);
        if lines.is_empty() {
            return;
        }
        let mut terminal = std::io::stdout();
        // Fails if the terminal is gone: nothing to show.
        let _ = terminal.write_all(aside.as_bytes()).and_then(|()| terminal.flush());
        for line in lines {
            // Cannot fail: there is room, and the printer lives as long as the editor.
            let _ = self.printer.try_send(line);
        }
    }
}

fn take(waiting: &Mutex<mpsc::Receiver<String>>, most: usize) -> Vec<String> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    std::iter::from_fn(|| waiting.try_recv().ok()).take(most).collect()
}
