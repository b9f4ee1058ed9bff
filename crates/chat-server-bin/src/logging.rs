//! The log: text or JSON on stderr. Logging never waits for stderr.

use std::{
    cell::RefCell,
    io::{self, IsTerminal, Write},
};

use chat_server::{Ending, Report, Stats};
use tracing::{info, warn};
use tracing_subscriber::{EnvFilter, fmt};

use super::{
    args::{Args, LogFormat},
    fields::Fields,
    outlet::Outlet,
    stream::Stream,
};

thread_local! {
    /// While this is set, records of this thread go here instead of the log.
    static CAPTURED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// A handle to the log.
#[derive(Clone)]
pub(super) struct Log(Outlet);

/// Installs the log. `CHAT_LOG` overrides the level of the flags. Its syntax is that of [`EnvFilter`], for example
/// `CHAT_LOG=chat_server=trace`.
///
/// # Errors
///
/// `CHAT_LOG` is invalid. The error is a message for the operator.
pub(super) fn init(args: &Args) -> Result<Log, String> {
    let level = match i32::from(args.verbose) - i32::from(args.quiet) {
        ..=-2 => "off",
        -1 => "warn",
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let log = Log(Outlet::new(Stream::Stderr, format_loss_report));
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

/// Formats the record that reports how many records are lost. This record must not go through the queue, where it could be
/// lost too.
fn format_loss_report(records: u64) -> Vec<u8> {
    CAPTURED.set(Some(Vec::new()));
    warn!(records, "lost records of this log: they could not be written, or came faster than the log was read");
    CAPTURED.take().unwrap_or_default()
}

/// Logs the outcome of the shutdown, and the totals since the start.
pub(super) fn log_stopped(report: &Report, stats: &Stats) {
    for (reason, connections) in &stats.ended {
        info!(%reason, connections, "connections ended");
    }
    let [left, refused, cut] = [Ending::Left, Ending::Refused, Ending::Cut].map(|ending| stats.ended_as(ending));
    info!(
        drained = report.drained,
        undrained = report.cut,
        connections = stats.connections,
        clients = stats.clients,
        tasks = stats.tasks,
        messages = stats.messages,
        deliveries = stats.deliveries,
        left,
        refused,
        cut,
        "stopped"
    );
}

impl Log {
    /// Prints a line that is not a record, independently of the log level.
    pub(super) fn print(&self, line: &str) {
        self.0.push(format!("{line}\n").into_bytes());
    }

    /// Waits until all records are written, with a timeout.
    pub(super) fn flush(&self) {
        self.0.flush();
    }
}

/// The subscriber calls `write` once per record.
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
