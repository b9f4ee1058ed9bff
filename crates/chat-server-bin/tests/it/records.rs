//! Tests of the log records, which other programs parse.

use std::collections::BTreeMap;

use rustix::process::Signal;
use serde_json::Value;

use crate::{program::start, support::Peer};

/// The log of a run with an invalid line, a taken name and three refused connections.
async fn sample_log(format: &str) -> String {
    let args = ["--listen", "127.0.0.1:0", "-v", "--max-clients", "2", "--log-format", format];
    let mut server = start(&args);
    let address = server.address();
    let mut ann = Peer::tcp(address).await.join("ann").await;
    ann.send("MSG a\u{7}b").await;
    ann.expect("BAD REQ").await;
    let mut other = Peer::tcp(address).await;
    other.send("PROT 0.1 CONNECT USER ann").await;
    other.expect("NAME FAILURE").await;
    other.expect("NAME REQ").await;
    for _ in 0..3 {
        Peer::tcp(address).await.expect("BYE").await;
    }
    other.send("NAME bob").await;
    other.expect("NAME OK").await;
    other.expect("WELCOME").await;
    other.send("BYE").await;
    other.expect("BYE").await;
    drop(other);
    ann.expect("JOIN bob").await;
    ann.expect("LOGOUT bob").await;
    server.signal(Signal::TERM);
    ann.expect("BYE").await;
    drop(ann);
    let (status, _, log) = server.end();
    assert!(status.success());
    log
}

/// The type of a field.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Bool(_) => "boolean",
        _ => "other",
    }
}

#[tokio::test]
async fn each_field_has_one_type_and_numbers_are_numbers() {
    let log = sample_log("json").await;
    let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut types = BTreeMap::new();
    for record in &records {
        for (field, value) in record["fields"].as_object().unwrap() {
            let first = *types.entry(field.as_str()).or_insert(type_of(value));
            assert_eq!(type_of(value), first, "{field} of {record}");
        }
    }
    for field in ["conn", "max_clients", "login_timeout", "drained", "messages", "left", "connections", "turned_away"] {
        assert_eq!(types.get(field), Some(&"number"), "{field}");
    }
    for field in ["peer", "name", "reason", "version", "addresses", "cause"] {
        assert_eq!(types.get(field), Some(&"text"), "{field}");
    }

    let records_of = |message: &str| -> Vec<&Value> {
        records.iter().map(|record| &record["fields"]).filter(|fields| fields["message"] == message).collect()
    };
    let [started] = records_of("started")[..] else { panic!("{log}") };
    assert_eq!(started["version"], env!("CARGO_PKG_VERSION"));
    assert!(started["addresses"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!((&started["max_clients"], &started["rate_limit"]), (&2.into(), &200.into()));
    let disconnected: Vec<_> =
        records_of("disconnected").iter().map(|fields| fields["name"].as_str().unwrap()).collect();
    assert_eq!(disconnected, ["bob", "ann"]);
    let [refused] = records_of("line refused")[..] else { panic!("{log}") };
    assert_eq!((&refused["name"], &refused["conn"]), (&"ann".into(), &1.into()));
    assert_eq!(records_of("name refused").len(), 1);
    let [stopped] = records_of("stopped")[..] else { panic!("{log}") };
    assert_eq!((&stopped["left"], &stopped["refused"], &stopped["clients"]), (&2.into(), &3.into(), &0.into()));
}

/// The server logs the first refusal at once. It counts further refusals within a minute for the next warning.
#[tokio::test]
async fn a_full_server_logs_one_warning_not_one_per_connection() {
    let log = sample_log("text").await;
    let warnings: Vec<_> = log.lines().filter(|line| line.contains(" WARN ")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].ends_with("the server is full max_clients=2 turned_away=1"), "{}", warnings[0]);
}

#[tokio::test]
async fn a_value_of_several_words_is_quoted() {
    let log = sample_log("text").await;
    for expected in [r#" name=bob reason="said BYE""#, " cause=SIGTERM", r#" reason="no place: the server is full""#] {
        assert!(log.contains(expected), "no {expected} in {log}");
    }
}
