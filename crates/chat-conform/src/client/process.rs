//! The process of a client: its standard input and its output. The process is killed when this is dropped.

use std::{
    fmt,
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin},
    sync::watch,
    task::{JoinSet, yield_now},
    time::{Instant, timeout_at},
};

/// How many bytes of the output are kept and searched, from its start. This bounds the memory if a client never stops
/// printing.
pub(super) const MAX_OUTPUT: usize = 1 << 20;
/// How long to wait for the last output of a client that has ended, or whose server is gone.
pub(super) const LAST_OUTPUT: Duration = Duration::from_millis(300);
/// How many bytes of the end of the output are kept, for reports.
const OUTPUT_TAIL: usize = 160;

/// The command that starts a client: a program and its arguments. `{addr}`, `{host}`, `{port}` and `{name}` in them are
/// replaced.
#[derive(Clone, Debug)]
pub struct Command {
    words: Vec<String>,
}

impl Command {
    /// Makes a command from the program and its arguments. Appends `{addr}` if they contain none of `{addr}`, `{host}`
    /// and `{port}`. `None` if `words` is empty.
    pub fn new(mut words: Vec<String>) -> Option<Self> {
        if words.is_empty() {
            return None;
        }
        let has_address = words
            .iter()
            .any(|word| ["{addr}", "{host}", "{port}"].iter().any(|placeholder| word.contains(placeholder)));
        if !has_address {
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

/// How a client has exited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// With this exit code.
    ByItself(i32),
    /// Killed by a signal.
    BySignal,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByItself(code) => write!(f, "with exit code {code}"),
            Self::BySignal => f.write_str("by a signal"),
        }
    }
}

/// A running client.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Arc<Mutex<Output>>,
    /// Changes whenever there is new output.
    changed: watch::Receiver<()>,
    memory_before: Option<u64>,
    /// The tasks that read the output. They end when this is dropped, even if another process holds the pipes open.
    _collectors: JoinSet<()>,
}

/// What the client has printed, on standard output and standard error together.
#[derive(Debug, Default)]
struct Output {
    /// The first bytes, at most [`MAX_OUTPUT`].
    first: Vec<u8>,
    /// The last bytes, at most [`OUTPUT_TAIL`].
    last: Vec<u8>,
    /// Whether there was more output than `first` can hold.
    is_truncated: bool,
}

impl Output {
    fn add(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(MAX_OUTPUT - self.first.len());
        self.first.extend(&bytes[..kept]);
        self.is_truncated |= kept < bytes.len();
        self.last.extend(&bytes[bytes.len().saturating_sub(OUTPUT_TAIL)..]);
        self.last.drain(..self.last.len().saturating_sub(OUTPUT_TAIL));
    }

    /// Whether `first` contains these bytes at `from` or later.
    fn has(&self, bytes: &[u8], from: usize) -> bool {
        bytes.is_empty() || self.first[from..].windows(bytes.len()).any(|window| window == bytes)
    }
}

