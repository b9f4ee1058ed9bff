//! Reports errors of the command line and the configuration file, in one line each.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{Exit, config::Setting, print_error, print_output};

/// Prints what clap reports: help or the version to stdout, an error to stderr.
pub(crate) fn report_clap_error(error: &clap::Error, settings: &[Setting]) -> Exit {
    let text = error.to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return print_output(&text);
    }
    // Clap's first paragraph says what is wrong. The rest is advice, for which `--help` is enough.
    let message = text.split("\n\n").next().unwrap_or_default().replace("\n ", "");
    let location =
        settings.iter().find(|setting| is_cause(setting, error)).map(|setting| format!("{}: ", setting.location));
    report_usage(&(location.unwrap_or_default() + message.trim_start_matches("error: ")))
}

/// Whether this setting of the configuration file caused the error.
fn is_cause(setting: &Setting, error: &clap::Error) -> bool {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let arg = text(ContextKind::InvalidArg);
    let is_key =
        if setting.key == "server" { !arg.starts_with("--") } else { arg.starts_with(&format!("--{} ", setting.key)) };
    is_key && text(ContextKind::InvalidValue) == setting.value
}

/// Prints an error of usage.
pub(crate) fn report_usage(why: &str) -> Exit {
    print_error(&format!("{why} (try --help)"));
    Exit::Usage
}
