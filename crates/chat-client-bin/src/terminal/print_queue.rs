//! Lines that go above the one being typed: they wait until the editor has a moment for them.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError, mpsc as blocking},
};

use reedline::ExternalPrinter;
use tokio::sync::mpsc;

use super::draft::Draft;

/// So many lines may wait.
const MAX_QUEUED_LINES: usize = 10_000;
/// So many are printed between two keys.
const MAX_LINES_PER_PRINT: usize = 500;

/// Takes lines in, and has them back where no editor printed them.
#[derive(Debug)]
pub(super) struct PrintQueue {
    lines: mpsc::Sender<String>,
    waiting: Arc<Mutex<mpsc::Receiver<String>>>,
}

/// Hands the lines to the editor's printer, on its thread.
#[derive(Debug)]
pub(super) struct PrintFeed {
    waiting: Arc<Mutex<mpsc::Receiver<String>>>,
    printer: blocking::SyncSender<String>,
    draft: Draft,
}

/// And the printer to be given to the editor.
pub(super) fn print_queue(draft: Draft) -> (PrintQueue, PrintFeed, ExternalPrinter<String>) {
    let (lines, waiting) = mpsc::channel(MAX_QUEUED_LINES);
    let waiting = Arc::new(Mutex::new(waiting));
    let printer = ExternalPrinter::new(MAX_LINES_PER_PRINT);
    let feed = PrintFeed { waiting: Arc::clone(&waiting), printer: printer.sender(), draft };
    (PrintQueue { lines, waiting }, feed, printer)
}

impl PrintQueue {
    pub(super) async fn print(&self, line: String) {
        // The other end is here.
        let _ = self.lines.send(line).await;
    }

    /// What was not printed.
    pub(super) fn left(&self) -> Vec<String> {
        take(&self.waiting, MAX_QUEUED_LINES)
    }
}

impl PrintFeed {
    /// To be called right before the editor prints. Nothing can be typed in between, so that the printer finds the cursor
    /// where it is put.
    pub(super) fn feed(&self) {
        let Some(aside) = self.draft.step_aside() else { return };
        let lines = take(&self.waiting, MAX_LINES_PER_PRINT);
        if lines.is_empty() {
            return;
        }
        let mut terminal = std::io::stdout();
        // A terminal that is gone shows nothing anyway.
        let _ = terminal.write_all(aside.as_bytes()).and_then(|()| terminal.flush());
        for line in lines {
            // There is room, and the printer lives as long as the editor.
            let _ = self.printer.try_send(line);
        }
    }
}

fn take(waiting: &Mutex<mpsc::Receiver<String>>, most: usize) -> Vec<String> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    std::iter::from_fn(|| waiting.try_recv().ok()).take(most).collect()
}
