//! Judges a client: starts it anew for each case, plays its server, its keyboard and its screen, and reports.

mod expect;
mod play;
mod process;
mod session;

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use self::play::Play;
pub use self::process::Command;
use crate::{Case, ExpectedFailures, Judged, NotJudged, Report, server::numbers};

/// How a client is reached, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For each line.
    pub line: Duration,
    /// For a person who starts the client and types; only if there is no command.
    pub person: Duration,
}

/// Plays the cases against clients that connect to `listen`. With a command, it is started for each case;
/// without, `say` tells a person what to do.
pub async fn judge_client(
    listen: &str,
    command: Option<&Command>,
    cases: &[&Case],
    patience: Patience,
    known: &ExpectedFailures,
    mut told: impl FnMut(&Judged),
    mut say: impl FnMut(&str),
) -> Result<Report, NotJudged> {
    if cases.is_empty() {
        return Err(NotJudged::NothingSelected);
    }
    let cannot = |error| NotJudged::Cannot(format!("cannot listen on {listen}: {error}: give another with --listen"));
    let listener = TcpListener::bind(listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let mut report = Report::new(&command.map_or_else(|| format!("client at {address}"), ToString::to_string));
    let (begun, numbers) = (Instant::now(), numbers());
    for (case, number) in cases.iter().zip(numbers) {
        let started = Instant::now();
        if command.is_none() {
            say(&format!("{}: connect your client to {address}", case.name));
        }
        let mut play = Play::begin(&listener, command, patience, number).await?;
        let result = play.case(case, &mut say).await;
        let judged = Judged::new(case, result, known, started.elapsed());
        told(&judged);
        report.add(judged);
    }
    report.end(begun.elapsed());
    Ok(report)
}
