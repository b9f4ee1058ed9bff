//! The `chat-server` program: flags, logs and signals around the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    chat_server::cli::run()
}
