//! Queues lines to print above the line being typed, until the editor can print them.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError, mpsc as blocking},
};

use reedline::ExternalPrinter;
use tokio::sync::mpsc;

use super::draft::Draft;

/// Maximum number of queued lines. If the queue is full, [`PrintQueue::print`] waits.
const MAX_QUEUED_LINES: usize = 10_000;
/// Maximum number of lines printed between two keys.
const MAX_LINES_PER_PRINT: usize = 500;

/// The end of the queue that takes lines.
#[derive(Debug)]
pub(super) struct PrintQueue {
    lines: mpsc::Sender<String>,
    waiting: Arc<Mutex<mpsc::Receiver<String>>>,
}

/// The end of the queue that passes lines to the editor's printer, on the editor's thread.
#[derive(Debug)]
pub(super) struct PrintFeed {
    waiting: Arc<Mutex<mpsc::Receiver<String>>>,
    printer: blocking::SyncSender<String>,
    draft: Draft,
}

/// Creates both ends of a queue, and the printer for the editor.
pub(super) fn print_queue(draft: Draft) -> (PrintQueue, PrintFeed, ExternalPrinter<String>) {
    let (lines, waiting) = mpsc::channel(MAX_QUEUED_LINES);
    let waiting = Arc::new(Mutex::new(waiting));
    let printer = ExternalPrinter::new(MAX_LINES_PER_PRINT);
    let feed = PrintFeed { waiting: Arc::clone(&waiting), printer: printer.sender(), draft };
    (PrintQueue { lines, waiting }, feed, printer)
}

impl PrintQueue {
    /// Queues a line.
    pub(super) async fn print(&self, line: String) {
        // Cannot fail: this struct holds the receiver.
        let _ = self.lines.send(line).await;
    }

    /// Takes the lines that the editor has not printed.
    pub(super) fn take_unprinted(&self) -> Vec<String> {
        take(&self.waiting, MAX_QUEUED_LINES)
    }
}

impl PrintFeed {
    /// Passes queued lines to the printer. Call it right before the editor prints: the editor handles no key in
    /// between, so the cursor stays where this puts it.
    pub(super) fn feed(&self) {
        let Some(sequence) = self.draft.prepare_print() else { return };
        let lines = take(&self.waiting, MAX_LINES_PER_PRINT);
        if lines.is_empty() {
            return;
        }
        let mut terminal = std::io::stdout();
        // Fails if the terminal is gone: nobody sees the output.
        let _ = terminal.write_all(sequence.as_bytes()).and_then(|()| terminal.flush());
        for line in lines {
            // Cannot fail: the printer holds this many lines, and lives as long as the editor.
            let _ = self.printer.try_send(line);
        }
    }
}

fn take(waiting: &Mutex<mpsc::Receiver<String>>, max: usize) -> Vec<String> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    std::iter::from_fn(|| waiting.try_recv().ok()).take(max).collect()
}
