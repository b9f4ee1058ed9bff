//! Seeded runs of the real server on paused time. Clients join, send, stall, split lines, reset, half-close and reconnect.
//! The checker of the `testkit` judges what they received.
//!
//! `CHAT_SIM_SEEDS=10000` runs more seeds, `CHAT_SIM_SEED=42` only this one.

mod actor;
mod client;
mod tamper;

use std::{fmt::Write, net::SocketAddr, time::Duration};

use chat_server::{
    ChatServer, ChatServerBuilder, EndReason, Ending, Event, Events, Message, Name, Peer, Policy, RateLimit, Stats,
    Verdict,
    testkit::{self, Faults, Faulty, Rng, Session, Violation, Violations, check},
};

use self::{
    actor::Actor,
    client::Client,
    tamper::{Tamper, Trick},
};

/// The number of seeds in a normal test run.
const SEEDS: u64 = 500;
/// Longer than any run takes, in simulated time.
const TEST_TIMEOUT: Duration = Duration::from_secs(100_000);

/// The result of a run.
struct Run {
    checked: Result<testkit::Summary, Violations>,
    sessions: usize,
    /// The number of plain sessions among them.
    plain: usize,
    stats: Stats,
    /// The reasons of leaves, from the events.
    leave_reasons: Vec<EndReason>,
    /// The name of the client on which the trick is played.
    victim: Name,
    /// Whether the trick was played.
    tricked: bool,
}

fn number_in_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name}: {value:?} is not a number")))
}

fn seeds(normally: u64) -> std::ops::Range<u64> {
    match number_in_env("CHAT_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number_in_env("CHAT_SIM_SEEDS").unwrap_or(normally),
    }
}

/// Plays the run of this seed, on paused time.
fn play(seed: u64, trick: Option<Trick>) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let run = tokio::time::timeout(TEST_TIMEOUT, run(seed, trick)).await;
        run.unwrap_or_else(|_| panic!("seed {seed}: the run hangs"))
    })
}

async fn run(seed: u64, trick: Option<Trick>) -> Run {
    let mut rng = Rng::new(seed);
    let server = options(&mut rng).build();

    let reported = tokio::spawn(leave_reasons(server.events()));
    // The witness and the victim read without faults. If there is a trick, it is played on the victim.
    let witness =
        Client::named(attach(&server, Peer::labelled("simulated"), 1 << 20, |stream| stream), "witness").enter().await;
    let mut tricked = None;
    let victim = attach(&server, Peer::labelled("simulated"), 1 << 20, |stream| {
        let (tamper, played) = Tamper::new(stream, trick, &mut rng.fork());
        tricked = Some(played);
        tamper
    });
    let (victim, name) = match rng.index(3) {
        0 => (Client::plain(victim, "\n"), Name::guest(1)),
        1 => (Client::plain(victim, "\r\n"), Name::guest(1)),
        _ => (Client::named(victim, "victim"), "victim".parse().unwrap()),
    };
    let victim = victim.enter().await;
    let witness = tokio::spawn(witness.listen());
    let victim = tokio::spawn(victim.listen());

    let actors: Vec<_> = (0..2 + rng.index(5))
        .map(|number| tokio::spawn(Actor::new(server.clone(), number, rng.fork()).play()))
        .collect();
    let mut sessions: Vec<Session> = Vec::new();
    for actor in actors {
        sessions.extend(actor.await.unwrap());
    }
    server.shutdown().await;
    sessions.insert(0, victim.await.unwrap());
    sessions.insert(0, witness.await.unwrap());
    let tricked = tricked.is_some_and(|played| played.is_played());
    let plain = sessions.iter().filter(|session| session.name().is_none()).count();
    let leave_reasons = reported.await.unwrap();
    Run {
        checked: check(&sessions),
        sessions: sessions.len(),
        plain,
        stats: server.stats(),
        leave_reasons,
        victim: name,
        tricked,
    }
}

/// The reasons of leaves, up to the end of the events. Checks that the numbers are consecutive.
async fn leave_reasons(mut events: Events) -> Vec<EndReason> {
    let (mut left, mut seq) = (Vec::new(), 0);
    while let Some(event) = events.recv().await {
        let event = event.unwrap();
        seq += 1;
        assert_eq!(event.seq(), seq, "{event:?}");
        if let Event::Left { reason, .. } = event {
            left.push(reason);
        }
    }
    left
}

/// Checks that each end is counted once, and under the reason that the events give.
#[track_caller]
fn check_ends(run: &Run, seed: u64) {
    let counted: u64 = run.stats.ended.iter().map(|(_, times)| times).sum();
    assert_eq!(counted, run.sessions as u64, "CHAT_SIM_SEED={seed}: each end is counted once: {}", run.stats);
    for reason in &run.leave_reasons {
        let reported = run.leave_reasons.iter().filter(|other| *other == reason).count() as u64;
        let counted = run.stats.ended_by(reason);
        assert!(reported <= counted, "CHAT_SIM_SEED={seed}: {reason:?}: {reported} events, but {counted} counted");
    }
    // Only members end for these reasons.
    for reason in [EndReason::Bye, EndReason::PingTimeout, EndReason::Lagged] {
        let reported = run.leave_reasons.iter().filter(|other| **other == reason).count() as u64;
        assert_eq!(reported, run.stats.ended_by(&reason), "CHAT_SIM_SEED={seed}: {reason:?}");
    }
}

/// Refuses the messages of an actor whose number ends in 7.
struct RefusesSome;

impl Policy for RefusesSome {
    fn message(&self, message: &Message<'_>) -> Verdict {
        if message.text().as_str().contains("7 ") { Verdict::Refuse } else { Verdict::Deliver }
    }
}

