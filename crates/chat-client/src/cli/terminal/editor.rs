//! The line editor, on a thread of its own: what is typed comes out, what is printed goes above the line being typed.

use std::{
    borrow::Cow,
    io::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc as blocking,
    },
    thread,
    time::Duration,
};

use reedline::{
    ColumnarMenu, EditCommand, Emacs, ExternalPrinter, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder, Prompt,
    PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal, default_emacs_keybindings,
};
use tokio::sync::mpsc;

use super::{
    complete::Words,
    excess::{Excess, Printed},
    quiet::Quiet,
    size,
};

/// So many lines may wait to be printed.
const CAPACITY: usize = 10_000;
/// How often the editor looks for lines to print.
const POLL: Duration = Duration::from_millis(25);
/// So many lines can be had again. They are kept in memory alone: what was said in a room is nobody's file.
const HISTORY: usize = 1_000;
/// The terminal may fail so often in a row.
const PATIENCE: u32 = 3;
const MENU: &str = "words";
const INTERRUPT: &str = "interrupt";
const SUSPEND: &str = "suspend";
const CLEAR: &str = "clear";

/// What comes from the keyboard.
#[derive(Debug)]
pub(super) enum Typed {
    Line(String),
    /// Ctrl-C on an empty line. On another, it clears the line.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// Ctrl-Z.
    Suspend,
    Failed(String),
}

/// What the editor does next; it waits for this after each [`Typed`].
#[derive(Debug)]
pub(super) enum Next {
    Read,
    /// With this line as if it had been typed.
    ReadAgain(String),
    Stop,
}

/// The editor's other end.
pub(super) struct Editor {
    typed: mpsc::Receiver<Typed>,
    next: blocking::Sender<Next>,
    printer: ExternalPrinter<String>,
    excess: Excess,
    printed: Printed,
    prompt: LinePrompt,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Editor {
    /// Takes the terminal.
    pub(super) fn start(words: Words, prompt: &str, color: bool) -> std::io::Result<Self> {
        let printer = ExternalPrinter::new(CAPACITY);
        let (stop, prompt) = (Arc::new(AtomicBool::new(false)), LinePrompt::new(prompt));
        let (tell, typed) = mpsc::channel(1);
        let (next, reply) = blocking::channel();
        to_the_bottom();
        let excess = Excess::default();
        let line = reedline(words, printer.clone(), Arc::clone(&stop), color);
        let line = line.with_highlighter(Box::new(excess.clone()));
        let shown = prompt.clone();
        let thread =
            thread::Builder::new().name("editor".to_owned()).spawn(move || edit(line, &shown, &tell, &reply))?;
        Ok(Self { typed, next, printer, excess, printed: Printed::default(), prompt, stop, thread: Some(thread) })
    }

    /// What is typed next. It may be dropped unfinished.
    pub(super) async fn typed(&mut self) -> Typed {
        self.typed.recv().await.unwrap_or(Typed::End)
    }

    /// Must follow each [`Typed`].
    pub(super) fn next(&self, next: Next) {
        // An editor that has failed wants no reply.
        let _ = self.next.send(next);
    }

    /// Prints a line above the one being typed.
    pub(super) async fn print(&mut self, line: String) {
        // Those that wait already are printed together with it, and only the first is printed too high.
        let excess = if self.printer.receiver().is_empty() { self.excess.rows() } else { 0 };
        let mut line = Some(self.printed.with_last(excess, &line));
        while let Some(text) = line.take() {
            if let Err(full) = self.printer.sender().try_send(text) {
                line = Some(full.into_inner());
                tokio::time::sleep(POLL).await;
            }
        }
    }

    pub(super) fn prompt(&self, prompt: &str) {
        self.prompt.set(prompt);
    }

    /// Gives the terminal back, and what was not printed yet.
    pub(super) fn stop(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.next(Next::Stop);
        if let Some(thread) = self.thread.take() {
            // It looks at `stop` as often as for lines to print; its panic has been told.
            let _ = thread.join();
        }
        std::iter::from_fn(|| self.printer.get_line()).collect()
    }
}

fn reedline(words: Words, printer: ExternalPrinter<String>, stop: Arc<AtomicBool>, color: bool) -> Reedline {
    let mut keys = default_emacs_keybindings();
    let command = |name: &str| ReedlineEvent::ExecuteHostCommand(name.to_owned());
    keys.add_binding(
        KeyModifiers::CONTROL,
        KeyCode::Char('c'),
        ReedlineEvent::Multiple(vec![ReedlineEvent::Esc, command(INTERRUPT)]),
    );
    keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('z'), command(SUSPEND));
    keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('l'), command(CLEAR));
    let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
    let menu = Box::new(ColumnarMenu::default().with_name(MENU).with_marker(""));
    let line = Reedline::create()
        .with_external_printer(printer)
        .with_poll_interval(POLL)
        .with_break_signal(stop)
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .with_completer(Box::new(words))
        .with_menu(ReedlineMenu::EngineCompleter(menu))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_ansi_colors(color);
    match FileBackedHistory::new(HISTORY) {
        Ok(history) => line.with_history(Box::new(history)),
        Err(_) => line,
    }
}

fn edit(mut line: Reedline, prompt: &LinePrompt, tell: &mpsc::Sender<Typed>, reply: &blocking::Receiver<Next>) {
    let mut quiet = Some(Quiet::take());
    let mut failures = 0;
    loop {
        let read = line.read_line(prompt);
        failures = if read.is_ok() { 0 } else { failures + 1 };
        let typed = match read {
            Ok(Signal::Success(text)) => Typed::Line(text),
            Ok(Signal::HostCommand(command)) if command == SUSPEND => {
                // The shell gets the terminal as it gave it.
                quiet = None;
                Typed::Suspend
            }
            Ok(Signal::HostCommand(command)) if command == CLEAR => {
                to_the_bottom();
                continue;
            }
            Ok(Signal::HostCommand(_)) if !line.current_buffer_contents().is_empty() => {
                line.run_edit_commands(&[EditCommand::Clear]);
                continue;
            }
            Ok(Signal::HostCommand(_) | Signal::CtrlC) => Typed::Interrupt,
            Ok(Signal::CtrlD) => Typed::End,
            Ok(_) => return,
            // A slow terminal may be late to tell where its cursor is.
            Err(_) if failures < PATIENCE => continue,
            Err(error) => Typed::Failed(error.to_string()),
        };
        if tell.blocking_send(typed).is_err() {
            return;
        }
        let next = reply.recv();
        quiet.get_or_insert_with(Quiet::take);
        match next {
            Ok(Next::Read) => {}
            Ok(Next::ReadAgain(text)) => line.run_edit_commands(&[EditCommand::InsertString(text)]),
            Ok(Next::Stop) | Err(_) => return,
        }
    }
}

/// Moves what is on the screen out of the way, so that the line being typed is the last one of the screen. There the
/// editor's printer is exact; higher up it loses its place when it prints several lines at once.
fn to_the_bottom() {
    let mut terminal = std::io::stdout();
    // A terminal that is gone shows nothing anyway.
    let _ = terminal.write_all("\n".repeat(usize::from(size::rows())).as_bytes()).and_then(|()| terminal.flush());
}

/// What stands before the line. It can change while the line is typed.
#[derive(Clone, Debug)]
struct LinePrompt(Arc<Mutex<String>>);

impl LinePrompt {
    fn new(text: &str) -> Self {
        Self(Arc::new(Mutex::new(text.to_owned())))
    }

    fn set(&self, text: &str) {
        text.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Prompt for LinePrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Owned(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!("(search: {}) ", search.term))
    }
}
