//! A client's process: started with pipes, typed to, read from, and never left behind.

use std::{
    fmt,
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin},
    sync::watch,
    time::{Instant, timeout_at},
};

/// A client shows no more than this before it is no longer listened to.
const MOST_SHOWN: usize = 1 << 22;

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
    shown: Arc<Mutex<Vec<u8>>>,
    changed: watch::Receiver<()>,
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
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (change, changed) = watch::channel(());
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            tokio::spawn(collect(stdout, Arc::clone(&shown), change.clone()));
            tokio::spawn(collect(stderr, Arc::clone(&shown), change));
        }
        Ok(Self { stdin: child.stdin.take(), child, shown, changed })
    }

    /// Types. A client that no longer reads is no error here.
    pub(super) async fn write(&mut self, octets: &[u8], until: Instant) {
        if let Some(stdin) = &mut self.stdin {
            let _ = timeout_at(until, async {
                stdin.write_all(octets).await?;
                stdin.flush().await
            })
            .await;
        }
    }

    pub(super) fn close_input(&mut self) {
        self.stdin = None;
    }

    pub(super) fn has_shown(&self, octets: &[u8]) -> bool {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        octets.is_empty() || shown.windows(octets.len()).any(|window| window == octets)
    }

    /// Waits until it has shown these octets. Whether it has.
    pub(super) async fn shows(&mut self, octets: &[u8], until: Instant) -> bool {
        while !self.has_shown(octets) {
            // Its output has ended, or the time is up.
            if !matches!(timeout_at(until, self.changed.changed()).await, Ok(Ok(()))) {
                return self.has_shown(octets);
            }
        }
        true
    }

    /// The end of what it has shown.
    pub(super) fn last_shown(&self) -> Vec<u8> {
        const MOST: usize = 160;
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown[shown.len().saturating_sub(MOST)..].to_vec()
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

async fn collect(mut from: impl AsyncRead + Unpin, shown: Arc<Mutex<Vec<u8>>>, change: watch::Sender<()>) {
    let mut buffer = vec![0; 8_192];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.len() < MOST_SHOWN {
            shown.extend(&buffer[..count]);
        }
        drop(shown);
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
}
