//! A client's process: started with pipes, typed to, read from, and never left behind.

use std::{
    fmt,
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin},
    sync::watch,
    task::{JoinSet, yield_now},
    time::{Instant, timeout_at},
};

/// So many bytes of what a client shows are looked at, and so many of its end are kept for the report. A client that never
/// stops printing costs no more memory than this.
pub(super) const MOST_SHOWN: usize = 1 << 20;
const LAST_SHOWN: usize = 160;

/// How a client is started: a program and its arguments, in which `{addr}`, `{host}`, `{port}` and `{name}` are filled in.
#[derive(Clone, Debug)]
pub struct Command {
    words: Vec<String>,
}

impl Command {
    /// The command, unless it is empty. If it has no place for an address, `HOST:PORT` is its last argument.
    pub fn new(mut words: Vec<String>) -> Option<Self> {
        if words.is_empty() {
            return None;
        }
        let has_place =
            words.iter().any(|word| ["{addr}", "{host}", "{port}"].iter().any(|place| word.contains(place)));
        if !has_place {
            words.push("{addr}".to_owned());
        }
        Some(Self { words })
    }

    fn filled_in(&self, address: SocketAddr, name: &str) -> Vec<String> {
        let fill = |word: &String| {
            word.replace("{addr}", &address.to_string())
                .replace("{host}", &address.ip().to_string())
                .replace("{port}", &address.port().to_string())
                .replace("{name}", name)
        };
        self.words.iter().map(fill).collect()
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

/// A running client.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    shown: Arc<Mutex<Shown>>,
    changed: watch::Receiver<()>,
    /// They end with this process, also if another holds its outputs open.
    _collecting: JoinSet<()>,
}

/// What it has shown, on both outputs.
#[derive(Debug, Default)]
struct Shown {
    /// The first bytes.
    first: Vec<u8>,
    /// The last ones.
    last: Vec<u8>,
    /// Whether there were more than `first` holds.
    is_cut: bool,
}

impl Shown {
    fn add(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(MOST_SHOWN - self.first.len());
        self.first.extend(&bytes[..kept]);
        self.is_cut |= kept < bytes.len();
        self.last.extend(&bytes[bytes.len().saturating_sub(LAST_SHOWN)..]);
        self.last.drain(..self.last.len().saturating_sub(LAST_SHOWN));
    }

    fn has(&self, bytes: &[u8], from: usize) -> bool {
        bytes.is_empty() || self.first[from..].windows(bytes.len()).any(|window| window == bytes)
    }
}

impl Process {
    pub(super) fn start(command: &Command, address: SocketAddr, name: &str) -> Result<Self, String> {
        let words = command.filled_in(address, name);
        let (program, arguments) = words.split_first().ok_or("an empty command")?;
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            format!("cannot start {program}: {error}: behind `--` stands a command as one types it")
        })?;
        let (shown, mut collecting) = (Arc::default(), JoinSet::new());
        let (change, changed) = watch::channel(());
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            collecting.spawn(collect(stdout, Arc::clone(&shown), change.clone()));
            collecting.spawn(collect(stderr, Arc::clone(&shown), change));
        }
        Ok(Self { stdin: child.stdin.take(), child, shown, changed, _collecting: collecting })
    }

    /// Types. A client that no longer reads is no error here.
    pub(super) async fn write(&mut self, bytes: &[u8], until: Instant) {
        if let Some(stdin) = &mut self.stdin {
            let _ = timeout_at(until, async {
                stdin.write_all(bytes).await?;
                stdin.flush().await
            })
            .await;
        }
    }

    pub(super) fn close_input(&mut self) {
        self.stdin = None;
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether these bytes are among the first [`MOST_SHOWN`].
    pub(super) fn has_shown(&self, bytes: &[u8]) -> bool {
        self.shown().has(bytes, 0)
    }

    /// Whether it has shown more than is looked at.
    pub(super) fn shows_too_much(&self) -> bool {
        self.shown().is_cut
    }

    /// Waits until it has shown these bytes, or more than is looked at. Whether it has.
    pub(super) async fn shows(&mut self, bytes: &[u8], until: Instant) -> bool {
        let mut searched = 0;
        loop {
            let is_cut = {
                let shown = self.shown();
                if shown.has(bytes, searched) {
                    return true;
                }
                // They may have begun to come.
                searched = shown.first.len().saturating_sub(bytes.len());
                shown.is_cut
            };
            // One that never stops printing does not push the deadline.
            if is_cut || Instant::now() >= until {
                return false;
            }
            // Its output has ended, or the time is up.
            if !matches!(timeout_at(until, self.changed.changed()).await, Ok(Ok(()))) {
                // This process may have slept over the deadline: what it shows is read once more before the time counts.
                yield_now().await;
                return self.has_shown(bytes);
            }
        }
    }

    /// The end of what it has shown.
    pub(super) fn last_shown(&self) -> Vec<u8> {
        self.shown().last.clone()
    }

    /// Waits for its end. Whether it has ended, and whether by itself.
    pub(super) async fn ends(&mut self, until: Instant) -> Option<bool> {
        let status = timeout_at(until, self.child.wait()).await.ok()?.ok()?;
        Some(status.code().is_some())
    }

    /// Whether it has been ended by a signal, which it did not ask for.
    pub(super) fn has_crashed(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(status)) if status.code().is_none())
    }
}

async fn collect(mut from: impl AsyncRead + Unpin, shown: Arc<Mutex<Shown>>, change: watch::Sender<()>) {
    let mut buffer = vec![0; 8_192];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        shown.lock().unwrap_or_else(PoisonError::into_inner).add(&buffer[..count]);
        // Nobody may be waiting.
        let _ = change.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_last_or_where_it_is_wanted() {
        let address: SocketAddr = "127.0.0.1:7".parse().unwrap();
        let filled = |words: &[&str]| {
            Command::new(words.iter().map(ToString::to_string).collect()).unwrap().filled_in(address, "bob")
        };
        assert_eq!(filled(&["talk", "--name", "{name}"]), ["talk", "--name", "bob", "127.0.0.1:7"]);
        assert_eq!(filled(&["nc", "{host}", "{port}"]), ["nc", "127.0.0.1", "7"]);
        assert!(Command::new(Vec::new()).is_none());
    }

    #[test]
    fn of_what_is_shown_the_beginning_and_the_end_are_kept() {
        let mut shown = Shown::default();
        shown.add(b"hello");
        for _ in 0..3 * MOST_SHOWN / 8_192 {
            shown.add(&[b'y'; 8_192]);
        }
        assert!(shown.is_cut);
        shown.add(b"the end");
        assert!(shown.has(b"hello", 0) && shown.last.ends_with(b"yythe end"));
        assert_eq!((shown.first.len(), shown.last.len()), (MOST_SHOWN, LAST_SHOWN));
    }
}
