//! `cargo xtask`: checks the workspace (`ci`), and builds the programs for a release (`dist`).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod cargo;
mod ci;
mod dist;
mod man_and_completions;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Check this workspace, or build its programs for a release
#[derive(Parser, Debug)]
#[command(name = "xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    /// Check format, lints, tests, documentation and spelling; stop at the first failure
    Ci {
        /// Skip the tests
        #[arg(long)]
        no_tests: bool,
    },
    /// Build the server, the client and the judge into target/dist, optimised and stripped, with man pages and completions of the
    /// first two
    Dist,
    /// Write the man pages and completions of the server and the client to this directory. `dist` runs this
    #[command(hide = true)]
    ManAndCompletions { directory: PathBuf },
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Ci { no_tests } => ci::run(!no_tests),
        Command::Dist => dist::run(),
        Command::ManAndCompletions { directory } => man_and_completions::write(&directory),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
