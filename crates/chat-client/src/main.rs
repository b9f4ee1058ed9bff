//! The chat client: see `chat_client::cli`.

use chat_client::cli::{self, Args, Exit};

fn main() -> Exit {
    let args = match Args::of_process() {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            cli::complain(&format!("cannot start: {error}"));
            return Exit::Failed;
        }
    };
    let exit = runtime.block_on(cli::run(&args));
    // A thread may still read standard input: it is not waited for.
    runtime.shutdown_background();
    exit
}
