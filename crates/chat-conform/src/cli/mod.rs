//! The program: flags, what is printed, and the exit code.

mod args;
mod class;
mod client;
mod output;
mod proxy;
mod server;

use std::process::{ExitCode, Termination};

pub use args::Args;
use args::Command;

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Exit {
    /// 0: all passed.
    Passed,
    /// 1: something failed.
    Failed,
    /// 2: it could not run.
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

/// Does what the flags say.
pub async fn run(args: Args) -> Exit {
    let done = match args.command {
        Command::Server(args) => server::run(&args).await,
        Command::Client(args) => client::run(&args).await,
        Command::Class(args) => class::run(&args).await,
        Command::Proxy(args) => proxy::run(&args).await,
    };
    done.unwrap_or_else(|why| {
        output::complain(&why);
        Exit::CouldNotRun
    })
}
