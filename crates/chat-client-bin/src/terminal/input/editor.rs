//! Edits the draft: each key changes it, recalls an earlier line, or reports what the person wants.

use super::{
    Completions, History,
    ask_paste::{must_ask, question},
    completion::Candidates,
    draft::Draft,
    key::Key,
    search::Search,
};

/// Maximum length of the draft, in bytes. It is far longer than a message may be.
const MAX_DRAFT: usize = 64 * 1024;

/// What the editor reports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum EditorEvent {
    Entered(Entered),
    /// Ctrl-C on an empty line. On any other line, it clears the line.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L.
    Clear,
    /// Ctrl-\.
    Abort,
    /// The paste is too long and is not inserted.
    PasteTooLong,
}

/// What was entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entered {
    /// One line, or several lines separated by LF.
    pub(crate) text: String,
    /// Nothing in the text is a command.
    pub(crate) is_verbatim: bool,
}

/// The line editor.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    draft: Draft,
    history: History,
    search: Option<Search>,
    candidates: Option<Candidates>,
    /// Lines to send if the person agrees.
    asked: Option<String>,
}

impl Editor {
    pub(crate) fn new(history: History) -> Self {
        Self { history, ..Self::default() }
    }

    /// What to show: the prompt, the text and the position of the cursor. `prompt` is the one of a usual line.
    pub(crate) fn view<'a>(&'a self, prompt: &str) -> (String, &'a str, usize) {
        if let Some(text) = &self.asked {
            return (question(text), "", 0);
        }
        match &self.search {
            Some(search) => (format!("{prompt}{}", search.prompt()), search.found(&self.history), 0),
            None => (prompt.to_owned(), self.draft.text(), self.draft.cursor()),
        }
    }

    /// Puts unsent text back, before what has been typed since. A long text is asked about instead.
    pub(crate) fn restore(&mut self, entered: &Entered) {
        if must_ask(&entered.text) {
            self.asked = Some(entered.text.clone());
            return;
        }
        let typed = self.draft.text().to_owned();
        let separator = if typed.is_empty() { "" } else { "\n" };
        self.draft.set(&format!("{}{separator}{typed}", entered.text), entered.is_verbatim || !typed.is_empty());
    }

    /// Handles a key.
    pub(crate) fn press(&mut self, key: Key, completions: &Completions) -> Option<EditorEvent> {
        if self.asked.is_some() {
            return self.answer(&key);
        }
        if self.search.is_some() {
            return self.press_in_search(key, completions);
        }
        if !matches!(key, Key::Tab) {
            self.candidates = None;
        }
        match key {
            Key::Text(text) if self.has_room(&text) => self.draft.insert(&text),
            Key::Text(_) => {}
            Key::Paste(text) => return self.paste(text),
            Key::PasteTooLong => return Some(EditorEvent::PasteTooLong),
            Key::Enter => return Some(self.enter()),
            Key::Tab => self.complete(completions),
            Key::Up | Key::Ctrl('p') => {
                if let Some(line) = self.history.previous(self.draft.text()) {
                    self.draft.set(line, line.contains('\n'));
                }
            }
            Key::Down | Key::Ctrl('n') => {
                if let Some(line) = self.history.next() {
                    self.draft.set(&line, line.contains('\n'));
                }
            }
            Key::Ctrl('c') if self.draft.text().is_empty() => return Some(EditorEvent::Interrupt),
            Key::Ctrl('c') => drop(self.draft.take()),
            Key::Ctrl('d') if self.draft.text().is_empty() => return Some(EditorEvent::End),
            Key::Ctrl('z') => return Some(EditorEvent::Suspend),
            Key::Ctrl('l') => return Some(EditorEvent::Clear),
            Key::Ctrl('\\') => return Some(EditorEvent::Abort),
            Key::Ctrl('r') => self.search = Some(Search::default()),
            key => edit(&mut self.draft, &key),
        }
        None
    }

    fn has_room(&self, text: &str) -> bool {
        self.draft.text().len() + text.len() <= MAX_DRAFT
    }

    fn enter(&mut self) -> EditorEvent {
        let (text, is_verbatim) = self.draft.take();
        EditorEvent::Entered(Entered { text, is_verbatim })
    }

    /// Adds what was entered to the history. A long paste is not added: recalled later, it would be sent unasked.
    pub(crate) fn remember(&mut self, entered: &Entered) {
        let text = &entered.text;
        if must_ask(text) {
            return;
        }
        // Recalled later, the line must mean the same.
        let is_escaped = entered.is_verbatim && !text.contains('\n') && text.trim_start().starts_with('/');
        self.history.add(&if is_escaped { format!("/{}", text.trim_start()) } else { text.clone() });
    }

    fn paste(&mut self, text: String) -> Option<EditorEvent> {
        if must_ask(&text) {
            self.asked = Some(text);
        } else if self.has_room(&text) {
            self.draft.paste(text.trim_end_matches('\n'));
        } else {
            return Some(EditorEvent::PasteTooLong);
        }
        None
    }

    /// Handles a key while the editor asks about a paste. Only `y` agrees: Enter may be pressed by habit.
    fn answer(&mut self, key: &Key) -> Option<EditorEvent> {
        // Keys that were pressed quickly arrive together. The first one counts.
        let first = match key {
            Key::Text(text) => text.chars().next().map(|c| c.to_ascii_lowercase()),
            _ => None,
        };
        match key {
            _ if first == Some('y') => {
                let text = self.asked.take().unwrap_or_default();
                return Some(EditorEvent::Entered(Entered { text, is_verbatim: true }));
            }
            _ if first == Some('n') => self.asked = None,
            // A slow terminal sends a paste in pieces.
            Key::Paste(text) => self.asked.get_or_insert_default().push_str(text),
            Key::Escape | Key::Ctrl('c') => self.asked = None,
            Key::Ctrl('z') => return Some(EditorEvent::Suspend),
            Key::Ctrl('\\') => return Some(EditorEvent::Abort),
            _ => {}
        }
        None
    }

    fn press_in_search(&mut self, key: Key, completions: &Completions) -> Option<EditorEvent> {
        let search = self.search.as_mut()?;
        match key {
            Key::Text(text) => search.extend(&text, &self.history),
            Key::Backspace => search.shorten(&self.history),
            Key::Ctrl('r') | Key::Up => search.next(&self.history),
            Key::Ctrl('c' | 'g') | Key::Escape => self.search = None,
            key => {
                // Any other key takes the line that was found, and then acts on it.
                let found = search.found(&self.history).to_owned();
                if !found.is_empty() {
                    self.draft.set(&found, found.contains('\n'));
                }
                self.search = None;
                return self.press(key, completions);
            }
        }
        None
    }

    fn complete(&mut self, completions: &Completions) {
        if self.candidates.is_none() {
            self.candidates = completions.candidates(self.draft.text(), self.draft.cursor());
        }
        if let Some(candidates) = &mut self.candidates {
            let (range, word) = candidates.next();
            self.draft.replace(range, word);
        }
    }
}

/// Applies a key that only changes the draft.
fn edit(draft: &mut Draft, key: &Key) {
    match key {
        Key::Left | Key::Ctrl('b') => draft.move_left(),
        Key::Right | Key::Ctrl('f') => draft.move_right(),
        Key::Home | Key::Ctrl('a') => draft.move_to_start(),
        Key::End | Key::Ctrl('e') => draft.move_to_end(),
        Key::WordLeft | Key::Alt('b') => draft.move_word_left(),
        Key::WordRight | Key::Alt('f') => draft.move_word_right(),
        Key::Backspace | Key::Ctrl('h') => draft.delete_left(),
        Key::Delete | Key::Ctrl('d') => draft.delete_right(),
        Key::Ctrl('w') => draft.cut_word_left(),
        Key::Alt('d') => draft.cut_word_right(),
        Key::Ctrl('u') => draft.cut_to_start(),
        Key::Ctrl('k') => draft.cut_to_end(),
        Key::Ctrl('y') => draft.insert_cut(),
        Key::Ctrl('t') => draft.transpose(),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
