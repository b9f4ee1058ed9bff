//! The `chat-server` program: flags, logs and signals around the library.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
