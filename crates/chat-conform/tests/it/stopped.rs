//! A judge that is stopped over a deadline, as by Ctrl-Z or a machine that is suspended: what has come meanwhile came in time.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long the judge waits for a line: longer than it takes to stop it, also on a busy machine.
const PATIENCE: &str = "3";
/// Longer than anything takes that works.
const BOUND: Duration = Duration::from_secs(50);
/// How long it is stopped.
const STOPPED: Duration = Duration::from_secs(4);

/// The judge's next connection.
fn accept(listener: &TcpListener) -> TcpStream {
    let begun = Instant::now();
    let stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(error) => assert!(error.kind() == ErrorKind::WouldBlock && begun.elapsed() < BOUND, "{error}"),
        }
        thread::yield_now();
    };
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream
}

fn hear(stream: &mut TcpStream) {
    // A read with a timeout is not restarted after a signal.
    let read = loop {
        match stream.read(&mut [0; 1024]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    assert!(read.unwrap() > 0);
}

/// Judges a right server, and is stopped while the answer comes. What it reports.
fn judged(cases: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-conform"));
    command.args(["server", &address, "--timeout", PATIENCE, "--cases", cases.to_str().unwrap()]);
    let judge = command.stdout(Stdio::piped()).spawn().unwrap();
    let signal =
        |name: &str| assert!(Command::new("kill").args([name, &judge.id().to_string()]).status().unwrap().success());

    let mut first = accept(&listener);
    hear(&mut first);
    first.write_all(b"NAME REQ\r\n").unwrap();
    let mut stream = accept(&listener);
    hear(&mut stream);
    signal("-STOP");
    stream.write_all(b"OK\r\n").unwrap();
    // Not to wait for something: the time has to pass.
    thread::sleep(STOPPED);
    signal("-CONT");
    hear(&mut stream);
    stream.write_all(b"BYE\r\n").unwrap();
    drop(stream);
    String::from_utf8(judge.wait_with_output().unwrap().stdout).unwrap()
}

/// It depends on what the judge does when it is stopped, so that it is played several times, at the same time.
#[test]
fn an_answer_that_came_while_the_judge_was_stopped_counts() {
    let cases = std::env::temp_dir().join(format!("chat-stopped-{}.case", std::process::id()));
    std::fs::write(&cases, "case a plain MUST 4.1\nA> hello\nA< OK\n").unwrap();
    let cases: Arc<Path> = cases.into();
    let judges = [(); 8].map(|()| {
        let cases = Arc::clone(&cases);
        thread::spawn(move || judged(&cases))
    });
    for judge in judges {
        let report = judge.join().unwrap();
        assert!(report.starts_with("pass "), "{report}");
    }
}
