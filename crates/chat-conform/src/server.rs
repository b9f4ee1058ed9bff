//! Judges a server: checks that it answers, plays the cases one by one, and reports.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{
    Case, CaseReport, ExpectedFailures, Failure, NotJudged, Report,
    play::{Peer, play},
    preflight::preflight,
};

/// Plays the cases against the server at `target` (`HOST:PORT`). Calls `on_case` after each case.
///
/// A case fails if an expected line does not arrive within `line_timeout`.
///
/// # Errors
///
/// `cases` is empty, or no chat server answers at `target`.
pub async fn judge_server(
    target: &str,
    cases: &[&Case],
    line_timeout: Duration,
    known: &ExpectedFailures,
    mut on_case: impl FnMut(&CaseReport),
) -> Result<Report, NotJudged> {
    if cases.is_empty() {
        return Err(NotJudged::NothingSelected);
    }
    let address = preflight(target, line_timeout).await?;
    let mut report = Report::new(target);
    let (run_started, numbers) = (Instant::now(), name_numbers());
    let mut is_gone = false;
    for (case, number) in cases.iter().zip(numbers) {
        let case_started = Instant::now();
        let result =
            if is_gone { Err(Failure::not_played(case)) } else { play(address, line_timeout, case, number).await };
        is_gone = is_gone || (result.is_err() && Peer::connect(address, line_timeout).await.is_err());
        let case_report = CaseReport::new(case, result, known, case_started.elapsed());
        on_case(&case_report);
        report.add(case_report);
    }
    report.set_duration(run_started.elapsed());
    Ok(report)
}

/// Numbers that make names fresh. They differ between runs: they depend on the clock (in milliseconds) and on the
/// process.
pub(crate) fn name_numbers() -> impl Iterator<Item = u32> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = u32::try_from(now.as_millis() % 10_000).unwrap_or_default() * 1_000;
    let spread = std::process::id() % 997;
    (0..).map(move |count: u32| start.wrapping_add(spread).wrapping_add(count))
}
