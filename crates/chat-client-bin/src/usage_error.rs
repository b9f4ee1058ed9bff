//! Errors of the command line and the configuration file, one line each.

use std::io::Write;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{Exit, complain, config::Setting};

/// Prints what clap reports: help or the version on stdout, an error on stderr.
pub(crate) fn explain(error: &clap::Error, settings: &[Setting]) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nobody reads the help if stdout is closed.
        drop(write!(std::io::stdout(), "{}", error.render()));
        return Exit::Done;
    }
    let location =
        settings.iter().find(|setting| is_about(setting, error)).map(|setting| format!("{}: ", setting.location));
    usage(&(location.unwrap_or_default() + &one_line(&error.to_string())))
}

/// Clap's error message on one line, without its usage.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message).lines().map(str::trim);
    let message = message.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    message.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Whether this line of the file caused the error.
fn is_about(setting: &Setting, error: &clap::Error) -> bool {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let arg = text(ContextKind::InvalidArg);
    let is_key =
        if setting.key == "server" { !arg.starts_with("--") } else { arg.starts_with(&format!("--{} ", setting.key)) };
    is_key && text(ContextKind::InvalidValue) == setting.value
}

pub(crate) fn usage(why: &str) -> Exit {
    complain(&format!("{why} (try --help)"));
    Exit::Usage
}
