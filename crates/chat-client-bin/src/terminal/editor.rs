//! Runs the line editor on its own thread. It sends what is typed, and prints lines above the line being typed.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc as blocking,
    },
    thread,
    time::Duration,
};

use reedline::{
    ColumnarMenu, EditCommand, Emacs, ExternalPrinter, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder, Reedline,
    ReedlineEvent, ReedlineMenu, Signal, default_emacs_keybindings,
};
use tokio::sync::mpsc;

use super::{
    completion::Completions,
    draft::Draft,
    echo_off::EchoOff,
    print_queue::{PrintFeed, PrintQueue, print_queue},
    size,
};

/// How often the editor checks for lines to print.
const POLL_INTERVAL: Duration = Duration::from_millis(25);
/// Number of lines in the history. It is kept in memory only, because a conversation is private.
const HISTORY_LINES: usize = 1_000;
/// Number of consecutive errors after which the editor gives up.
const MAX_READ_FAILURES: u32 = 3;
const MENU: &str = "words";
const INTERRUPT: &str = "interrupt";
const SUSPEND: &str = "suspend";
const CLEAR: &str = "clear";

/// What the editor reports.
#[derive(Debug)]
pub(super) enum EditorEvent {
    Line(String),
    /// Ctrl-C on an empty line. On any other line, it clears the line.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// Ctrl-Z.
    Suspend,
    Failed(String),
}

/// What the editor does next. It waits for one command after each [`EditorEvent`].
#[derive(Debug)]
pub(super) enum EditorCommand {
    Read,
    /// Reads a line that already contains this text.
    ReadAgain(String),
    Stop,
}

/// A handle to the editor.
pub(super) struct Editor {
    events: mpsc::Receiver<EditorEvent>,
    commands: blocking::Sender<EditorCommand>,
    print_queue: PrintQueue,
    draft: Draft,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Editor {
    /// Starts the thread, which puts the terminal into raw mode while it reads.
    pub(super) fn start(completions: Completions, prompt: &str, color: bool) -> std::io::Result<Self> {
        let (stop, draft) = (Arc::new(AtomicBool::new(false)), Draft::new(prompt));
        let (sender, events) = mpsc::channel(1);
        let (commands, receiver) = blocking::channel();
        write_to_terminal(&scroll_to_bottom());
        let (print_queue, feed, printer) = print_queue(draft.clone());
        let line = reedline(completions, &draft, color);
        let line = with_printer(line, printer, feed, Arc::clone(&stop));
        let shown = draft.clone();
        let thread =
            thread::Builder::new().name("editor".to_owned()).spawn(move || edit(line, &shown, &sender, &receiver))?;
        Ok(Self { events, commands, print_queue, draft, stop, thread: Some(thread) })
    }

    /// The next event. Cancel safe.
    pub(super) async fn next_event(&mut self) -> EditorEvent {
        self.events.recv().await.unwrap_or(EditorEvent::End)
    }

    /// Sends a command. Call it once after each [`EditorEvent`].
    pub(super) fn command(&self, command: EditorCommand) {
        // Fails if the editor has ended.
        let _ = self.commands.send(command);
    }

    /// Prints a line above the one being typed.
    pub(super) async fn print(&self, line: String) {
        self.print_queue.print(line).await;
    }

    /// Sets the prompt, which the next repaint shows.
    pub(super) fn set_prompt(&self, prompt: &str) {
        self.draft.set_prompt(prompt);
    }

    /// Clears the entered line from the screen. Call it between [`EditorEvent::Line`] and [`Editor::command`].
    pub(super) fn erase_entered(&self) {
        write_to_terminal(&self.draft.erase_entered());
    }

    /// Stops the thread and restores the terminal. Returns the lines that were not printed.
    pub(super) fn stop(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.command(EditorCommand::Stop);
        if let Some(thread) = self.thread.take() {
            // The thread checks `stop` at each poll. If it panicked, it has printed the message.
            let _ = thread.join();
        }
        self.print_queue.take_unprinted()
    }
}

fn reedline(completions: Completions, draft: &Draft, color: bool) -> Reedline {
    let mut keys = default_emacs_keybindings();
    let command = |name: &str| ReedlineEvent::ExecuteHostCommand(name.to_owned());
    // Ctrl-C also closes an open menu. During a search, it only ends the search.
    let interrupt = ReedlineEvent::Multiple(vec![ReedlineEvent::Esc, command(INTERRUPT)]);
    let interrupt = ReedlineEvent::UntilFound(vec![interrupt, ReedlineEvent::Esc]);
    keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('c'), interrupt);
    keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('z'), command(SUSPEND));
    keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('l'), command(CLEAR));
    let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
    let menu = Box::new(ColumnarMenu::default().with_name(MENU).with_marker(""));
    let line = Reedline::create()
        .with_highlighter(Box::new(draft.clone()))
        .use_bracketed_paste(true)
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .with_completer(Box::new(completions))
        .with_menu(ReedlineMenu::EngineCompleter(menu))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_ansi_colors(color);
    match FileBackedHistory::new(HISTORY_LINES) {
        Ok(history) => line.with_history(Box::new(history)),
        Err(_) => line,
    }
}

