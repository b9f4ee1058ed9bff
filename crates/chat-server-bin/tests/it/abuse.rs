//! Tests of abusive clients. They measure the memory, descriptors and processor time of the process.

use std::{
    fs,
    net::SocketAddr,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::{process::Process, support::Peer};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-server");
/// Time limit of each step of a test.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(50);

/// Starts the program with these flags. Returns its address.
pub(crate) fn start(args: &[&str]) -> (Process, SocketAddr) {
    // All clients of a test share one address, so the limit of connections is off.
    let always = ["--listen", "127.0.0.1:0", "-q", "--connect-rate", "0"];
    let mut server = Process::start(PROGRAM, &[&always, args].concat());
    let address = server.address();
    (server, address)
}

/// A field of `/proc/PID/status`, in KiB.
pub(crate) fn kib(server: &Process, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_matches([':', ' ', '\t']).trim_end_matches(" kB").trim().parse().unwrap()
}

/// The number of open descriptors.
fn descriptors(server: &Process) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count()
}

/// The processor time used so far.
fn cpu_time(server: &Process) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    // The 12th and 13th field after the name in parentheses: hundredths of a second in user and in system mode.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Requests the statistics until they contain `wanted`.
pub(crate) async fn stats(server: &mut Process, wanted: &str) -> String {
    let begun = Instant::now();
    loop {
        server.signal(Signal::USR1);
        let line = server.line();
        if line.contains(wanted) {
            return line;
        }
        assert!(begun.elapsed() < TEST_TIMEOUT, "timeout: no {wanted:?} in {line:?}");
        tokio::task::yield_now().await;
    }
}

/// Stops the program. Returns its stderr.
pub(crate) fn stop(server: Process) -> String {
    server.signal(Signal::TERM);
    let (status, _, stderr) = server.end();
    assert!(status.success(), "{stderr}");
    stderr
}

/// Makes the close of this stream send a reset.
pub(crate) fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn a_hundred_megabytes_of_junk_cost_no_memory() {
    const JUNK: usize = 100_000_000;
    let (mut server, address) = start(&[]);
    let mut bystander = Peer::tcp(address).await.join("bystander").await;
    // The first round warms the server up. The second is measured.
    for (junk, growth) in [(1_000_000, u64::MAX), (JUNK, 1_024)] {
        let before = kib(&server, "VmHWM");
        let (mut sent, chunk) = (0, vec![b'x'; 65_536]);
        while sent < junk {
            let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
            let mut answer = String::new();
            let answered = reader.read_to_string(&mut answer);
            let sending = async {
                while sent < junk && writer.write_all(&chunk).await.is_ok() {
                    sent += chunk.len();
                }
            };
            // If the server closes the connection while the test writes, the read ends with a reset.
            let (_, ()) = timeout(TEST_TIMEOUT, async { tokio::join!(answered, sending) }).await.expect("it ends");
            assert!(["BAD REQ\r\n", ""].contains(&answer.as_str()), "{answer:?}");
        }
        let grown = kib(&server, "VmHWM") - before;
        println!("{sent} bytes of junk: {grown} KiB");
        assert!(grown <= growth, "{sent} bytes of junk: {grown} KiB");
    }
    bystander.send("REQ CLIENTS").await;
    bystander.expect("LIST CLIENTS 1 bystander").await;
    stats(&mut server, "connections=1 clients=1 tasks=2").await;
    drop(bystander);
    stop(server);
}

