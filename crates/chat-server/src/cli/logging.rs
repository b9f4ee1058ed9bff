//! The log: to stderr, as text or JSON, whatever becomes of stderr.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{EnvFilter, fmt};

use super::args::{Args, LogFormat};

/// Installs the log. `CHAT_LOG` may refine it in the syntax of tracing's `EnvFilter`, as in
/// `CHAT_LOG=chat_server=trace`.
pub(super) fn init(args: &Args) {
    let level = match i32::from(args.verbose) - i32::from(args.quiet) {
        ..=-2 => "off",
        -1 => "warn",
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("CHAT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = fmt().with_env_filter(filter).with_target(false).with_writer(|| Stderr);
    match args.log_format {
        LogFormat::Json => log.json().init(),
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).init(),
    }
}

/// A stderr that is closed, or on a full disk, loses its log and nothing else.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