/// Makes the editor print queued lines, or stop, between two keys. Before it stops, it prints the lines that the
/// printer already has.
fn with_printer(line: Reedline, printer: ExternalPrinter<String>, feed: PrintFeed, stop: Arc<AtomicBool>) -> Reedline {
    let leave = Arc::new(AtomicBool::new(false));
    let idle = {
        let leave = Arc::clone(&leave);
        move || {
            if stop.load(Ordering::Relaxed) {
                leave.store(true, Ordering::Relaxed);
            } else {
                feed.feed();
            }
        }
    };
    line.with_external_printer(printer)
        .with_poll_interval(POLL_INTERVAL)
        .with_break_signal(leave)
        .with_idle_callback(Box::new(idle))
}

/// Reads lines until it gets [`EditorCommand::Stop`] or the receiver of its events is gone.
fn edit(
    mut line: Reedline,
    draft: &Draft,
    events: &mpsc::Sender<EditorEvent>,
    commands: &blocking::Receiver<EditorCommand>,
) {
    let mut echo_off = Some(EchoOff::enable());
    let mut failures = 0;
    loop {
        let read = line.read_line(draft);
        failures = if read.is_ok() { 0 } else { failures + 1 };
        let typed = match read {
            Ok(Signal::Success(text)) => EditorEvent::Line(text),
            Ok(Signal::HostCommand(command)) if command == SUSPEND => {
                // The shell must get the terminal in its original modes.
                write_to_terminal(&draft.erase());
                echo_off = None;
                EditorEvent::Suspend
            }
            Ok(Signal::HostCommand(command)) if command == CLEAR => {
                write_to_terminal(&(draft.erase() + &scroll_to_bottom()));
                continue;
            }
            Ok(Signal::HostCommand(_)) if !line.current_buffer_contents().is_empty() => {
                line.run_edit_commands(&[EditCommand::Clear]);
                continue;
            }
            Ok(Signal::HostCommand(_) | Signal::CtrlC) => EditorEvent::Interrupt,
            Ok(Signal::CtrlD) => {
                // The cursor is below the line, as after Enter.
                write_to_terminal(&draft.erase_entered());
                EditorEvent::End
            }
            Ok(_) => {
                write_to_terminal(&draft.erase());
                return;
            }
            // The editor queries the cursor position, and a slow terminal may answer too late.
            Err(_) if failures < MAX_READ_FAILURES => continue,
            Err(error) => EditorEvent::Failed(error.to_string()),
        };
        if events.blocking_send(typed).is_err() {
            return;
        }
        let command = commands.recv();
        echo_off.get_or_insert_with(EchoOff::enable);
        match command {
            Ok(EditorCommand::Read) => {}
            Ok(EditorCommand::ReadAgain(text)) => line.run_edit_commands(&[EditCommand::InsertString(text)]),
            Ok(EditorCommand::Stop) | Err(_) => return,
        }
    }
}

/// Scrolls the cursor to the bottom of the screen. The editor queries the cursor position, and a slow terminal may
/// answer an earlier query instead. At the bottom, that answer is correct too.
fn scroll_to_bottom() -> String {
    "\n".repeat(usize::from(size::rows()))
}

fn write_to_terminal(sequence: &str) {
    let mut terminal = std::io::stdout();
    // Fails if the terminal is gone: nobody sees the output.
    let _ = terminal.write_all(sequence.as_bytes()).and_then(|()| terminal.flush());
}
