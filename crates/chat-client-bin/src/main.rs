//! The `chat-client` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chat_client_bin::run()
}
