//! Performs a row's work against one server, and measures it.

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

/// Time before measuring, in which caches warm up and buffers grow.
const WARM_UP: Duration = Duration::from_millis(300);

pub(super) fn perform(row: &Row, case: &Case, placement: &Placement, length: Duration) -> Result<Sample> {
    let server = Server::start(case.kind, case.cores, placement)?;
    let load = Load::new(case.kind)?;
    match row.work {
        Work::Talk { who, in_flight } => {
            // A load with a core of its own polls without sleeping, so that its own wake-up time is not measured. One that
            // shares its core with the server sleeps.
            let pause = if placement.is_shared(case.cores) { Duration::from_millis(1) } else { Duration::ZERO };
            talk(load, &server, case, who, in_flight, length, pause)
        }
        Work::Steady { per_second } => steady(load, &server, case, per_second, length),
        Work::Idle => idle(load, &server, case),
        Work::Arrive => arrive(load, &server, case),
        Work::Churn { at_once } => churn(load, &server, case, at_once, length),
    }
}

/// Joins all clients. Returns how many speak: client 0 alone, or all.
fn join(load: &mut Load, server: &Server, case: &Case, who: Speakers) -> Result<usize> {
    let clients = 1 + case.listeners + case.sleepers;
    load.join(server.address, clients, |n| who == Speakers::One && n == 0)?;
    for n in 1 + case.listeners..clients {
        load.stop_reading(n);
    }
    Ok(if who == Speakers::One { 1 } else { clients })
}

fn talk(
    mut load: Load,
    server: &Server,
    case: &Case,
    who: Speakers,
    in_flight: u64,
    length: Duration,
    pause: Duration,
) -> Result<Sample> {
    let speakers = join(&mut load, server, case, who)?;
    let message = dialect::message(case.kind, &dialect::payload(case.payload));
    let listeners = case.listeners as u64;
    let mut sent = 0;
    let mut talk_for = |load: &mut Load, length: Duration| -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < length {
            let more = in_flight.saturating_sub(sent - load.delivered / listeners);
            for (speaker, messages) in shares(sent, more, speakers) {
                load.send(speaker, &message.repeat(messages));
            }
            sent += more;
            load.turn(pause, |_, _| {})?;
        }
        Ok(())
    };
    talk_for(&mut load, WARM_UP)?;
    let (delivered, cpu, start) = (load.delivered, server.cpu(), Instant::now());
    talk_for(&mut load, length)?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), server.cpu() - cpu);
    let deliveries = (load.delivered - delivered) as f64;

    let owed = sent * listeners;
    exactly(&mut load, owed)?;
    Ok(Sample { rate: Some(deliveries / seconds), cpu: Some(cpu as f64 / deliveries), ..Sample::default() })
}

/// Divides the next messages among the speakers: pairs of a speaker and its number of messages, which it sends at once.
fn shares(sent: u64, messages: u64, speakers: usize) -> impl Iterator<Item = (usize, usize)> {
    let speakers = speakers as u64;
    let (each, more) = (messages / speakers, messages % speakers);
    (0..speakers.min(messages)).map(move |n| {
        let speaker = (sent + n) % speakers;
        (speaker as usize, (each + u64::from(n < more)) as usize)
    })
}

fn steady(mut load: Load, server: &Server, case: &Case, per_second: u32, length: Duration) -> Result<Sample> {
    join(&mut load, server, case, Speakers::One)?;
    let message = dialect::message(case.kind, &dialect::payload(case.payload));
    let interval = Duration::from_secs(1) / per_second;
    let (mut sent_at, mut latencies) = (Vec::new(), Vec::new());
    let start = Instant::now();
    let mut at_start = None;
    while start.elapsed() < WARM_UP + length {
        if at_start.is_none() && start.elapsed() > WARM_UP {
            at_start = Some((load.delivered, server.cpu()));
            latencies.clear();
        }
        if start.elapsed() >= interval * sent_at.len() as u32 {
            sent_at.push(Instant::now());
            load.send(0, &message);
        }
        load.turn(Duration::ZERO, |before, after| {
            let now = Instant::now();
            latencies.extend((before..after).map(|n| (now - sent_at[n as usize]).as_secs_f64() * 1e6));
        })?;
    }
    let (delivered, cpu) = at_start.unwrap_or_default();
    let cpu = (server.cpu() - cpu) as f64 / (load.delivered - delivered) as f64;
    let owed = sent_at.len() as u64 * case.listeners as u64;
    exactly(&mut load, owed)?;
    latencies.sort_by(f64::total_cmp);
    let at = |part: f64| latencies.get((latencies.len() as f64 * part) as usize).copied();
    Ok(Sample { cpu: Some(cpu), p50: at(0.5), p99: at(0.99), ..Sample::default() })
}

