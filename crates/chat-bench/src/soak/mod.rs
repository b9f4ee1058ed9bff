//! Soak test: runs chat-server with good and bad clients for a given time. Fails if a line is lost, or if memory,
//! descriptors or tasks grow.

mod bad_clients;
mod growth;
mod peer;
mod server;
mod talk;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use tokio::{runtime, task::JoinSet};

use self::{
    growth::Growth,
    server::{Server, Usage},
};
use crate::workspace;

/// Interval at which a line of figures is printed.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// State that the clients and the main thread share.
#[derive(Debug, Default)]
struct Progress {
    /// The run is over: all clients must end.
    is_over: AtomicBool,
    /// Number of messages that good clients have received and checked.
    checked: AtomicU64,
    /// Number of actions of bad clients.
    disruptions: AtomicU64,
}

/// Runs the test for this many minutes.
pub(crate) fn run(minutes: f64) -> Result<()> {
    workspace::build(&["chat-server", "chat-client"])?;
    let mut server = Server::start()?;
    let before = server.usage()?;
    println!("server process {} listens on {} for {minutes} minutes", server.id(), server.address());

    let progress = Arc::new(Progress::default());
    let clients = thread::spawn({
        let (progress, address) = (Arc::clone(&progress), server.address());
        move || run_clients(&progress, address)
    });
    let start = Instant::now();
    let duration = Duration::from_secs_f64(minutes * 60.0);
    let mut growth = Growth::new(duration);
    while start.elapsed() < duration && !clients.is_finished() {
        thread::sleep(REPORT_INTERVAL.min(duration.saturating_sub(start.elapsed())));
        let usage = server.usage()?;
        println!("{}", report(start.elapsed(), &usage, &progress));
        growth.add(start.elapsed(), &usage);
    }
    progress.is_over.store(true, Ordering::Relaxed);
    clients.join().map_err(|_| anyhow!("the thread of the clients panicked"))??;

    let after = server.wait_until_freed(&before)?;
    println!("{}", report(start.elapsed(), &after, &progress));
    server.stop()?;
    println!("soak: no line lost; {}", growth.check()?);
    Ok(())
}

/// Formats a line of figures.
fn report(elapsed: Duration, usage: &Usage, progress: &Progress) -> String {
    let (Usage { memory_kib, descriptors, .. }, seconds) = (usage, elapsed.as_secs());
    let mut line = format!("{seconds:>5} s  {memory_kib} KiB  descriptors {descriptors}");
    for name in ["tasks", "clients", "messages", "deliveries", "left", "refused", "cut"] {
        line.extend(["  ", name, " ", &usage.stat(name).to_string()]);
    }
    let [checked, disruptions] = [&progress.checked, &progress.disruptions].map(|count| count.load(Ordering::Relaxed));
    line + &format!("  checked {checked}  disruptions {disruptions}")
}

/// Runs all clients until the run is over, or until a good one fails. Failures of bad clients are reported at the end.
fn run_clients(progress: &Arc<Progress>, address: std::net::SocketAddr) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start a runtime")?.block_on(async {
        let mut good = JoinSet::new();
        talk::start(&mut good, progress, address);
        let mut bad = JoinSet::new();
        bad_clients::start(&mut bad, progress, address)?;
        while let Some(result) = good.join_next().await {
            result.context("a good client panicked")??;
        }
        while let Some(result) = bad.join_next().await {
            result.context("a bad client panicked")??;
        }
        Ok(())
    })
}
