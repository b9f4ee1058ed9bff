//! Tests of what the program prints, how it stops and how it fails.

use std::net::TcpListener;

use crate::{
    process::Process,
    program::{PROGRAM, run, start},
    support::Peer,
};

#[tokio::test]
async fn every_address_is_printed_and_a_typed_bye_stops_the_server() {
    let mut server = start(&["--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0"]);
    let (first, second) = (server.address(), server.address());
    assert_eq!((first.ip().to_string(), second.ip().to_string()), ("127.0.0.1".into(), "127.0.0.2".into()));
    let mut ann = Peer::tcp(first).await.join("ann").await;
    let mut bob = Peer::tcp(second).await.join("bob").await;
    bob.send("MSG BYE").await;
    bob.expect("OK").await;
    ann.expect("JOIN bob").await;
    ann.expect("FROM bob MSG BYE").await;
    // BYE must be in upper case, so this has no effect.
    server.type_line("bye");
    server.type_line("BYE");
    for mut peer in [ann, bob] {
        peer.expect("BYE").await;
        peer.expect_end().await;
    }
    let (status, stdout, stderr) = server.end();
    assert!(status.success());
    assert_eq!(stdout, "");
    for (name, address) in [("ann", "127.0.0.1"), ("bob", "127.0.0.1")] {
        let joined = stderr.lines().filter(|line| line.contains(" joined ") && line.contains(&format!(" name={name}")));
        assert_eq!(joined.filter(|line| line.contains(&format!(" peer={address}:"))).count(), 1, "{stderr}");
    }
    assert!(stderr.contains("stopped drained=2 undrained=0 "), "{stderr}");
}

