//! Tests of Unix sockets: which server owns a path, and which users may connect.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use chat_server::listen::UnixSocket;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::{
    process::Process,
    program::{self, PROGRAM, stop},
    support::{Peer, socket_path},
};

/// Starts the program on this path, with these additional arguments.
fn start(path: &Path, args: &[&str]) -> Process {
    let address = format!("unix:{}", path.display());
    program::start(&[&["--listen", &address], args].concat())
}

/// Starts the program on this path, and waits until it listens.
fn start_listening(path: &Path, args: &[&str]) -> Process {
    let mut server = start(path, args);
    assert_eq!(server.line(), format!("listening on unix:{}", path.display()));
    server
}

/// Connects and sends a message.
async fn greet(path: &Path) {
    let mut guest = Peer::over(tokio::net::UnixStream::connect(path).await.unwrap());
    guest.send("hi").await;
    guest.expect("OK").await;
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Creates a stale socket.
fn stale_socket(name: &str) -> PathBuf {
    let path = socket_path(name);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    path
}

#[tokio::test]
async fn a_file_at_the_old_path_of_a_moved_socket_is_kept() {
    let path = socket_path("moved");
    let moved = with_suffix(&path, ".old");
    let first = start_listening(&path, &[]);
    fs::rename(&path, &moved).unwrap();
    let second = start_listening(&path, &[]);
    stop(first);
    greet(&path).await;

    fs::remove_file(&path).unwrap();
    fs::write(&path, "mine").unwrap();
    stop(second);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert!(!with_suffix(&path, ".lock").exists());
    for file in [path, moved] {
        fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn one_of_two_servers_gets_a_stale_path() {
    for round in 0..20 {
        let path = stale_socket("two");
        let both = [start(&path, &[]), start(&path, &[])];
        let both = both.map(|mut server| (server.line(), server));
        let (listening, failed): (Vec<_>, Vec<_>) = both.into_iter().partition(|(line, _)| !line.is_empty());
        assert_eq!((listening.len(), failed.len()), (1, 1), "round {round}");
        for (_, server) in failed {
            let (status, _, stderr) = server.end();
            assert_eq!(status.code(), Some(2));
            assert!(stderr.contains("another program uses this address"), "{stderr}");
        }
        greet(&path).await;
        for (_, server) in listening {
            stop(server);
        }
        assert!(!path.exists() && !with_suffix(&path, ".lock").exists());
    }
}

/// Uses threads, because they collide more often than processes.
#[tokio::test]
async fn one_of_many_threads_gets_a_stale_path() {
    const THREADS: usize = 8;
    let runtime = tokio::runtime::Handle::current();
    for round in 0..200 {
        let path = stale_socket("many");
        let ready = std::sync::Barrier::new(THREADS);
        let bound: Vec<_> = std::thread::scope(|scope| {
            let bind = || {
                let _inside = runtime.enter();
                ready.wait();
                UnixSocket::bind(&path)
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(bind)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (listening, failed): (Vec<_>, Vec<_>) = bound.into_iter().partition(Result::is_ok);
        assert_eq!(listening.len(), 1, "round {round}");
        for error in failed.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "round {round}: {error}");
        }
        drop(listening);
        assert!(!path.exists() && !with_suffix(&path, ".lock").exists());
    }
}

/// A server owns its path even if it does not accept connections. The check for an owner does not block.
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
        let client = socket();
        client.set_nonblocking(true).unwrap();
        if client.connect(&address).is_err() {
            break;
        }
        waiting.push(client);
    }
    let (status, _, stderr) = start(&path, &[]).end();
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("another program uses this address"), "{stderr}");
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    fs::remove_file(path).unwrap();
}

#[test]
fn a_file_that_is_no_socket_is_not_touched() {
    let (path, target) = (socket_path("file"), socket_path("target"));
    fs::write(&target, "mine").unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    for path in [&path, &target] {
        let (status, _, stderr) = start(path, &[]).end();
        assert_eq!(status.code(), Some(2));
        assert!(stderr.contains("is no socket") && stderr.contains("--listen"), "{stderr}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    for file in [path, target] {
        fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn a_foreign_file_with_the_name_of_the_lock_is_kept() {
    let path = stale_socket("lock");
    let lock = with_suffix(&path, ".lock");
    fs::write(&lock, "mine").unwrap();
    stop(start_listening(&path, &[]));
    assert_eq!(fs::read_to_string(&lock).unwrap(), "mine");
    fs::remove_file(lock).unwrap();
}

#[tokio::test]
async fn the_mode_of_a_socket_comes_from_the_flag_or_the_environment() {
    let path = socket_path("mode");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    for (flag, expected) in [("600", 0o600), ("0660", 0o660), ("777", 0o777)] {
        let server = start_listening(&path, &["--unix-mode", flag]);
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
async fn a_path_may_contain_a_comma() {
    let path = socket_path("a,b");
    let server = start_listening(&path, &[]);
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
