//! `cargo xtask <command>`: what one does to this workspace besides building it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to whoever typed them")]

mod ci;
mod commands;
mod dist;
mod failure;
mod papers;
mod tidy;
mod workspace;

use std::process::ExitCode;

use failure::Failure;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match commands::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(problem)) => {
            eprintln!("xtask: {problem}\n\n{}", commands::usage());
            ExitCode::from(2)
        }
        Err(Failure::Work(problem)) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}
