//! The `chat-server` program: flags, log and signals around the library [`chat_server`].

mod addresses;
mod args;
mod console;
#[cfg(unix)]
mod descriptors;
mod fields;
mod input;
#[cfg(unix)]
mod jobs;
mod logging;
mod outlet;
mod records;
mod signals;
mod stream;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use chat_server::listen::{Endpoint, ListenAddr};
use clap::CommandFactory;
use tokio::runtime::{Builder, Runtime};

use self::{args::Args, outlet::Outlet, stream::Stream};

/// Wrong usage, or an address that cannot be bound.
const EXIT_USAGE: u8 = 2;

/// The server stopped by a fault of its own, or cannot run on this system now.
const EXIT_FAILURE: u8 = 1;

/// Why the program ends with an error.
enum Failure {
    /// Wrong usage, or an address that cannot be bound: starting it again does not help.
    Usage(String),
    /// A fault, or a shortage that may pass.
    Running(String),
}

/// The program, from its arguments to its exit code.
pub fn run() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let log = match logging::init(&args) {
        Ok(log) => log,
        Err(what) => {
            let _ = writeln!(io::stderr(), "chat-server: {what}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let stdout = Outlet::new(Stream::Stdout, |_| Vec::new());
    let exit = match runtime() {
        Ok(runtime) => {
            let served = runtime.block_on(serve(&args, &stdout));
            // Blocking threads must not delay the exit after a second signal.
            runtime.shutdown_background();
            served
        }
        Err(error) => Err(Failure::Running(format!("cannot start: {error}"))),
    };
    let exit = exit.map_or_else(
        |failure| {
            let (what, code) = match failure {
                Failure::Usage(what) => (what, EXIT_USAGE),
                Failure::Running(what) => (what, EXIT_FAILURE),
            };
            log.say(&format!("chat-server: {what}"));
            ExitCode::from(code)
        },
        |()| ExitCode::SUCCESS,
    );
    stdout.flush();
    log.flush();
    exit
}

/// The definition of the command line, for completions and manuals.
pub fn definition() -> clap::Command {
    Args::command()
}

/// Serves until it is told to stop. The error says what is wrong and what to do.
async fn serve(args: &Args, stdout: &Outlet) -> Result<(), Failure> {
    #[cfg(unix)]
    let descriptors = descriptors::raise();
    // Before anything is bound: a signal must not leave a socket behind.
    let mut signals =
        signals::Signals::install().map_err(|error| Failure::Running(format!("cannot wait for signals: {error}")))?;
    let endpoints = tokio::select! {
        // A name lookup may take long.
        _ = signals.next() => return Ok(()),
        bound = bind(args) => bound.map_err(Failure::Usage)?,
    };
    let server = args.builder().build();
    signals.answer_with_stats(server.clone(), stdout.clone());
    args.log_start(&endpoints);
    #[cfg(unix)]
    descriptors::check(descriptors, args.max_clients(), endpoints.len());
    for endpoint in &endpoints {
        // The server serves even if stdout takes nothing.
        stdout.push(format!("listening on {endpoint}\n").into_bytes());
    }
    let stop = signals.stop_requested(server.clone(), console::bye());
    let report = server.serve_all(endpoints).with_graceful_shutdown(stop).await;
    records::stopped(report, &server.stats());
    if report.failed { Err(Failure::Running("the server failed: see its log".to_owned())) } else { Ok(()) }
}

async fn bind(args: &Args) -> Result<Vec<Endpoint>, String> {
    let options = args.bind_options();
    let mut endpoints = Vec::new();
    for address in args.listen() {
        endpoints.extend(address.bind_with(&options).await.map_err(|error| advice(address, &error))?);
    }
    Ok(endpoints)
}

/// The runtime polls sockets when it is idle, or after this many tasks. Messages that arrive while a batch is written
/// then form one batch instead of many small ones.
fn runtime() -> io::Result<Runtime> {
    const EVENT_INTERVAL: u32 = 4_096;
    Builder::new_multi_thread().enable_all().event_interval(EVENT_INTERVAL).build()
}

/// Why an address cannot be bound, and what to do.
fn advice(address: &ListenAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "another program is there: stop it, or choose another address with --listen",
        io::ErrorKind::PermissionDenied => "no permission: choose a port from 1024 up, or a path that you may write",
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address: see --listen",
        _ => return format!("cannot listen on {address}: {error}: see --listen"),
    };
    format!("cannot listen on {address}: {advice}")
}
