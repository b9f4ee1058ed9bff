//! The command line: flags, output and exit codes.

mod args;
mod class;
mod client;
mod output;
mod proxy;
mod server;

use std::process::{ExitCode, Termination};

pub use args::Args;
use args::Command;

/// The exit code of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Exit {
    /// 0: nothing failed.
    Passed,
    /// 1: something failed.
    Failed,
    /// 2: the program could not run.
    CouldNotRun,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::CouldNotRun => 2,
        })
    }
}

/// Runs the command that `args` names. Prints an error on standard error.
pub async fn run(args: Args) -> Exit {
    let result = match args.command {
        Command::Server(args) => server::run(&args).await,
        Command::Client(args) => client::run(&args).await,
        Command::Class(args) => class::run(&args).await,
        Command::Proxy(args) => proxy::run(&args).await,
    };
    result.unwrap_or_else(|error| {
        output::error_line(&error);
        Exit::CouldNotRun
    })
}
