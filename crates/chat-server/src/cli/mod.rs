//! From the command line to a served room, and to an exit code.

mod addresses;
mod args;
mod console;
mod logging;
mod signals;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use chat_server::{
    Report,
    listen::{Endpoint, ListenAddr},
};
use clap::CommandFactory;
use tokio::runtime::{Builder, Runtime};
use tracing::info;

use self::args::Args;

/// Wrong usage, or an address that cannot be had.
const EXIT_USAGE: u8 = 2;

/// The program, from its arguments to its exit code.
pub fn run() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let log = logging::init(&args);
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let exit = runtime.block_on(serve(&args));
    // A second signal must not wait for anything.
    runtime.shutdown_background();
    log.flush();
    exit
}

/// The definition of the command line, for completions and manuals.
pub fn definition() -> clap::Command {
    Args::command()
}

async fn serve(args: &Args) -> ExitCode {
    let mut endpoints = Vec::new();
    let options = args.bind_options();
    for address in args.listen() {
        match address.bind_with(&options).await {
            Ok(bound) => endpoints.extend(bound),
            Err(error) => return fail(&advice(address, &error)),
        }
    }
    // Before anything is printed: who starts this program may stop it as soon as it has read an address.
    let mut signals = match signals::Signals::install() {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("cannot wait for signals: {error}")),
    };
    let server = args.builder().build();
    signals.answer_with_stats(server.clone());
    announce(&endpoints);
    let stop = signals.first_then_cut(server.clone(), console::bye());
    let Report { drained, cut, .. } = server.serve_all(endpoints).with_graceful_shutdown(stop).await;
    info!(drained, cut, stats = %server.stats(), "stopped");
    ExitCode::SUCCESS
}

/// Prints where the server listens. A closed stdout is no reason not to serve.
fn announce(endpoints: &[Endpoint]) {
    let mut stdout = io::stdout().lock();
    for endpoint in endpoints {
        let _ = writeln!(stdout, "listening on {endpoint}");
    }
    let _ = stdout.flush();
}

/// Sockets are looked at when nobody has anything to do, or after so many tasks: what comes in while a batch is being written
/// then becomes one batch, not many small ones.
fn runtime() -> io::Result<Runtime> {
    const TASKS_BETWEEN_LOOKS: u32 = 4_096;
    Builder::new_multi_thread().enable_all().event_interval(TASKS_BETWEEN_LOOKS).build()
}

fn fail(what: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "chat-server: {what}");
    ExitCode::from(EXIT_USAGE)
}

/// Why an address cannot be had, and what to do.
fn advice(address: &ListenAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "another program is there: stop it, or choose another address with --listen",
        io::ErrorKind::PermissionDenied => "no permission: choose a port from 1024 up, or a path that you may write",
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address: see --listen",
        _ => return format!("cannot listen on {address}: {error}: see --listen"),
    };
    format!("cannot listen on {address}: {advice}")
}
