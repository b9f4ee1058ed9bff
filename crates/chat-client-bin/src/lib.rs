//! The program `chat-client`: connects a terminal or a pipe with a chat room. Its exit code tells how that went.
//!
//! This is a library so that `main` and the tool that writes manuals and completions share one definition of the command
//! line. To write a client of your own, use the crate `chat_client`.

mod args;
mod config;
mod exit_code;
mod json;
mod open_failure;
mod pipe;
mod stdout_closed;
mod terminal;
mod usage_error;

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use chat_client::{ChatClient, CloseError, Events, escape};
use clap::CommandFactory;
use tokio::{runtime::Builder, sync::mpsc};

use self::{args::Args, exit_code::Exit};

/// Runs the program, from its arguments to its exit code.
pub fn run() -> ExitCode {
    let args = match Args::of_process() {
        Ok(args) => args,
        Err(exit) => return exit.into(),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(run_with(&args));
    // A thread may still be reading standard input. Do not wait for it.
    runtime.shutdown_background();
    exit.into()
}

/// The definition of the command line, for manuals and completions.
pub fn definition() -> clap::Command {
    Args::command()
}

/// Does what `args` say, with standard input, output and error.
async fn run_with(args: &Args) -> Exit {
    let person = std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    // A dumb terminal cannot move its cursor, so it is used like a pipe.
    let person = person && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb");
    let script = args.json || args.json_in || args.no_input || args.follow || args.timeout.is_some();
    if person && !script { terminal::run(args, interrupts()).await } else { pipe::run(args, interrupts()).await }
}

/// Receives each Ctrl-C from now on.
fn interrupts() -> mpsc::Receiver<()> {
    let (interrupt, interrupts) = mpsc::channel(2);
    tokio::spawn(async move {
        // Without a handler, Ctrl-C still ends the process.
        while tokio::signal::ctrl_c().await.is_ok() && interrupt.send(()).await.is_ok() {}
    });
    interrupts
}

/// Says BYE and waits for the answers. A second interrupt exits at once.
async fn interrupted(client: &ChatClient, events: Events, mut again: mpsc::Receiver<()>) -> Exit {
    // Dropped, so that unread events do not block the session.
    drop(events);
    let report = tokio::select! {
        closed = client.close() => closed.unwrap_or_else(CloseError::into_report),
        Some(()) = again.recv() => return Exit::Interrupted,
    };
    if report.unknown > 0 {
        complain(&format!("interrupted; unacknowledged messages: {}", report.unknown));
    }
    Exit::Interrupted
}

/// Writes one line to stderr. Errors are ignored: stderr may be closed.
fn complain(why: &str) {
    drop(writeln!(std::io::stderr(), "chat-client: {}", escape(why)));
}
