//! The log: to stderr, as text or JSON, whatever becomes of stderr.

use std::{
    io::{self, IsTerminal, Write},
    iter,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use tracing::warn;
use tracing_subscriber::{EnvFilter, fmt};

use super::args::{Args, LogFormat};

/// Records that may wait to be written. Peers cause records: while nobody reads stderr, the next ones are lost, and
/// nobody waits.
const WAITING: usize = 4_096;
/// Octets at which a write is large enough: a pipe takes so many whole, whoever else writes to it.
const AT_ONCE: usize = 4_096;
/// After records were written, the next ones gather for so long: one write, and one waking up, for all of them.
const GATHERING: Duration = Duration::from_millis(5);
/// How long the end of the program waits for what is waiting.
const AT_THE_END: Duration = Duration::from_secs(1);

/// The way to the thread that writes the log.
#[derive(Clone)]
pub(super) struct Log {
    entries: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

enum Entry {
    Record(Vec<u8>),
    /// Everything before this has been written.
    Reached(SyncSender<()>),
}

/// Installs the log. `CHAT_LOG` may refine it in the syntax of tracing's `EnvFilter`, as in
/// `CHAT_LOG=chat_server=trace`.
pub(super) fn init(args: &Args) -> Log {
    let level = match i32::from(args.verbose) - i32::from(args.quiet) {
        ..=-2 => "off",
        -1 => "warn",
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let (entries, waiting) = sync_channel(WAITING);
    let log = Log { entries, lost: Arc::default() };
    let (writer, lost) = (log.clone(), Arc::clone(&log.lost));
    thread::spawn(move || write_all(&waiting, &lost));

    let filter = EnvFilter::try_from_env("CHAT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let fmt = fmt().with_env_filter(filter).with_target(false).with_writer(move || writer.clone());
    match args.log_format {
        LogFormat::Json => fmt.json().init(),
        LogFormat::Text => fmt.with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).init(),
    }
    log
}

/// A stderr that is closed, on a full disk, or read by nobody loses its log and nothing else.
fn write_all(waiting: &Receiver<Entry>, lost: &AtomicU64) {
    let mut text = Vec::new();
    while let Ok(first) = waiting.recv() {
        for entry in iter::once(first).chain(waiting.try_iter().take(WAITING)) {
            match entry {
                Entry::Record(record) => {
                    if text.len() + record.len() > AT_ONCE {
                        write(&mut text);
                    }
                    text.extend_from_slice(&record);
                }
                Entry::Reached(told) => {
                    write(&mut text);
                    let _ = told.try_send(());
                }
            }
        }
        write(&mut text);
        let records = lost.swap(0, Ordering::Relaxed);
        if records > 0 {
            warn!(records, "lost records of this log, which came faster than it was read");
        }
        thread::sleep(GATHERING);
    }
}

fn write(text: &mut Vec<u8>) {
    let _ = io::stderr().write_all(text);
    text.clear();
}

impl Log {
    /// Waits until all records so far are written, but not for ever.
    pub(super) fn flush(&self) {
        let (told, reached) = sync_channel(1);
        let entries = self.entries.clone();
        // From a thread of its own, since the log may be full for as long as nobody reads it.
        thread::spawn(move || entries.send(Entry::Reached(told)));
        let _ = reached.recv_timeout(AT_THE_END);
    }
}

/// One write is one record: so the subscriber hands them over.
impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.entries.try_send(Entry::Record(octets.to_vec())) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
