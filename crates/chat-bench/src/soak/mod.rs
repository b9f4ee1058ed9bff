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
    server::{Sample, Server},
};
use crate::workspace;

/// Time between two printed lines of figures.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// State that the clients and the main thread share.
#[derive(Debug, Default)]
struct Load {
    /// The time is over, and all clients must finish.
    is_over: AtomicBool,
    /// Number of messages that the good clients have received and checked.
    received: AtomicU64,
    /// Number of actions of bad clients.
    disruptions: AtomicU64,
}

/// Runs the test for this many minutes.
pub(crate) fn run(minutes: f64) -> Result<()> {
    workspace::build(&["chat-server", "chat-client"])?;
    let mut server = Server::start()?;
    let before = server.sample()?;
    println!("server process {} listens on {} for {minutes} minutes", server.id(), server.address());

    let load = Arc::new(Load::default());
    let clients = thread::spawn({
        let (load, address) = (Arc::clone(&load), server.address());
        move || run_clients(&load, address)
    });
    let begun = Instant::now();
    let mut growth = Growth::new(Duration::from_secs_f64(minutes * 60.0));
    while begun.elapsed() < growth.planned() && !clients.is_finished() {
        let left = growth.planned().saturating_sub(begun.elapsed());
        thread::sleep(REPORT_INTERVAL.min(left));
        let sample = server.sample()?;
        println!("{}", figures(begun.elapsed(), &sample, &load));
        growth.add(begun.elapsed(), &sample);
    }
    load.is_over.store(true, Ordering::Relaxed);
    clients.join().map_err(|_| anyhow!("a client panicked"))??;

    // All clients have left. The server must free everything that they used, except memory that the allocator keeps.
    let after = server.wait_until_freed(&before)?;
    println!("{}", figures(begun.elapsed(), &after, &load));
    server.stop()?;
    println!("soak: no line lost, {}", growth.check()?);
    Ok(())
}

/// Formats a line of figures.
fn figures(at: Duration, sample: &Sample, load: &Load) -> String {
    let (Sample { memory, descriptors, .. }, seconds) = (sample, at.as_secs());
    let mut line = format!("{seconds:>5} s  {memory} KiB  descriptors {descriptors}");
    for name in ["tasks", "clients", "messages", "deliveries", "left", "refused", "cut"] {
        line.extend(["  ", name, " ", &sample.stat(name).to_string()]);
    }
    let (received, disruptions) = (load.received.load(Ordering::Relaxed), load.disruptions.load(Ordering::Relaxed));
    line + &format!("  checked {received}  disruptions {disruptions}")
}

/// Runs all clients until the time is over, or until one of them fails.
fn run_clients(load: &Arc<Load>, address: std::net::SocketAddr) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start a runtime")?.block_on(async {
        let mut talk = JoinSet::new();
        talk::start(&mut talk, load, address);
        let mut bad = JoinSet::new();
        bad_clients::start(&mut bad, load, address)?;
        while let Some(result) = talk.join_next().await {
            result.context("a client failed")??;
        }
        while let Some(result) = bad.join_next().await {
            result.context("a bad client failed")??;
        }
        Ok(())
    })
}
