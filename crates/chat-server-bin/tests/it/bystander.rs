//! What a bystander notices of those who do harm: how long its messages take, alone in the room and beside them.

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
    abuse::{PATIENCE, start, stop},
    process::Process,
};

/// Of one round, alone and beside: as many as the default rate limit lets pass at once, beside the login.
const MESSAGES: usize = 195;
/// Decided beforehand: of their ratios the one in the middle counts, whatever it is.
const ROUNDS: u8 = 15;
/// So many times as long it may take. The bystander waits while the server takes some dozens of the flood's requests, which is
/// little beside a round trip; but without optimisation each of them takes ten times as long. A server that takes a thousand
/// of them first makes it 8 to 16 times as long.
const MOST: f64 = if cfg!(debug_assertions) { 4.0 } else { 2.0 };

/// Somebody with a stream of its own and no runtime: what it measures is the server's time.
struct Client {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
    line: String,
    /// Others who have come in since, and not left.
    others: usize,
}

impl Client {
    /// From an address of its own: the rate limit is the address's.
    fn join(server: SocketAddr, from: Ipv4Addr, name: &str) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&server.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap());
        let mut client = Self { stream, lines, line: String::new(), others: 0 };
        client.send(&format!("PROT 0.1 CONNECT USER {name}\r\n"));
        client.hear(|client| client.line == "WELCOME\r\n");
        client
    }

    fn send(&mut self, lines: &str) {
        self.stream.write_all(lines.as_bytes()).unwrap();
    }

    fn hear(&mut self, until: impl Fn(&Self) -> bool) {
        while !until(self) {
            self.line.clear();
            assert!(self.lines.read_line(&mut self.line).unwrap() > 0, "the server has closed");
            self.others += usize::from(self.line.starts_with("JOIN "));
            self.others -= usize::from(self.line.starts_with("LOGOUT "));
        }
        self.line.clear();
    }

    /// How long a message takes to come back as its `OK`: the 99th of a hundred.
    fn p99(&mut self, waits: &Waits) -> Duration {
        let mut took: Vec<_> = (0..MESSAGES)
            .map(|n| {
                let (waited, begun) = (waits.so_far(), Instant::now());
                self.send(&format!("MSG {n}\r\n"));
                self.hear(|client| client.line == "OK\r\n");
                let took = begun.elapsed();
                took.saturating_sub(waits.so_far().saturating_sub(waited))
            })
            .collect();
        took.sort_unstable();
        took[MESSAGES * 99 / 100 - 1]
    }
}

/// How long the server and this thread could have run, but others had their processors. It is the system that shares them out
/// in pieces of milliseconds, as soon as there are more who want one: no server can do anything about that. (On one processor
/// the server has one thread that works, so that nothing of this is its own.)
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
            // Nanoseconds: of running, of waiting; and how often.
            let stat = std::str::from_utf8(&stat[..length]).unwrap();
            Duration::from_nanos(stat.split(' ').nth(1).unwrap().parse().unwrap())
        });
        waited.sum()
    }
}

/// The server's processor, and that of everybody else: else it is the system that shares out the time, and not the server.
fn processors() -> Option<[CpuSet; 2]> {
    let ours = sched_getaffinity(None).unwrap();
    let mut alone = (0..CpuSet::MAX_CPU).filter(|&cpu| ours.is_set(cpu)).map(|cpu| {
        let mut set = CpuSet::new();
        set.set(cpu);
        set
    });
    Some([alone.next()?, alone.next()?])
}

/// A bystander alone, and then beside a sleeper and a flood of requests, neither of whom ever reads.
fn round(server: SocketAddr, number: u8, waits: &Waits) -> [Duration; 2] {
    let mut bystander = Client::join(server, Ipv4Addr::new(127, 0, 1, number), "bystander");
    let alone = bystander.p99(waits);
    let sleeper = Client::join(server, Ipv4Addr::new(127, 0, 2, number), "sleeper");
    let mut flood = Client::join(server, Ipv4Addr::new(127, 0, 3, number), "flood");
    bystander.hear(|client| client.others == 2);
    let hold = flood.stream.try_clone().unwrap();
    let flooding = thread::spawn(move || {
        let pings = b"PING\r\n".repeat(1_000);
        while flood.stream.write_all(&pings).is_ok() {}
    });
    let beside = bystander.p99(waits);
    hold.shutdown(Shutdown::Both).unwrap();
    flooding.join().unwrap();
    drop((hold, sleeper));
    bystander.hear(|client| client.others == 0);
    bystander.send("BYE\r\n");
    bystander.hear(|client| client.line == "BYE\r\n");
    [alone, beside]
}

/// How many times as long it takes beside, of several rounds the one in the middle. Both halves of a round have the same luck.
fn median(server: SocketAddr, waits: &Waits) -> f64 {
    let mut ratios: Vec<_> = (1..=ROUNDS)
        .map(|number| round(server, number, waits))
        .map(|[alone, beside]| beside.as_secs_f64() / alone.as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

/// At most twice the time, if it is optimised, with the limits that a server has by default and without any.
#[test]
fn a_flood_and_a_sleeper_cost_a_bystander_little() {
    let Some([server_s, ours]) = processors() else { return println!("one processor for all: nothing to tell apart") };
    for limit in ["200", "0"] {
        // A child inherits it.
        sched_setaffinity(None, &server_s).unwrap();
        let (server, address) = start(&["--rate-limit", limit]);
        sched_setaffinity(None, &ours).unwrap();
        let ratio = median(address, &Waits::of(&server));
        println!("--rate-limit {limit}: {ratio:.2} times as long");
        assert!(ratio <= MOST, "--rate-limit {limit}: {ratio:.2} times as long beside a flood and a sleeper");
        stop(server);
    }
}