#[tokio::test]
async fn a_server_without_free_descriptors_serves_and_accepts_again_later() {
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -n 64; exec "$0" --listen 127.0.0.1:0 -q"#, PROGRAM]);
    let mut server = Process::spawn(command);
    let address = server.address();
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut bob = Peer::tcp(address).await.join("bob").await;
    ann.expect("JOIN bob").await;
    let mut dials = Vec::new();
    for _ in 0..200 {
        dials.push(TcpStream::connect(address).await.unwrap());
    }
    // There is no event to wait for.
    timeout(TEST_TIMEOUT, async {
        while descriptors(&server) < 64 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all descriptors are used up");

    let (begun, before) = (Instant::now(), cpu_time(&server));
    for n in 0..20 {
        ann.send(&format!("MSG {n}")).await;
        ann.expect("OK").await;
        bob.expect(&format!("FROM ann MSG {n}")).await;
        // This does not wait for an event: processor time is measured over real time.
        sleep(Duration::from_millis(100)).await;
    }
    let (took, used) = (begun.elapsed(), cpu_time(&server).saturating_sub(before));
    println!("out of descriptors: {used:?} of {took:?}");
    assert!(used * 20 < took, "{used:?} of {took:?}");

    drop(dials);
    let freed = Instant::now();
    let eve = Peer::tcp(address).await.join("eve").await;
    println!("accepts again after {:?}", freed.elapsed());
    assert!(freed.elapsed() < Duration::from_secs(2), "{:?}", freed.elapsed());
    stats(&mut server, "connections=3 clients=3 ").await;
    drop((ann, bob, eve));
    stop(server);
}

#[tokio::test]
async fn ten_thousand_resets_leave_nothing_behind() {
    let (mut server, address) = start(&["--rate-limit", "0"]);
    let mut bystander = Peer::tcp(address).await.join("bystander").await;
    let descriptors_before = descriptors(&server);
    for n in 0..10_000 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // In turn: sends nothing, stops in the middle of a login, joins with a name, joins as a guest.
        let first_bytes: &[u8] = [b"".as_slice(), b"PROT 0.1 CON", b"PROT 0.1 CONNECT NEW\r\n", b"hi\r\n"][n % 4];
        // Fails if the server is full and has closed the connection.
        let _ = stream.write_all(first_bytes).await;
        reset(&stream);
    }
    stats(&mut server, "connections=1 clients=1 tasks=2 ").await;
    // A task is no longer counted shortly before its descriptors are closed.
    timeout(TEST_TIMEOUT, async {
        while descriptors(&server) != descriptors_before {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all descriptors are closed");
    // Each join was announced once, and each client has left.
    bystander.send("REQ CLIENTS").await;
    let (mut here, mut joined) = (std::collections::BTreeSet::new(), 0);
    loop {
        let line = bystander.line().await;
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["JOIN", name] => {
                joined += 1;
                assert!(here.insert((*name).to_owned()), "{line}");
            }
            ["LOGOUT", name] => assert!(here.remove(*name), "{line}"),
            ["LIST", ..] => break,
            _ => {}
        }
    }
    println!("{joined} had joined");
    assert!(joined > 500, "only {joined} had joined: too few for this test");
    assert!(here.is_empty(), "{here:?}");
    drop(bystander);
    stop(server);
}

/// The talker sends three times what the ring holds, while twenty sleepers do not read and no timeout cuts them. The
/// server uses no more memory than the ring, and the listeners miss nothing. When the sleepers read again, they get
/// every line up to the first one that the ring has dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_do_not_read_are_cut_and_the_others_get_every_line() {
    const SLEEPERS: usize = 20;
    /// The default length of the ring.
    const BATCHES: usize = 4_096;
    /// Each message is acknowledged before the next is sent, so each is one batch.
    const MESSAGES: usize = 3 * BATCHES;
    const TEXT: usize = 1_990;
    /// Bytes for each message in the ring, besides its text.
    const OVERHEAD: usize = 512;
    /// Bytes that do not depend on the number of messages.
    const FIXED: usize = 4 << 20;
    let (mut server, address) = start(&["--rate-limit", "0", "--write-timeout", "1000", "--ping-interval", "0"]);
    let mut sleepers = Vec::new();
    for n in 0..SLEEPERS {
        // With a small socket buffer, they lag soon.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8_192).unwrap();
        let mut sleeper = socket.connect(address).await.unwrap();
        sleeper.write_all(format!("PROT 0.1 CONNECT USER sleeper{n}\r\n").as_bytes()).await.unwrap();
        sleepers.push(sleeper);
    }
    let text = Arc::new("x".repeat(TEXT));
    let mut listeners = Vec::new();
    for n in 0..2 {
        let mut listener = Peer::tcp(address).await.join(&format!("listener{n}")).await;
        let text = Arc::clone(&text);
        listeners.push(tokio::spawn(async move {
            let mut next = 0;
            while next < MESSAGES {
                let line = listener.line().await;
                if line.starts_with("FROM") {
                    assert_eq!(line, format!("FROM talker MSG {next} {text}"));
                    next += 1;
                }
            }
            listener
        }));
    }
    let mut talker = Peer::tcp(address).await.join("talker").await;
    stats(&mut server, &format!("clients={} ", SLEEPERS + 3)).await;
    let before = kib(&server, "VmRSS");
    for n in 0..MESSAGES {
        talker.send(&format!("MSG {n} {text}")).await;
        while talker.line().await != "OK" {}
    }
    let mut caught_up = Vec::new();
    for listener in listeners {
        caught_up.push(timeout(TEST_TIMEOUT, listener).await.expect("in time").unwrap());
    }
    let statistics = stats(&mut server, "cut=0").await;
    let grown = kib(&server, "VmHWM").saturating_sub(before);
    println!("{MESSAGES} messages beside {SLEEPERS} sleepers: memory grew by {grown} KiB; {statistics}");
    let most = (BATCHES * (TEXT + OVERHEAD) + FIXED) as u64 / 1_024;
    assert!(grown <= most, "memory grew by {grown} KiB, more than {most} KiB");
    // An unbounded ring would exceed this limit.
    assert!(most < (MESSAGES * TEXT) as u64 / 1_024);
    for sleeper in sleepers {
        let text_read = timeout(TEST_TIMEOUT, received(sleeper)).await.expect("the connection ends");
        let lines: Vec<_> = text_read.split_inclusive("\r\n").filter(|line| line.starts_with("FROM talker")).collect();
        let whole = lines.iter().filter(|line| line.ends_with("\r\n")).zip(0..);
        assert!(whole.clone().count() < MESSAGES, "the ring has dropped lines");
        whole.for_each(|(line, n)| assert_eq!(*line, format!("FROM talker MSG {n} {text}\r\n")));
    }
    stats(&mut server, &format!("cut={SLEEPERS} ")).await;
    drop((caught_up, talker));
    stop(server);
}

/// Reads until the end of the connection or a reset.
async fn received(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}
