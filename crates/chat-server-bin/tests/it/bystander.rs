//! Measures how much hostile clients slow down a bystander. Compares the latency of its messages with and without them.

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
    process::Process,
    program::{TEST_TIMEOUT, start_on_free_port, stop},
};

/// Number of messages of a measurement. With the login, this is less than the burst that the default rate limit allows.
const MESSAGES: usize = 195;
/// Number of rounds. The result is the median of their ratios.
const ROUNDS: u8 = 15;
/// Maximum ratio of the latencies. The bystander waits while the server handles some dozens of the flood's requests. This
/// takes little time compared with a round trip, but ten times as long in a debug build. If the server handled a thousand
/// requests first, the ratio would be 8 to 16.
const MAX_RATIO: f64 = if cfg!(debug_assertions) { 4.0 } else { 2.0 };

/// A client that does without an async runtime, which would add to the latency.
struct Client {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
    /// The last line.
    line: String,
    /// Number of members that have joined after this client.
    others: usize,
}

impl Client {
    /// Joins from the local address `from`. Rate limits are per address, so each client has a different one.
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

    /// Reads lines until the condition holds.
    fn read_until(&mut self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.line.clear();
            assert!(self.lines.read_line(&mut self.line).unwrap() > 0, "the server has closed the connection");
            self.others += usize::from(self.line.starts_with("JOIN "));
            self.others -= usize::from(self.line.starts_with("LOGOUT "));
        }
        self.line.clear();
    }

    /// The 99th percentile of the time from a message to its `OK`, without the time spent waiting for a CPU.
    fn p99(&mut self, cpu_waits: &CpuWaits) -> Duration {
        let mut latencies: Vec<_> = (0..MESSAGES)
            .map(|n| {
                let (waited, start) = (cpu_waits.total(), Instant::now());
                self.send(&format!("MSG {n}\r\n"));
                self.read_until(|client| client.line == "OK\r\n");
                let elapsed = start.elapsed();
                elapsed.saturating_sub(cpu_waits.total().saturating_sub(waited))
            })
            .collect();
        latencies.sort_unstable();
        latencies[MESSAGES * 99 / 100 - 1]
    }
}

/// The time that this thread and the threads of the server were ready to run but had no CPU. It depends on the scheduler
/// of the system, not on the server, so it is subtracted from the latency. (On one CPU the server has one worker thread,
/// so it never waits for itself.)
struct CpuWaits(Vec<File>);

impl CpuWaits {
    fn of(server: &Process) -> Self {
        let threads = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
        let threads = threads.map(|thread| thread.unwrap().path()).chain([Path::new("/proc/thread-self").to_owned()]);
        Self(threads.map(|thread| File::open(thread.join("schedstat")).unwrap()).collect())
    }

    fn total(&self) -> Duration {
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

/// One CPU for the server and one for the clients. If they shared a CPU, the scheduler of the system would determine the
/// result. `None`: this process may use only one.
fn choose_cpus() -> Option<[CpuSet; 2]> {
    let allowed = sched_getaffinity(None).unwrap();
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).map(|cpu| {
        let mut set = CpuSet::new();
        set.set(cpu);
        set
    });
    Some([cpus.next()?, cpus.next()?])
}

/// Measures a bystander alone, and then with a sleeper and a flood of requests, which do not read.
fn measure_round(server: SocketAddr, number: u8, cpu_waits: &CpuWaits) -> [Duration; 2] {
    let mut bystander = Client::join(server, Ipv4Addr::new(127, 0, 1, number), "bystander");
    let alone = bystander.p99(cpu_waits);
    let sleeper = Client::join(server, Ipv4Addr::new(127, 0, 2, number), "sleeper");
    let mut flood = Client::join(server, Ipv4Addr::new(127, 0, 3, number), "flood");
    bystander.read_until(|client| client.others == 2);
    let flood_stream = flood.stream.try_clone().unwrap();
    let flooding = thread::spawn(move || {
        let pings = b"PING\r\n".repeat(1_000);
        while flood.stream.write_all(&pings).is_ok() {}
    });
    let disturbed = bystander.p99(cpu_waits);
    flood_stream.shutdown(Shutdown::Both).unwrap();
    flooding.join().unwrap();
    drop((flood_stream, sleeper));
    bystander.read_until(|client| client.others == 0);
    bystander.send("BYE\r\n");
    bystander.read_until(|client| client.line == "BYE\r\n");
    [alone, disturbed]
}

/// The median of the ratios of all rounds. The load of the machine is about the same for both measurements of a round.
fn median_ratio(server: SocketAddr, cpu_waits: &CpuWaits) -> f64 {
    let mut ratios: Vec<_> = (1..=ROUNDS)
        .map(|number| measure_round(server, number, cpu_waits))
        .map(|[alone, disturbed]| disturbed.as_secs_f64() / alone.as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

/// Tests the default rate limit, and no limit.
#[test]
fn a_flood_and_a_sleeper_cost_a_bystander_little() {
    let Some([server_cpu, client_cpu]) = choose_cpus() else { return println!("skipped: this test needs two CPUs") };
    for limit in ["200", "0"] {
        // The server inherits the CPU.
        sched_setaffinity(None, &server_cpu).unwrap();
        let (server, address) = start_on_free_port(&["--rate-limit", limit]);
        sched_setaffinity(None, &client_cpu).unwrap();
        let ratio = median_ratio(address, &CpuWaits::of(&server));
        println!("--rate-limit {limit}: {ratio:.2} times the latency");
        assert!(ratio <= MAX_RATIO, "--rate-limit {limit}: {ratio:.2} times the latency with a flood and a sleeper");
        stop(server);
    }
}
