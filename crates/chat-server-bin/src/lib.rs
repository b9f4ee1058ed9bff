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

use std::{io, process::ExitCode};

use chat_server::listen::ListenAddr;
use clap::CommandFactory;
use tokio::runtime::{Builder, Runtime};

use self::{args::Args, outlet::Outlet, stream::Stream};

/// Wrong usage, or an address that cannot be had.
const EXIT_USAGE: u8 = 2;

/// The program, from its arguments to its exit code.
pub fn run() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let log = logging::init(&args);
    let stdout = Outlet::new(Stream::Stdout, |_| Vec::new());
    let exit = match runtime() {
        Ok(runtime) => {
            let served = runtime.block_on(serve(&args, &stdout));
            // A second signal must not wait for anything.
            runtime.shutdown_background();
            served
        }
        Err(error) => Err(format!("cannot start: {error}")),
    };
    let exit = exit.map_or_else(
        |what| {
            log.say(&format!("chat-server: {what}"));
            ExitCode::from(EXIT_USAGE)
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

/// Serves until it is told to stop; otherwise, what is wrong and what to do.
async fn serve(args: &Args, stdout: &Outlet) -> Result<(), String> {
    #[cfg(unix)]
    let descriptors = descriptors::raise();
    let options = args.bind_options();
    let mut endpoints = Vec::new();
    for address in args.listen() {
        endpoints.extend(address.bind_with(&options).await.map_err(|error| advice(address, &error))?);
    }
    // Before anything is printed: who starts this program may stop it as soon as it has read an address.
    let mut signals = signals::Signals::install().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let server = args.builder().build();
    signals.answer_with_stats(server.clone(), stdout.clone());
    args.log_start(&endpoints);
    #[cfg(unix)]
    descriptors::check(descriptors, args.max_clients(), endpoints.len());
    for endpoint in &endpoints {
        // A stdout that takes nothing is no reason not to serve.
        stdout.push(format!("listening on {endpoint}\n").into_bytes());
    }
    let stop = signals.first_then_cut(server.clone(), console::bye());
    let report = server.serve_all(endpoints).with_graceful_shutdown(stop).await;
    records::stopped(report, &server.stats());
    Ok(())
}

/// Sockets are looked at when nobody has anything to do, or after so many tasks: what comes in while a batch is being written
/// then becomes one batch, not many small ones.
fn runtime() -> io::Result<Runtime> {
    const TASKS_BETWEEN_LOOKS: u32 = 4_096;
    Builder::new_multi_thread().enable_all().event_interval(TASKS_BETWEEN_LOOKS).build()
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
