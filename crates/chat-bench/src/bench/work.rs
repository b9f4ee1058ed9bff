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

/// Starts the server of the case, and measures it once. `Idle` and `Arrive` ignore the duration.
pub(super) fn measure(row: &Row, case: &Case, placement: &Placement, duration: Duration) -> Result<Sample> {
    let server = Server::start(case.server, case.cores, placement)?;
    let load = Load::new(case.server)?;
    match row.work {
        Work::Talk { speakers, in_flight } => {
            // A load with its own core polls without sleeping, so that its wake-up time is not measured. A load that
            // shares its core with the server must sleep.
            let shares_core = placement.load_shares_core(case.cores);
            let poll_timeout = if shares_core { Duration::from_millis(1) } else { Duration::ZERO };
            talk(load, &server, case, speakers, in_flight, duration, poll_timeout)
        }
        Work::Steady { per_second } => steady(load, &server, case, per_second, duration),
        Work::Idle => idle(load, &server, case),
        Work::Arrive => arrive(load, &server, case),
        Work::Churn { concurrent } => churn(load, &server, case, concurrent, duration),
    }
}

/// Logs in all clients. Returns the number of speakers. With one speaker, it is client 0.
fn join(load: &mut Load, server: &Server, case: &Case, speakers: Speakers) -> Result<usize> {
    let clients = 1 + case.listeners + case.sleepers;
    load.join(server.address, clients, |client| speakers == Speakers::One && client == 0)?;
    for sleeper in 1 + case.listeners..clients {
        load.stop_reading(sleeper);
    }
    Ok(if speakers == Speakers::One { 1 } else { clients })
}

/// Measures the rate of deliveries and their CPU time.
fn talk(
    mut load: Load,
    server: &Server,
    case: &Case,
    speakers: Speakers,
    in_flight: u64,
    duration: Duration,
    poll_timeout: Duration,
) -> Result<Sample> {
    let speakers = join(&mut load, server, case, speakers)?;
    let message = dialect::message(case.server, &dialect::payload(case.payload));
    let listeners = case.listeners as u64;
    let mut sent = 0;
    let mut talk_for = |load: &mut Load, duration: Duration| -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < duration {
            let due = in_flight.saturating_sub(sent - load.delivered / listeners);
            for (speaker, messages) in shares(sent, due, speakers) {
                load.send(speaker, &message.repeat(messages));
            }
            sent += due;
            load.poll(poll_timeout, |_, _| {})?;
        }
        Ok(())
    };
    talk_for(&mut load, WARM_UP)?;
    let (delivered, cpu_time, start) = (load.delivered, server.cpu_time(), Instant::now());
    talk_for(&mut load, duration)?;
    let (seconds, cpu_time) = (start.elapsed().as_secs_f64(), server.cpu_time() - cpu_time);
    let deliveries = (load.delivered - delivered) as f64;

    let expected = sent * listeners;
    expect_deliveries(&mut load, expected)?;
    Ok(Sample { rate: Some(deliveries / seconds), cpu: Some(cpu_time as f64 / deliveries), ..Sample::default() })
}

/// Divides the next messages among the speakers, as evenly as possible. `sent` messages precede them.
///
/// Returns pairs of a speaker and the number of its messages.
fn shares(sent: u64, messages: u64, speakers: usize) -> impl Iterator<Item = (usize, usize)> {
    let speakers = speakers as u64;
    let (each, remainder) = (messages / speakers, messages % speakers);
    (0..speakers.min(messages)).map(move |n| {
        let speaker = (sent + n) % speakers;
        (speaker as usize, (each + u64::from(n < remainder)) as usize)
    })
}

/// Measures the latency of deliveries and their CPU time at a steady rate.
fn steady(mut load: Load, server: &Server, case: &Case, per_second: u32, duration: Duration) -> Result<Sample> {
    join(&mut load, server, case, Speakers::One)?;
    let message = dialect::message(case.server, &dialect::payload(case.payload));
    let interval = Duration::from_secs(1) / per_second;
    let (mut sent_at, mut latencies) = (Vec::new(), Vec::new());
    let start = Instant::now();
    // Deliveries and CPU time at the end of the warm-up.
    let mut warm = None;
    while start.elapsed() < WARM_UP + duration {
        if warm.is_none() && start.elapsed() > WARM_UP {
            warm = Some((load.delivered, server.cpu_time()));
            latencies.clear();
        }
        if start.elapsed() >= interval * sent_at.len() as u32 {
            sent_at.push(Instant::now());
            load.send(0, &message);
        }
        load.poll(Duration::ZERO, |before, after| {
            let now = Instant::now();
            latencies.extend((before..after).map(|message| (now - sent_at[message as usize]).as_secs_f64() * 1e6));
        })?;
    }
    let (delivered, cpu_time) = warm.unwrap_or_default();
    let cpu = (server.cpu_time() - cpu_time) as f64 / (load.delivered - delivered) as f64;
    let expected = sent_at.len() as u64 * case.listeners as u64;
    expect_deliveries(&mut load, expected)?;
    latencies.sort_by(f64::total_cmp);
    let percentile = |part: f64| latencies.get((latencies.len() as f64 * part) as usize).copied();
    Ok(Sample { cpu: Some(cpu), p50: percentile(0.5), p99: percentile(0.99), ..Sample::default() })
}

