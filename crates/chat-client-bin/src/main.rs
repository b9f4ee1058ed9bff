//! The program `chat-client`: see the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    chat_client_bin::run()
}
