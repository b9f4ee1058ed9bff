//! The program `chat-conform`. Its code is in `chat_conform::cli`.

use chat_conform::cli::{self, Args, Exit};
use clap::Parser;

fn main() -> Exit {
    let args = Args::parse();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(cli::run(args));
            runtime.shutdown_background();
            exit
        }
        Err(_) => Exit::CouldNotRun,
    }
}
