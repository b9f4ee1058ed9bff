//! Performs the work of a row with one server, and measures it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{
    dialect,
    load::{Load, TIMEOUT},
    placement::Placement,
    rows::{Case, Row, Speakers, Work},
    sample::Sample,
    server::Server,
};

/// Time before a measurement, in which caches warm up and buffers grow.
const WARM_UP: Duration = Duration::from_millis(300);

/// Starts the server of the case, and measures it once.
pub(super) fn perform(row: &Row, case: &Case, placement: &Placement, duration: Duration) -> Result<Sample> {
    let server = Server::start(case.kind, case.cores, placement)?;
    let load = Load::new(case.kind)?;
    match row.work {
        Work::Talk { speakers, in_flight } => {
            // A load with its own core polls without sleeping, so that its wake-up time is not measured. A load that
            // shares its core with the server sleeps.
            let pause = if placement.is_shared(case.cores) { Duration::from_millis(1) } else { Duration::ZERO };
            talk(load, &server, case, speakers, in_flight, duration, pause)
        }
        Work::Steady { per_second } => steady(load, &server, case, per_second, duration),
        Work::Idle => idle(load, &server, case),
        Work::Arrive => arrive(load, &server, case),
        Work::Churn { at_once } => churn(load, &server, case, at_once, duration),
    }
}

/// Joins all clients. Returns the number of speakers: client 0 alone, or all.
fn join(load: &mut Load, server: &Server, case: &Case, speakers: Speakers) -> Result<usize> {
    let clients = 1 + case.listeners + case.sleepers;
    load.join(server.address, clients, |n| speakers == Speakers::One && n == 0)?;
    for n in 1 + case.listeners..clients {
        load.stop_reading(n);
    }
    Ok(if speakers == Speakers::One { 1 } else { clients })
}

/// Measures the rate and the CPU time of deliveries.
fn talk(
    mut load: Load,
    server: &Server,
    case: &Case,
    speakers: Speakers,
    in_flight: u64,
    duration: Duration,
    pause: Duration,
) -> Result<Sample> {
    let speakers = join(&mut load, server, case, speakers)?;
    let message = dialect::message(case.kind, &dialect::payload(case.payload));
    let listeners = case.listeners as u64;
    let mut sent = 0;
    let mut talk_for = |load: &mut Load, duration: Duration| -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < duration {
            let more = in_flight.saturating_sub(sent - load.delivered / listeners);
            for (speaker, messages) in shares(sent, more, speakers) {
                load.send(speaker, &message.repeat(messages));
            }
            sent += more;
            load.poll(pause, |_, _| {})?;
        }
        Ok(())
    };
    talk_for(&mut load, WARM_UP)?;
    let (delivered, cpu, start) = (load.delivered, server.cpu(), Instant::now());
    talk_for(&mut load, duration)?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), server.cpu() - cpu);
    let deliveries = (load.delivered - delivered) as f64;

    let expected = sent * listeners;
    expect_deliveries(&mut load, expected)?;
    Ok(Sample { rate: Some(deliveries / seconds), cpu: Some(cpu as f64 / deliveries), ..Sample::default() })
}

/// Divides the next messages among the speakers. Returns each speaker with the number of messages that it sends at
/// once.
fn shares(sent: u64, messages: u64, speakers: usize) -> impl Iterator<Item = (usize, usize)> {
    let speakers = speakers as u64;
    let (each, more) = (messages / speakers, messages % speakers);
    (0..speakers.min(messages)).map(move |n| {
        let speaker = (sent + n) % speakers;
        (speaker as usize, (each + u64::from(n < more)) as usize)
    })
}

/// Measures the latency and the CPU time of deliveries at a steady rate.
fn steady(mut load: Load, server: &Server, case: &Case, per_second: u32, duration: Duration) -> Result<Sample> {
    join(&mut load, server, case, Speakers::One)?;
    let message = dialect::message(case.kind, &dialect::payload(case.payload));
    let interval = Duration::from_secs(1) / per_second;
    let (mut sent_at, mut latencies) = (Vec::new(), Vec::new());
    let start = Instant::now();
    let mut at_start = None;
    while start.elapsed() < WARM_UP + duration {
        if at_start.is_none() && start.elapsed() > WARM_UP {
            at_start = Some((load.delivered, server.cpu()));
            latencies.clear();
        }
        if start.elapsed() >= interval * sent_at.len() as u32 {
            sent_at.push(Instant::now());
            load.send(0, &message);
        }
        load.poll(Duration::ZERO, |before, after| {
            let now = Instant::now();
            latencies.extend((before..after).map(|n| (now - sent_at[n as usize]).as_secs_f64() * 1e6));
        })?;
    }
    let (delivered, cpu) = at_start.unwrap_or_default();
    let cpu = (server.cpu() - cpu) as f64 / (load.delivered - delivered) as f64;
    let expected = sent_at.len() as u64 * case.listeners as u64;
    expect_deliveries(&mut load, expected)?;
    latencies.sort_by(f64::total_cmp);
    let at = |part: f64| latencies.get((latencies.len() as f64 * part) as usize).copied();
    Ok(Sample { cpu: Some(cpu), p50: at(0.5), p99: at(0.99), ..Sample::default() })
}

