//! Bad clients. They leave at once, reset their connection, do not read, or are killed.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::{Load, peer::Peer};
use crate::workspace;

const CHURNERS: usize = 4;
const RESETTERS: usize = 2;
const SLEEPERS: usize = 4;
const KILLED: usize = 2;
/// Receive buffer of a client that does not read, in bytes. It is small, so that the client soon lags.
const SMALL_BUFFER: u32 = 4_096;

/// Starts the bad clients. They end when the time is over.
pub(super) fn start(clients: &mut JoinSet<Result<()>>, load: &Arc<Load>, address: SocketAddr) -> Result<()> {
    for me in 0..CHURNERS {
        let load = Arc::clone(load);
        clients.spawn(async move {
            while pause_and_count(&load, 20).await {
                visit(address, &format!("churner{me}")).await?;
            }
            Ok(())
        });
    }
    for me in 0..RESETTERS {
        let load = Arc::clone(load);
        clients.spawn(async move {
            let first_lines = ["", "PROT 0.1 CONN", "PROT 0.1 CONNECT NEW\r\n", "hello\r\n", "GET / HTTP/1.1\r\n"];
            let mut turns = first_lines.iter().cycle().skip(me);
            while pause_and_count(&load, 10).await {
                let Some(first) = turns.next() else { break };
                let mut stream = TcpStream::connect(address).await.context("cannot connect")?;
                // Fails if the server has closed the connection.
                let _ = stream.write_all(first.as_bytes()).await;
                #[allow(deprecated, reason = "the replacement needs a newer Tokio; a zero linger never blocks")]
                let _ = stream.set_linger(Some(Duration::ZERO));
            }
            Ok(())
        });
    }
    for me in 0..SLEEPERS {
        let load = Arc::clone(load);
        clients.spawn(async move {
            while pause_and_count(&load, 100).await {
                read_nothing(&load, address, &format!("sleeper{me}")).await?;
            }
            Ok(())
        });
    }
    let client = workspace::program("chat-client")?;
    for me in 0..KILLED {
        let (load, client) = (Arc::clone(load), client.clone());
        clients.spawn(async move {
            while pause_and_count(&load, 100).await {
                let mut command = Command::new(&client);
                command.args(["--name", &format!("killed{me}"), &address.to_string()]);
                command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
                let mut child = command.spawn().context("cannot start a client")?;
                sleep(Duration::from_millis(700)).await;
                // SIGKILL: the client cannot send BYE.
                child.kill().context("cannot kill a client")?;
                child.wait().context("cannot wait for a client")?;
            }
            Ok(())
        });
    }
    Ok(())
}

/// Waits, counts one action of a bad client, and returns whether the test continues.
async fn pause_and_count(load: &Load, pause_millis: u64) -> bool {
    sleep(Duration::from_millis(pause_millis)).await;
    load.disruptions.fetch_add(1, Ordering::Relaxed);
    !load.is_over.load(Ordering::Relaxed)
}

/// Joins, sends a message and leaves.
async fn visit(address: SocketAddr, name: &str) -> Result<()> {
    let Peer { mut reader, mut writer } = Peer::join(address, name).await?;
    writer.send("MSG just passing").await?;
    writer.send("BYE").await?;
    let mut last = String::new();
    loop {
        match reader.line().await? {
            "" if last == "BYE" => return Ok(()),
            "" => bail!("the last line that {name} got is {last:?} instead of BYE"),
            line => line.clone_into(&mut last),
        }
    }
}

/// Joins and reads nothing. Closes the connection after 20 s, long after the server should have cut it.
async fn read_nothing(load: &Load, address: SocketAddr, name: &str) -> Result<()> {
    let socket = TcpSocket::new_v4().context("cannot create a socket")?;
    socket.set_recv_buffer_size(SMALL_BUFFER).context("cannot set a receive buffer")?;
    let stream = socket.connect(address).await.context("cannot connect")?;
    let peer = Peer::over(stream).log_in(name).await?;
    for _ in 0..200 {
        if load.is_over.load(Ordering::Relaxed) {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    drop(peer);
    Ok(())
}
