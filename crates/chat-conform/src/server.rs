//! Judges a server: finds it, plays case after case, and reports.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{
    Case, ExpectedFailures, Failure, Judged, NotJudged, Report,
    play::{Peer, play},
    preflight::preflight,
};

/// Plays the cases against the server at `target`, `HOST:PORT`; `told` hears of each as it ends.
///
/// A line that does not come within `patience` does not come.
pub async fn judge_server(
    target: &str,
    cases: &[&Case],
    patience: Duration,
    known: &ExpectedFailures,
    mut told: impl FnMut(&Judged),
) -> Result<Report, NotJudged> {
    if cases.is_empty() {
        return Err(NotJudged::NothingSelected);
    }
    let address = preflight(target, patience).await?;
    let mut report = Report::new(target);
    let (begun, numbers) = (Instant::now(), numbers());
    let mut is_gone = false;
    for (case, number) in cases.iter().zip(numbers) {
        let started = Instant::now();
        let result = if is_gone { Err(Failure::not_played(case)) } else { play(address, patience, case, number).await };
        is_gone = is_gone || (result.is_err() && Peer::connect(address, patience).await.is_err());
        let judged = Judged::new(case, result, known, started.elapsed());
        told(&judged);
        report.add(judged);
    }
    report.end(begun.elapsed());
    Ok(report)
}

/// Numbers for names, other ones in each run: the clock in thousandths, and the process.
pub(crate) fn numbers() -> impl Iterator<Item = u32> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = u32::try_from(now.as_millis() % 10_000).unwrap_or_default() * 1_000;
    let spread = std::process::id() % 997;
    (0..).map(move |count: u32| start.wrapping_add(spread).wrapping_add(count))
}
