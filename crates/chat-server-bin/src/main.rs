//! The `chat-server` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chat_server_bin::run()
}
