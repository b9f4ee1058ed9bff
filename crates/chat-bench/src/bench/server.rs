//! A server as a process: pinned to cores, started on a free port, measured by what the kernel counts, killed at the end.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    kind::Kind,
    placement::{Cores, Placement},
};
use crate::workspace;

/// Limits that protect a public server from one host are off: here one host is everybody.
const CHAT: &str = "--listen 127.0.0.1:0 --rate-limit 0 --connect-rate 0 --max-clients 0 --max-clients-per-ip 0";

/// How long a server may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A running server.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    _config: Option<TempFile>,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(super) fn start(kind: Kind, cores: Cores, placement: &Placement) -> Result<Self> {
        placement.enter_server(cores);
        let started = Self::spawn(kind, cores);
        placement.enter_load();
        started
    }

    fn spawn(kind: Kind, cores: Cores) -> Result<Self> {
        let port = free_port()?;
        let (mut command, config) = command(kind, port, cores)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start {kind}"))?;
        let stdout = child.stdout.take().map(BufReader::new);
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)), _config: config };
        if matches!(kind, Kind::Floor | Kind::Chat) {
            let mut line = String::new();
            if let Some(mut stdout) = stdout {
                stdout.read_line(&mut line).context("cannot read the server's address")?;
            }
            let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
            server.address = address.with_context(|| format!("{kind} does not print its address"))?;
        } else {
            // Drained, so that the server never waits for room in the pipe.
            thread::spawn(move || stdout.map(|stdout| stdout.lines().map_while(Result::ok).count()));
            server.wait_until_it_listens(kind)?;
        }
        Ok(server)
    }

    fn wait_until_it_listens(&mut self, kind: Kind) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let ended = self.child.try_wait().with_context(|| format!("cannot watch {kind}"))?;
            if ended.is_some() || start.elapsed() > START_TIMEOUT {
                bail!("{kind} does not start");
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// CPU time of all its threads, in nanoseconds.
    pub(super) fn cpu(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let spent = |path: PathBuf| {
            let schedstat = fs::read_to_string(path.join("schedstat")).ok()?;
            schedstat.split_whitespace().next()?.parse::<u64>().ok()
        };
        tasks.map_or(0, |tasks| tasks.flatten().filter_map(|task| spent(task.path())).sum())
    }

    /// Resident memory, in bytes.
    pub(super) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = resident.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.unwrap_or(0) * 1_024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that starts a server on this port. The floor and chat-server choose a port and print it.
fn command(kind: Kind, port: u16, cores: Cores) -> Result<(Command, Option<TempFile>)> {
    let program = match kind {
        Kind::Floor => std::env::current_exe().context("cannot find this program's path")?,
        Kind::Chat => workspace::program(kind.name())?,
        _ => kind.find().with_context(|| format!("{kind} is not installed"))?,
    };
    let mut command = Command::new(program);
    let mut config = None;
    match kind {
        Kind::Floor => {
            command.arg("floor");
        }
        Kind::Chat => {
            command.args(CHAT.split(' '));
        }
        Kind::Nats => {
            command.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
            command.env("GOMAXPROCS", if cores == Cores::One { "1" } else { "2" });
        }
        Kind::Redis => {
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--protected-mode", "no", "--save", ""]);
            command.args(["--appendonly", "no", "--maxclients", "20000"]);
            command.args(["--client-output-buffer-limit", "pubsub 0 0 0"]);
        }
        Kind::Ngircd => {
            let file = TempFile::new(&ngircd(port))?;
            command.args(["-n", "-f"]).arg(&file.0);
            config = Some(file);
        }
    }
    Ok((command, config))
}

fn free_port() -> Result<u16> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(address.context("cannot find a free port")?.port())
}

fn ngircd(port: u16) -> String {
    format!(
        "[Global]\nName = irc.bench\nListen = 127.0.0.1\nPorts = {port}\n[Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\n\
         MaxJoins = 0\nMaxPenaltyTime = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
    )
}

/// A file that is removed when its server ends.
struct TempFile(PathBuf);

impl TempFile {
    fn new(text: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("chat-bench-{}.conf", std::process::id()));
        fs::write(&path, text).context("cannot write a configuration")?;
        Ok(Self(path))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
