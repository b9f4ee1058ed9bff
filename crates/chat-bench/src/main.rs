//! `chat-bench`: measures what a delivery costs, against other servers (`bench`), and runs the server under load for as
//! long as asked (`soak`).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "elsewhere the options are only parsed"))]

#[cfg(target_os = "linux")]
mod bench;
mod cli;
#[cfg(target_os = "linux")]
mod soak;
#[cfg(target_os = "linux")]
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use cli::{Args, Command};

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            print!("{}", bench::list());
            Ok(())
        }
        Command::Quick(output) => bench::run(&bench::Plan { quick: true, rows: Vec::new(), output }),
        Command::All(output) => bench::run(&bench::Plan { quick: false, rows: Vec::new(), output }),
        Command::Row { rows, quick, output } => bench::run(&bench::Plan { quick, rows, output }),
        Command::Soak { minutes } => soak::run(minutes),
        Command::Floor => bench::floor(),
    }
}

/// Both tools read `/proc`, and the benchmarks pin threads to cores. Only Linux has both.
#[cfg(not(target_os = "linux"))]
fn run(_: Command) -> anyhow::Result<()> {
    anyhow::bail!("the benchmarks and the soak run on Linux only")
}
