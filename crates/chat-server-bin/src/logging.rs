//! The log on stderr, as text or JSON. Logging never waits for stderr.

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
    /// Captures this thread's records while it makes the record about lost ones.
    static NOTICE: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// A handle to the log.
#[derive(Clone)]
pub(super) struct Log(Outlet);

/// Installs the log. `CHAT_LOG` replaces the level of the flags, in the syntax of tracing's `EnvFilter`, as in
/// `CHAT_LOG=chat_server=trace`. The error says why it is not valid.
pub(super) fn init(args: &Args) -> Result<Log, String> {
    let level = match i32::from(args.verbose) - i32::from(args.quiet) {
        ..=-2 => "off",
        -1 => "warn",
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let log = Log(Outlet::new(Stream::Stderr, notice));
    let writer = log.clone();
    let directives = std::env::var("CHAT_LOG").unwrap_or_default();
    let filter = EnvFilter::try_new(if directives.is_empty() { level } else { &directives })
        .map_err(|error| format!("CHAT_LOG: {error}: give a level, such as debug, or chat_server=trace"))?;
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

/// Makes the record that says how many were lost, in the format of all others. It bypasses the queue, where it could be
/// lost too.
fn notice(records: u64) -> Vec<u8> {
    NOTICE.set(Some(Vec::new()));
    warn!(records, "lost records of this log, which could not be written or came faster than it was read");
    NOTICE.take().unwrap_or_default()
}

impl Log {
    /// Writes a line that is not a record, at every log level.
    pub(super) fn say(&self, line: &str) {
        self.0.push(format!("{line}\n").into_bytes());
    }

    /// Waits until the records are written, up to a timeout.
    pub(super) fn flush(&self) {
        self.0.flush();
    }
}

/// The subscriber makes one write for each record.
impl Write for Log {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let is_notice = NOTICE.with_borrow_mut(|notice| notice.as_mut().map(|notice| notice.extend_from_slice(record)));
        if is_notice.is_none() {
            self.0.push(record.to_vec());
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
