//! `cargo xtask ci`: everything that must pass before a change goes in, one step after the other.

use std::time::Instant;

use crate::{Failure, tidy, workspace};

/// A cargo command that has to succeed.
struct Step {
    /// An environment variable that it needs.
    setting: Option<(&'static str, &'static str)>,
    /// As it would be typed behind `cargo`.
    command: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Check,
    Test,
}

const STEPS: &[Step] = &[
    check("fmt --all --check"),
    check("clippy --workspace --all-targets --all-features --locked -- -D warnings"),
    // Each alone: together, one library's features would be switched on by another's needs.
    check("clippy --package chat-proto --lib --no-default-features --locked -- -D warnings"),
    check("clippy --package chat-server --lib --no-default-features --locked -- -D warnings"),
    check("clippy --package chat-client --lib --no-default-features --locked -- -D warnings"),
    Step { setting: None, command: "test --workspace --locked", kind: Kind::Test },
    // Each micro bench once.
    Step {
        setting: None,
        command: "test --workspace --bench lines --bench batch --all-features --locked",
        kind: Kind::Test,
    },
    Step {
        setting: Some(("RUSTDOCFLAGS", "-D warnings")),
        command: "doc --workspace --no-deps --all-features --locked",
        kind: Kind::Check,
    },
];

const fn check(command: &'static str) -> Step {
    Step { setting: None, command, kind: Kind::Check }
}

/// Runs the steps and then `tidy`, up to the first failure.
pub(crate) fn run(options: &[String]) -> Result<(), Failure> {
    let tests = match options {
        [] => true,
        [option] if option == "--no-tests" => false,
        [option, ..] => return Err(Failure::Usage(format!("what is `{option}`? `ci` knows `--no-tests`"))),
    };
    let begun = Instant::now();
    for step in STEPS.iter().filter(|step| tests || step.kind != Kind::Test) {
        timed(&step.typed(), || step.run())?;
    }
    timed("cargo xtask tidy", tidy::run)?;
    println!("ci: all passed in {:.1} s", begun.elapsed().as_secs_f32());
    Ok(())
}

fn timed(typed: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    println!("ci: {typed}");
    let begun = Instant::now();
    let result = work();
    println!("ci: {} in {:.1} s", if result.is_ok() { "done" } else { "failed" }, begun.elapsed().as_secs_f32());
    result
}

impl Step {
    fn typed(&self) -> String {
        let setting = self.setting.map(|(name, value)| format!("{name}='{value}' ")).unwrap_or_default();
        format!("{setting}cargo {}", self.command)
    }

    fn run(&self) -> Result<(), Failure> {
        let mut cargo = workspace::cargo()?;
        cargo.args(self.command.split(' ')).envs(self.setting);
        let status = cargo.status().map_err(Failure::while_doing("start cargo"))?;
        if status.success() { Ok(()) } else { Err(Failure::work(format!("ci stopped, {status}: {}", self.typed()))) }
    }
}
