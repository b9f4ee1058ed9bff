//! The server passes the conformance cases: alone in the room, again on the same server, and with strangers in the room.

use std::time::Duration;

use chat_conform::{ExpectedFailures, Select, Side, Suite, judge_server};
use chat_server::ChatServer;

use crate::support::{Peer, start, unlimited};

/// Longer than a passing case waits for any line.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

async fn assert_all_pass(address: &str) {
    let suite = Suite::embedded().unwrap();
    let cases = suite.select(Side::Server, &Select::default());
    let report = judge_server(address, &cases, TEST_TIMEOUT, &ExpectedFailures::default(), |_| {}).await.unwrap();
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}

#[tokio::test]
async fn every_case_passes_twice() {
    let (server, address) = start(ChatServer::builder()).await;
    assert_all_pass(&address.to_string()).await;
    assert_all_pass(&address.to_string()).await;
    server.cut();
}

/// Meanwhile, a stranger sends messages, and guests join and leave.
#[tokio::test]
async fn named_cases_pass_with_strangers_in_the_room() {
    let (server, address) = start(unlimited()).await;
    let mut talker = Peer::tcp(address).await.join("stranger").await;
    let strangers = async {
        loop {
            talker.send("MSG hello").await;
            talker.line_bytes().await;
            let mut guest = Peer::tcp(address).await;
            guest.raw(b"\r\nout of the way\r\nBYE\r\n").await;
            guest.rest().await;
        }
    };
    let target = address.to_string();
    tokio::select! {
        () = assert_named_cases_pass(&target) => {}
        () = strangers => {}
    }
    server.cut();
}

/// Plays the cases of named sessions only, because the guests would disturb the cases of plain sessions.
async fn assert_named_cases_pass(address: &str) {
    let suite = Suite::embedded().unwrap();
    let mut cases = suite.select(Side::Server, &Select::default());
    cases.retain(|case| {
        ["message", "name", "roster", "bye", "pipelined"].iter().any(|word| case.name.starts_with(word))
    });
    assert!(cases.len() > 15);
    let report = judge_server(address, &cases, TEST_TIMEOUT, &ExpectedFailures::default(), |_| {}).await.unwrap();
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}