/// Small limits, so that clients reach them.
fn options(rng: &mut Rng) -> ChatServerBuilder {
    let limit = if rng.one_in(4) { RateLimit::per_second(20) } else { None };
    ChatServer::builder()
        .policy(RefusesSome)
        .rate_limit(limit)
        .ring_batches([16, 64, 4_096][rng.index(3)])
        .ping_interval(Duration::from_millis(200 + rng.below(5_000)))
        .ping_timeout(Duration::from_millis(100 + rng.below(500)))
        .write_timeout(Duration::from_millis(200 + rng.below(2_000)))
        .login_timeout(Duration::from_millis(500 + rng.below(3_000)))
}

/// Attaches a client over a pipe that holds `capacity` bytes in each direction. `wrap` wraps the server's end.
fn attach<S>(
    server: &ChatServer,
    peer: Peer,
    capacity: usize,
    wrap: impl FnOnce(tokio::io::DuplexStream) -> S,
) -> tokio::io::DuplexStream
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + 'static,
{
    let (ours, theirs) = tokio::io::duplex(capacity);
    server.attach(wrap(theirs), peer);
    ours
}

/// As [`attach`], with random faults.
fn attach_faulty(server: &ChatServer, rng: &mut Rng) -> tokio::io::DuplexStream {
    let capacity = [64, 512, 65_536][rng.index(3)];
    let faults = if rng.one_in(3) { Faults::none() } else { Faults::seeded(rng) };
    // Some clients share an address, and so a rate limit.
    let peer = match u8::try_from(rng.below(6)).expect("small") {
        host @ 0..3 => SocketAddr::from(([10, 0, 0, host], 1)).into(),
        _ => Peer::labelled("simulated"),
    };
    attach(server, peer, capacity, |stream| Faulty::new(stream, faults, rng.fork()))
}

#[test]
fn nothing_is_lost_whatever_clients_do() {
    use EndReason::{Bye, Closed, Lagged, LoginTimeout, NameFailures, PingTimeout, ServerStopped, WriteTimeout};

    let (mut sum, mut ended) = (testkit::Summary::default(), Vec::<EndReason>::new());
    let (mut sessions, mut plain) = (0, 0);
    for seed in seeds(SEEDS) {
        let run = play(seed, None);
        check_ends(&run, seed);
        let summary = run.checked.unwrap_or_else(|violations| panic!("CHAT_SIM_SEED={seed}: {violations}"));
        let Stats { connections, clients, tasks, messages, .. } = run.stats;
        assert_eq!((connections, clients, tasks), (0, 0, 0), "CHAT_SIM_SEED={seed}: connections or tasks remain");
        assert!(messages >= summary.accepted as u64, "CHAT_SIM_SEED={seed}: {messages} counted, {summary:?}");
        assert_eq!(run.stats.ended_by(&EndReason::Panicked), 0, "CHAT_SIM_SEED={seed}");
        sum.events += summary.events;
        sum.accepted += summary.accepted;
        sum.refused += summary.refused;
        sum.unknown += summary.unknown;
        sessions += run.sessions;
        plain += run.plain;
        ended.extend(
            run.stats
                .ended
                .iter()
                .map(|(reason, _)| reason.clone())
                .filter(|reason| !ended.contains(reason))
                .collect::<Vec<_>>(),
        );
    }
    println!("{sessions} sessions, {plain} of them plain, {sum:?}, ended by {ended:?}");
    if seeds(SEEDS).count() >= 100 {
        // A simulation that reaches no limit would prove nothing.
        for reason in [Bye, Closed, Lagged, LoginTimeout, NameFailures, PingTimeout, ServerStopped, WriteTimeout] {
            assert!(ended.contains(&reason), "never reached: {reason:?}");
        }
        assert!(ended.iter().any(|reason| matches!(reason, EndReason::Transport(_))));
        assert!(ended.iter().any(|reason| reason.ending() == Ending::Refused));
        assert!(plain > sessions / 5, "{plain} of {sessions} are plain");
        assert!(sum.accepted > 10_000 && sum.refused > 100 && sum.unknown > 100, "{sum:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..5 {
        let [first, second] = [play(seed, None), play(seed, None)];
        assert_eq!((first.checked, first.stats), (second.checked, second.stats), "seed {seed}");
    }
}

/// The bug is between the hub and the victim. The seed decides when it happens.
#[test]
fn a_planted_bug_is_found() {
    for trick in [Trick::Drop, Trick::Swap, Trick::Twice] {
        let (mut named, mut plain, mut reported) = (0, 0, String::new());
        for seed in 0..60 {
            let run = play(seed, Some(trick));
            if !run.tricked {
                continue;
            }
            *(if run.victim.is_guest() { &mut plain } else { &mut named }) += 1;
            let Err(Violations(found)) = run.checked else { panic!("{trick:?} at seed {seed} is not found") };
            let victim = run.victim;
            let is_found = found.iter().any(|violation| match violation {
                Violation::Lost { by, .. } => *by == victim && trick == Trick::Drop,
                Violation::Swapped { by, .. } => *by == victim && trick == Trick::Swap,
                Violation::Duplicate { by, .. } => *by == victim && trick == Trick::Twice,
                _ => false,
            });
            assert!(is_found, "{trick:?} at seed {seed} is reported as {found:?}");
            let _ = writeln!(reported, "{trick:?} at seed {seed}: {}", found[0]);
        }
        println!("{reported}");
        assert!(named >= 10 && plain >= 10, "{trick:?} was played only {named} and {plain} times");
    }
}
