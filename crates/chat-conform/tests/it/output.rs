//! What a failure shows to the author of a server or client: the wrong line is marked, and nothing distracts from it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    process::Command,
    thread,
};

use crate::python::python_installed;

/// Runs the program. Returns the exit code, standard output and standard error.
fn run_judge(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_chat-conform")).args(args).output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code().unwrap(), stdout, stderr)
}

/// Starts a server that answers each line as the function says.
fn serve(answer: fn(&str) -> &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map(Result::unwrap) {
            thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if writer.write_all(answer(&line).as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// Judges a server that answers so, with these arguments. With `case`, only this one is played. Returns what is printed.
fn judge_server(answer: fn(&str) -> &'static str, case: Option<(&str, &str)>, args: &[&str]) -> String {
    let address = serve(answer).to_string();
    let mut all = vec!["server", &address, "--timeout", "0.5"];
    let file = case.map(|(name, case)| {
        let file = std::env::temp_dir().join(format!("chat-output-{}-{name}.case", std::process::id()));
        std::fs::write(&file, case).unwrap();
        file.to_str().unwrap().to_owned()
    });
    all.extend(file.iter().flat_map(|file| ["--cases", file]));
    let (code, stdout, stderr) = run_judge(&[&all, args].concat());
    assert_eq!(code, 1, "{stdout}{stderr}");
    stdout
}

/// Judges a client in Python by the cases of this name. Its connection is `s`.
fn judge_client(script: &str, only: &str) -> (i32, String, String) {
    let script = format!(
        "import socket, sys\nh, p = sys.argv[1].rsplit(':', 1)\ns = socket.create_connection((h, int(p)))\n{script}\n\
         sys.stdin.read()"
    );
    run_judge(&["client", "--timeout", "0.5", "--only", only, "--", "python3", "-c", &script])
}

#[track_caller]
fn check(printed: &str, shown: &[&str], not_shown: &[&str]) {
    for text in shown {
        assert!(printed.contains(text), "{text:?} is not in\n{printed}");
    }
    for text in not_shown {
        assert!(!printed.contains(text), "{text:?} is in\n{printed}");
    }
}

#[test]
fn the_lines_of_other_clients_are_left_out_of_a_failure() {
    let answer = |_: &str| "JOIN eve\r\nJOIN eve\r\nJOIN eve\r\nJOIN eve\r\nJOIN eve\r\nJOIN eve\r\nNO\r\n";
    let case = Some(("others", "case a plain MUST 4.1\nA> hello\nA< OK\n"));
    let left_out = "… 6 lines of other clients left out; --verbose shows them";
    check(&judge_server(answer, case, &[]), &["! A< NO\\r\\n", left_out, "\n1 case in "], &["~ A<"]);
    check(&judge_server(answer, case, &["--verbose"]), &["! A< NO\\r\\n", "~ A< JOIN eve\\r\\n"], &[left_out]);
}

#[test]
fn the_last_lines_do_not_contradict_each_other() {
    let answer = |line: &str| if line.starts_with("hello") { "OK\r\nLOGOUT guest5\r\n" } else { "JOIN eve\r\n" };
    let case = Some(("guest", "case a plain MUST 4.5\nA> hello\nA< OK\nB>\nA< JOIN guest{b}\n"));
    let printed = judge_server(answer, case, &[]);
    check(&printed, &["! A< LOGOUT guest5\\r\\n", "got another line"], &["! A  (", "nothing came"]);
}

#[test]
fn a_server_without_names_is_told_to_ask_for_level_plain() {
    let answer = |line: &str| if line.starts_with("PROT") { "BAD PROT\r\n" } else { "OK\r\n" };
    let hint = "\nyour server answers BAD PROT: to judge level plain only, add --level plain\n";
    let printed = judge_server(answer, None, &["--only", "name"]);
    assert!(printed.ends_with(hint), "{printed}");
    check(&judge_server(answer, None, &["--level", "plain", "--only", "plain-"]), &[], &[hint]);
    let answer = |_: &str| "OK\r\n";
    check(&judge_server(answer, None, &["--level", "named", "--only", "name"]), &[], &[hint]);
}

#[test]
fn the_wrong_line_of_a_client_is_marked() {
    if !python_installed() {
        return;
    }
    let (_, printed, _) = judge_client("s.sendall(b'hello\\r\\nBYE\\r\\n')", "client-logs-in");
    let what = "the client should send nothing yet, but sends \"BYE\"";
    check(&printed, &["  S< hello\\r\\n", "! S< BYE\\r\\n", what], &["another line"]);
    let (_, printed, _) = judge_client("s.sendall(b'PROT 0.1 CONNECT USER b*b\\r\\n')", "client-logs-in");
    check(&printed, &["! S< PROT 0.1 CONNECT USER b*b\\r\\n", "\"b*b\" is not a valid name"], &[]);
}

#[test]
fn a_client_that_prints_nothing_may_not_flush_its_output() {
    if !python_installed() {
        return;
    }
    let hint = "but does not (it has printed nothing at all: does it flush its output?)";
    check(&judge_client("s.sendall(b'hello\\r\\n')", "client-shows-who").1, &[hint], &["O< \n"]);
    let printing = "print('hi', flush=True)\ns.sendall(b'hello\\r\\n')";
    check(&judge_client(printing, "client-shows-who").1, &["should print", "  O< hi\\n"], &["flush"]);
}

#[test]
fn a_client_that_ends_before_it_connects_is_not_waited_for() {
    if !python_installed() {
        return;
    }
    let script = "import sys\nsys.stderr.write('no route')\nsys.exit(255)";
    let (code, _, stderr) = run_judge(&["client", "--", "python3", "-c", script]);
    let expected = "your client ended with exit code 255 before it connected; it wrote: \"no route\"";
    assert!(code == 2 && stderr.contains(expected), "{stderr}");
}
