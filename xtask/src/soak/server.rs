//! The server as a process, and what it uses.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{Failure, workspace};

/// Time for connections that are closed to be given back, and for a stop.
const SETTLE: Duration = Duration::from_secs(20);

pub(super) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

/// What it uses and what it says of itself.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Resident, in KiB.
    pub(super) memory: u64,
    pub(super) descriptors: u64,
    stats: BTreeMap<String, u64>,
}

impl Sample {
    /// From the line that the server prints on SIGUSR1.
    pub(super) fn of(memory: u64, line: &str) -> Self {
        let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
        let stats = pairs.filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?))).collect();
        Self { memory, descriptors: 0, stats }
    }

    /// 0 for what the server does not say.
    pub(super) fn stat(&self, name: &str) -> u64 {
        self.stats.get(name).copied().unwrap_or(0)
    }
}

impl Server {
    pub(super) fn start() -> Result<Self, Failure> {
        let mut command = Command::new(program("chat-server")?);
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--quiet",
            "--rate-limit",
            "0",
            "--connect-rate",
            "0",
            "--max-clients-per-ip",
            "0",
        ]);
        command.args(["--write-timeout", "2", "--ping-interval", "5", "--ping-timeout", "2", "--login-timeout", "5"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Failure::while_doing("start the server"))?;
        let stdout = child.stdout.take().ok_or_else(|| Failure::work("the server has no output"))?;
        let mut server = Self { child, stdout: BufReader::new(stdout), address: ([0; 4], 0).into() };
        let line = server.line()?;
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        server.address = address.ok_or_else(|| Failure::work(format!("no address in {line:?}")))?;
        Ok(server)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn sample(&mut self) -> Result<Sample, Failure> {
        self.signal("USR1")?;
        let line = self.line()?;
        let mut sample = Sample::of(self.memory()?, &line);
        let descriptors =
            fs::read_dir(format!("/proc/{}/fd", self.id())).map_err(Failure::while_doing("count descriptors"))?;
        sample.descriptors = descriptors.count() as u64;
        Ok(sample)
    }

    /// Waits until nothing more is used than before anybody came.
    pub(super) fn settled(&mut self, before: &Sample) -> Result<Sample, Failure> {
        let begun = Instant::now();
        loop {
            let sample = self.sample()?;
            let used = |sample: &Sample| {
                (sample.descriptors, sample.stat("clients"), sample.stat("connections"), sample.stat("tasks"))
            };
            if used(&sample) == used(before) {
                return Ok(sample);
            }
            if begun.elapsed() > SETTLE {
                return Err(Failure::work(format!(
                    "something is left when all have gone: {before:?} became {sample:?}"
                )));
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops it, as an operator would.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        self.signal("TERM")?;
        let status = self.child.wait().map_err(Failure::while_doing("wait for the server"))?;
        if status.success() { Ok(()) } else { Err(Failure::work(format!("the server ended with {status}"))) }
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(Failure::while_doing("read from the server"))?;
        if line.is_empty() { Err(Failure::work("the server has ended")) } else { Ok(line.trim_end().to_owned()) }
    }

    fn memory(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.map_err(Failure::while_doing("read what the server uses"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kib.ok_or_else(|| Failure::work("the kernel does not say what the server uses"))
    }

    fn signal(&self, signal: &str) -> Result<(), Failure> {
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &self.id().to_string()]);
        let status = kill.status().map_err(Failure::while_doing("start kill"))?;
        if status.success() { Ok(()) } else { Err(Failure::work("the server has ended")) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, unless something went wrong.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a program of this workspace was built.
pub(super) fn program(name: &str) -> Result<std::path::PathBuf, Failure> {
    Ok(workspace::target()?.join("release").join(name))
}
