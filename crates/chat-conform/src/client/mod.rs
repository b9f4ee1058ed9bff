//! Judges a client: starts it for each case, plays its server, types on its standard input, reads its output, and
//! reports.

mod expect;
mod play;
mod process;
mod session;

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use self::play::CaseRun;
pub use self::process::Command;
use crate::{Case, CaseReport, ExpectedFailures, NotJudged, Report, server::name_numbers};

/// How long to wait for a client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For each line of a client that the judge started.
    pub line: Duration,
    /// Without a command: for the connection, and for each line. A person starts the client and types.
    pub person: Duration,
}

/// Plays the cases against a client that connects to `listen`. Calls `on_case` after each case.
///
/// Starts `command` for each case. Without a command, calls `prompt` with instructions for a person who starts the
/// client.
///
/// # Errors
///
/// `cases` is empty, the judge cannot listen on `listen`, or the client does not start or connect.
pub async fn judge_client(
    listen: &str,
    command: Option<&Command>,
    cases: &[&Case],
    timeouts: Timeouts,
    known: &ExpectedFailures,
    mut on_case: impl FnMut(&CaseReport),
    mut prompt: impl FnMut(&str),
) -> Result<Report, NotJudged> {
    if cases.is_empty() {
        return Err(NotJudged::NothingSelected);
    }
    let failed =
        |error| NotJudged::Setup(format!("cannot listen on {listen}: {error}: choose another address with --listen"));
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let mut report = Report::new(&command.map_or_else(|| format!("client at {address}"), ToString::to_string));
    let (run_started, numbers) = (Instant::now(), name_numbers());
    for (case, number) in cases.iter().zip(numbers) {
        let case_started = Instant::now();
        if command.is_none() {
            prompt(&format!("{}: connect your client to {address}", case.name));
        }
        let mut run = CaseRun::start(&listener, command, timeouts, number).await?;
        let result = run.play(case, &mut prompt).await;
        let case_report = CaseReport::new(case, result, known, case_started.elapsed());
        on_case(&case_report);
        report.add(case_report);
    }
    report.set_duration(run_started.elapsed());
    Ok(report)
}
