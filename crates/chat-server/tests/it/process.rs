//! A program under test, as a child process. It is killed when its handle is dropped, or after a timeout.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

pub(crate) struct Process {
    child: Arc<Mutex<Child>>,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no signals to send"))]
    id: u32,
    stdin: Option<ChildStdin>,
    stdout: BufReader<Box<dyn Read + Send>>,
    stderr: Box<dyn Read + Send>,
    /// Dropping this sender stops the watchdog.
    _watchdog: mpsc::Sender<()>,
}

/// Longer than any passing test takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

impl Process {
    pub(crate) fn start(program: impl AsRef<Path>, args: &[&str]) -> Self {
        let mut command = Command::new(program.as_ref());
        command.args(args);
        Self::spawn(command)
    }

    pub(crate) fn spawn(command: Command) -> Self {
        Self::spawn_with(command, Stdio::piped(), Stdio::piped())
    }

    /// Spawns a program with these outputs. `Process` reads them only if they are pipes.
    pub(crate) fn spawn_with(mut command: Command, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Self {
        command.stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take();
        let boxed = |output: Option<Box<dyn Read + Send>>| output.unwrap_or_else(|| Box::new(io::empty()));
        let stdout = BufReader::new(boxed(child.stdout.take().map(|output| Box::new(output) as _)));
        let stderr = boxed(child.stderr.take().map(|output| Box::new(output) as _));
        let (id, child) = (child.id(), Arc::new(Mutex::new(child)));
        let (watchdog, dropped) = mpsc::channel::<()>();
        let watched_child = Arc::clone(&child);
        thread::spawn(move || {
            // Reading from a program that hangs never returns. Kill the program, so that the test fails.
            if dropped.recv_timeout(TEST_TIMEOUT) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = watched_child.lock().unwrap().kill();
            }
        });
        Self { child, id, stdin, stdout, stderr, _watchdog: watchdog }
    }

    /// The next line on stdout.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The address in the next line, which must be `listening on ADDRESS`.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let line = self.line();
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("{line:?} contains no address"))
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        self.type_bytes(format!("{line}\n").as_bytes());
    }

    pub(crate) fn type_bytes(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    #[cfg(unix)]
    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.id.try_into().unwrap()).unwrap()
    }

    /// Waits until the program ends. Returns its status and the rest of stdout and stderr. Both are read at the same time,
    /// because a full pipe would block the program.
    pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        thread::scope(|scope| {
            scope.spawn(|| self.stderr.read_to_string(&mut stderr).unwrap());
            self.stdout.read_to_string(&mut stdout).unwrap();
        });
        let status = self.child.lock().unwrap().wait().unwrap();
        (status, stdout, stderr)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Unless the test failed, the process has ended already.
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}
