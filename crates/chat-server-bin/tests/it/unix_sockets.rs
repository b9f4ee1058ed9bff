//! Unix sockets: which server owns a path, and who may connect.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use chat_server::listen::UnixSocket;
use rustix::process::Signal;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::{
    abuse::PROGRAM,
    process::Process,
    support::{Peer, socket_path},
};

fn start(path: &Path, more: &[&str]) -> Process {
    let address = format!("unix:{}", path.display());
    Process::start(PROGRAM, &[&["--listen", &address], more].concat())
}

fn listening(path: &Path, more: &[&str]) -> Process {
    let mut server = start(path, more);
    assert_eq!(server.line(), format!("listening on unix:{}", path.display()));
    server
}

fn stop(server: Process) {
    server.signal(Signal::TERM);
    let (status, _, stderr) = server.end();
    assert!(status.success(), "{stderr}");
}

async fn greet(path: &Path) {
    let mut guest = Peer::over(tokio::net::UnixStream::connect(path).await.unwrap());
    guest.send("hi").await;
    guest.expect("OK").await;
}

fn beside(path: &Path, more: &str) -> PathBuf {
    PathBuf::from(format!("{}{more}", path.display()))
}

/// A path with a stale socket.
fn stale(name: &str) -> PathBuf {
    let path = socket_path(name);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    path
}

#[tokio::test]
async fn a_file_at_the_old_path_of_a_moved_socket_is_kept() {
    let path = socket_path("moved");
    let moved = beside(&path, ".old");
    let first = listening(&path, &[]);
    fs::rename(&path, &moved).unwrap();
    let second = listening(&path, &[]);
    stop(first);
    greet(&path).await;

    fs::remove_file(&path).unwrap();
    fs::write(&path, "mine").unwrap();
    stop(second);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert!(!beside(&path, ".lock").exists());
    for file in [path, moved] {
        fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn one_of_two_servers_gets_a_stale_path() {
    for round in 0..20 {
        let path = stale("two");
        let both = [start(&path, &[]), start(&path, &[])];
        let both = both.map(|mut server| (server.line(), server));
        let (listen, failed): (Vec<_>, Vec<_>) = both.into_iter().partition(|(line, _)| !line.is_empty());
        assert_eq!((listen.len(), failed.len()), (1, 1), "round {round}");
        for (_, server) in failed {
            let (status, _, stderr) = server.end();
            assert_eq!(status.code(), Some(2));
            assert!(stderr.contains("another program is there"), "{stderr}");
        }
        greet(&path).await;
        for (_, server) in listen {
            stop(server);
        }
        assert!(!path.exists() && !beside(&path, ".lock").exists());
    }
}

/// Threads of one process collide more closely than processes.
#[tokio::test]
async fn one_of_many_threads_gets_a_stale_path() {
    const MANY: usize = 8;
    let runtime = tokio::runtime::Handle::current();
    for round in 0..200 {
        let path = stale("many");
        let ready = std::sync::Barrier::new(MANY);
        let bound: Vec<_> = std::thread::scope(|scope| {
            let bind = || {
                let _inside = runtime.enter();
                ready.wait();
                UnixSocket::bind(&path)
            };
            let threads: Vec<_> = (0..MANY).map(|_| scope.spawn(bind)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (listen, failed): (Vec<_>, Vec<_>) = bound.into_iter().partition(Result::is_ok);
        assert_eq!(listen.len(), 1, "round {round}");
        for error in failed.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "round {round}: {error}");
        }
        drop(listen);
        assert!(!path.exists() && !beside(&path, ".lock").exists());
    }
}

/// An owner that accepts slowly is still the owner, and the check for it does not block.
#[test]
fn an_owner_with_a_full_backlog_keeps_its_path() {
    let path = socket_path("backlog");
    let address = SockAddr::unix(&path).unwrap();
    let socket = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let owner = socket();
    owner.bind(&address).unwrap();
    owner.listen(0).unwrap();
    let mut waiting = Vec::new();
    loop {
        let dial = socket();
        dial.set_nonblocking(true).unwrap();
        if dial.connect(&address).is_err() {
            break;
        }
        waiting.push(dial);
    }
    let (status, _, stderr) = start(&path, &[]).end();
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("another program is there"), "{stderr}");
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    fs::remove_file(path).unwrap();
}

#[test]
fn a_file_that_is_no_socket_is_not_touched() {
    let (path, there) = (socket_path("file"), socket_path("target"));
    fs::write(&there, "mine").unwrap();
    std::os::unix::fs::symlink(&there, &path).unwrap();
    for path in [&path, &there] {
        let (status, _, stderr) = start(path, &[]).end();
        assert_eq!(status.code(), Some(2));
        assert!(stderr.contains("no socket is there") && stderr.contains("--listen"), "{stderr}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    for file in [path, there] {
        fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn a_foreign_file_with_the_name_of_the_lock_is_kept() {
    let path = stale("lock");
    let lock = beside(&path, ".lock");
    fs::write(&lock, "mine").unwrap();
    stop(listening(&path, &[]));
    assert_eq!(fs::read_to_string(&lock).unwrap(), "mine");
    fs::remove_file(lock).unwrap();
}

#[tokio::test]
async fn the_mode_of_a_socket_comes_from_the_flag_or_the_environment() {
    let path = socket_path("mode");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    for (flag, expected) in [("600", 0o600), ("0660", 0o660), ("777", 0o777)] {
        let server = listening(&path, &["--unix-mode", flag]);
        assert_eq!(mode(), expected, "--unix-mode {flag}");
        greet(&path).await;
        stop(server);
    }
    let mut command = Command::new("sh");
    command.args(["-c", r#"umask 077; exec "$0" --listen "unix:$1""#, PROGRAM]).arg(&path).env("CHAT_UNIX_MODE", "620");
    let mut server = Process::spawn(command);
    server.line();
    assert_eq!(mode(), 0o620, "from the environment");
    stop(server);
    let (status, _, stderr) = start(&path, &["--unix-mode", "rw"]).end();
    assert_eq!(status.code(), Some(2));
    assert!(stderr.contains("give three octal digits"), "{stderr}");
}

#[tokio::test]
async fn a_path_may_have_a_comma() {
    let path = socket_path("a,b");
    let server = listening(&path, &[]);
    greet(&path).await;
    stop(server);
    let mut command = Command::new(PROGRAM);
    let escaped = path.to_str().unwrap().replace(',', r"\,");
    command.env("CHAT_LISTEN", format!("unix:{escaped},127.0.0.1:0"));
    let mut server = Process::spawn(command);
    assert_eq!(server.line(), format!("listening on unix:{}", path.display()));
    assert_eq!(server.address().ip().to_string(), "127.0.0.1");
    stop(server);
}
