//! Judges a client: starts it for each case, plays its server, types on its standard input, reads its output, and
//! reports.

mod expect;
mod play;
mod process;
mod session;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use self::play::CaseRun;
pub use self::process::Command;
use crate::{
    Case, CaseReport, ExpectedFailures, Failure, NotJudged, Report, Verdict, server::name_numbers,
    transcript::Transcript,
};

/// How many clients run at the same time.
const MAX_LANES: usize = 8;

/// How a client is judged.
#[derive(Clone, Copy, Debug)]
pub struct ClientOptions {
    /// For each line of a client that the judge started.
    pub line: Duration,
    /// Without a command: for the connection, and for each line. A person starts the client and types.
    pub person: Duration,
    /// Whether to keep the transcripts of cases that pass.
    pub verbose: bool,
    /// Whether to stop at the first failure.
    pub fail_fast: bool,
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
    options: ClientOptions,
    known: &ExpectedFailures,
    mut on_case: impl FnMut(&CaseReport),
    mut prompt: impl FnMut(&str),
) -> Result<Report, NotJudged> {
    if cases.is_empty() {
        return Err(NotJudged::NothingSelected);
    }
    let (run_started, mut numbers) = (Instant::now(), name_numbers());
    let first = listen_on(listen).await?;
    let address = first.local_addr().map_err(|error| NotJudged::Setup(error.to_string()))?;
    let mut report = Report::new(&command.map_or_else(|| format!("client at {address}"), ToString::to_string));
    let mut add = |case: &Case, result: Result<Transcript, Failure>, taken| {
        let case_report = CaseReport::new(case, result, known, taken, options.verbose);
        let stops = options.fail_fast && case_report.verdict == Verdict::Failed;
        on_case(&case_report);
        report.add(case_report);
        stops
    };
    let first = Arc::new(first);
    // Only one client at a time can be told from the others at an address that a person has chosen. A person runs one.
    let one_by_one = command.is_none() || !listen.ends_with(":0");
    // If the first client does not start, no other one will.
    let alone = if one_by_one { cases.len() } else { 1 };
    let mut stops = false;
    for (case, number) in cases[..alone].iter().zip(&mut numbers) {
        let case_started = Instant::now();
        if command.is_none() {
            prompt(&format!("{}: connect your client to {address}", case.name));
        }
        let mut run = CaseRun::start(Arc::clone(&first), command, options, number).await?;
        let result = run.play(case, &mut prompt).await;
        stops = add(case, result, case_started.elapsed());
        if stops {
            break;
        }
    }
    if let Some(command) = command.filter(|_| !stops) {
        let mut running = start_all(listen, command, &cases[alone..], options, numbers);
        let (mut finished, mut next) = (BTreeMap::new(), 0);
        'run: while let Some(joined) = running.join_next().await {
            // No task is aborted, and a panic of a case is a bug of the judge.
            let (index, result, taken) = joined.expect("a case does not panic");
            finished.insert(index, (result, taken));
            while let Some((result, taken)) = finished.remove(&next) {
                let stops = add(cases[alone + next], result, taken);
                next += 1;
                if stops {
                    break 'run;
                }
            }
        }
    }
    report.set_duration(run_started.elapsed());
    Ok(report)
}

async fn listen_on(listen: &str) -> Result<TcpListener, NotJudged> {
    TcpListener::bind(listen).await.map_err(|error| {
        NotJudged::Setup(format!("cannot listen on {listen}: {error}: choose another address with --listen"))
    })
}

/// The result of a case: its index, the failure, and how long it took.
type Finished = (usize, Result<Transcript, Failure>, Duration);

/// Starts a task for each case, with a listener and a client of its own. A few run at the same time.
fn start_all(
    listen: &str,
    command: &Command,
    cases: &[&Case],
    options: ClientOptions,
    numbers: impl Iterator<Item = u32>,
) -> JoinSet<Finished> {
    let lanes = Arc::new(Semaphore::new(MAX_LANES));
    let mut running = JoinSet::new();
    for ((index, case), number) in cases.iter().enumerate().zip(numbers) {
        let (listen, command, case, lanes) =
            (listen.to_owned(), command.clone(), Case::clone(case), Arc::clone(&lanes));
        running.spawn(async move {
            let _permit = lanes.acquire().await.ok();
            let started = Instant::now();
            let play = async {
                let listener = Arc::new(listen_on(&listen).await?);
                let mut run = CaseRun::start(listener, Some(&command), options, number).await?;
                Ok::<_, NotJudged>(run.play(&case, &mut |_| {}).await)
            };
            let result = match play.await {
                Ok(result) => result,
                Err(problem) => Err(Failure::not_started(&case, problem.to_string())),
            };
            (index, result, started.elapsed())
        });
    }
    running
}
