//! `cargo xtask soak --minutes N`: the program with real clients, good and bad, for as long as one likes. It fails if a line
//! is lost, or if anything grows that should not.

mod growth;
mod peer;
mod server;
mod talk;
mod trouble;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{runtime, task::JoinSet};

use self::{
    growth::Growth,
    server::{Sample, Server},
};
use crate::{Failure, workspace};

/// Between two lines of figures.
const BETWEEN: Duration = Duration::from_secs(10);

/// What the load and those who watch it have in common.
#[derive(Debug, Default)]
struct Load {
    /// The time is over: talkers say no more, trouble ceases.
    over: AtomicBool,
    /// Lines of the talkers that arrived, each at its place.
    received: AtomicU64,
    /// What the troublemakers did.
    troubles: AtomicU64,
}

/// Runs it for so many minutes.
pub(crate) fn run(options: &[String]) -> Result<(), Failure> {
    let minutes = match options {
        [] => 10.0,
        [flag, minutes] if flag == "--minutes" => minutes
            .parse()
            .ok()
            .filter(|minutes| (0.1..=10_000.0).contains(minutes))
            .ok_or_else(|| Failure::Usage(format!("`{minutes}` is no number of minutes: give 0.1 to 10000")))?,
        [option, ..] => return Err(Failure::Usage(format!("what is `{option}`? `soak` knows `--minutes N`"))),
    };
    build()?;
    let mut server = Server::start()?;
    let before = server.sample()?;
    println!("a server with pid {} listens on {}, for {minutes} minutes", server.id(), server.address());

    let load = Arc::new(Load::default());
    let loading = thread::spawn({
        let (load, address) = (Arc::clone(&load), server.address());
        move || put_load(&load, address)
    });
    let begun = Instant::now();
    let mut growth = Growth::new(Duration::from_secs_f64(minutes * 60.0));
    while begun.elapsed() < growth.planned() && !loading.is_finished() {
        let left = growth.planned().saturating_sub(begun.elapsed());
        thread::sleep(BETWEEN.min(left));
        let sample = server.sample()?;
        println!("{}", figures(begun.elapsed(), &sample, &load));
        growth.add(begun.elapsed(), &sample);
    }
    load.over.store(true, Ordering::Relaxed);
    loading.join().map_err(|_| Failure::work("the load panicked"))??;

    // Everybody has gone: all that they used is given back, but for memory that the allocator keeps.
    let after = server.settled(&before)?;
    println!("{}", figures(begun.elapsed(), &after, &load));
    server.stop()?;
    println!("soak: no line lost, {}", growth.check()?);
    Ok(())
}

/// A line of figures.
fn figures(at: Duration, sample: &Sample, load: &Load) -> String {
    let (Sample { memory, descriptors, .. }, seconds) = (sample, at.as_secs());
    let mut line = format!("{seconds:>5} s  {memory} KiB  descriptors {descriptors}");
    for name in ["tasks", "clients", "messages", "deliveries", "left", "refused", "cut"] {
        line.extend(["  ", name, " ", &sample.stat(name).to_string()]);
    }
    let (received, troubles) = (load.received.load(Ordering::Relaxed), load.troubles.load(Ordering::Relaxed));
    line + &format!("  checked {received}  troubles {troubles}")
}

fn build() -> Result<(), Failure> {
    let mut cargo = workspace::cargo()?;
    cargo.args(["build", "--quiet", "--release", "--locked", "--bin", "chat-server", "--bin", "chat-client"]);
    cargo.arg("--target-dir").arg(workspace::target()?);
    let status = cargo.status().map_err(Failure::while_doing("start cargo"))?;
    if status.success() { Ok(()) } else { Err(Failure::work(format!("the build failed, {status}"))) }
}

/// All clients, until the time is over or one of them finds something wrong.
fn put_load(load: &Arc<Load>, address: std::net::SocketAddr) -> Result<(), Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::while_doing("start a runtime"))?.block_on(async {
        let mut talk = JoinSet::new();
        talk::start(&mut talk, load, address);
        let mut trouble = JoinSet::new();
        trouble::start(&mut trouble, load, address)?;
        while let Some(result) = talk.join_next().await {
            result.map_err(|error| Failure::work(format!("a client failed: {error}")))??;
        }
        while let Some(result) = trouble.join_next().await {
            result.map_err(|error| Failure::work(format!("a troublemaker failed: {error}")))??;
        }
        Ok(())
    })
}
