//! Starts, observes and stops the program under test.

use crate::process::Process;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-server");

/// Starts the program with these arguments.
pub(crate) fn start(args: &[&str]) -> Process {
    Process::start(PROGRAM, args)
}

/// Runs the program until it ends. Returns the exit code, stdout and stderr.
pub(crate) fn run(args: &[&str]) -> (i32, String, String) {
    let (status, stdout, stderr) = start(args).end();
    let code = status.code().unwrap_or_else(|| panic!("{args:?}: {status}: {stdout}{stderr}"));
    (code, stdout, stderr)
}

#[cfg(unix)]
pub(crate) use unix::stop;

#[cfg(target_os = "linux")]
pub(crate) use linux::{TEST_TIMEOUT, memory_kib, reset, start_on_free_port, wait_for_stats};

#[cfg(unix)]
mod unix {
    use rustix::process::Signal;

    use super::Process;

    /// Stops the program with SIGTERM. Returns its stderr.
    pub(crate) fn stop(server: Process) -> String {
        server.signal(Signal::TERM);
        let (status, _, stderr) = server.end();
        assert!(status.success(), "{stderr}");
        stderr
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs,
        net::SocketAddr,
        time::{Duration, Instant},
    };

    use rustix::process::Signal;
    use tokio::net::TcpStream;

    use super::{Process, start};

    /// Time limit of each step of a test.
    pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(50);

    /// Starts the program on a free port, with few log records and these additional arguments. Returns its address.
    pub(crate) fn start_on_free_port(args: &[&str]) -> (Process, SocketAddr) {
        // All clients of a test have the same address, so the limit of connections is off.
        let common_args = ["--listen", "127.0.0.1:0", "-q", "--connect-rate", "0"];
        let mut server = start(&[&common_args, args].concat());
        let address = server.address();
        (server, address)
    }

    /// A field of `/proc/PID/status` in KiB, such as `VmRSS`.
    pub(crate) fn memory_kib(server: &Process, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_matches([':', ' ', '\t']).trim_end_matches(" kB").trim().parse().unwrap()
    }

    /// Requests the counters until they contain `expected`. Returns the line of counters.
    pub(crate) async fn wait_for_stats(server: &mut Process, expected: &str) -> String {
        let start = Instant::now();
        loop {
            server.signal(Signal::USR1);
            let line = server.line();
            if line.contains(expected) {
                return line;
            }
            assert!(start.elapsed() < TEST_TIMEOUT, "timeout: no {expected:?} in {line:?}");
            tokio::task::yield_now().await;
        }
    }

    /// Makes the stream send a reset when it is dropped.
    pub(crate) fn reset(stream: &TcpStream) {
        socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}