fn idle(mut load: Load, server: &Server, case: &Case) -> Result<Sample> {
    let before = server.memory();
    load.join(server.address, case.listeners, |_| false)?;
    // The server still handles what the last joins have caused.
    settle(&mut load)?;
    let memory = server.memory().saturating_sub(before) as f64 / case.listeners as f64;
    Ok(Sample { memory: Some(memory), ..Sample::default() })
}

fn arrive(mut load: Load, server: &Server, case: &Case) -> Result<Sample> {
    let clients = case.listeners as u64;
    for _ in 0..case.listeners {
        load.connect(server.address, false)?;
    }
    let (start, cpu) = (Instant::now(), server.cpu());
    load.join_at_once();
    // Each gets NAME OK and WELCOME, and a JOIN for every client that joins after it.
    let lines = clients * 2 + clients * (clients - 1) / 2;
    while load.lines < lines {
        load.turn(Duration::from_millis(1), |_, _| {})?;
        if start.elapsed() > TIMEOUT {
            bail!("after {} s not every client has got a JOIN for every other", TIMEOUT.as_secs());
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

fn churn(mut load: Load, server: &Server, case: &Case, at_once: usize, length: Duration) -> Result<Sample> {
    #[derive(Clone, Copy, PartialEq)]
    enum Stage {
        Fresh,
        LoggingIn,
        Leaving,
    }
    let mut stages = Vec::new();
    for _ in 0..at_once {
        load.connect(server.address, false)?;
        stages.push(Stage::Fresh);
    }
    let (mut names, mut visits) = (0, 0_u64);
    let (start, cpu) = (Instant::now(), server.cpu());
    while start.elapsed() < length {
        for (n, stage) in stages.iter_mut().enumerate() {
            match *stage {
                Stage::Fresh => {
                    names += 1;
                    load.send(n, dialect::login(case.kind, names, false).as_bytes());
                    *stage = Stage::LoggingIn;
                }
                Stage::LoggingIn if load.has_joined(n) => {
                    load.send(n, dialect::farewell(case.kind).as_bytes());
                    *stage = Stage::Leaving;
                }
                // Without a farewell the client just closes the connection.
                Stage::Leaving if load.ended(n) || dialect::farewell(case.kind).is_empty() => {
                    load.replace(n, server.address)?;
                    visits += 1;
                    *stage = Stage::Fresh;
                }
                _ => {}
            }
        }
        load.turn(Duration::ZERO, |_, _| {})?;
    }
    if visits == 0 {
        bail!("no client joined and left");
    }
    Ok(Sample { cpu: Some((server.cpu() - cpu) as f64 / visits as f64), ..Sample::default() })
}

/// Reads for half a second.
fn settle(load: &mut Load) -> Result<()> {
    for _ in 0..10 {
        load.turn(Duration::from_millis(50), |_, _| {})?;
    }
    Ok(())
}

/// Fails if a delivery was lost, or if one came twice: that would arrive after what is owed.
fn exactly(load: &mut Load, owed: u64) -> Result<()> {
    load.until("the last deliveries", |load| load.delivered >= owed)?;
    load.turn(Duration::from_millis(50), |_, _| {})?;
    if load.delivered == owed {
        return Ok(());
    }
    bail!("{} deliveries instead of {owed}", load.delivered)
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
