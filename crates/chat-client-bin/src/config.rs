//! Reads the configuration file: lines of `key = value`. Environment variables override it, and flags override both.

use std::{
    ffi::OsString,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;

/// All keys. `server` is a positional argument of the command line; all others are flags.
pub(crate) const KEYS: &[&str] =
    &["server", "name", "color", "time", "bell", "reconnect", "log", "history", "joins", "notify"];

/// One setting of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: String,
    /// The path of the file and the line number.
    pub(crate) location: String,
}

/// Reads the file that `--config` or `CHAT_CONFIG` names. Without either, reads the default file, which may be missing.
pub(crate) fn read(words: &[OsString]) -> Result<Vec<Setting>, String> {
    // An empty variable is as good as none.
    let variable = || std::env::var_os("CHAT_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    let (path, is_explicit) = match config_flag(words).or_else(variable) {
        Some(path) => (path, true),
        None => match etcetera::choose_base_strategy() {
            Ok(folders) => (folders.config_dir().join("chat-client").join("config"), false),
            // Without a home directory, there is no configuration file.
            Err(_) => return Ok(Vec::new()),
        },
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, &path),
        // No readable file at the default place, for example because the home directory is /dev/null: no settings. A
        // file that is there but is not text is an error.
        Err(error) if error.kind() != ErrorKind::InvalidData && !is_explicit => Ok(Vec::new()),
        Err(error) => Err(format!("cannot read {}: {error}; name another file with --config", path.display())),
    }
}

/// The value of `--config`. The file must be read before clap parses the command line.
fn config_flag(words: &[OsString]) -> Option<PathBuf> {
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

fn parse(text: &str, path: &Path) -> Result<Vec<Setting>, String> {
    let mut settings = Vec::new();
    // Some editors write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        // After a value, a comment starts with a space and `#`.
        let line = line.split_once(" #").map_or(line, |(line, _)| line).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let location = format!("{}:{}", path.display(), index + 1);
        let (key, value) = line.split_once('=').ok_or_else(|| format!("{location}: write `key = value`"))?;
        let (key, value) = (key.trim(), unquoted(value.trim()).to_owned());
        let Some(key) = KEYS.iter().find(|known| **known == key) else {
            return Err(format!("{location}: unknown key `{key}`: use one of {}", KEYS.join(", ")));
        };
        settings.push(Setting { key, value, location });
    }
    Ok(settings)
}

/// The value without the quotes around it, which other notations require.
fn unquoted(value: &str) -> &str {
    let between = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    between('"').or_else(|| between('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_spaces_are_ignored() {
        let text = "# mine\n\nname = ann  # who else\n time=%H:%M:%S\nbell=\n";
        let settings = parse(text, Path::new("f")).unwrap();
        let expected = [("name", "ann"), ("time", "%H:%M:%S"), ("bell", "")];
        let settings: Vec<_> = settings.iter().map(|setting| (setting.key, setting.value.as_str())).collect();
        assert_eq!(settings, expected);
    }

    #[test]
    fn quotes_and_a_byte_order_mark_are_no_part_of_a_value() {
        let text = "\u{feff}server = \"host:1\"\nname = 'ann'\ntime = \"\"\ncolor = \"never\nbell = \"\n";
        let settings = parse(text, Path::new("f")).unwrap();
        let values: Vec<_> = settings.iter().map(|setting| setting.value.as_str()).collect();
        assert_eq!(values, ["host:1", "ann", "", "\"never", "\""]);
    }

    #[test]
    fn errors_name_file_and_line() {
        assert_eq!(parse("name = a\nnmae = b", Path::new("f")).unwrap_err().split(": ").next(), Some("f:2"));
        assert_eq!(parse("hello", Path::new("f")).unwrap_err(), "f:1: write `key = value`");
    }

    #[test]
    fn the_config_flag_is_found_without_clap() {
        let config_flag = |words: &[&str]| config_flag(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(config_flag(&["x", "--json", "--config", "a"]), Some("a".into()));
        assert_eq!(config_flag(&["x", "--config=a"]), Some("a".into()));
        assert_eq!(config_flag(&["x", "--", "--config=a"]), None);
    }
}
