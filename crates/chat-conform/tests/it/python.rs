//! Starts the Python peers as processes, and kills them when the test ends.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

pub(crate) const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/server.py");
pub(crate) const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/client.py");
pub(crate) const FAULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/faults.py");

/// The deadlines of the Python server in tests, in milliseconds: login deadline, ping after, pong within, longest stall.
pub(crate) const SETTINGS: [(&str, u64); 4] =
    [("login-deadline", 3_000), ("ping-after", 4_000), ("pong-within", 1_000), ("max-stall", 2_500)];

/// Whether the peers can run here. They need Python, and a Unix, because the client calls `select` on standard input.
/// In CI, a missing Python fails the test.
pub(crate) fn python_installed() -> bool {
    if cfg!(windows) {
        return false;
    }
    let is_installed =
        Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(is_installed || std::env::var_os("CI").is_none(), "CI must have python3");
    is_installed
}

pub(crate) struct PythonServer {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl PythonServer {
    /// Starts the server on a free port, with a fault of `server.faults` or without. Its deadlines are [`SETTINGS`].
    pub(crate) fn start(fault: Option<&str>) -> Self {
        Self::start_with(fault, &[])
    }

    /// Starts the server with further arguments.
    pub(crate) fn start_with(fault: Option<&str>, args: &[&str]) -> Self {
        let mut command = Command::new("python3");
        command.arg("-B").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        match fault {
            Some(fault) => command.args([FAULTS, "server", fault]),
            None => command.arg(SERVER),
        };
        command.arg("127.0.0.1:0").args(args);
        for (flag, ms) in SETTINGS {
            command.arg(format!("--{flag}={}.{:03}", ms / 1_000, ms % 1_000));
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{line:?} is not an address, fault {fault:?}"));
        Self { child, address }
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
