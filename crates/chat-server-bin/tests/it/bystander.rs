//! Measures how much hostile clients slow down a bystander: the latency of its messages with and without them.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    os::unix::fs::FileExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use socket2::{Domain, Socket, Type};

use crate::{
    abuse::{TEST_TIMEOUT, start, stop},
    process::Process,
};

/// Messages of each measurement: the burst that the default rate limit allows, less the login.
const MESSAGES: usize = 195;
/// Rounds of a run. The result is the median of their ratios.
const ROUNDS: u8 = 15;
/// Maximum factor by which the latency may grow. The bystander waits while the server handles some dozens of the
/// flood's requests. That takes little time compared with a round trip, but ten times as long in a debug build. If the
/// server handled a thousand requests first, the factor would be 8 to 16.
const MAX_RATIO: f64 = if cfg!(debug_assertions) { 4.0 } else { 2.0 };

/// A client without an async runtime, which would add to the latency.
struct Client {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
    line: String,
    /// Number of clients that have joined since and not left.
    others: usize,
}

impl Client {
    /// Joins from the address `from`, because the rate limit is per address.
    fn join(server: SocketAddr, from: Ipv4Addr, name: &str) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&server.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap());
        let mut client = Self { stream, lines, line: String::new(), others: 0 };
        client.send(&format!("PROT 0.1 CONNECT USER {name}\r\n"));
        client.read_until(|client| client.line == "WELCOME\r\n");
        client
    }

    fn send(&mut self, lines: &str) {
        self.stream.write_all(lines.as_bytes()).unwrap();
    }

    /// Reads lines until the condition holds. `line` is the last line.
    fn read_until(&mut self, until: impl Fn(&Self) -> bool) {
        while !until(self) {
            self.line.clear();
            assert!(self.lines.read_line(&mut self.line).unwrap() > 0, "the server has closed the connection");
            self.others += usize::from(self.line.starts_with("JOIN "));
            self.others -= usize::from(self.line.starts_with("LOGOUT "));
        }
        self.line.clear();
    }

    /// The 99th percentile of the time from a message to its `OK`.
    fn p99(&mut self, waits: &Waits) -> Duration {
        let mut took: Vec<_> = (0..MESSAGES)
            .map(|n| {
                let (waited, begun) = (waits.so_far(), Instant::now());
                self.send(&format!("MSG {n}\r\n"));
                self.read_until(|client| client.line == "OK\r\n");
                let took = begun.elapsed();
                took.saturating_sub(waits.so_far().saturating_sub(waited))
            })
            .collect();
        took.sort_unstable();
        took[MESSAGES * 99 / 100 - 1]
    }
}

/// The time that the threads of the server and this thread were ready to run, but had no processor. It depends on the
/// scheduler of the system, not on the server, so it is subtracted from the latency. (On one processor the server has
/// one worker thread, so it never waits for itself.)
struct Waits(Vec<File>);

impl Waits {
    fn of(server: &Process) -> Self {
        let threads = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
        let threads = threads.map(|thread| thread.unwrap().path()).chain([Path::new("/proc/thread-self").to_owned()]);
        Self(threads.map(|thread| File::open(thread.join("schedstat")).unwrap()).collect())
    }

    fn so_far(&self) -> Duration {
        let waited = self.0.iter().map(|thread| {
            let mut stat = [0; 64];
            let length = thread.read_at(&mut stat, 0).unwrap();
            // The fields are: nanoseconds running, nanoseconds waiting, number of time slices.
            let stat = std::str::from_utf8(&stat[..length]).unwrap();
            Duration::from_nanos(stat.split(' ').nth(1).unwrap().parse().unwrap())
        });
        waited.sum()
    }
}

/// One processor for the server and one for the clients. If they shared one, the scheduler of the system would decide
/// the result.
fn processors() -> Option<[CpuSet; 2]> {
    let allowed = sched_getaffinity(None).unwrap();
    let mut processors = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).map(|cpu| {
        let mut set = CpuSet::new();
        set.set(cpu);
        set
    });
    Some([processors.next()?, processors.next()?])
}

/// Measures a bystander alone, and then beside a sleeper and a flood of requests. Neither of these two reads.
fn round(server: SocketAddr, number: u8, waits: &Waits) -> [Duration; 2] {
    let mut bystander = Client::join(server, Ipv4Addr::new(127, 0, 1, number), "bystander");
    let alone = bystander.p99(waits);
    let sleeper = Client::join(server, Ipv4Addr::new(127, 0, 2, number), "sleeper");
    let mut flood = Client::join(server, Ipv4Addr::new(127, 0, 3, number), "flood");
    bystander.read_until(|client| client.others == 2);
    let hold = flood.stream.try_clone().unwrap();
    let flooding = thread::spawn(move || {
        let pings = b"PING\r\n".repeat(1_000);
        while flood.stream.write_all(&pings).is_ok() {}
    });
    let beside = bystander.p99(waits);
    hold.shutdown(Shutdown::Both).unwrap();
    flooding.join().unwrap();
    drop((hold, sleeper));
    bystander.read_until(|client| client.others == 0);
    bystander.send("BYE\r\n");
    bystander.read_until(|client| client.line == "BYE\r\n");
    [alone, beside]
}

/// The median ratio of the rounds. Both measurements of a round run under the same load of the machine.
fn median(server: SocketAddr, waits: &Waits) -> f64 {
    let mut ratios: Vec<_> = (1..=ROUNDS)
        .map(|number| round(server, number, waits))
        .map(|[alone, beside]| beside.as_secs_f64() / alone.as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

/// Holds with the default rate limit, and without one.
#[test]
fn a_flood_and_a_sleeper_cost_a_bystander_little() {
    let Some([server_cpu, client_cpu]) = processors() else { return println!("skipped: this needs two processors") };
    for limit in ["200", "0"] {
        // The server inherits the processor.
        sched_setaffinity(None, &server_cpu).unwrap();
        let (server, address) = start(&["--rate-limit", limit]);
        sched_setaffinity(None, &client_cpu).unwrap();
        let ratio = median(address, &Waits::of(&server));
        println!("--rate-limit {limit}: {ratio:.2} times as long");
        assert!(ratio <= MAX_RATIO, "--rate-limit {limit}: {ratio:.2} times as long beside a flood and a sleeper");
        stop(server);
    }
}
