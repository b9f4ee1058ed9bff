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

use anyhow::{Context, Result, bail};

use crate::workspace;

/// How long the server may take to free what closed connections used.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Without limits for one address, and with short timeouts, so that each ends many connections.
const FLAGS: &str = "--listen 127.0.0.1:0 --quiet --rate-limit 0 --connect-rate 0 --max-clients-per-ip 0 \
                     --write-timeout 2 --ping-interval 5 --ping-timeout 2 --login-timeout 5";

pub(super) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

/// What it uses, by the kernel and by its own numbers.
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

    /// 0 if the server does not print this number.
    pub(super) fn stat(&self, name: &str) -> u64 {
        self.stats.get(name).copied().unwrap_or(0)
    }
}

impl Server {
    pub(super) fn start() -> Result<Self> {
        let mut command = Command::new(workspace::program("chat-server")?);
        command.args(FLAGS.split(' '));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut server = Self { child, stdout: BufReader::new(stdout), address: ([0; 4], 0).into() };
        let line = server.line()?;
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        server.address = address.with_context(|| format!("no address in {line:?}"))?;
        Ok(server)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn sample(&mut self) -> Result<Sample> {
        self.signal("USR1")?;
        let line = self.line()?;
        let mut sample = Sample::of(self.memory()?, &line);
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.id())).context("cannot count descriptors")?;
        sample.descriptors = descriptors.count() as u64;
        Ok(sample)
    }

    /// Waits until the server uses no more than in `before`.
    pub(super) fn settled(&mut self, before: &Sample) -> Result<Sample> {
        let begun = Instant::now();
        loop {
            let sample = self.sample()?;
            let used = |sample: &Sample| {
                (sample.descriptors, sample.stat("clients"), sample.stat("connections"), sample.stat("tasks"))
            };
            if used(&sample) == used(before) {
                return Ok(sample);
            }
            if begun.elapsed() > SETTLE_TIMEOUT {
                bail!("not everything was freed when all clients had left: {before:?} became {sample:?}");
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops it as an operator would, with SIGTERM.
    pub(super) fn stop(mut self) -> Result<()> {
        self.signal("TERM")?;
        let status = self.child.wait().context("cannot wait for the server")?;
        if status.success() { Ok(()) } else { bail!("the server ended with {status}") }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).context("cannot read from the server")?;
        if line.is_empty() {
            bail!("the server has ended");
        }
        Ok(line.trim_end().to_owned())
    }

    fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.context("cannot read the status of the server")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kib.context("no VmRSS in the status of the server")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &self.id().to_string()]);
        let status = kill.status().context("cannot start kill")?;
        if status.success() { Ok(()) } else { bail!("the server has ended") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless the soak failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