#[cfg(unix)]
#[tokio::test]
async fn terminating_signals_stop_the_server_gracefully() {
    use rustix::process::Signal;

    for signal in [Signal::INT, Signal::TERM, Signal::QUIT, Signal::HUP, Signal::USR2, Signal::ALARM, Signal::XCPU] {
        let mut server = start(&["--listen", "127.0.0.1:0", "--log-format", "json"]);
        let mut ann = Peer::tcp(server.address()).await.join("ann").await;
        server.signal(signal);
        ann.expect("BYE").await;
        ann.expect_end().await;
        drop(ann);
        let (status, _, stderr) = server.end();
        assert!(status.success());
        assert!(stderr.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{stderr}");
        assert!(stderr.contains(r#""drained":1"#), "{stderr}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn counters_are_printed_on_sigusr1_and_logged_at_the_end() {
    use rustix::process::Signal;

    let mut server = start(&["--listen", "127.0.0.1:0"]);
    let address = server.address();
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut bob = Peer::tcp(address).await.join("bob").await;
    bob.send("MSG hi").await;
    bob.expect("OK").await;
    ann.expect("JOIN bob").await;
    ann.expect("FROM bob MSG hi").await;
    // The server counts a delivery shortly after the client has received it.
    let counters = loop {
        server.signal(Signal::USR1);
        let counters = server.line();
        if !counters.contains("deliveries=0") {
            break counters;
        }
    };
    assert!(counters.starts_with("connections=2 clients=2 tasks=4 messages=1 deliveries=1 left=0"), "{counters}");
    bob.send("BYE").await;
    bob.expect("BYE").await;
    drop(bob);
    ann.expect("LOGOUT bob").await;
    server.signal(Signal::TERM);
    drop(ann);
    let (status, _, stderr) = server.end();
    assert!(status.success());
    let totals = "clients=0 tasks=0 messages=1 deliveries=1 left=2 refused=0 cut=0";
    assert!(stderr.contains(totals) && stderr.contains(r#"reason="said BYE" connections=1"#), "{stderr}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_stops_the_server_at_once() {
    use rustix::process::Signal;

    let endless = ["--drain-timeout", "1000", "--write-timeout", "0", "--rate-limit", "0"];
    let mut server = start(&[&["--listen", "127.0.0.1:0"], &endless[..]].concat());
    let address = server.address();
    let mut ann = Peer::tcp(address).await.join("ann").await;
    // This client does not read. Its receive buffer is small.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let sleeper = Peer::over(socket.connect(address).await.unwrap()).join("sleeper").await;
    ann.expect("JOIN sleeper").await;
    let hundred_messages = format!("MSG {}\r\n", "\u{1f600}".repeat(2_000)).repeat(100);
    for _ in 0..20 {
        ann.raw(hundred_messages.as_bytes()).await;
        for _ in 0..100 {
            ann.expect("OK").await;
        }
    }
    server.signal(Signal::TERM);
    ann.expect("BYE").await;
    server.signal(Signal::TERM);
    let (status, _, stderr) = server.end();
    assert!(status.success());
    assert!(stderr.contains("stopping at once signal=SIGTERM"), "{stderr}");
    // The server cuts the connection of the sleeper, and also Ann's if it was still closing.
    assert!(
        ["drained=1 undrained=1 ", "drained=0 undrained=2 "].iter().any(|report| stderr.contains(report)),
        "{stderr}"
    );
    drop(sleeper);
}

#[cfg(unix)]
#[tokio::test]
async fn a_stale_unix_socket_is_replaced_and_one_in_use_is_not() {
    let path = crate::support::socket_path("binary");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let address = format!("unix:{}", path.display());
    let mut server = start(&["--listen", &address]);
    assert_eq!(server.line(), format!("listening on {address}"));
    let mut guest = Peer::over(tokio::net::UnixStream::connect(&path).await.unwrap());
    guest.send("hi").await;
    guest.expect("OK").await;
    assert_eq!(run(&["--listen", &address]).0, 2, "a socket in use is not replaced");
    server.type_line("BYE");
    guest.expect("BYE").await;
    drop(guest);
    assert!(server.end().0.success());
    assert!(!path.exists());
}

#[test]
fn an_error_is_one_line_that_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["--listen", &taken], "choose another address with --listen"),
        (&["--listen", "192.0.2.1:2222"], "does not have this address"),
        (&["--listen", "2222"], "give HOST:PORT"),
        (&["--listen", "/nowhere/chat.sock"], "see --listen"),
        (&["--nonsense"], "try --help"),
        (&["--ping-interval", "soon"], "give a number of seconds"),
        (&["extra"], "try --help"),
    ];
    for (args, advice) in cases {
        let (code, stdout, stderr) = run(args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert_eq!(stdout, "");
        assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
        assert!(stderr.starts_with("chat-server: ") && stderr.contains(advice), "{args:?}: {stderr}");
    }
}

/// Tests nothing if the system does not reserve ports below 1024, or if the user is root.
#[cfg(target_os = "linux")]
#[test]
fn a_permission_error_names_the_ports_that_need_no_permission() {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    if rustix::process::geteuid().is_root() || first.trim() != "1024" {
        return;
    }
    let (code, _, stderr) = run(&["--listen", "127.0.0.1:1"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("choose a port from 1024 up"), "{stderr}");
}

#[tokio::test]
async fn environment_variables_set_options() {
    let mut command = std::process::Command::new(PROGRAM);
    command.env("CHAT_LISTEN", "127.0.0.1:0,127.0.0.1:0").env("CHAT_NO_PLAIN", "true").env("CHAT_QUIET", "1");
    let mut server = Process::spawn(command);
    let (first, second) = (server.address(), server.address());
    assert_ne!(first, second);
    let mut guest = Peer::tcp(first).await;
    guest.send("hi").await;
    guest.expect("BAD PROT").await;
    drop(guest);
    server.type_line("BYE");
    let (status, _, stderr) = server.end();
    assert!(status.success());
    assert_eq!(stderr, "", "quiet");
}

#[test]
fn an_invalid_log_filter_is_an_error() {
    let mut command = std::process::Command::new(PROGRAM);
    command.args(["--listen", "127.0.0.1:0"]).env("CHAT_LOG", "chat_server=loud");
    let (status, stdout, stderr) = Process::spawn(command).end();
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert_eq!((stdout.as_str(), stderr.lines().count()), ("", 1), "{stderr}");
    assert!(stderr.starts_with("chat-server: CHAT_LOG: "), "{stderr}");
}
