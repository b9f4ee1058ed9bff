//! The judge is stopped past a deadline, as by Ctrl-Z or a suspended machine. Lines that arrived meanwhile count as in
//! time.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How many seconds the judge waits for a line: longer than stopping it takes on a busy machine.
const LINE_TIMEOUT: &str = "3";
/// Longer than any test takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(50);
/// How long the judge is stopped: longer than `LINE_TIMEOUT`.
const PAUSE: Duration = Duration::from_secs(4);

/// Accepts the judge's next connection.
fn accept(listener: &TcpListener) -> TcpStream {
    let started = Instant::now();
    let stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(error) => assert!(error.kind() == ErrorKind::WouldBlock && started.elapsed() < TEST_TIMEOUT, "{error}"),
        }
        thread::yield_now();
    };
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    stream
}

/// Reads what the judge sends.
fn read_some(stream: &mut TcpStream) {
    // A read with a timeout is not restarted after a signal.
    let read = loop {
        match stream.read(&mut [0; 1024]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    assert!(read.unwrap() > 0);
}

/// Runs the judge against a correct server, and stops it while the answer arrives. Returns its report.
fn report_after_pause(cases: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-conform"));
    command.args(["server", &address, "--timeout", LINE_TIMEOUT, "--cases", cases.to_str().unwrap()]);
    let judge = command.stdout(Stdio::piped()).spawn().unwrap();
    let signal =
        |name: &str| assert!(Command::new("kill").args([name, &judge.id().to_string()]).status().unwrap().success());

    let mut first = accept(&listener);
    read_some(&mut first);
    first.write_all(b"NAME REQ\r\n").unwrap();
    let mut stream = accept(&listener);
    read_some(&mut stream);
    signal("-STOP");
    stream.write_all(b"OK\r\n").unwrap();
    // The deadline has to pass: there is no event to wait for.
    thread::sleep(PAUSE);
    signal("-CONT");
    read_some(&mut stream);
    stream.write_all(b"BYE\r\n").unwrap();
    drop(stream);
    String::from_utf8(judge.wait_with_output().unwrap().stdout).unwrap()
}

/// The outcome may depend on where the judge is stopped. So several judges run in parallel.
#[test]
fn an_answer_that_arrives_while_the_judge_is_stopped_counts() {
    let cases = std::env::temp_dir().join(format!("chat-stopped-{}.case", std::process::id()));
    std::fs::write(&cases, "case a plain MUST 4.1\nA> hello\nA< OK\n").unwrap();
    let cases: Arc<Path> = cases.into();
    let judges = [(); 8].map(|()| {
        let cases = Arc::clone(&cases);
        thread::spawn(move || report_after_pause(&cases))
    });
    for judge in judges {
        let report = judge.join().unwrap();
        assert!(report.starts_with("pass "), "{report}");
    }
}
