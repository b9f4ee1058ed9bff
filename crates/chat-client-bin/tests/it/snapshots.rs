//! Compares the output of the program with the files in `snapshots/`. `SNAPSHOTS=overwrite cargo test snapshots`
//! updates them.

use std::fmt::Write;

use snapbox::{assert_data_eq, file};

use crate::{
    process::{Ended, piped},
    scripted_server::{Server, listen},
};

/// Replaces what differs between machines and runs.
fn redacted(text: &str, address: &str) -> String {
    let text = if address.is_empty() { text.to_owned() } else { text.replace(address, "localhost:2222") };
    let Some(system) = text.split_once("(os error ") else { return text };
    // The error text of the system precedes the number.
    let before = system.0.rsplit_once(": ").unwrap().0;
    let after = system.1.split_once(')').unwrap().1;
    format!("{before}: [error of the system]{after}")
}

/// Replaces the time of each JSON line.
fn timeless(lines: &str) -> String {
    let timeless = |line: &str| {
        let (before, after) = line.split_once(r#""time":""#).unwrap();
        let (time, after) = after.split_once('"').unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        format!("{before}\"time\":\"[time]\"{after}\n")
    };
    lines.lines().map(timeless).collect::<Vec<_>>().concat()
}

/// Runs the program against a server. For each pair, the server expects the first part and sends the second. It closes
/// the connection at the end.
async fn run(args: &[&str], input: &str, script: &[(&str, &str)]) -> (Ended, String) {
    let (listener, address) = listen().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        for (expected, reply) in script {
            server.expect(expected).await;
            server.send_lines(reply).await;
        }
        server
    };
    let args = [args, &[&address]].concat();
    // If the program still writes, keep the connection open: closing it would cause a reset.
    let (ended, _server) =
        if script.last().is_some_and(|(expected, _)| expected.ends_with("BYE") || expected.is_empty()) {
            let (ended, server) = tokio::join!(piped(&args, input), serve);
            (ended, Some(server))
        } else {
            let (ended, ()) = tokio::join!(piped(&args, input), async { drop(serve.await) });
            (ended, None)
        };
    (ended, address)
}

const CI: (&str, &str) = ("PROT 0.1 CONNECT USER ci", "NAME OK\nWELCOME");
const CI_LEAVES: (&str, &str) = ("BYE", "BYE");

#[tokio::test]
async fn help_matches_the_snapshots() {
    // Trailing spaces do not matter.
    let help = async |flag| piped(&[flag], "").await.stdout.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_data_eq!(help("-h").await, file!["snapshots/help-short.txt"]);
    assert_data_eq!(help("--help").await, file!["snapshots/help.txt"]);
}

#[tokio::test]
async fn print_config_matches_the_snapshot() {
    let args = ["--print-config", "--name", "ann", "--color=never"];
    assert_data_eq!(piped(&args, "").await.stdout, file!["snapshots/print-config.txt"]);
}

/// A conversation with most kinds of events.
const CONVERSATION: &[(&str, &str)] = &[
    CI,
    (
        "MSG one\nMSG two",
        "JOIN al\nOK\nFROM al MSG hi, ci\nOK\nNEWS of a kind\nNOTICE back at noon\nFROM al\nLOGOUT al",
    ),
    CI_LEAVES,
];

#[tokio::test]
async fn the_output_and_status_of_a_pipe_match_the_snapshots() {
    let (ended, address) = run(&["--name", "ci"], "one\ntwo\n", CONVERSATION).await;
    assert_eq!(ended.code, Some(0));
    assert_data_eq!(ended.stdout, file!["snapshots/pipe-output.txt"]);
    assert_data_eq!(redacted(&ended.stderr, &address), file!["snapshots/pipe-status.txt"]);
}

#[tokio::test]
async fn json_lines_match_the_snapshot() {
    let (ended, address) = run(&["--name", "ci", "--json"], "one\ntwo\n", CONVERSATION).await;
    assert_data_eq!(timeless(&redacted(&ended.stdout, &address)), file!["snapshots/json.txt"]);
}

