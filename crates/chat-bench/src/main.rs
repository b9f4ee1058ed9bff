//! `chat-bench`: compares chat-server with other servers (`quick`, `all`, `row`), and runs it under load for a long time (`soak`).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "other systems only parse the options"))]

#[cfg(target_os = "linux")]
mod bench;
#[cfg(target_os = "linux")]
#[path = "../../../xtask/src/cargo.rs"]
mod cargo;
mod cli;
#[cfg(target_os = "linux")]
mod server_process;
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
        Command::Floor => bench::run_floor(),
    }
}

/// The benchmarks and the soak test read `/proc`; the benchmarks also pin processes to cores.
#[cfg(not(target_os = "linux"))]
fn run(_: Command) -> anyhow::Result<()> {
    anyhow::bail!("the benchmarks and the soak test run on Linux only")
}
