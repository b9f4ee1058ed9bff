//! Appends the conversation to a file, with date and time.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chat_client::{
    Event, Name,
    conversation::{Line, render},
    escape,
};
use jiff::Zoned;

use crate::print_error;

/// A log of the conversation.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens the file, or creates one that only its owner can read.
    ///
    /// # Errors
    /// The message says which file, and why.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.append(true).create(true).open(path);
        let file = file.map_err(|error| format!("cannot open {}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Appends a line. It must be escaped: see [`escape`](chat_client::escape).
    ///
    /// # Errors
    /// The message says which file, and why.
    pub(crate) fn append(&mut self, now: &Zoned, line: &str) -> Result<(), String> {
        let line = format!("{} {line}\n", now.strftime("%Y-%m-%d %H:%M:%S"));
        let written: io::Result<()> = self.file.write_all(line.as_bytes());
        written.map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }
}

/// The log of a conversation without a terminal, if there is one.
#[derive(Debug)]
pub(crate) struct EventLog {
    log: Mutex<Option<LogFile>>,
    /// This client's name.
    own: Option<Name>,
}

impl EventLog {
    pub(crate) fn new(log: Option<LogFile>, own: Option<Name>) -> Self {
        Self { log: Mutex::new(log), own }
    }

    /// Appends an event. If the log cannot be written, reports that and ends it.
    pub(crate) fn append(&self, event: &Event) {
        let line = match event {
            // This client's own message, at its place in the order.
            Event::Accepted { text, .. } => match self.own {
                Some(own) => format!("<{own}> {}", escape(text.as_str())),
                None => format!("<you> {}", escape(text.as_str())),
            },
            event => match render(event) {
                Some(Line::Data(line) | Line::Status(line)) => line,
                _ => return,
            },
        };
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(why)) = log.as_mut().map(|log| log.append(&Zoned::now(), &line)) {
            *log = None;
            print_error(&format!("{why}; the log ends here"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_appended_with_their_date() {
        let path = std::env::temp_dir().join(format!("chat-client-{}-log", std::process::id()));
        let time: Zoned = "2026-11-25T09:05:01[UTC]".parse().unwrap();
        for line in ["<bob> one", "* bob left"] {
            LogFile::open(&path).unwrap().append(&time, line).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text, "2026-11-25 09:05:01 <bob> one\n2026-11-25 09:05:01 * bob left\n");
    }

    #[test]
    fn errors_name_the_file() {
        let error = LogFile::open(Path::new("/dev/null/log")).unwrap_err();
        assert!(error.starts_with("cannot open /dev/null/log: "), "{error}");
    }
}
