//! The `chat-client` program: connects a terminal or a pipe to a chat server. Its exit code reports the outcome.
//!
//! It is a library so that `main` and `cargo xtask dist`, which writes man pages and completions, share one definition
//! of the command line. To write your own client, use the crate `chat_client`.

mod args;
mod config;
mod exit_code;
mod json;
mod log_file;
mod open_failure;
mod pipe;
mod pipe_format;
mod stdout_closed;
mod terminal;
mod terminal_args;
mod usage_error;

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use chat_client::escape;
use clap::CommandFactory;
use tokio::{runtime::Builder, sync::mpsc};

use self::{args::Args, exit_code::Exit};

/// Runs the program and returns its exit code.
pub fn run() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(exit) => return exit.into(),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print_error(&format!("cannot start: {error}"));
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(run_with(&args));
    // Do not wait for the thread that reads standard input: it may be blocked.
    runtime.shutdown_background();
    exit.into()
}

/// The definition of the command line, for man pages and completions.
pub fn definition() -> clap::Command {
    Args::command()
}

/// Runs a conversation at the terminal, or in a pipe.
async fn run_with(args: &Args) -> Exit {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    // A dumb terminal cannot move its cursor, so it is used like a pipe.
    let can_edit = terminal && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb");
    let is_script =
        args.json || args.json_in || args.commands || args.no_input || args.follow || args.timeout.is_some();
    if can_edit && !is_script { terminal::run(args, interrupts()).await } else { pipe::run(args, interrupts()).await }
}

/// Installs the handler of Ctrl-C. The receiver gets one item for each Ctrl-C.
fn interrupts() -> mpsc::Receiver<()> {
    let (interrupt, interrupts) = mpsc::channel(2);
    tokio::spawn(async move {
        // If the handler cannot be installed, Ctrl-C ends the process.
        while tokio::signal::ctrl_c().await.is_ok() && interrupt.send(()).await.is_ok() {}
    });
    interrupts
}

/// Prints text to stdout. Returns the exit code.
fn print_output(text: &str) -> Exit {
    let mut output = std::io::stdout();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => Exit::Done,
        // The reader wants no more.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            print_error(&format!("cannot write the output: {error}"));
            Exit::Failed
        }
    }
}

/// Prints one line to stderr. Ignores write errors, because stderr may be closed.
fn print_error(why: &str) {
    drop(writeln!(std::io::stderr(), "chat-client: {}", escape(why)));
}
