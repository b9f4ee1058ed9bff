//! The servers as processes: pinned to cores, started on a free port, measured by the kernel's books, ended.

use std::{
    fmt, fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use super::floor;
use crate::{Failure, workspace};

/// A kind of server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Chat,
    Floor,
    Nats,
    Redis,
    Ngircd,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Chat, Self::Floor, Self::Nats, Self::Redis, Self::Ngircd];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat-server",
            Self::Floor => "floor",
            Self::Nats => "nats-server",
            Self::Redis => "redis-server",
            Self::Ngircd => "ngircd",
        }
    }

    /// Why it cannot be measured here.
    pub(super) fn missing(self) -> Option<&'static str> {
        if matches!(self, Self::Chat | Self::Floor) || find(self.name()).is_some() {
            return None;
        }
        Some("it is not installed")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Which cores the servers get, and which the load.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    load: CpuSet,
    server: CpuSet,
    both: CpuSet,
    pinned: bool,
}

impl Placement {
    /// The load on the first core that this process may use, the servers on the second; those that get two have the load's
    /// too only where there is no third.
    pub(super) fn choose() -> Result<Self, Failure> {
        let all = sched_getaffinity(None).map_err(|error| Failure::work(format!("cannot ask for cores: {error}")))?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core));
        let one = |core| {
            let mut set = CpuSet::new();
            set.set(core);
            set
        };
        match (cores.next(), cores.next()) {
            (Some(load), Some(server)) => {
                let mut both = one(server);
                both.set(cores.next().unwrap_or(load));
                Ok(Self { load: one(load), server: one(server), both, pinned: true })
            }
            _ => Ok(Self { load: all, server: all, both: all, pinned: false }),
        }
    }

    /// What a server started next is to use; back to the load's own core with [`Placement::load`].
    fn enter(&self, cores: Cores) {
        let set = match cores {
            Cores::One => &self.server,
            Cores::Two => &self.both,
        };
        // Without the right to choose cores the figures are worse, and still true.
        let _ = sched_setaffinity(None, set);
    }

    /// Whether a server that gets so many cores shares one with the load.
    pub(super) fn shared(&self, cores: Cores) -> bool {
        cores == Cores::Two && (0..CpuSet::MAX_CPU).any(|core| self.load.is_set(core) && self.both.is_set(core))
    }

    fn load(&self) {
        let _ = sched_setaffinity(None, &self.load);
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.pinned && self.shared(Cores::Two) {
            "servers on one core, the load on another; a server on two shares one with the load, so that its rate says little"
        } else if self.pinned {
            "servers on one core, or two where the row says so, the load on another"
        } else {
            "only one core: servers and load share it, so that rates say little"
        })
    }
}

/// How many cores a server gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cores {
    One,
    Two,
}

/// A server that runs.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    _files: Option<TempFile>,
}

impl Server {
    pub(super) fn start(kind: Kind, cores: Cores, placement: &Placement) -> Result<Self, Failure> {
        placement.enter(cores);
        let started = Self::spawn(kind, cores);
        placement.load();
        started
    }

    fn spawn(kind: Kind, cores: Cores) -> Result<Self, Failure> {
        let port = free_port()?;
        let text = port.to_string();
        let this = std::env::current_exe().map_err(Failure::while_doing("find this program"))?;
        let mut files = None;
        let mut command = match kind {
            Kind::Floor => Command::new(this),
            Kind::Chat => Command::new(workspace::target()?.join("release").join("chat-server")),
            _ => Command::new(find(kind.name()).unwrap_or_else(|| kind.name().into())),
        };
        match kind {
            Kind::Floor => command.args(["bench", floor::COMMAND]),
            // The limits that protect a public server from one host are off: here one host is everybody.
            Kind::Chat => command.args(["--listen", "127.0.0.1:0", "--rate-limit", "0"]).args([
                "--connect-rate",
                "0",
                "--max-clients",
                "0",
                "--max-clients-per-ip",
                "0",
            ]),
            Kind::Nats => command
                .args(["-a", "127.0.0.1", "-p", &text])
                .env("GOMAXPROCS", if cores == Cores::One { "1" } else { "2" }),
            Kind::Redis => command
                .args(["--port", &text, "--bind", "127.0.0.1", "--protected-mode", "no", "--save", ""])
                .args(["--appendonly", "no", "--maxclients", "20000"])
                .args(["--client-output-buffer-limit", "pubsub 0 0 0"]),
            Kind::Ngircd => {
                let file = TempFile::new(&ngircd(port))?;
                command.args(["-n", "-f"]).arg(&file.0);
                files = Some(file);
                &mut command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(Failure::while_doing(&format!("start {kind}")))?;
        let stdout = child.stdout.take();
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)), _files: files };
        if matches!(kind, Kind::Floor | Kind::Chat) {
            let mut line = String::new();
            if let Some(stdout) = stdout {
                BufReader::new(stdout).read_line(&mut line).map_err(Failure::while_doing("read an address"))?;
            }
            let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
            server.address = address.ok_or_else(|| Failure::work(format!("{kind} does not say where it listens")))?;
        } else {
            // What others print is nobody's business; read, so that they do not wait for it.
            thread::spawn(move || stdout.map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok).count()));
            server.wait_until_it_listens(kind)?;
        }
        Ok(server)
    }

    fn wait_until_it_listens(&mut self, kind: Kind) -> Result<(), Failure> {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let ended = self.child.try_wait().map_err(Failure::while_doing("watch a server"))?;
            if ended.is_some() || start.elapsed() > Duration::from_secs(10) {
                return Err(Failure::work(format!("{kind} does not start")));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Time that it has spent on a core, in nanoseconds, over all of its threads.
    pub(super) fn cpu(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let spent = |path: PathBuf| {
            let books = fs::read_to_string(path.join("schedstat")).ok()?;
            books.split_whitespace().next()?.parse::<u64>().ok()
        };
        tasks.map_or(0, |tasks| tasks.flatten().filter_map(|task| spent(task.path())).sum())
    }

    /// Resident memory, in octets.
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

fn free_port() -> Result<u16, Failure> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).map_err(Failure::while_doing("find a free port"))
}

fn ngircd(port: u16) -> String {
    format!(
        "[Global]\nName = irc.bench\nListen = 127.0.0.1\nPorts = {port}\n[Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\n\
         MaxJoins = 0\nMaxPenaltyTime = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
    )
}

/// A file that goes with its server.
struct TempFile(PathBuf);

impl TempFile {
    fn new(text: &str) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("chat-bench-{}.conf", std::process::id()));
        fs::write(&path, text).map_err(Failure::while_doing("write a configuration"))?;
        Ok(Self(path))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// As many sockets as the system allows; servers inherit it.
pub(super) fn raise_limits() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
