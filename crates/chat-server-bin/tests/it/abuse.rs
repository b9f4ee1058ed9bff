//! Tests of abusive clients. They measure the memory, the descriptors and the CPU time of the process.

use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::{
    process::Process,
    program::{PROGRAM, TEST_TIMEOUT, memory_kib, reset, start_on_free_port, stop, wait_for_stats},
    support::Peer,
};

/// The number of open descriptors.
fn descriptors(server: &Process) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count()
}

/// The CPU time used so far.
fn cpu_time(server: &Process) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    // The 12th and 13th field after the name in parentheses: hundredths of a second in user mode and in kernel mode.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

#[tokio::test]
async fn a_hundred_megabytes_of_junk_cost_no_memory() {
    const JUNK: usize = 100_000_000;
    let (mut server, address) = start_on_free_port(&[]);
    let mut bystander = Peer::tcp(address).await.join("bystander").await;
    // The first round warms up the server. The second is measured.
    for (junk, max_growth_kib) in [(1_000_000, u64::MAX), (JUNK, 1_024)] {
        let before = memory_kib(&server, "VmHWM");
        let (mut sent, chunk) = (0, vec![b'x'; 65_536]);
        while sent < junk {
            let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
            let mut reply = String::new();
            let receiving = reader.read_to_string(&mut reply);
            let sending = async {
                while sent < junk && writer.write_all(&chunk).await.is_ok() {
                    sent += chunk.len();
                }
            };
            // If the server closes the connection while the test writes, the read ends with a reset.
            let (_, ()) = timeout(TEST_TIMEOUT, async { tokio::join!(receiving, sending) }).await.expect("it ends");
            assert!(["BAD REQ\r\n", ""].contains(&reply.as_str()), "{reply:?}");
        }
        let growth = memory_kib(&server, "VmHWM") - before;
        println!("{sent} bytes of junk: {growth} KiB");
        assert!(growth <= max_growth_kib, "{sent} bytes of junk: {growth} KiB");
    }
    bystander.send("REQ CLIENTS").await;
    bystander.expect("LIST CLIENTS 1 bystander").await;
    wait_for_stats(&mut server, "connections=1 clients=1 tasks=2").await;
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
    let mut connections = Vec::new();
    for _ in 0..200 {
        connections.push(TcpStream::connect(address).await.unwrap());
    }
    // There is no event to wait for.
    timeout(TEST_TIMEOUT, async {
        while descriptors(&server) < 64 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all descriptors are used up");

    let (start, before) = (Instant::now(), cpu_time(&server));
    for n in 0..20 {
        ann.send(&format!("MSG {n}")).await;
        ann.expect("OK").await;
        bob.expect(&format!("FROM ann MSG {n}")).await;
        // Not a wait for an event: CPU time is compared with real time.
        sleep(Duration::from_millis(100)).await;
    }
    let (elapsed, used) = (start.elapsed(), cpu_time(&server).saturating_sub(before));
    println!("CPU time without descriptors: {used:?} of {elapsed:?}");
    assert!(used * 20 < elapsed, "{used:?} of {elapsed:?}");

    drop(connections);
    let freed_at = Instant::now();
    let eve = Peer::tcp(address).await.join("eve").await;
    println!("accepts again after {:?}", freed_at.elapsed());
    assert!(freed_at.elapsed() < Duration::from_secs(2), "{:?}", freed_at.elapsed());
    wait_for_stats(&mut server, "connections=3 clients=3 ").await;
    drop((ann, bob, eve));
    stop(server);
}

#[tokio::test]
async fn ten_thousand_resets_leave_nothing_behind() {
    let (mut server, address) = start_on_free_port(&["--rate-limit", "0"]);
    let mut bystander = Peer::tcp(address).await.join("bystander").await;
    let descriptors_before = descriptors(&server);
    for n in 0..10_000 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Nothing, a part of a login, a complete login, a message of a guest.
        let first_bytes: &[u8] = [b"".as_slice(), b"PROT 0.1 CON", b"PROT 0.1 CONNECT NEW\r\n", b"hi\r\n"][n % 4];
        // Fails if the server is full and has closed the connection.
        let _ = stream.write_all(first_bytes).await;
        reset(&stream);
    }
    wait_for_stats(&mut server, "connections=1 clients=1 tasks=2 ").await;
    // The server stops counting a task shortly before it closes the descriptor.
    timeout(TEST_TIMEOUT, async {
        while descriptors(&server) != descriptors_before {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all descriptors are closed");
    // Each client was announced once when it joined and once when it left.
    bystander.send("REQ CLIENTS").await;
    let (mut members, mut joined) = (BTreeSet::new(), 0);
    loop {
        let line = bystander.line().await;
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["JOIN", name] => {
                joined += 1;
                assert!(members.insert((*name).to_owned()), "{line}");
            }
            ["LOGOUT", name] => assert!(members.remove(*name), "{line}"),
            ["LIST", ..] => break,
            _ => {}
        }
    }
    println!("{joined} had joined");
    assert!(joined > 500, "only {joined} had joined: too few for this test");
    assert!(members.is_empty(), "{members:?}");
    drop(bystander);
    stop(server);
}

/// The talker sends three times as many batches as the ring holds. Twenty sleepers do not read, and no timeout disconnects
/// them. The memory of the server grows by no more than the ring, and the listeners receive every message. When the
/// sleepers read again, they receive all lines before the first one that the ring has dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_do_not_read_are_cut_and_the_others_get_every_line() {
    const SLEEPERS: usize = 20;
    /// The default length of the ring.
    const BATCHES: usize = 4_096;
    /// The talker waits for each OK, so each message is one batch.
    const MESSAGES: usize = 3 * BATCHES;
    const TEXT_BYTES: usize = 1_990;
    /// Memory per message in the ring, besides its text.
    const OVERHEAD_BYTES: usize = 512;
    /// Memory that does not depend on the number of messages.
    const FIXED_BYTES: usize = 4 << 20;
    let (mut server, address) =
        start_on_free_port(&["--rate-limit", "0", "--write-timeout", "1000", "--ping-interval", "0"]);
    let mut sleepers = Vec::new();
    for n in 0..SLEEPERS {
        // With a small receive buffer, they soon lag.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8_192).unwrap();
        let mut sleeper = socket.connect(address).await.unwrap();
        sleeper.write_all(format!("PROT 0.1 CONNECT USER sleeper{n}\r\n").as_bytes()).await.unwrap();
        sleepers.push(sleeper);
    }
    let text = Arc::new("x".repeat(TEXT_BYTES));
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
    wait_for_stats(&mut server, &format!("clients={} ", SLEEPERS + 3)).await;
    let before = memory_kib(&server, "VmRSS");
    for n in 0..MESSAGES {
        talker.send(&format!("MSG {n} {text}")).await;
        while talker.line().await != "OK" {}
    }
    let mut finished = Vec::new();
    for listener in listeners {
        finished.push(timeout(TEST_TIMEOUT, listener).await.expect("in time").unwrap());
    }
    let stats = wait_for_stats(&mut server, "cut=0").await;
    let growth = memory_kib(&server, "VmHWM").saturating_sub(before);
    println!("{MESSAGES} messages beside {SLEEPERS} sleepers: memory grew by {growth} KiB; {stats}");
    let max_growth = (BATCHES * (TEXT_BYTES + OVERHEAD_BYTES) + FIXED_BYTES) as u64 / 1_024;
    assert!(growth <= max_growth, "memory grew by {growth} KiB, more than {max_growth} KiB");
    // An unbounded ring would exceed this limit.
    assert!(max_growth < (MESSAGES * TEXT_BYTES) as u64 / 1_024);
    for sleeper in sleepers {
        let received = timeout(TEST_TIMEOUT, read_to_end(sleeper)).await.expect("the connection ends");
        let lines = received.split_inclusive("\r\n").filter(|line| line.starts_with("FROM talker"));
        let complete_lines: Vec<_> = lines.filter(|line| line.ends_with("\r\n")).collect();
        assert!(complete_lines.len() < MESSAGES, "the ring has dropped lines");
        for (n, line) in complete_lines.iter().enumerate() {
            assert_eq!(*line, format!("FROM talker MSG {n} {text}\r\n"));
        }
    }
    wait_for_stats(&mut server, &format!("cut={SLEEPERS} ")).await;
    drop((finished, talker));
    stop(server);
}

/// Reads until the end of the connection or a reset.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}