/// Measures the memory per client that has joined.
fn idle(mut load: Load, server: &Server, case: &Case) -> Result<Sample> {
    let before = server.memory()?;
    load.join(server.address, case.listeners, |_| false)?;
    // The server may still be sending JOIN lines.
    settle(&mut load)?;
    let memory = server.memory()?.saturating_sub(before) as f64 / case.listeners as f64;
    Ok(Sample { memory: Some(memory), ..Sample::default() })
}

/// Measures the time until all clients have joined and have received each other's `JOIN`.
fn arrive(mut load: Load, server: &Server, case: &Case) -> Result<Sample> {
    let clients = case.listeners as u64;
    for _ in 0..case.listeners {
        load.connect(server.address, false)?;
    }
    let (start, cpu_time) = (Instant::now(), server.cpu_time());
    load.join_all_at_once();
    // Each client receives NAME OK, WELCOME, and a JOIN for every client that joins after it.
    let lines = clients * 2 + clients * (clients - 1) / 2;
    while load.lines < lines {
        load.poll(Duration::from_millis(1), |_, _| {})?;
        if start.elapsed() > TIMEOUT {
            bail!("some JOIN lines are missing after {} s", TIMEOUT.as_secs());
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = (server.cpu_time() - cpu_time) as f64 / lines as f64;
    settle(&mut load)?;
    if load.lines != lines {
        bail!("{} lines instead of {lines}", load.lines);
    }
    Ok(Sample { seconds: Some(seconds), cpu: Some(cpu), rate: Some(lines as f64 / seconds), ..Sample::default() })
}

/// Measures the CPU time of a visit: connect, log in, leave.
fn churn(mut load: Load, server: &Server, case: &Case, concurrent: usize, duration: Duration) -> Result<Sample> {
    #[derive(Clone, Copy, PartialEq)]
    enum Stage {
        Connected,
        LoggingIn,
        Leaving,
    }
    let mut stages = Vec::new();
    for _ in 0..concurrent {
        load.connect(server.address, false)?;
        stages.push(Stage::Connected);
    }
    let farewell = dialect::farewell(case.server);
    let (mut logins, mut visits) = (0, 0_u64);
    let (start, cpu_time) = (Instant::now(), server.cpu_time());
    while start.elapsed() < duration {
        for (client, stage) in stages.iter_mut().enumerate() {
            match *stage {
                Stage::Connected => {
                    logins += 1;
                    load.send(client, dialect::login(case.server, logins, false).as_bytes());
                    *stage = Stage::LoggingIn;
                }
                Stage::LoggingIn if load.is_logged_in(client) => {
                    load.send(client, farewell.as_bytes());
                    *stage = Stage::Leaving;
                }
                // After a farewell, the server closes the connection. Without one, the client does.
                Stage::Leaving if load.is_closed(client) || farewell.is_empty() => {
                    load.replace(client, server.address)?;
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
    Ok(Sample { cpu: Some((server.cpu_time() - cpu_time) as f64 / visits as f64), ..Sample::default() })
}

/// Receives for half a second, so that the server finishes its work.
fn settle(load: &mut Load) -> Result<()> {
    for _ in 0..10 {
        load.poll(Duration::from_millis(50), |_, _| {})?;
    }
    Ok(())
}

/// Waits for the remaining deliveries. Fails if there are too few or too many.
fn expect_deliveries(load: &mut Load, expected: u64) -> Result<()> {
    load.wait_until("all messages are delivered", |load| load.delivered >= expected)?;
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
        let share = |sent, messages, speakers| shares(sent, messages, speakers).collect::<Vec<_>>();
        assert_eq!(share(0, 0, 3), []);
        assert_eq!(share(5, 2, 3), [(2, 1), (0, 1)]);
        assert_eq!(share(0, 7, 3), [(0, 3), (1, 2), (2, 2)]);
        assert_eq!(share(9, 4, 1), [(0, 4)]);
    }
}