/// Measures the memory of clients that have joined.
fn idle(mut load: Load, server: &Server, case: &Case) -> Result<Sample> {
    let before = server.memory()?;
    load.join(server.address, case.listeners, |_| false)?;
    // The server may still be sending the last joins.
    settle(&mut load)?;
    let memory = server.memory()?.saturating_sub(before) as f64 / case.listeners as f64;
    Ok(Sample { memory: Some(memory), ..Sample::default() })
}

/// Measures how long it takes until all clients have joined and received each other's joins.
fn arrive(mut load: Load, server: &Server, case: &Case) -> Result<Sample> {
    let clients = case.listeners as u64;
    for _ in 0..case.listeners {
        load.connect(server.address, false)?;
    }
    let (start, cpu) = (Instant::now(), server.cpu());
    load.join_at_once();
    // Each client gets NAME OK and WELCOME, and a JOIN for every client that joins after it.
    let lines = clients * 2 + clients * (clients - 1) / 2;
    while load.lines < lines {
        load.poll(Duration::from_millis(1), |_, _| {})?;
        if start.elapsed() > TIMEOUT {
            bail!("not every client has received all JOIN lines after {} s", TIMEOUT.as_secs());
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = (server.cpu() - cpu) as f64 / lines as f64;
    settle(&mut load)?;
    if load.lines != lines {
        bail!("{} lines instead of {lines}", load.lines);
    }
    Ok(Sample { seconds: Some(seconds), cpu: Some(cpu), rate: Some(lines as f64 / seconds), ..Sample::default() })
}

/// Measures the CPU time of a visit: connect, log in, leave.
fn churn(mut load: Load, server: &Server, case: &Case, at_once: usize, duration: Duration) -> Result<Sample> {
    #[derive(Clone, Copy, PartialEq)]
    enum Stage {
        Connected,
        LoggingIn,
        Leaving,
    }
    let mut stages = Vec::new();
    for _ in 0..at_once {
        load.connect(server.address, false)?;
        stages.push(Stage::Connected);
    }
    let (mut names, mut visits) = (0, 0_u64);
    let (start, cpu) = (Instant::now(), server.cpu());
    while start.elapsed() < duration {
        for (n, stage) in stages.iter_mut().enumerate() {
            match *stage {
                Stage::Connected => {
                    names += 1;
                    load.send(n, dialect::login(case.kind, names, false).as_bytes());
                    *stage = Stage::LoggingIn;
                }
                Stage::LoggingIn if load.has_joined(n) => {
                    load.send(n, dialect::farewell(case.kind).as_bytes());
                    *stage = Stage::Leaving;
                }
                // Without a farewell, the client only closes the connection.
                Stage::Leaving if load.is_closed(n) || dialect::farewell(case.kind).is_empty() => {
                    load.replace(n, server.address)?;
                    visits += 1;
                    *stage = Stage::Connected;
                }
                _ => {}
            }
        }
        load.poll(Duration::ZERO, |_, _| {})?;
    }
    if visits == 0 {
        bail!("no client joined and left");
    }
    Ok(Sample { cpu: Some((server.cpu() - cpu) as f64 / visits as f64), ..Sample::default() })
}

/// Reads for half a second, so that the server finishes its work.
fn settle(load: &mut Load) -> Result<()> {
    for _ in 0..10 {
        load.poll(Duration::from_millis(50), |_, _| {})?;
    }
    Ok(())
}

/// Waits for the deliveries that are left. Fails if one was lost, or if one more arrives.
fn expect_deliveries(load: &mut Load, expected: u64) -> Result<()> {
    load.wait_for("the last deliveries", |load| load.delivered >= expected)?;
    load.poll(Duration::from_millis(50), |_, _| {})?;
    if load.delivered == expected {
        return Ok(());
    }
    bail!("{} deliveries instead of {expected}", load.delivered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_fair_and_complete() {
        let taken = |sent, messages, speakers| shares(sent, messages, speakers).collect::<Vec<_>>();
        assert_eq!(taken(0, 0, 3), []);
        assert_eq!(taken(5, 2, 3), [(2, 1), (0, 1)]);
        assert_eq!(taken(0, 7, 3), [(0, 3), (1, 2), (2, 2)]);
        assert_eq!(taken(9, 4, 1), [(0, 4)]);
    }
}
