//! Those who come and go, break off, do not read, or are killed.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::{Load, peer::Peer, server::program};
use crate::Failure;

const CHURNERS: usize = 4;
const RESETTERS: usize = 2;
const SLEEPERS: usize = 4;
const KILLED: usize = 2;
/// Octets that the system may keep for one who does not read: few, so that the server notices.
const SMALL: u32 = 4_096;

/// Starts them. They end when the time is over.
pub(super) fn start(
    trouble: &mut JoinSet<Result<(), Failure>>,
    load: &Arc<Load>,
    address: SocketAddr,
) -> Result<(), Failure> {
    for me in 0..CHURNERS {
        let load = Arc::clone(load);
        trouble.spawn(async move {
            while goes_on(&load, 20).await {
                come_and_go(address, &format!("churner{me}")).await?;
            }
            Ok(())
        });
    }
    for me in 0..RESETTERS {
        let load = Arc::clone(load);
        trouble.spawn(async move {
            let said = ["", "PROT 0.1 CONN", "PROT 0.1 CONNECT NEW\r\n", "hello\r\n", "GET / HTTP/1.1\r\n"];
            let mut turns = said.iter().cycle().skip(me);
            while goes_on(&load, 10).await {
                let Some(said) = turns.next() else { break };
                let mut stream = TcpStream::connect(address).await.map_err(Failure::while_doing("connect"))?;
                // What fails here is what it is all about.
                let _ = stream.write_all(said.as_bytes()).await;
                let _ = stream.set_zero_linger();
            }
            Ok(())
        });
    }
    for me in 0..SLEEPERS {
        let load = Arc::clone(load);
        trouble.spawn(async move {
            while goes_on(&load, 100).await {
                sleep_through(&load, address, &format!("sleeper{me}")).await?;
            }
            Ok(())
        });
    }
    let client = program("chat-client")?;
    for me in 0..KILLED {
        let (load, client) = (Arc::clone(load), client.clone());
        trouble.spawn(async move {
            while goes_on(&load, 100).await {
                let mut command = Command::new(&client);
                command.args(["--name", &format!("killed{me}"), &address.to_string()]);
                command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
                let mut child = command.spawn().map_err(Failure::while_doing("start a client"))?;
                sleep(Duration::from_millis(700)).await;
                // SIGKILL: it cannot say goodbye.
                child.kill().map_err(Failure::while_doing("kill a client"))?;
                child.wait().map_err(Failure::while_doing("wait for a client"))?;
            }
            Ok(())
        });
    }
    Ok(())
}

/// After a pause, whether there is still time; counts a piece of trouble.
async fn goes_on(load: &Load, pause_millis: u64) -> bool {
    sleep(Duration::from_millis(pause_millis)).await;
    load.troubles.fetch_add(1, Ordering::Relaxed);
    !load.over.load(Ordering::Relaxed)
}

async fn come_and_go(address: SocketAddr, name: &str) -> Result<(), Failure> {
    let Peer { mut reader, mut writer } = Peer::join(address, name).await?;
    writer.say("MSG just passing").await?;
    writer.say("BYE").await?;
    let mut last = String::new();
    loop {
        match reader.line().await? {
            "" if last == "BYE" => return Ok(()),
            "" => return Err(Failure::work(format!("{name} was not told BYE, but {last:?}"))),
            line => line.clone_into(&mut last),
        }
    }
}

/// Joins and does not read until it must be cut off.
async fn sleep_through(load: &Load, address: SocketAddr, name: &str) -> Result<(), Failure> {
    let socket = TcpSocket::new_v4().map_err(Failure::while_doing("make a socket"))?;
    socket.set_recv_buffer_size(SMALL).map_err(Failure::while_doing("make a socket small"))?;
    let stream = socket.connect(address).await.map_err(Failure::while_doing("connect"))?;
    let peer = Peer::over(stream).log_in(name).await?;
    for _ in 0..200 {
        if load.over.load(Ordering::Relaxed) {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    drop(peer);
    Ok(())
}