impl Process {
    pub(super) fn start(command: &Command, address: SocketAddr, name: &str) -> Result<Self, String> {
        let words = command.filled_in(address, name);
        let (program, arguments) = words.split_first().ok_or("an empty command")?;
        let mut process = tokio::process::Command::new(program);
        process.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = process.spawn().map_err(|error| {
            format!("cannot start {program}: {error}: write the command that starts your client after `--`")
        })?;
        let (output, mut collectors) = (Arc::default(), JoinSet::new());
        let (change, changed) = watch::channel(());
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            collectors.spawn(collect(stdout, Arc::clone(&output), change.clone()));
            collectors.spawn(collect(stderr, Arc::clone(&output), change));
        }
        Ok(Self { stdin: child.stdin.take(), child, output, changed, memory_before: None, _collectors: collectors })
    }

    /// Writes to the client's standard input. A client that no longer reads is not an error.
    pub(super) async fn write(&mut self, bytes: &[u8], deadline: Instant) {
        if let Some(stdin) = &mut self.stdin {
            let _ = timeout_at(deadline, async {
                stdin.write_all(bytes).await?;
                stdin.flush().await
            })
            .await;
        }
    }

    /// Closes the client's standard input.
    pub(super) fn close_input(&mut self) {
        self.stdin = None;
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the first [`MAX_OUTPUT`] bytes of the output contain these bytes.
    pub(super) fn has_printed(&self, bytes: &[u8]) -> bool {
        self.output().has(bytes, 0)
    }

    /// What may be the cause if the client has printed nothing, in parentheses. Otherwise empty.
    pub(super) fn hint_if_silent(&self) -> &'static str {
        let hint = " (it has printed nothing at all: does it flush its output?)";
        if self.output().last.is_empty() { hint } else { "" }
    }

    /// How often the first [`MAX_OUTPUT`] bytes of the output contain these bytes.
    pub(super) fn times_printed(&self, bytes: &[u8]) -> usize {
        self.output().first.windows(bytes.len().max(1)).filter(|window| *window == bytes).count()
    }

    /// How much the memory of the client has grown since [`Self::remember_memory`], in bytes. `None` where the system
    /// does not tell.
    pub(super) fn memory_taken(&self) -> Option<u64> {
        Some(self.memory()?.saturating_sub(self.memory_before?))
    }

    /// Remembers how much memory the client has now.
    pub(super) fn remember_memory(&mut self) {
        self.memory_before = self.memory();
    }

    /// The memory of the process in bytes, at its highest. Linux tells it.
    fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
    }

    /// Waits until the output has ended, because the client has exited.
    pub(super) async fn wait_for_end(&mut self, deadline: Instant) {
        while let Ok(Ok(())) = timeout_at(deadline, self.changed.changed()).await {}
    }

    /// Whether the client has printed more than [`MAX_OUTPUT`] bytes.
    pub(super) fn is_truncated(&self) -> bool {
        self.output().is_truncated
    }

    /// Waits until the client has printed these bytes. Returns `false` at the deadline, at the end of the output, and
    /// after [`MAX_OUTPUT`] bytes.
    pub(super) async fn wait_for_output(&mut self, bytes: &[u8], deadline: Instant) -> bool {
        let mut searched = 0;
        loop {
            let is_truncated = {
                let output = self.output();
                if output.has(bytes, searched) {
                    return true;
                }
                // The last bytes may be the start of what is searched for.
                searched = output.first.len().saturating_sub(bytes.len());
                output.is_truncated
            };
            // A client that never stops printing cannot postpone the deadline.
            if is_truncated || Instant::now() >= deadline {
                return false;
            }
            // The output has ended, or the deadline has passed.
            if !matches!(timeout_at(deadline, self.changed.changed()).await, Ok(Ok(()))) {
                // The judge may have been stopped past the deadline. The yield lets the collectors read what arrived
                // meanwhile.
                yield_now().await;
                return self.has_printed(bytes);
            }
        }
    }

    /// The last bytes of the output.
    pub(super) fn output_tail(&self) -> Vec<u8> {
        self.output().last.clone()
    }

    /// Waits for the exit of the client. `None`: it still runs at the deadline.
    pub(super) async fn wait_exit(&mut self, deadline: Instant) -> Option<Exit> {
        let status = timeout_at(deadline, self.child.wait()).await.ok()?.ok()?;
        Some(status.code().map_or(Exit::BySignal, Exit::ByItself))
    }

    /// Whether a signal has killed the client.
    pub(super) fn was_killed_by_signal(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(status)) if status.code().is_none())
    }
}

/// Reads an output of the client to its end.
async fn collect(mut from: impl AsyncRead + Unpin, output: Arc<Mutex<Output>>, change: watch::Sender<()>) {
    let mut buffer = vec![0; 8_192];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        output.lock().unwrap_or_else(PoisonError::into_inner).add(&buffer[..count]);
        // The receiver may have been dropped.
        let _ = change.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_replaces_a_placeholder_or_comes_last() {
        let address: SocketAddr = "127.0.0.1:7".parse().unwrap();
        let filled = |words: &[&str]| {
            Command::new(words.iter().map(ToString::to_string).collect()).unwrap().filled_in(address, "bob")
        };
        assert_eq!(filled(&["talk", "--name", "{name}"]), ["talk", "--name", "bob", "127.0.0.1:7"]);
        assert_eq!(filled(&["nc", "{host}", "{port}"]), ["nc", "127.0.0.1", "7"]);
        assert!(Command::new(Vec::new()).is_none());
    }

    #[test]
    fn long_output_keeps_its_start_and_its_end() {
        let mut output = Output::default();
        output.add(b"hello");
        for _ in 0..3 * MAX_OUTPUT / 8_192 {
            output.add(&[b'y'; 8_192]);
        }
        assert!(output.is_truncated);
        output.add(b"the end");
        assert!(output.has(b"hello", 0) && output.last.ends_with(b"yythe end"));
        assert_eq!((output.first.len(), output.last.len()), (MAX_OUTPUT, OUTPUT_TAIL));
    }
}
