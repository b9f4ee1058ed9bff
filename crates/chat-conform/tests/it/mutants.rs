//! The Python server passes all cases. With each of its faults it fails a case, and the report names the right clause.

use std::{collections::BTreeSet, process::Command, sync::Arc, time::Duration};

use chat_conform::{ExpectedFailures, Select, Side, Suite, judge_server, play};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::python::{FAULTS, PythonServer, python_installed};

/// The faults in `peers/faults.py`, and the clause that each breaks.
const MUTANTS: &[(&str, &str)] = &[
    ("any-version", "3.1"),
    ("bad-req-closes", "3.9"),
    ("bad-req-out-of-order", "5.3"),
    ("bye-stays-open", "3.8"),
    ("bye-stops-all", "6.2"),
    ("delivers-unfinished", "1.7"),
    ("dies-on-bad-utf8", "1.3"),
    ("endless-line", "1.4"),
    ("forgets-logout", "3.8"),
    ("half-close-drops", "6.4"),
    ("history", "5.4"),
    ("ignores-unknown", "3.9"),
    ("joins-to-newcomer", "3.2"),
    ("lf-only", "1.2"),
    ("logout-only-on-bye", "6.4"),
    ("lower-case-verbs", "3.9"),
    ("names-case-sensitive", "1.6"),
    ("names-lower-case", "1.6"),
    ("names-never-free", "3.8"),
    ("names-of-guests", "2.7"),
    ("names-without-end", "3.3"),
    ("no-ok", "5.1"),
    ("no-welcome", "3.2"),
    ("ok-out-of-place", "5.2"),
    ("ok-twice", "5.1"),
    ("one-read-one-line", "7.5"),
    ("pong-answered", "3.7"),
    ("relays-controls", "1.5"),
    ("relays-http", "2.4"),
    ("relays-to-sender", "5.1"),
    ("roster-without-asker", "3.6"),
    ("speaks-first", "2.1"),
    ("splits-characters", "7.5"),
    ("stray-cr", "1.1"),
    ("trims", "1.5"),
    ("truncates", "1.5"),
];

/// How long to wait for each line. A mutant that leaves out a line makes a case wait this long.
const LINE_TIMEOUT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn every_fault_fails_a_case_by_its_clause() {
    if !python_installed() {
        return;
    }
    let listed = Command::new("python3").args(["-B", FAULTS]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let known: BTreeSet<_> = MUTANTS.iter().map(|(fault, _)| *fault).collect();
    assert_eq!(listed.lines().collect::<BTreeSet<_>>(), known);

    let permits = Arc::new(Semaphore::new(6));
    let mut running = JoinSet::new();
    for &(fault, clause) in MUTANTS {
        let permits = Arc::clone(&permits);
        running.spawn(async move {
            let _permit = permits.acquire_owned().await.unwrap();
            (!is_caught(fault, clause).await).then_some((fault, clause))
        });
    }
    let missed: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

/// Whether a case that cites this clause fails with it.
async fn is_caught(fault: &'static str, clause: &str) -> bool {
    let server = tokio::task::spawn_blocking(move || PythonServer::start(Some(fault))).await.unwrap();
    let suite = Suite::embedded().unwrap();
    for (number, case) in (1..).zip(suite.select(Side::Server, &Select::new(Some(clause.to_owned()), None))) {
        match play(server.address, LINE_TIMEOUT, case, number).await {
            Err(failure) if failure.clause == clause => {
                let transcript: Vec<_> = failure.transcript.lines().collect();
                assert!(transcript.iter().any(|line| line.starts_with('!')), "{fault}: {transcript:?}");
                return true;
            }
            _ => {}
        }
    }
    false
}

#[tokio::test]
async fn the_python_server_passes_all_cases() {
    if !python_installed() {
        return;
    }
    let server = PythonServer::start(None);
    let suite = Suite::embedded().unwrap();
    let cases = suite.select(Side::Server, &Select::default());
    let target = server.address.to_string();
    let report =
        judge_server(&target, &cases, Duration::from_secs(20), &ExpectedFailures::default(), |_| {}).await.unwrap();
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}
