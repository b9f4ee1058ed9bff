//! Judges a server: checks that it answers, plays the cases, and reports.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    Case, CaseReport, ExpectedFailures, Failure, NotJudged, Report, Settings,
    pace::Pace,
    play::{Peer, play_at},
    preflight::preflight,
    transcript::Transcript,
};

/// How a server is judged.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// How long to wait for each line. A server that proves slow gets more time, one that does not answer less.
    pub line_timeout: Duration,
    /// The server's settings, for slow cases.
    pub settings: Settings,
    /// Whether to stop at the first failure.
    pub fail_fast: bool,
    /// Whether to keep the transcripts of cases that pass.
    pub verbose: bool,
}

impl ServerOptions {
    /// Waits this long for each line, with default settings.
    pub fn new(line_timeout: Duration) -> Self {
        Self { line_timeout, settings: Settings::default(), fail_fast: false, verbose: false }
    }
}

/// Plays the cases against the server at `target` (`HOST:PORT`). Calls `on_case` after each case, in the order of the
/// cases.
///
/// A case fails if an expected line does not arrive within `line_timeout`. If the server is slow or does not answer,
/// cases are played at the same time.
///
/// # Errors
///
/// `cases` is empty, or no chat server answers at `target`.
pub async fn judge_server(
    target: &str,
    cases: &[&Case],
    line_timeout: Duration,
    known: &ExpectedFailures,
    on_case: impl FnMut(&CaseReport),
) -> Result<Report, NotJudged> {
    judge_server_with(target, cases, ServerOptions::new(line_timeout), known, on_case).await
}

/// As [`judge_server`], with more options.
///
/// # Errors
///
/// As those of [`judge_server`].
pub async fn judge_server_with(
    target: &str,
    cases: &[&Case],
    options: ServerOptions,
    known: &ExpectedFailures,
    mut on_case: impl FnMut(&CaseReport),
) -> Result<Report, NotJudged> {
    if cases.is_empty() {
        return Err(NotJudged::NothingSelected);
    }
    let address = preflight(target, options.line_timeout).await?;
    let mut report = Report::new(target);
    let run_started = Instant::now();
    let run = Arc::new(Run::new(address, options));
    let mut running = run.start(cases);
    let (mut finished, mut again, mut next) = (BTreeMap::new(), Vec::new(), 0);
    'run: loop {
        match running.join_next().await {
            Some(joined) => {
                // A task is never aborted while it is waited for, and a panic of a case is a bug of the judge.
                let (index, result, taken) = joined.expect("a case does not panic");
                if again.len() < MAX_REPLAYED && run.is_doubtful(cases[index], &result) {
                    again.push((index, result, taken));
                } else {
                    finished.insert(index, (result, taken));
                }
            }
            None if again.is_empty() => break,
            None => {
                let (index, result, taken) = again.swap_remove(0);
                let result = run.replay(cases[index], result).await;
                finished.insert(index, (result, taken));
            }
        }
        while let Some((result, taken)) = finished.remove(&next) {
            let case_report = CaseReport::new(cases[next], result, known, taken, options.verbose);
            let stops = options.fail_fast && case_report.verdict == crate::Verdict::Failed;
            on_case(&case_report);
            report.add(case_report);
            next += 1;
            if stops {
                break 'run;
            }
        }
    }
    report.set_duration(run_started.elapsed());
    Ok(report)
}

/// How often a case is played again, if its failure may be due to strangers.
const MAX_REPLAYS: usize = 10;
/// How many cases are played again at the end of a run. If more fail, the server is at fault.
const MAX_REPLAYED: usize = 24;

/// The result of a case: its index, the failure, and how long it took.
type Finished = (usize, Result<Transcript, Failure>, Duration);

/// What the cases of a run share.
struct Run {
    address: SocketAddr,
    options: ServerOptions,
    pace: Pace,
    is_gone: AtomicBool,
    /// The number of the next case.
    number: AtomicU32,
}

impl Run {
    fn new(address: SocketAddr, options: ServerOptions) -> Self {
        let pace = Pace::following(options.line_timeout);
        let number = name_numbers().next().unwrap_or_default();
        Self { address, options, pace, is_gone: AtomicBool::new(false), number: number.into() }
    }

    /// Starts a task for each case. The pace decides how many run at the same time.
    fn start(self: &Arc<Self>, cases: &[&Case]) -> JoinSet<Finished> {
        let mut running = JoinSet::new();
        for (index, case) in cases.iter().enumerate() {
            let (case, run) = (Case::clone(case), Arc::clone(self));
            running.spawn(async move {
                let lanes = run.pace.lanes();
                let _permit = match &lanes {
                    Some(lanes) => lanes.acquire().await.ok(),
                    None => None,
                };
                let started = Instant::now();
                let mut result = run.play(&case).await;
                if !run.pace.is_wide() && run.is_doubtful(&case, &result) {
                    result = run.replay(&case, result).await;
                }
                (index, result, started.elapsed())
            });
        }
        running
    }

    async fn play(&self, case: &Case) -> Result<Transcript, Failure> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(Failure::not_played(case));
        }
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let result = play_at(self.address, &self.pace, &self.options.settings, case, number).await;
        if result.is_err() && Peer::connect(self.address, self.options.line_timeout).await.is_err() {
            // The first case that notices it fails. Other cases that were played at the same time are not blamed.
            if self.is_gone.swap(true, Ordering::Relaxed) {
                return Err(Failure::not_played(case));
            }
        }
        result
    }

    /// Whether the failure may be due to strangers: a plain client has no name of its own, so that a guest of somebody
    /// else may have been taken for it.
    fn is_doubtful(&self, case: &Case, result: &Result<Transcript, Failure>) -> bool {
        let is_alive = !self.is_gone.load(Ordering::Relaxed);
        is_alive && result.is_err() && self.pace.answers() && self.pace.may_have_strangers() && case.has_guests()
    }

    /// Plays the case again, up to [`MAX_REPLAYS`] times. A server that breaks a clause breaks it each time.
    async fn replay(&self, case: &Case, mut result: Result<Transcript, Failure>) -> Result<Transcript, Failure> {
        for _ in 0..MAX_REPLAYS {
            if !self.is_doubtful(case, &result) {
                break;
            }
            result = self.play(case).await;
        }
        result
    }
}

/// Numbers that make names fresh. They start anywhere, so that two judges that start in the same moment have others.
pub(crate) fn name_numbers() -> impl Iterator<Item = u32> {
    // The hasher of the standard library has random keys.
    let random = RandomState::new().hash_one(std::process::id());
    let start = u32::try_from(random % 10_000_000).unwrap_or_default();
    (0..).map(move |count: u32| start.wrapping_add(count))
}
