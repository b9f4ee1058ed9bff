//! Compares the output of the program with the files in `snapshots/`. `SNAPSHOTS=overwrite cargo test snapshots`
//! updates them.

use std::fmt::Write;

use snapbox::{assert_data_eq, file};

use crate::program::run;

#[test]
fn help_matches_the_snapshots() {
    // Ignore trailing spaces.
    let help = |flag| run(&[flag]).1.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_data_eq!(help("-h"), file!["snapshots/help-short.txt"]);
    assert_data_eq!(help("--help"), file!["snapshots/help.txt"]);
}

#[test]
fn errors_match_the_snapshot() {
    let mut output = String::new();
    for args in [
        &["--nmae", "x"][..],
        &["--listen", "x"],
        &["--listen", "127.0.0.1:x"],
        &["--listen", "192.0.2.1:2222"],
        &["--max-clients", "many"],
        &["--rate-limit", "0.5"],
        &["--login-timeout", "soon"],
        &["--log-format", "xml"],
        &["2222"],
    ] {
        let (code, stdout, stderr) = run(args);
        assert_eq!(stdout, "");
        writeln!(output, "$ chat-server {}\n{stderr}=> {code}\n", args.join(" ")).unwrap();
    }
    assert_data_eq!(output, file!["snapshots/errors.txt"]);
}
