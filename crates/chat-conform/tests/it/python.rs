//! Starts the Python peers as processes, and kills them when the test ends.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

pub(crate) const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/server.py");
pub(crate) const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/client.py");
pub(crate) const FAULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/faults.py");

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
    /// Starts the server on a free port, with a fault of `faults.py` or without.
    pub(crate) fn start(fault: Option<&str>) -> Self {
        let mut command = Command::new("python3");
        command.args(["-B", SERVER, "127.0.0.1:0"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some(fault) = fault {
            command.args(["--fault", fault]);
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
