//! Keeps the history between starts, in a file that only its owner can read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;

use super::history::MAX_LINES;

/// Maximum length of the file that is read, in bytes.
const MAX_BYTES: u64 = 8 << 20;

/// The file of the history. A file that cannot be read or written is no error: the history then ends with the program.
#[derive(Debug)]
pub(crate) struct HistoryFile {
    path: PathBuf,
    /// Opened at the first line.
    file: Option<File>,
}

impl HistoryFile {
    /// The default file: `chat-client/history` in `$XDG_STATE_HOME`. `None` if there is no home directory.
    pub(crate) fn default_path() -> Option<PathBuf> {
        let folders = etcetera::choose_base_strategy().ok()?;
        // Windows has no folder for state.
        let folder = folders.state_dir().unwrap_or_else(|| folders.data_dir());
        Some(folder.join("chat-client").join("history"))
    }

    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// The newest lines, oldest first. Rewrites a file that has grown much longer.
    pub(crate) fn read(&self) -> Vec<String> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        if read.is_err() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let newest = lines[lines.len().saturating_sub(MAX_LINES)..].to_vec();
        if lines.len() > 2 * MAX_LINES {
            // If this fails, the file only stays long.
            let _ = self.rewrite(&newest);
        }
        newest
    }

    /// Adds a line at the end.
    pub(crate) fn append(&mut self, line: &str) {
        if self.file.is_none() {
            self.file = self.open().ok();
        }
        if let Some(file) = &mut self.file {
            // One write, so that lines of two clients do not mix.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }

    fn open(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        private(OpenOptions::new().append(true).create(true), &self.path)
    }

    fn rewrite(&self, lines: &[String]) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = private(OpenOptions::new().write(true).truncate(true).create(true), &new)?;
        file.write_all(lines.iter().flat_map(|line| [line, "\n"]).collect::<String>().as_bytes())?;
        fs::rename(new, &self.path)
    }
}

/// Opens a file that only its owner can read and write, even if it exists with other permissions.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

        let file = options.mode(0o600).open(path)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::input::History;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("chat-client-{}-{name}", std::process::id())).join("history")
    }

    #[test]
    fn lines_are_kept_in_a_private_file() {
        let path = path("history");
        let mut history = History::with_file(HistoryFile::new(path.clone()));
        for line in ["one", "two", "a paste\nof two lines"] {
            history.add(line);
        }
        let history = History::with_file(HistoryFile::new(path.clone()));
        assert_eq!((0..3).map(|index| history.get(index)).collect::<Vec<_>>(), [Some("one"), Some("two"), None]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;

            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_long_file_is_shortened() {
        let path = path("long-history");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let lines: String = (0..=2 * MAX_LINES).flat_map(|number| [number.to_string(), "\n".to_owned()]).collect();
        fs::write(&path, lines).unwrap();
        let history = History::with_file(HistoryFile::new(path.clone()));
        assert_eq!((history.len(), history.get(0)), (MAX_LINES, Some("1001")));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), MAX_LINES);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_used_is_no_error() {
        let mut history = History::with_file(HistoryFile::new("/dev/null/history".into()));
        history.add("one");
        assert_eq!(history.get(0), Some("one"));
    }
}
