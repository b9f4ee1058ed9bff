//! `cargo xtask demo`: a server and three clients, who say on real sockets what a script says, and check what they hear.

mod client;
mod script;

use std::{future::IntoFuture, net::SocketAddr, time::Duration};

use chat_server::ChatServer;
use tokio::{net::TcpListener, runtime, sync::oneshot, time::timeout};

use self::{
    client::Client,
    script::{SCRIPT, Step, steps},
};
use crate::Failure;

/// For the whole script and the stop.
const LONGEST: Duration = Duration::from_secs(10);

/// Plays the whole script.
pub(crate) fn run() -> Result<(), Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::while_doing("start a runtime"))?;
    runtime.block_on(async {
        let late = |_| Err(Failure::work(format!("the demo hangs: it was not over after {} s", LONGEST.as_secs())));
        timeout(LONGEST, play()).await.unwrap_or_else(late)
    })
}

async fn play() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Failure::while_doing("listen"))?;
    let address = listener.local_addr().map_err(Failure::while_doing("listen"))?;
    println!("a server listens on {address}");

    let (stop, stopped) = oneshot::channel::<()>();
    let serve = ChatServer::builder().build().serve(listener);
    // An error says that this program is on its way out: a reason to stop too.
    let serve = serve.with_graceful_shutdown(async { drop(stopped.await) });
    let serving = tokio::spawn(serve.into_future());

    let mut stop = Some(stop);
    let mut clients = Vec::new();
    for step in steps(SCRIPT) {
        match step {
            Step::Remark(remark) => println!("\n{remark}"),
            Step::Say(who, line) => client(&mut clients, who, address).await?.say(line).await?,
            Step::Hear(who, line) => client(&mut clients, who, address).await?.hear(line).await?,
            Step::Stop => drop(stop.take()),
        }
    }
    for client in clients {
        client.hear_the_end().await?;
    }
    let report = serving.await.map_err(|error| Failure::work(format!("the server failed: {error}")))?;
    println!("\nthe server has stopped: {} drained, {} cut", report.drained, report.cut);
    Ok(())
}

/// The client of this name, who comes at first mention.
async fn client<'a>(
    clients: &'a mut Vec<Client>,
    name: &'static str,
    address: SocketAddr,
) -> Result<&'a mut Client, Failure> {
    let known = clients.iter().position(|client| client.name() == name);
    if known.is_none() {
        clients.push(Client::connect(name, address).await?);
    }
    let index = known.unwrap_or(clients.len() - 1);
    Ok(&mut clients[index])
}
