//! The program passes every case of chat-conform, with a name and as a guest.

use std::time::Duration;

use chat_conform::{ClientOptions, ExpectedFailures, Level, Select, Side, Suite, judge_client};

const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-client");

async fn assert_passes(command: &[&str], level: Option<Level>) {
    let command = chat_conform::Command::new(command.iter().map(ToString::to_string).collect()).unwrap();
    let suite = Suite::embedded().unwrap();
    let cases = suite.select(Side::Client, &Select::new(None, level));
    let options =
        ClientOptions { line: Duration::from_secs(20), person: Duration::ZERO, verbose: false, fail_fast: false };
    let known = ExpectedFailures::default();
    let report = judge_client("127.0.0.1:0", Some(&command), &cases, options, &known, |_| {}, |_| {}).await.unwrap();
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}

#[tokio::test]
async fn every_case_passes_with_a_name() {
    assert_passes(&[PROGRAM, "--name", "{name}"], None).await;
}

#[tokio::test]
async fn every_case_passes_for_a_guest() {
    assert_passes(&[PROGRAM], Some(Level::Plain)).await;
}
