//! The configuration file: lines of `key = value`. Environment variables override them, and flags override both.

use std::{
    ffi::OsString,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;

/// All keys. `server` is an argument of the command line, all others are flags.
pub(crate) const KEYS: &[&str] = &["server", "name", "color", "time", "bell", "reconnect"];

/// A line of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: String,
    /// The path of the file and the line number.
    pub(crate) location: String,
}

/// Reads the configuration file that the arguments or the environment name; otherwise the default file, which may be missing.
pub(crate) fn file(words: &[OsString]) -> Result<Vec<Setting>, String> {
    let (path, is_asked_for) = match named(words).or_else(|| std::env::var_os("CHAT_CONFIG").map(PathBuf::from)) {
        Some(path) => (path, true),
        None => match etcetera::choose_base_strategy() {
            Ok(folders) => (folders.config_dir().join("chat-client").join("config"), false),
            // No home directory, no configuration file.
            Err(_) => return Ok(Vec::new()),
        },
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => read(&text, &path),
        Err(error) if error.kind() == ErrorKind::NotFound && !is_asked_for => Ok(Vec::new()),
        Err(error) => Err(format!("cannot read {}: {error}; give another with --config", path.display())),
    }
}

/// The value of `--config`. It is needed before clap parses the command line.
fn named(words: &[OsString]) -> Option<PathBuf> {
    let mut words = words.iter().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--config" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--config=")) {
            return Some(path.into());
        }
    }
    None
}

fn read(text: &str, path: &Path) -> Result<Vec<Setting>, String> {
    let mut settings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        // After a value, a comment starts with a space and `#`.
        let line = line.split_once(" #").map_or(line, |(line, _)| line).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let location = format!("{}:{}", path.display(), index + 1);
        let (key, value) = line.split_once('=').ok_or_else(|| format!("{location}: write `key = value`"))?;
        let (key, value) = (key.trim(), value.trim().to_owned());
        let Some(key) = KEYS.iter().find(|known| **known == key) else {
            return Err(format!("{location}: there is no `{key}`: write one of {}", KEYS.join(", ")));
        };
        settings.push(Setting { key, value, location });
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_spaces_are_ignored() {
        let text = "# mine\n\nname = ann  # who else\n time=%H:%M:%S\nbell=\n";
        let settings = read(text, Path::new("f")).unwrap();
        let expected = [("name", "ann"), ("time", "%H:%M:%S"), ("bell", "")];
        let settings: Vec<_> = settings.iter().map(|setting| (setting.key, setting.value.as_str())).collect();
        assert_eq!(settings, expected);
    }

    #[test]
    fn errors_have_file_and_line() {
        assert_eq!(read("name = a\nnmae = b", Path::new("f")).unwrap_err().split(": ").next(), Some("f:2"));
        assert_eq!(read("hello", Path::new("f")).unwrap_err(), "f:1: write `key = value`");
    }

    #[test]
    fn the_config_flag_is_found_before_parsing() {
        let named = |words: &[&str]| named(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(named(&["x", "--json", "--config", "a"]), Some("a".into()));
        assert_eq!(named(&["x", "--config=a"]), Some("a".into()));
        assert_eq!(named(&["x", "--", "--config=a"]), None);
    }
}