#[tokio::test]
async fn errors_match_the_snapshot() {
    let folder = std::env::temp_dir().join(format!("chat-client-{}-errors", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut runs = String::new();
    for (name, text) in [
        ("missing", None),
        ("unknown-key", Some("# mine\nnmae = ann\n")),
        ("no-value", Some("hello\n")),
        ("wrong-value", Some("name = ann\ncolor = loud\n")),
        ("wrong-name", Some("name = guest7\n")),
    ] {
        let path = folder.join(name);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let ended = piped(&["--config", path.to_str().unwrap()], "").await;
        let status = redacted(&ended.stderr, "").replace(folder.to_str().unwrap(), "FOLDER");
        append_run(&mut runs, &["--config", name], ended.code, &status);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    for args in [
        &["--nmae", "x"][..],
        &["--name"],
        &["--name", "b*b"],
        &["--name", "guest7"],
        &["--name", ""],
        &["--name", "abcdefghijklmnopqrstu"],
        &["localhost:x"],
        &["localhost:99999"],
        &["[::1"],
        &[":"],
        &["localhost:1", "2222"],
        &["http://localhost:2222"],
        &["localhost", "2222", "x"],
        &["--timeout", "soon"],
        &["--time", "%!"],
        &["--color", "loud"],
        &["--json-in", "--no-input"],
        &["unix:/nowhere/chat"],
    ] {
        let ended = piped(args, "").await;
        append_run(&mut runs, args, ended.code, &redacted(&ended.stderr, ""));
    }
    let named = ["--name", "ci"];
    let unanswered = ("MSG hi", "");
    for (args, input, script) in [
        (&[][..], "", &[("PROT 0.1 CONNECT USER ci", "NAME FAILURE\nNAME REQ")][..]),
        (&[], "", &[("PROT 0.1 CONNECT USER ci", "BAD PROT")]),
        (&[], "", &[("PROT 0.1 CONNECT USER ci", "BYE")]),
        (&[], "", &[("PROT 0.1 CONNECT USER ci", "HTTP/1.1 400 Bad Request")]),
        (&[], "", &[("PROT 0.1 CONNECT USER ci", "")]),
        (&["--no-input"], "", &[CI]),
        (&["--no-input"], "", &[CI, ("", "BYE")]),
        (&[], "hi\n", &[CI, unanswered]),
        (&[], "hi\n", &[CI, ("MSG hi", "BAD REQ"), CI_LEAVES]),
        (&["--commands"], "/nonsense\na\u{7}b\n", &[CI, CI_LEAVES]),
        (&["--json-in"], "hello\n{\"command\":\"dance\"}\n{\"v\":2,\"command\":\"quit\"}\n", &[CI, CI_LEAVES]),
        (&["--timeout", "1.5"], "hi\n", &[CI, unanswered, ("", "")]),
        (&["--timeout", "0.3"], "hi\n", &[("PROT 0.1 CONNECT USER ci", ""), ("", "")]),
    ] {
        let args = [&named, args].concat();
        let (ended, address) = run(&args, input, script).await;
        let status = redacted(&ended.stderr, &address);
        let status: String = status.split_inclusive('\n').filter(|line| !line.starts_with("-- connected")).collect();
        append_run(&mut runs, &args, ended.code, &status);
    }
    assert_data_eq!(runs, file!["snapshots/errors.txt"]);
}

/// Appends a command, its stderr and its exit code.
fn append_run(runs: &mut String, args: &[&str], code: Option<i32>, status: &str) {
    assert!(!status.contains("Error {") && !status.contains("Some("), "{status}");
    let args: Vec<_> = args.iter().map(|arg| if arg.is_empty() { "''" } else { arg }).collect();
    writeln!(runs, "$ chat-client {}\n{status}=> {}\n", args.join(" "), code.unwrap()).unwrap();
}
