//! Starts a server on its cores and a free port, and reads how much CPU time and memory it uses.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    placement::{Cores, Placement},
    server_kind::ServerKind,
};
use crate::{server_process::ServerProcess, workspace};

/// Flags of chat-server. The limits per address are off, because all clients have the same address.
const CHAT_FLAGS: &str = "--listen 127.0.0.1:0 --rate-limit 0 --connect-rate 0 --max-clients 0 --max-clients-per-ip 0";

/// Maximum time to wait until a server listens.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A running server.
pub(super) struct Server {
    process: ServerProcess,
    pub(super) address: SocketAddr,
    _config_file: Option<TempFile>,
}

impl Server {
    /// Starts a server on its cores, and waits until it listens.
    pub(super) fn start(kind: ServerKind, cores: Cores, placement: &Placement) -> Result<Self> {
        placement.pin_to_server_cores(cores);
        let started = Self::spawn(kind, cores);
        placement.pin_to_load_core();
        started
    }

    fn spawn(kind: ServerKind, cores: Cores) -> Result<Self> {
        let port = free_port()?;
        let (mut command, config_file) = command(kind, port, cores)?;
        let prints_address = kind.is_own();
        command.stdout(if prints_address { Stdio::piped() } else { Stdio::null() }).stderr(Stdio::null());
        let process = ServerProcess::spawn(command)?;
        let mut server = Self { process, address: SocketAddr::from(([127, 0, 0, 1], port)), _config_file: config_file };
        if prints_address {
            server.address = server.process.read_address()?;
        } else {
            server.wait_until_listening(kind)?;
        }
        Ok(server)
    }

    fn wait_until_listening(&mut self, kind: ServerKind) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if self.process.has_ended()? || start.elapsed() > START_TIMEOUT {
                bail!("{kind} does not start");
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// CPU time used by all threads so far, in nanoseconds.
    pub(super) fn cpu_time(&self) -> u64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id()));
        let used_by = |thread: PathBuf| {
            let schedstat = fs::read_to_string(thread.join("schedstat")).ok()?;
            schedstat.split_whitespace().next()?.parse::<u64>().ok()
        };
        threads.map_or(0, |threads| threads.flatten().filter_map(|thread| used_by(thread.path())).sum())
    }

    /// Resident memory, in bytes.
    pub(super) fn memory(&self) -> Result<u64> {
        Ok(self.process.memory_kib()? * 1_024)
    }
}

/// The command that starts a server on this port. The floor and chat-server choose a port themselves and print it.
fn command(kind: ServerKind, port: u16, cores: Cores) -> Result<(Command, Option<TempFile>)> {
    let program = match kind {
        ServerKind::Floor => std::env::current_exe().context("cannot find the path of this program")?,
        ServerKind::Chat => workspace::program(kind.name())?,
        _ => kind.find_installed().with_context(|| format!("{kind} is not installed"))?,
    };
    let mut command = Command::new(program);
    let mut config_file = None;
    match kind {
        ServerKind::Floor => {
            command.arg("floor");
        }
        ServerKind::Chat => {
            command.args(CHAT_FLAGS.split(' '));
        }
        ServerKind::Nats => {
            command.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
            command.env("GOMAXPROCS", if cores == Cores::One { "1" } else { "2" });
        }
        ServerKind::Redis => {
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--protected-mode", "no", "--save", ""]);
            command.args(["--appendonly", "no", "--maxclients", "20000"]);
            command.args(["--client-output-buffer-limit", "pubsub 0 0 0"]);
        }
        ServerKind::Ngircd => {
            let file = TempFile::new(&ngircd_config(port))?;
            command.args(["-n", "-f"]).arg(&file.0);
            config_file = Some(file);
        }
    }
    Ok((command, config_file))
}

fn free_port() -> Result<u16> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(address.context("cannot find a free port")?.port())
}

/// A configuration of ngircd that disables its limits.
fn ngircd_config(port: u16) -> String {
    format!(
        "[Global]\nName = irc.bench\nListen = 127.0.0.1\nPorts = {port}\n[Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\n\
         MaxJoins = 0\nMaxPenaltyTime = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
    )
}

/// A file that is removed when it is dropped.
struct TempFile(PathBuf);

impl TempFile {
    fn new(text: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("chat-bench-{}.conf", std::process::id()));
        fs::write(&path, text).context("cannot write a configuration file")?;
        Ok(Self(path))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
