//! The Python server and client pass all cases. With each of the faults in `peers`, a case that cites the clause of the
//! fault fails, and the report names this clause. A spread of the faults is tried, and all of them if the environment
//! variable `CHAT_CONFORM_ALL_FAULTS` is set.

use std::{process::Command, sync::Arc, time::Duration};

use chat_conform::{
    Case, ClientOptions, ExpectedFailures, Select, ServerOptions, Settings, Side, Suite, judge_client,
    judge_server_with, play,
};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::python::{FAULTS, PythonServer, SETTINGS, python_installed};

/// How long to wait for each line. A mutant that leaves out a line makes a case wait this long.
const LINE_TIMEOUT: Duration = Duration::from_secs(2);
/// How many mutants run at the same time.
const PARALLEL: usize = 16;

/// Without [`ALL_FAULTS`], every so many of the faults are tried, so that the tests take half a minute.
const SPREAD: usize = 4;
/// The environment variable that makes the tests try all faults.
const ALL_FAULTS: &str = "CHAT_CONFORM_ALL_FAULTS";

/// A line of `server.faults` or `client.faults`.
#[derive(Clone)]
struct Fault {
    name: String,
    clause: String,
}

/// The faults of this kind of peer that a case must catch, and how many others there are. Fails if an edit does not apply.
fn faults(kind: &str) -> (Vec<Fault>, usize) {
    let output = Command::new("python3").args(["-B", FAULTS, kind, "--list"]).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (mut faults, mut others) = (Vec::new(), 0);
    for line in listed.lines() {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            [name, clause, "caught"] => {
                faults.push(Fault { name: (*name).to_owned(), clause: (*clause).to_owned() });
            }
            _ => others += 1,
        }
    }
    (faults, others)
}

/// The options for a Python server, whose deadlines are short.
fn options() -> ServerOptions {
    let [login_deadline, ping_after, pong_within, max_stall] = SETTINGS.map(|(_, ms)| Duration::from_millis(ms));
    let mut options = ServerOptions::new(LINE_TIMEOUT);
    options.settings = Settings::default();
    options.settings.login_deadline = login_deadline;
    options.settings.ping_after = ping_after;
    options.settings.pong_within = pong_within;
    options.settings.max_stall = max_stall;
    options
}

/// The cases that cite the clause. Those that are about it go first, and slow ones last.
fn cases_about<'a>(suite: &'a Suite, side: Side, clause: &str) -> Vec<&'a Case> {
    let mut cases = suite.select(side, &Select::new(Some(clause.to_owned()), None).with_slow(true));
    cases.retain(|case| case.clauses.iter().any(|cited| cited == clause));
    cases.sort_by_key(|case| (case.slow, case.clauses[0] != clause));
    cases
}

/// Runs `is_caught` for each fault, several at the same time. Returns the faults that are not caught.
async fn missed<F>(faults: Vec<Fault>, is_caught: impl Fn(Fault) -> F) -> Vec<String>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(PARALLEL));
    let mut running = JoinSet::new();
    let step = if std::env::var_os(ALL_FAULTS).is_some() { 1 } else { SPREAD };
    for fault in faults.into_iter().step_by(step) {
        let (permits, name) = (Arc::clone(&permits), format!("{} ({})", fault.name, fault.clause));
        let caught = is_caught(fault);
        running.spawn(async move {
            let _permit = permits.acquire_owned().await.unwrap();
            caught.await.err().map(|seen| format!("{name}: {seen}"))
        });
    }
    running.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_server_fails_a_case_by_its_clause() {
    if !python_installed() {
        return;
    }
    let (faults, others) = faults("server");
    assert!(faults.len() >= 120 && others > 0, "{} faults", faults.len());
    let missed = missed(faults, async |fault| server_is_caught(&fault).await.map_err(|seen| seen.join(", "))).await;
    assert!(missed.is_empty(), "not caught:\n{}", missed.join("\n"));
}

/// Fails with what was seen if no case that cites the clause fails with it.
async fn server_is_caught(fault: &Fault) -> Result<(), Vec<String>> {
    let name = fault.name.clone();
    let server = tokio::task::spawn_blocking(move || PythonServer::start(Some(&name))).await.unwrap();
    let suite = Suite::embedded().unwrap();
    let mut seen = Vec::new();
    for (number, case) in (1..).zip(cases_about(&suite, Side::Server, &fault.clause)) {
        match play(server.address, options(), case, number).await {
            Err(failure) if failure.clause == fault.clause => {
                let transcript: Vec<_> = failure.transcript.lines().collect();
                assert!(transcript.iter().any(|line| line.starts_with('!')), "{}: {transcript:?}", fault.name);
                return Ok(());
            }
            Err(failure) => seen.push(format!("{} {}", case.name, failure.clause)),
            Ok(()) => {}
        }
    }
    Err(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_client_fails_a_case_by_its_clause() {
    if !python_installed() {
        return;
    }
    let (faults, others) = faults("client");
    assert!(faults.len() >= 60 && others > 0, "{} faults", faults.len());
    let missed = missed(faults, async |fault| client_is_caught(&fault).await.map_err(|seen| seen.join(", "))).await;
    assert!(missed.is_empty(), "not caught:\n{}", missed.join("\n"));
}

/// Fails with what was seen if no case that cites the clause fails with it.
async fn client_is_caught(fault: &Fault) -> Result<(), Vec<String>> {
    let words = ["python3", "-B", FAULTS, "client", &fault.name, "--name", "{name}", "{addr}"];
    let command = chat_conform::Command::new(words.map(str::to_owned).to_vec()).unwrap();
    let options = ClientOptions { line: LINE_TIMEOUT, person: Duration::ZERO, verbose: false, fail_fast: false };
    let suite = Suite::embedded().unwrap();
    let mut seen = Vec::new();
    for case in cases_about(&suite, Side::Client, &fault.clause) {
        let known = ExpectedFailures::default();
        let report = judge_client("127.0.0.1:0", Some(&command), &[case], options, &known, |_| {}, |_| {}).await;
        match report.as_ref().map(|report| report.cases[0].failure.as_ref()) {
            Ok(Some(failure)) if failure.clause == fault.clause => return Ok(()),
            Ok(Some(failure)) => seen.push(format!("{} {}", case.name, failure.clause)),
            Ok(None) => {}
            Err(error) => seen.push(error.to_string()),
        }
    }
    Err(seen)
}

#[tokio::test]
async fn the_python_server_passes_all_cases() {
    if !python_installed() {
        return;
    }
    let server = PythonServer::start(None);
    let suite = Suite::embedded().unwrap();
    let cases = suite.select(Side::Server, &Select::default().with_slow(true));
    let mut options = options();
    options.line_timeout = Duration::from_secs(20);
    let target = server.address.to_string();
    let report = judge_server_with(&target, &cases, options, &ExpectedFailures::default(), |_| {}).await.unwrap();
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}
