//! A server as a child process.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail};

/// A running server. Dropping it kills the process.
pub(crate) struct ServerProcess {
    child: Child,
    /// `None` if stdout is not a pipe.
    stdout: Option<BufReader<ChildStdout>>,
}

impl ServerProcess {
    /// Starts the command. Its stdin is empty.
    pub(crate) fn spawn(mut command: Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot start {program}"))?;
        let stdout = child.stdout.take().map(BufReader::new);
        Ok(Self { child, stdout })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads the line in which chat-server or the floor prints its address.
    pub(crate) fn read_address(&mut self) -> Result<SocketAddr> {
        let line = self.read_line()?;
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        address.with_context(|| format!("the server printed {line:?} instead of its address"))
    }

    /// Reads a line of stdout. Fails if stdout is not a pipe, or if the server has ended.
    pub(crate) fn read_line(&mut self) -> Result<String> {
        let mut line = String::new();
        let stdout = self.stdout.as_mut().context("the output of the server is not a pipe")?;
        stdout.read_line(&mut line).context("cannot read the output of the server")?;
        if line.is_empty() {
            bail!("the server has ended");
        }
        Ok(line.trim_end().to_owned())
    }

    /// Resident memory, in KiB.
    pub(crate) fn memory_kib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.context("cannot read the status of the server")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kib.context("no VmRSS in the status of the server")
    }

    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().context("cannot wait for the server")?.is_some())
    }

    /// Waits until the process ends.
    pub(crate) fn wait(mut self) -> Result<ExitStatus> {
        self.child.wait().context("cannot wait for the server")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Harmless if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
