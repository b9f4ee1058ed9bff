//! The servers and clients in `peers`: which languages can run here, and how to start them.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write, stderr},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio, id},
    sync::Mutex,
};

/// A language of the peers. Its files are `server.EXTENSION` and `client.EXTENSION`.
pub(crate) struct Language {
    pub(crate) name: &'static str,
    pub(crate) extension: &'static str,
    toolchain: Toolchain,
}

enum Toolchain {
    /// The command runs a file.
    Interpreter(&'static str),
    /// The command makes a program of this path, followed by the path of a file.
    Compiler(&'static str),
}
use Toolchain::{Compiler, Interpreter};

pub(crate) const LANGUAGES: [Language; 4] = [
    Language { name: "Python", extension: "py", toolchain: Interpreter("python3 -B") },
    Language { name: "C", extension: "c", toolchain: Compiler("cc -std=c11 -O2 -Wall -Wextra -o") },
    Language { name: "JavaScript", extension: "js", toolchain: Interpreter("node") },
    Language { name: "Go", extension: "go", toolchain: Compiler("go build -o") },
];

/// The programs that this process has compiled, by the name of the file.
static COMPILED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

impl Language {
    /// The command that starts the `server` or the `client` of this language. `None` if it cannot run here, which is
    /// said. The peers need a Unix: on Windows, the clients cannot wait for standard input and a socket together.
    pub(crate) fn command(&self, side: &str) -> Option<Vec<String>> {
        let (Interpreter(tool) | Compiler(tool)) = self.toolchain;
        let tool = tool.split(' ').next()?;
        let missing = if cfg!(windows) { "a Unix" } else { tool };
        if cfg!(windows) || Command::new(tool).stdin(Stdio::null()).arg("--version").output().is_err() {
            // Not by a macro, whose output the test harness would hide.
            let _ = writeln!(stderr(), "skipped: the {side} in {} needs {missing}, which is not here", self.name);
            return None;
        }
        let file = self.file(side);
        Some(match self.toolchain {
            Interpreter(command) => command.split(' ').map(str::to_owned).chain([file]).collect(),
            Compiler(command) => vec![compiled(command, &file, &format!("{side}_{}", self.extension))],
        })
    }

    /// The path of the source.
    pub(crate) fn file(&self, side: &str) -> String {
        format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../chat-conform/peers/{}.{}"), side, self.extension)
    }
}

/// Compiles a file once in this process. Returns the path of the program.
fn compiled(command: &str, file: &str, name: &str) -> String {
    let mut compiled = COMPILED.lock().unwrap();
    let program = compiled.entry(name.to_owned()).or_insert_with(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Other test processes may start the program at the same time, so it appears at once and whole.
        let (fresh, program) = (folder.join(format!("{name}-{}", id())), folder.join(name));
        let mut words = command.split(' ');
        let mut build = Command::new(words.next().unwrap());
        build.args(words).arg(&fresh).arg(file).current_dir(folder);
        if std::env::var_os("HOME").is_none() {
            build.env("GOCACHE", folder.join("go-cache"));
        }
        let output = build.output().unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        fs::rename(fresh, &program).unwrap();
        program.to_str().unwrap().to_owned()
    });
    program.clone()
}

/// A running server. It ends with this value.
pub(crate) struct PeerServer {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl PeerServer {
    /// Starts a server on a free port.
    pub(crate) fn start(command: &[String]) -> Self {
        let mut server = Command::new(&command[0]);
        server.args(&command[1..]).arg("127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = server.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{line:?} is not an address: {command:?}"));
        Self { child, address }
    }

    /// Asks the server to stop, as a terminal or a service manager does.
    pub(crate) fn terminate(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }
}

impl Drop for PeerServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
