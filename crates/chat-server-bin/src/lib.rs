//! The `chat-server` program: adds flags, a log and signals to the library [`chat_server`].

mod addresses;
mod args;
mod console;
#[cfg(unix)]
mod descriptors;
mod fields;
mod input;
#[cfg(unix)]
mod job_control;
mod logging;
mod outlet;
mod signals;
mod stream;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use chat_server::{
    ChatServer, Serve,
    listen::{Endpoint, Handshakes, ListenAddr, read_proxy_header},
};
use clap::CommandFactory;
use tokio::runtime::{Builder, Runtime};

use self::{args::Args, outlet::Outlet, stream::Stream};

/// Exit code of [`Failure::Usage`].
const EXIT_USAGE: u8 = 2;

/// Exit code of [`Failure::Runtime`].
const EXIT_FAILURE: u8 = 1;

/// An error that ends the program, with a message for the operator.
enum Failure {
    /// Invalid flags, or an address that cannot be bound. A restart does not help.
    Usage(String),
    /// The server or the system failed. A restart may help.
    Runtime(String),
}

/// Runs the program and returns its exit code.
pub fn run() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let log = match logging::init(&args) {
        Ok(log) => log,
        Err(message) => {
            let _ = writeln!(io::stderr(), "chat-server: {message}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let stdout = Outlet::new(Stream::Stdout, |_| Vec::new());
    let exit = match runtime() {
        Ok(runtime) => {
            let served = runtime.block_on(serve(&args, &stdout));
            // Do not wait for blocking threads: after a second signal the program must exit at once.
            runtime.shutdown_background();
            served
        }
        Err(error) => Err(Failure::Runtime(format!("cannot start: {error}"))),
    };
    let exit = exit.map_or_else(
        |failure| {
            let (message, code) = match failure {
                Failure::Usage(message) => (message, EXIT_USAGE),
                Failure::Runtime(message) => (message, EXIT_FAILURE),
            };
            log.print(&format!("chat-server: {message}"));
            ExitCode::from(code)
        },
        |()| ExitCode::SUCCESS,
    );
    stdout.flush();
    log.flush();
    exit
}

/// The definition of the command line. Man pages and completions are generated from it.
pub fn definition() -> clap::Command {
    Args::command()
}

/// Serves until the operator stops the server, or until it fails.
async fn serve(args: &Args, stdout: &Outlet) -> Result<(), Failure> {
    #[cfg(unix)]
    let descriptors = descriptors::raise_limit();
    // Install the handlers before binding, so that a signal does not leave a Unix socket behind.
    let mut signals =
        signals::Signals::install().map_err(|error| Failure::Runtime(format!("cannot wait for signals: {error}")))?;
    let endpoints = tokio::select! {
        // A lookup of a host name may take long. A signal cancels it.
        _ = signals.next_terminating() => return Ok(()),
        bound = bind(args) => bound.map_err(Failure::Usage)?,
    };
    let server = args.builder().build();
    signals.print_stats_on_usr1(server.clone(), stdout.clone());
    args.log_started(&endpoints);
    #[cfg(unix)]
    descriptors::warn_if_too_few(descriptors, args.max_clients(), endpoints.len());
    for endpoint in &endpoints {
        // Does not wait: stdout may be closed or blocked.
        stdout.push(format!("listening on {endpoint}\n").into_bytes());
    }
    let stop = signals.stop_requested(server.clone(), console::read_bye());
    let report = serve_endpoints(&server, endpoints, args).with_graceful_shutdown(stop).await;
    logging::log_stopped(&report, &server.stats());
    if report.failed { Err(Failure::Runtime("the server failed: see the log".to_owned())) } else { Ok(()) }
}

/// Binds all addresses. The error is a message for the operator.
async fn bind(args: &Args) -> Result<Vec<Endpoint>, String> {
    let options = args.bind_options();
    let mut endpoints = Vec::new();
    for address in args.listen() {
        endpoints.extend(address.bind_with(&options).await.map_err(|error| bind_error_message(address, &error))?);
    }
    Ok(endpoints)
}

/// Serves all endpoints. With `--proxy-protocol`, TCP connections must begin with a PROXY header.
fn serve_endpoints(server: &ChatServer, endpoints: Vec<Endpoint>, args: &Args) -> Serve {
    endpoints.into_iter().fold(server.serve_all([]), |serve, endpoint| match endpoint {
        Endpoint::Tcp(listener) if args.proxy_protocol => {
            serve.and(Handshakes::new(listener, |mut reader, writer, peer| async move {
                let peer = read_proxy_header(&mut reader, peer).await?;
                Ok((reader, writer, peer))
            }))
        }
        endpoint => serve.and_all([endpoint]),
    })
}

/// Builds a runtime that rarely polls sockets under load. All messages that arrive during a write
/// then form one batch instead of many small ones. An idle runtime polls its sockets at once.
fn runtime() -> io::Result<Runtime> {
    /// Number of tasks between two polls under load.
    const EVENT_INTERVAL: u32 = 4_096;
    Builder::new_multi_thread().enable_all().event_interval(EVENT_INTERVAL).build()
}

/// Explains why an address cannot be bound, and what to do.
fn bind_error_message(address: &ListenAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program uses this address: stop it, or choose another address with --listen"
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied: choose a port from 1024 up, or a directory that you may write to"
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have this address: see --listen",
        _ => return format!("cannot listen on {address}: {error}: see --listen"),
    };
    format!("cannot listen on {address}: {advice}")
}
