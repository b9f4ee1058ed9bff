//! `cargo xtask`: checks the whole workspace (`ci`), and builds what is handed out (`dist`).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod cargo;
mod ci;
mod dist;
mod man_and_completions;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Checks this workspace, and builds what is handed out.
#[derive(Parser, Debug)]
#[command(name = "xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    /// Run everything that must pass: format, lints, tests, documentation, spelling; stop at the first failure
    Ci {
        /// Leave the tests out
        #[arg(long)]
        no_tests: bool,
    },
    /// Build all programs, optimised and stripped, with man pages and completions, into target/dist
    Dist,
    /// Write the man pages and completions of both programs below this folder, as `dist` does
    #[command(hide = true)]
    ManAndCompletions { folder: PathBuf },
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Ci { no_tests } => ci::run(!no_tests),
        Command::Dist => dist::run(),
        Command::ManAndCompletions { folder } => man_and_completions::write(&folder),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
