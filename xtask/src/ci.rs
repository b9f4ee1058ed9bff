//! `cargo xtask ci`: runs the checks that a change must pass.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result};

use crate::cargo::{self, cargo};

/// A cargo command that must succeed.
struct Step {
    arguments: &'static str,
    is_test: bool,
}

const STEPS: &[Step] = &[
    check("fmt --all --check"),
    check("clippy --workspace --all-targets --all-features --locked -- -D warnings"),
    // Check each library separately: cargo unifies features, so one library could enable a feature of another.
    check("clippy --package chat-proto --lib --no-default-features --locked -- -D warnings"),
    check("clippy --package chat-room --lib --no-default-features --locked -- -D warnings"),
    check("clippy --package chat-server --lib --no-default-features --locked -- -D warnings"),
    check("clippy --package chat-client --lib --no-default-features --locked -- -D warnings"),
    test("test --workspace --locked"),
    // Run each micro benchmark once.
    check("test --package chat-proto --package chat-room --bench lines --bench batch --locked"),
    check("doc --workspace --no-deps --all-features --locked"),
];

const fn check(arguments: &'static str) -> Step {
    Step { arguments, is_test: false }
}

const fn test(arguments: &'static str) -> Step {
    Step { arguments, is_test: true }
}

/// Runs the steps until one fails. Prints the duration of each.
pub(crate) fn run(with_tests: bool) -> Result<()> {
    let start = Instant::now();
    for step in STEPS.iter().filter(|step| with_tests || !step.is_test) {
        let mut command = cargo()?;
        command.args(step.arguments.split(' '));
        if step.arguments.starts_with("doc ") {
            command.env("RUSTDOCFLAGS", "-D warnings");
        }
        run_timed(&format!("cargo {}", step.arguments), &mut command)?;
    }
    if is_installed("typos") {
        run_timed("typos", Command::new("typos").current_dir(cargo::root()?))?;
    } else {
        println!(
            "ci: skipped typos, because it is not installed; run `pip install typos` or `cargo install typos-cli`"
        );
    }
    println!("ci: all passed in {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

/// Runs a command, and prints its duration.
fn run_timed(name: &str, command: &mut Command) -> Result<()> {
    println!("ci: {name}");
    let start = Instant::now();
    cargo::run(command).with_context(|| format!("ci stopped at `{name}`"))?;
    println!("ci: passed in {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
