//! The line editor, on its own thread. It sends what is typed, and prints lines above the line being typed.

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
/// Number of errors in a row after which the editor gives up.
const MAX_READ_FAILURES: u32 = 3;
const MENU: &str = "words";
const INTERRUPT: &str = "interrupt";
const SUSPEND: &str = "suspend";
const CLEAR: &str = "clear";

/// What the editor sends.
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

/// What the editor does next. It waits for a command after each [`EditorEvent`].
#[derive(Debug)]
pub(super) enum EditorCommand {
    Read,
    /// Reads on, with this text as if it had been typed.
    ReadAgain(String),
    Stop,
}

/// The handle of the editor.
pub(super) struct Editor {
    events: mpsc::Receiver<EditorEvent>,
    commands: blocking::Sender<EditorCommand>,
    print_queue: PrintQueue,
    draft: Draft,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Editor {
    /// Starts the thread, which takes over the terminal.
    pub(super) fn start(completions: Completions, prompt: &str, color: bool) -> std::io::Result<Self> {
        let (stop, draft) = (Arc::new(AtomicBool::new(false)), Draft::new(prompt));
        let (sender, events) = mpsc::channel(1);
        let (commands, receiver) = blocking::channel();
        write_to_terminal(&to_the_bottom());
        let (print_queue, feed, printer) = print_queue(draft.clone());
        let line = reedline(completions, &draft, color);
        let line = printing(line, printer, feed, Arc::clone(&stop));
        let shown = draft.clone();
        let thread =
            thread::Builder::new().name("editor".to_owned()).spawn(move || edit(line, &shown, &sender, &receiver))?;
        Ok(Self { events, commands, print_queue, draft, stop, thread: Some(thread) })
    }

    /// The next event. Cancel safe.
    pub(super) async fn next_event(&mut self) -> EditorEvent {
        self.events.recv().await.unwrap_or(EditorEvent::End)
    }

    /// Must follow each [`EditorEvent`].
    pub(super) fn command(&self, command: EditorCommand) {
        // Fails if the editor has ended.
        let _ = self.commands.send(command);
    }

    /// Prints a line above the one being typed.
    pub(super) async fn print(&self, line: String) {
        self.print_queue.print(line).await;
    }

    pub(super) fn prompt(&self, prompt: &str) {
        self.draft.set_prompt(prompt);
    }

    /// Clears the line that was entered. Call it between [`EditorEvent::Line`] and [`Editor::command`].
    pub(super) fn erase(&self) {
        write_to_terminal(&self.draft.erase_entered());
    }

    /// Restores the terminal. Returns the lines that were not printed.
    pub(super) fn stop(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.command(EditorCommand::Stop);
        if let Some(thread) = self.thread.take() {
            // The thread checks `stop` at each poll. A panic has printed its message.
            let _ = thread.join();
        }
        self.print_queue.left()
    }
}

fn reedline(completions: Completions, draft: &Draft, color: bool) -> Reedline {
    let mut keys = default_emacs_keybindings();
    let command = |name: &str| ReedlineEvent::ExecuteHostCommand(name.to_owned());
    // It closes an open menu first. During a search it ends only the search.
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

/// Between two keys, prints queued lines or stops. Lines that the printer already has are printed before it stops.
fn printing(line: Reedline, printer: ExternalPrinter<String>, feed: PrintFeed, stop: Arc<AtomicBool>) -> Reedline {
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
                // The shell gets the terminal with the modes it had before.
                write_to_terminal(&draft.erase());
                echo_off = None;
                EditorEvent::Suspend
            }
            Ok(Signal::HostCommand(command)) if command == CLEAR => {
                write_to_terminal(&(draft.erase() + &to_the_bottom()));
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
            // A slow terminal may answer late where its cursor is.
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

/// Scrolls, so that the line being typed is at the bottom of the screen. The editor asks the terminal for the cursor
/// position. At the bottom, a late answer to an earlier question is right, too.
fn to_the_bottom() -> String {
    "\n".repeat(usize::from(size::rows()))
}

fn write_to_terminal(sequence: &str) {
    let mut terminal = std::io::stdout();
    // Fails if the terminal is gone: nothing to show.
    let _ = terminal.write_all(sequence.as_bytes()).and_then(|()| terminal.flush());
}
