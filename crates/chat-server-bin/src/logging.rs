//! Logs to stderr, as text or JSON. Logging never waits for stderr.

use std::{
    cell::RefCell,
    io::{self, IsTerminal, Write},
};

use tracing::warn;
use tracing_subscriber::{EnvFilter, fmt};

use super::{
    args::{Args, LogFormat},
    fields::Fields,
    outlet::Outlet,
    stream::Stream,
};

thread_local! {
    /// While set, captures the records of this thread. [`lost_notice`] formats its record this way.
    static CAPTURED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// A handle to the log.
#[derive(Clone)]
pub(super) struct Log(Outlet);

/// Installs the log. `CHAT_LOG` overrides the level of the flags. It has the syntax of [`EnvFilter`], as in
/// `CHAT_LOG=chat_server=trace`.
///
/// # Errors
///
/// `CHAT_LOG` is invalid. The error says what to write.
pub(super) fn init(args: &Args) -> Result<Log, String> {
    let level = match i32::from(args.verbose) - i32::from(args.quiet) {
        ..=-2 => "off",
        -1 => "warn",
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let log = Log(Outlet::new(Stream::Stderr, lost_notice));
    let writer = log.clone();
    let directives = std::env::var("CHAT_LOG").unwrap_or_default();
    let filter = EnvFilter::try_new(if directives.is_empty() { level } else { &directives }).map_err(|error| {
        format!("CHAT_LOG: {error}: give a level such as debug, or a filter such as chat_server=trace")
    })?;
    let fmt = fmt().with_env_filter(filter).with_target(false).with_writer(move || writer.clone());
    match args.log_format {
        LogFormat::Json => fmt.json().init(),
        LogFormat::Text => {
            let ansi = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            fmt.fmt_fields(Fields).with_ansi(ansi).init();
        }
    }
    Ok(log)
}

/// Formats the record that says how many records were lost. It does not go through the queue, where it could be lost
/// too.
fn lost_notice(records: u64) -> Vec<u8> {
    CAPTURED.set(Some(Vec::new()));
    warn!(records, "lost records of this log: they could not be written, or came faster than the log was read");
    CAPTURED.take().unwrap_or_default()
}

impl Log {
    /// Prints a line that is not a record, at every log level.
    pub(super) fn print(&self, line: &str) {
        self.0.push(format!("{line}\n").into_bytes());
    }

    /// Waits until the records are written, up to a timeout.
    pub(super) fn flush(&self) {
        self.0.flush();
    }
}

/// The subscriber calls `write` once for each record.
impl Write for Log {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let captured =
            CAPTURED.with_borrow_mut(|buffer| buffer.as_mut().map(|buffer| buffer.extend_from_slice(record)));
        if captured.is_none() {
            self.0.push(record.to_vec());
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
